"""Which ``memory://`` stores are the same."""

from __future__ import annotations

import uuid

import pytest

from registry.errors import ObjectNotFoundError
from registry.stores import open_store
from registry.stores.memory import MemoryStore


def test_a_store_without_a_name_is_ones_own() -> None:
    """Every opening gives a new and empty store."""
    open_store("memory://").create("a", b"1")
    with pytest.raises(ObjectNotFoundError):
        open_store("memory://").read("a")


def test_a_store_with_a_name_is_shared_by_the_process() -> None:
    """A name means the same store everywhere, and another name another one."""
    name = uuid.uuid4()
    open_store(f"memory://{name}").create("a", b"1")
    assert open_store(f"memory://{name}").read("a").data == b"1"
    assert list(open_store(f"memory://{name}-2").list()) == []
    assert list(MemoryStore(str(name)).list()) == []
