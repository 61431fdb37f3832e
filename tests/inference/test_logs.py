"""Logs: one JSON object a line."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from typing import Any

import pytest

from registry.errors import StoreError
from registry.inference import logs
from registry.inference.boot import boot
from tests.fixtures.models import settings
from tests.fixtures.watched import Watched


def line(message: str, *values: Any, **extra: Any) -> Any:
    """Return what is written for a message."""
    record = logging.LogRecord("acme", logging.WARNING, __file__, 1, message, values, extra.pop("exc_info", None))
    record.created = 1_700_000_000.25
    for name, value in extra.items():
        setattr(record, name, value)
    written = logs.JsonFormatter().format(record)
    assert "\n" not in written
    return json.loads(written)


def test_a_line_has_the_fields_that_cloud_logging_reads() -> None:
    """Severity, message, time and logger; further fields stand beside them."""
    assert line("%s of %d", "one", 2, fields={"model_name": "iris"}) == {
        "severity": "WARNING",
        "message": "one of 2",
        "time": "2023-11-14T22:13:20.250+00:00",
        "logger": "acme",
        "model_name": "iris",
    }


def test_an_exception_stands_in_the_same_line() -> None:
    """A traceback does not fall apart into lines of its own."""
    try:
        raise ValueError("bad\nthing")
    except ValueError:
        found = line("failed", exc_info=sys.exc_info())
    assert found["stack_trace"].startswith("Traceback")
    assert found["stack_trace"].endswith("ValueError: bad\nthing")


@pytest.mark.parametrize("text", ["two\nlines", "\x00\x1b[31m", "ü\u2028", os.fsdecode(b"/srv/\xff"), '"quoted"'])
def test_any_text_can_be_logged(text: str) -> None:
    """Control characters, and file names that are no text, do not break a line."""
    found = line("%s", text)["message"]
    assert found == text.encode("utf-8", "backslashreplace").decode()


def test_what_json_does_not_know_is_logged_as_text() -> None:
    """A field of any type can be logged."""
    assert line("x", fields={"error": StoreError("out of reach"), "steps": ("a", "b")}) == {
        **line("x"),
        "error": "out of reach",
        "steps": ["a", "b"],
    }


def test_the_start_is_one_line(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is served, how it was resolved and what each phase cost."""
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        logs.configure("INFO")
        predictor = boot(settings(), store=watched)
        logs.log_started(predictor)
    finally:
        root.handlers[:], root.level = before
    (found,) = [json.loads(one) for one in stderr.getvalue().splitlines()]
    loaded = predictor.serving.loaded
    assert found["message"] == f"serving flowers 1.0.0 after {found['cold_start_ms']:.0f} ms"
    assert (found["model_name"], found["model_version"], found["digest"], found["resolved"]) == (
        "flowers",
        "1.0.0",
        f"sha256:{loaded.sha256}",
        ["default", "stable", "1.0.0"],
    )
    assert found["phases"] == [phase.to_dict() for phase in loaded.phases]


def test_a_failed_start_is_one_sentence() -> None:
    """With the phase, where there is one."""
    assert logs.start_failed(StoreError("out of reach", phase="manifest")) == (
        "start failed in phase manifest: out of reach"
    )
    assert logs.start_failed(StoreError("out of reach")) == "start failed: out of reach"
