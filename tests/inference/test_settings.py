"""Settings: each variable, its default, and what is said about values that it cannot have."""

from __future__ import annotations

from typing import Any

import pytest

from registry.errors import InputError
from registry.inference.settings import Settings
from registry.names import Pin

LEAST = {"MODEL_REGISTRY": "gs://acme", "MODEL_NAME": "iris"}
DIGEST = "0" * 64


def test_the_least_that_must_be_set() -> None:
    """Everything but the registry and the model's name has a default."""
    assert Settings.from_environ(LEAST) == Settings(
        registry="gs://acme",
        model="iris",
        pin=Pin(),
        runtime="auto",
        port=8080,
        refresh_s=10.0,
        on_skew="warn",
        trusted=frozenset(),
        max_body=33554432,
        max_rows=100000,
        log_level="INFO",
    )


@pytest.mark.parametrize("name", [*LEAST, "MODEL_VERSION", "MODEL_RUNTIME", "PORT", "MODEL_REFRESH_S", "LOG_LEVEL"])
def test_empty_means_not_set(name: str) -> None:
    """A variable that is set to nothing is as good as one that is not there."""
    without = {key: value for key, value in LEAST.items() if key != name}
    if name in LEAST:
        with pytest.raises(InputError, match=f"^{name} is not set: expected "):
            Settings.from_environ({**without, name: " "})
    else:
        assert Settings.from_environ({**LEAST, name: " "}) == Settings.from_environ(LEAST)


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("MODEL_REGISTRY", " file:///srv ", "registry", "file:///srv"),
        ("MODEL_NAME", "iris-2", "model", "iris-2"),
        ("MODEL_VERSION", "stable", "pin", Pin(name="stable")),
        ("MODEL_VERSION", f"1.1.0@sha256:{DIGEST}", "pin", Pin(name="1.1.0", sha256=DIGEST)),
        ("MODEL_RUNTIME", "onnx", "runtime", "onnx"),
        ("PORT", "65535", "port", 65535),
        ("MODEL_REFRESH_S", "0", "refresh_s", 0.0),
        ("MODEL_REFRESH_S", "0.5", "refresh_s", 0.5),
        ("MODEL_ON_SKEW", "refuse", "on_skew", "refuse"),
        ("MODEL_TRUSTED_TYPES", "a.B, c.D,,", "trusted", frozenset({"a.B", "c.D"})),
        ("MODEL_MAX_BODY_BYTES", "1", "max_body", 1),
        ("MODEL_MAX_ROWS", "5", "max_rows", 5),
        ("LOG_LEVEL", "DEBUG", "log_level", "DEBUG"),
    ],
)
def test_each_variable_is_read(name: str, value: str, field: str, expected: Any) -> None:
    """A variable changes its own setting and no other."""
    read = Settings.from_environ({**LEAST, name: value})
    changed = {key: getattr(read, key) for key in Settings.__slots__}
    defaults = {key: getattr(Settings.from_environ(LEAST), key) for key in Settings.__slots__}
    assert changed == {**defaults, field: expected}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "MODEL_NAME",
            "Iris!",
            (
                "MODEL_NAME: 'Iris!' cannot name a model: use 1 to 64 of a-z, 0-9, '.', '_' and '-', "
                "beginning and ending with a letter or a digit"
            ),
        ),
        (
            "MODEL_VERSION",
            "a b",
            "MODEL_VERSION: 'a b' is not a pin: expected a version, an alias, 'latest' or VERSION@sha256:DIGEST",
        ),
        (
            "MODEL_VERSION",
            "1@md5:0",
            "MODEL_VERSION: '1@md5:0' is not a pin: after '@' comes sha256: and 64 hexadecimal digits",
        ),
        ("MODEL_RUNTIME", "torch", "MODEL_RUNTIME: expected one of auto, skops, onnx, not 'torch'"),
        ("PORT", "http", "PORT: expected a whole number from 1 to 65535, not 'http'"),
        ("PORT", "0", "PORT: expected a whole number from 1 to 65535, not '0'"),
        ("PORT", "65536", "PORT: expected a whole number from 1 to 65535, not '65536'"),
        ("PORT", "-1", "PORT: expected a whole number from 1 to 65535, not '-1'"),
        ("PORT", "²", "PORT: expected a whole number from 1 to 65535, not '²'"),
        ("PORT", "9" * 5000, f"PORT: expected a whole number from 1 to 65535, not '{'9' * 5000}'"),
        ("MODEL_REFRESH_S", "soon", "MODEL_REFRESH_S: expected seconds, not 'soon'"),
        ("MODEL_REFRESH_S", "-1", "MODEL_REFRESH_S: expected seconds from 0, not '-1'"),
        ("MODEL_REFRESH_S", "nan", "MODEL_REFRESH_S: expected seconds from 0, not 'nan'"),
        ("MODEL_REFRESH_S", "inf", "MODEL_REFRESH_S: expected seconds from 0, not 'inf'"),
        ("MODEL_ON_SKEW", "maybe", "MODEL_ON_SKEW: expected one of warn, refuse, not 'maybe'"),
        ("MODEL_MAX_BODY_BYTES", "1.5", "MODEL_MAX_BODY_BYTES: expected a whole number from 1, not '1.5'"),
        ("MODEL_MAX_ROWS", "0", "MODEL_MAX_ROWS: expected a whole number from 1, not '0'"),
        ("LOG_LEVEL", "info", "LOG_LEVEL: expected one of DEBUG, INFO, WARNING, ERROR, not 'info'"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_the_name_of_its_variable(name: str, value: str, message: str) -> None:
    """The sentence says which variable, what was expected and what was found."""
    with pytest.raises(InputError) as caught:
        Settings.from_environ({**LEAST, name: value})
    assert str(caught.value) == message
