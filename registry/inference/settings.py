"""What a server is told, read once from its environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_args

from registry.errors import InputError
from registry.names import Pin, check_model, parse_pin

T = TypeVar("T")

RuntimeChoice = Literal["auto", "skops", "onnx"]
OnSkew = Literal["warn", "refuse"]

_MOST_DIGITS = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server is told.

    Attributes:
        registry: Root URL, ``MODEL_REGISTRY``.
        model: The model's name, ``MODEL_NAME``.
        pin: What to serve, ``MODEL_VERSION``; empty means the manifest's default.
        runtime: Which artifact to load, ``MODEL_RUNTIME``.
        port: Where to listen, ``PORT``.
        refresh_s: How old a look at the manifest may be, in seconds, ``MODEL_REFRESH_S``; 0 never looks again.
        on_skew: What to do when libraries differ from those of training, ``MODEL_ON_SKEW``.
        trusted: Qualified names to allow in artifacts, ``MODEL_TRUSTED_TYPES``, separated by commas.
        max_body: Bytes that a request may have, ``MODEL_MAX_BODY_BYTES``.
        max_rows: Rows that a request may have, ``MODEL_MAX_ROWS``.
        log_level: ``LOG_LEVEL``.
    """

    registry: str
    model: str
    pin: Pin = field(default_factory=Pin)
    runtime: RuntimeChoice = "auto"
    port: int = 8080
    refresh_s: float = 10.0
    on_skew: OnSkew = "warn"
    trusted: frozenset[str] = frozenset()
    max_body: int = 32 * 1024 * 1024
    max_rows: int = 100_000
    log_level: str = "INFO"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises:
            InputError: A variable is missing or has a value that it cannot have; the sentence begins with its name.
        """
        defaults = cls(registry="-", model="-")
        read = _Variables(environ)
        return cls(
            registry=read.required("MODEL_REGISTRY", "the registry's URL, such as gs://bucket/prefix"),
            model=read.converted("MODEL_NAME", check_model, read.required("MODEL_NAME", "the name of a model")),
            pin=read.converted("MODEL_VERSION", parse_pin, environ.get("MODEL_VERSION", "")),
            runtime=read.one_of("MODEL_RUNTIME", get_args(RuntimeChoice), defaults.runtime),
            port=read.count("PORT", defaults.port, highest=65535),
            refresh_s=read.seconds("MODEL_REFRESH_S", defaults.refresh_s),
            on_skew=read.one_of("MODEL_ON_SKEW", get_args(OnSkew), defaults.on_skew),
            trusted=frozenset(filter(None, (n.strip() for n in environ.get("MODEL_TRUSTED_TYPES", "").split(",")))),
            max_body=read.count("MODEL_MAX_BODY_BYTES", defaults.max_body),
            max_rows=read.count("MODEL_MAX_ROWS", defaults.max_rows),
            log_level=read.one_of("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), defaults.log_level),
        )


class _Variables:
    """Typed reading of environment variables; empty means not set."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def required(self, name: str, meaning: str) -> str:
        value = self._environ.get(name, "").strip()
        if not value:
            raise InputError(f"{name} is not set: expected {meaning}")
        return value

    def converted(self, name: str, convert: Callable[[str], T], value: str) -> T:
        try:
            return convert(value)
        except InputError as error:
            raise InputError(f"{name}: {error.message}") from error

    def one_of(self, name: str, known: tuple[str, ...], default: str) -> Any:
        value = self._environ.get(name, "").strip() or default
        if value not in known:
            raise InputError(f"{name}: expected one of {', '.join(known)}, not {value!r}")
        return value

    def count(self, name: str, default: int, *, highest: int | None = None) -> int:
        text = self._environ.get(name, "").strip() or str(default)
        plain = text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS
        if not plain or int(text) < 1 or (highest and int(text) > highest):
            raise InputError(
                f"{name}: expected a whole number from 1{f' to {highest}' if highest else ''}, not {text!r}"
            )
        return int(text)

    def seconds(self, name: str, default: float) -> float:
        text = self._environ.get(name, "").strip() or str(default)
        try:
            value = float(text)
        except ValueError as exc:
            raise InputError(f"{name}: expected seconds, not {text!r}") from exc
        if not 0 <= value < float("inf"):
            raise InputError(f"{name}: expected seconds from 0, not {text!r}")
        return value
