"""Run the fake: ``python -m tests.fake_gcs --port 9023 --bucket models``. It prints its endpoint and serves."""

from __future__ import annotations

import argparse
import contextlib
import signal
import threading

from tests.fake_gcs import FakeGcs


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fake_gcs", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0, the default, for any that is free")
    parser.add_argument("--bucket", action="append", default=[], help="a bucket to begin with; may be repeated")
    parser.add_argument(
        "--write-interval", type=float, default=0.0, metavar="S", help="429 for changes sooner than that"
    )
    arguments = parser.parse_args()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    with FakeGcs(arguments.port, write_interval_s=arguments.write_interval) as server:
        for name in arguments.bucket:
            server.buckets.create_bucket(name, {})
        print(server.endpoint, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            stopped.wait()


if __name__ == "__main__":
    main()
