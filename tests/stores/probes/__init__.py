"""What Cloud Storage does, one probe a behaviour: the questions that a fake must answer as Google does.

A probe is a function of the `Ground` it is asked on; its sentence is the behaviour. ``test_probes.py`` runs all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

Probe = Callable[["Ground"], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ground:
    """A server, and a bucket of its own on it for each probe.

    Attributes:
        endpoint: Where the server listens.
        client: A client of google-cloud-storage for it.
        bucket: A new and empty bucket.
    """

    endpoint: str
    client: Any
    bucket: Any

    @classmethod
    def make(cls, endpoint: str, bucket: str) -> Ground:
        """Connect, and make the bucket."""
        client = new_client(endpoint)
        return cls(endpoint, client, client.create_bucket(bucket))

    def put(self, name: str, data: bytes = b"x") -> Any:
        """Write an object, and return its blob."""
        blob = self.bucket.blob(name)
        blob.upload_from_string(data)
        return blob

    def content(self, name: str) -> bytes:
        """Read an object."""
        data: bytes = self.bucket.blob(name).download_as_bytes()
        return data

    def get_media(self, name: str, **headers: str) -> requests.Response:
        """Download an object with plain HTTP."""
        url = f"{self.endpoint}/download/storage/v1/b/{self.bucket.name}/o/{name}"
        return requests.get(url, params={"alt": "media"}, headers=headers, timeout=10)


def new_client(endpoint: str) -> Any:
    """Return a client of google-cloud-storage for a server."""
    credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
    return storage.Client(project="test", credentials=credentials, client_options={"api_endpoint": endpoint})


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """Run the work in threads that begin together, and return what each returned."""
    barrier = threading.Barrier(count)

    def run(number: int) -> T:
        barrier.wait(10)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
