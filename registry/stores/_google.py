"""One bucket through Google's libraries: the only module that imports them.

Reads go through google-auth's session and not through `google.cloud.storage.Blob`: the library drops
``Content-Range``, and with it the size of the object, which would cost a second request for every read.
"""

from __future__ import annotations

import io
import os
import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, BinaryIO
from urllib.parse import quote

import google.auth
import google_crc32c
import requests
import urllib3
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.transport.requests import AuthorizedSession
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY

from registry.errors import ConflictError, GenerationError, ObjectExistsError, ObjectNotFoundError, StoreError
from registry.stores import CHUNK_SIZE, Blob
from registry.stores._bounded import Bounds, Deadline, within

ENDPOINT = "https://storage.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
READER = "roles/storage.objectViewer"
WRITER = "roles/storage.objectUser"
LONGEST_WAIT_S = 8.0
TRACES = "ENABLE_GCS_PYTHON_CLIENT_OTEL_TRACES"
NO_BUCKET_LABELS = "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"
HOW_TO_LOG_IN = (
    "set GOOGLE_APPLICATION_CREDENTIALS, run `gcloud auth application-default login`, or attach a service account"
)

_PART = re.compile(r"bytes (\d+)-[\d*]+/(\d+)")
_CRC32C = re.compile(r"crc32c=([^,\s]+)")


class Connection:
    """A client and a session for one bucket. Every call ends within its bound, in a result or one of our errors."""

    def __init__(self, bucket: str, *, endpoint: str, bounds: Bounds) -> None:
        """Find credentials, unless there is an endpoint, which is asked without.

        Raises:
            StoreError: There are no credentials, or they cannot be used.
        """
        self._bucket = bucket
        self._endpoint = endpoint or ENDPOINT
        self._bounds = bounds
        if not os.environ.get(TRACES):  # or the library would look at the bucket as well, to label traces that are off
            os.environ.setdefault(NO_BUCKET_LABELS, "true")
        with self._errors(""):
            credentials = _find_credentials(anonymous=bool(endpoint))
            self._session: requests.Session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
            self._client = storage.Client(
                project=None, credentials=credentials, client_options={"api_endpoint": self._endpoint}
            )

    def read(self, name: str, start: int, end: int | None, generation: int | None) -> Blob:
        """Read a range of an object; see `registry.stores.Store.read`."""
        deadline = Deadline(self._bounds.read_s)
        attempt = partial(self._get, name, start, end, generation, deadline)
        with self._errors(name, generation):
            blob: Blob = within(deadline, self._retry(self._bounds.read_s)(attempt))
        return blob

    def write(self, name: str, data: bytes | BinaryIO, *, generation: int) -> int:
        """Write an object if its generation is that one; 0 means that there must be none."""
        content = io.BytesIO(data) if isinstance(data, bytes) else data
        size = _count_rest(content)
        blob = self._client.bucket(self._bucket).blob(name, chunk_size=CHUNK_SIZE)
        blob.cache_control = "no-store"  # from a public bucket, Google would serve what is up to an hour old
        upload = partial(
            blob.upload_from_file,
            content,
            size=size,
            content_type="application/json" if name.endswith(".json") else "application/octet-stream",
            if_generation_match=generation,
            checksum="crc32c",
            timeout=self._timeout(self._bounds.write_s),
            retry=self._retry(self._bounds.write_s),
        )
        with self._errors(name, generation, role=WRITER):
            within(Deadline(self._bounds.write_s, size=size), upload)
        return int(blob.generation)

    def delete(self, name: str, generation: int) -> None:
        """Delete an object of that generation, if there is one."""
        delete = partial(
            self._client.bucket(self._bucket).delete_blob,
            name,
            if_generation_match=generation,
            timeout=self._timeout(self._bounds.read_s),
            retry=self._retry(self._bounds.read_s),
        )
        # Not found is also what a repeated request hears when the response to the first was lost.
        with suppress(ObjectNotFoundError), self._errors(name, generation, role=WRITER):
            within(Deadline(self._bounds.read_s), delete)

    def pages(self, prefix: str, **options: str) -> Iterator[Any]:
        """List the objects below a prefix, page by page, with the options of `storage.Client.list_blobs`."""
        pages = self._client.list_blobs(
            self._bucket,
            prefix=prefix,
            timeout=self._timeout(self._bounds.read_s),
            retry=self._retry(self._bounds.read_s),
            **options,
        ).pages
        while True:
            with self._errors(""):
                page = within(Deadline(self._bounds.read_s), partial(next, pages, None))
            if page is None:
                return
            yield page

    def _get(self, name: str, start: int, end: int | None, generation: int | None, deadline: Deadline) -> Blob:
        """Ask once for a range of an object."""
        if end is not None and end <= start:
            return self._get_nothing(name, generation)
        headers = {"Accept-Encoding": "gzip"}  # or Google would unpack what was stored packed, and tell no size
        if start or end is not None:
            headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        url = f"{self._endpoint}/download/storage/v1/b/{self._bucket}/o/{quote(name, safe='')}"
        params = {"alt": "media"} | _condition(generation)
        timeout = self._timeout(self._bounds.read_s)
        with self._session.get(url, params=params, headers=headers, timeout=timeout, stream=True) as response:
            if response.status_code == 416:
                return self._get_nothing(name, generation, beyond=start)
            if response.status_code not in (200, 206):
                raise _refusal(response)
            deadline.extend(int(response.headers.get("Content-Length", 0)))
            body = response.raw.read(decode_content=False)
        return _check(response, body, start, end)

    def _get_nothing(self, name: str, generation: int | None, *, beyond: int | None = None) -> Blob:
        """Ask once for the generation and the size, where a range holds no bytes and its answer would not tell them."""
        url = f"{self._endpoint}/storage/v1/b/{self._bucket}/o/{quote(name, safe='')}"
        params = {"fields": "generation,size"} | _condition(generation)
        response = self._session.get(url, params=params, timeout=self._timeout(self._bounds.read_s))
        if response.status_code != 200:
            raise _refusal(response)
        status = response.json()
        if beyond is not None and beyond < int(status["size"]):
            raise ConnectionError("the object was replaced while it was read")
        return Blob(data=b"", generation=int(status["generation"]), size=int(status["size"]))

    def _timeout(self, seconds: float) -> tuple[float, float]:
        """Return how long an attempt may take to connect, and how long it may be silent, in a call of that bound."""
        return min(self._bounds.connect_s, seconds / 2), min(self._bounds.silence_s, seconds / 2)

    def _retry(self, seconds: float) -> Any:
        """Begin attempts for as long as the last one still has the time to fail by itself, and to say why."""
        until_s = seconds - self._timeout(seconds)[1]
        return DEFAULT_RETRY.with_delay(self._bounds.wait_s, LONGEST_WAIT_S, 2.0).with_timeout(until_s)

    @contextmanager
    def _errors(self, name: str, generation: int | None = None, *, role: str = READER) -> Iterator[None]:
        """Turn the errors of Google's libraries, and of those below them, into ours.

        Args:
            name: Of the object; empty when the call is about the bucket.
            generation: The precondition, if there is one; 0 means that there must be no object.
            role: What the account needs.
        """
        where = f"gs://{self._bucket}/{name}".rstrip("/")
        try:
            yield
        except auth.DefaultCredentialsError as exc:
            problem = f"no Google credentials were found ({exc}); {HOW_TO_LOG_IN}"
            raise StoreError(f"cannot reach {where}: {problem}") from exc
        except auth.GoogleAuthError as exc:
            raise StoreError(f"cannot reach {where}: the Google credentials cannot be used: {exc}") from exc
        except api.PreconditionFailed as exc:
            raise _conflict(where, generation) from exc
        except api.NotFound as exc:
            if not name or "bucket does not exist" in _reason(exc):
                problem = f"bucket {self._bucket} does not exist, or the account in use may not know of it"
                raise StoreError(f"cannot reach {where}: {problem}") from exc
            raise ObjectNotFoundError(f"there is no object at {where}") from exc
        except (api.Forbidden, api.Unauthorized) as exc:
            problem = f"the account in use needs {role} on bucket {self._bucket}: {_reason(exc)}"
            raise StoreError(f"cannot reach {where}: {problem}") from exc
        except (api.GoogleAPIError, DataCorruption) as exc:
            raise StoreError(f"cannot reach {where}: {_reason(exc)}") from exc
        except (requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError, TimeoutError) as exc:
            raise StoreError(f"cannot reach {where}: {exc}") from exc


