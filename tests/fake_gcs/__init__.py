"""A truthful Cloud Storage for tests: in memory, over HTTP, with faults on demand.

It speaks the JSON API and the part of the XML API that obstore and the library's multipart uploads use, and was
written from Google's documentation. What it promises is what ``tests/stores/test_probes.py`` asks of it.

Run it by hand with ``python -m tests.fake_gcs --port 9023``, and point ``STORAGE_EMULATOR_HOST`` at what it prints.
"""

from tests.fake_gcs.faults import FOREVER, Fault, Kind
from tests.fake_gcs.server import FakeGcs, Seen

__all__ = ["FOREVER", "FakeGcs", "Fault", "Kind", "Seen"]
