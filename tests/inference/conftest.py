"""A service for tests that change nothing about it."""

from __future__ import annotations

import pytest

from registry.inference.service import Service
from registry.stores import Store
from registry.stores.memory import MemoryStore
from tests.fixtures.models import copy
from tests.inference.asking import service


@pytest.fixture(scope="module")
def flowers(published: Store) -> Service:
    """A service that nobody changes anything about."""
    store = MemoryStore()
    copy(published, store)
    return service(store, refresh_s=0.0, max_rows=100)