def _find_credentials(*, anonymous: bool) -> Credentials:
    if anonymous:
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    return google.auth.default(scopes=[SCOPE])[0]


def _condition(generation: int | None) -> dict[str, str]:
    return {} if generation is None else {"ifGenerationMatch": str(generation)}


def _conflict(where: str, generation: int | None) -> ConflictError:
    if generation == 0:
        return ObjectExistsError(f"there is already an object at {where}")
    return GenerationError(f"{where} is not of generation {generation} any more")


def _count_rest(file: BinaryIO) -> int:
    begin = file.tell()
    size = file.seek(0, os.SEEK_END) - begin
    file.seek(begin)
    return size


def _check(response: requests.Response, body: bytes, start: int, end: int | None) -> Blob:
    """Return what was asked for, if that is what the answer holds.

    Raises:
        ConnectionError: It was cut short or damaged, or somebody else answered. Another attempt may do better.
        StoreError: It is in a form of which no attempt can make the object's bytes.
    """
    headers = response.headers
    generation = headers.get("x-goog-generation", "")
    part = _PART.fullmatch(headers.get("Content-Range", f"bytes 0-*/{len(body)}"))
    if part is None or not generation.isdigit():
        raise ConnectionError("the answer does not come from Cloud Storage")
    if "Content-Encoding" in headers:
        encoding = headers["Content-Encoding"]
        raise StoreError(f"{response.url} is stored in {encoding} form: upload it again without Content-Encoding")
    begin, size = int(part[1]), int(part[2])
    stop = size if end is None else min(end, size)
    data = body[start - begin : stop - begin] if begin <= start else b""
    if len(data) != max(stop - start, 0):
        raise ConnectionError(f"the answer has {len(body)} bytes from {begin}, not those from {start} to {stop}")
    crc32c = _CRC32C.search(headers.get("x-goog-hash", ""))
    if crc32c and begin == 0 and len(body) == size and b64decode(crc32c[1]) != _crc32c(body):
        raise ConnectionError("the answer was damaged on its way: its CRC32C is wrong")
    return Blob(data=data, generation=int(generation), size=size)


def _crc32c(data: bytes) -> bytes:
    value: int = google_crc32c.value(data)
    return value.to_bytes(4, "big")


def _refusal(response: requests.Response) -> api.GoogleAPICallError:
    refusal: api.GoogleAPICallError = api.from_http_response(response)  # type: ignore[no-untyped-call]
    return refusal


def _reason(error: Exception) -> str:
    """Return the sentence in which Google says what is wrong."""
    if isinstance(error, api.RetryError) and error.cause is not None:
        return f"{error.message}: {_reason(error.cause)}"
    response = getattr(error, "response", None)
    if response is None:
        return str(error)
    try:
        message = response.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = response.text.strip()
    return f"{response.status_code} {message[:500]}"
