"""One JSON object a line, in the fields that Cloud Logging reads (``severity``, ``message``, ``time``)."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

from registry.errors import RegistryError
from registry.inference.predictor import Predictor

log = logging.getLogger(__name__)


class JsonFormatter(logging.Formatter):
    """Formats a record; ``extra={"fields": {…}}`` become fields beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line: dict[str, Any] = {
            "severity": record.levelname,
            "message": _printable(record.getMessage()),
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "logger": record.name,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["stack_trace"] = _printable(self.formatException(record.exc_info))
        return orjson.dumps(line, default=str).decode()


def configure(level: str) -> None:
    """Send everything that is logged to standard error, one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def log_started(predictor: Predictor) -> None:
    """Log what is served and what starting cost, in one line."""
    serving = predictor.serving
    loaded = serving.loaded
    total_ms = sum(phase.ms for phase in loaded.phases)
    fields = {
        "model_name": loaded.record.model,
        "model_version": loaded.record.version,
        "resolved": serving.resolved.steps,
        "digest": f"sha256:{loaded.sha256}",
        "manifest_revision": serving.manifest.revision,
        "runtime": loaded.format,
        "cold_start_ms": round(total_ms, 3),
        "phases": [phase.to_dict() for phase in loaded.phases],
    }
    message = f"serving {loaded.record.model} {loaded.record.version} after {total_ms:.0f} ms"
    log.info(message, extra={"fields": fields})


def _printable(text: str) -> str:
    """Return text that can be written as JSON: a path may hold bytes that are no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def start_failed(error: RegistryError) -> str:
    """Return the sentence that says which phase of a start failed, and why."""
    phase = error.details.get("phase")
    return f"start failed{f' in phase {phase}' if phase else ''}: {error}"
