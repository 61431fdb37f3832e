"""``python -m serving``: the service, configured by the environment.

Exit codes: 0 stopped as told, 1 the registry or its content is at fault, 2 the configuration is wrong, 3 the port
cannot be had, 4 the store cannot be reached.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

GRACE_S = 9
"""How long requests in flight may take to end after SIGTERM, in seconds: Cloud Run kills after 10."""


def main() -> int:
    """Start, then listen, and serve until told to stop."""
    # uvicorn answers what is in flight, then raises the signal again: that is where the process ends, and well.
    for told_to_stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told_to_stop, _stop)

    # Imports take most of a start, and a signal must be heeded during them too.
    import uvicorn

    from registry.errors import RegistryError, exit_code
    from registry.inference import logs
    from serving.app import App, start

    try:
        service = start()
    except RegistryError as error:
        print(logs.start_failed(error), file=sys.stderr)
        return exit_code(error)
    config = uvicorn.Config(
        App(lambda: service),
        host=os.environ.get("HOST", "0.0.0.0"),  # noqa: S104 - a container listens on all its interfaces
        port=service.settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    uvicorn.Server(config).run()
    return 0


def _stop(*_: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
