"""What the tests of the format share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits

from tests.format.writers import Writers


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Let numeric libraries use one thread: tests run side by side, and many small fits only wait for one another."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def writers() -> Iterator[Writers]:
    """Writers in processes of their own."""
    running = Writers()
    yield running
    running.close()
