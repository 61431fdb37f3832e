"""As much of the Cloud Functions API as gcloud needs to upload a source. It takes the source, and creates nothing."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

REFUSAL = "taken, and not deployed"

_APIS = ("CLOUDFUNCTIONS", "SERVICEUSAGE", "CLOUDBUILD", "CLOUDRESOURCEMANAGER", "RUN")

_ANSWERS: dict[str, dict[str, Any]] = {
    "/runtimes": {"runtimes": [{"name": "python311", "stage": "GA", "environment": "GEN_2"}]},
    "/services/": {"state": "ENABLED"},
    "/defaultServiceAccount": {
        "serviceAccountEmail": "projects/acme/serviceAccounts/build@acme.iam.gserviceaccount.com"
    },
}
"""What is answered, by a part of the path."""


class FunctionsApi:
    """A server on this machine that gcloud takes for Google's.

    Attributes:
        files: The content of each file that was uploaded, by its path.
        function: The function that gcloud asked for.
    """

    def __init__(self) -> None:
        """Take a port."""
        self.files: dict[str, bytes] = {}
        self.function: dict[str, Any] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> FunctionsApi:
        """Start to listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def environ(self, config: str) -> dict[str, str]:
        """Return the environment that leads gcloud here, without credentials.

        Args:
            config: An empty folder for its configuration.
        """
        return {
            "CLOUDSDK_CONFIG": config,
            "CLOUDSDK_CORE_PROJECT": "acme",
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "1",
            **{f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api}": self.url for api in _APIS},
        }

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Return the status and the JSON of an answer."""
        if path.startswith("/upload"):
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                self.files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
            return 200, {}
        if "/functions:generateUploadUrl" in path:
            source = {"bucket": "uploads", "object": "source.zip"}
            return 200, {"uploadUrl": f"{self.url}upload", "storageSource": source}
        if method == "GET" and "/functions/" in path:
            return 404, {"error": {"code": 404, "status": "NOT_FOUND", "message": "no such function"}}
        if method == "POST" and "/functions?" in path:
            self.function = json.loads(body)
            return 409, {"error": {"code": 409, "status": "ABORTED", "message": REFUSAL}}
        return 200, next((answer for part, answer in _ANSWERS.items() if part in path), {})


def _handler(api: FunctionsApi) -> type[BaseHTTPRequestHandler]:
    """Return what answers a request with what the API says."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = api.answer(self.command, self.path, body)
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = _serve  # noqa: N815 - the names http.server calls

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name http.server gives it
            """Stay silent."""

    return Handler
