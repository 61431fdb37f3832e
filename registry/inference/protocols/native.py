"""The native protocol: ``/predict``, ``/model/info`` and what surrounds them, as JSON.

A row comes by position (``{"features": [5.1, …]}``) or by name (``{"sepal_length": 5.1, …}``), many rows as
``{"instances": […]}`` or as a plain array; each may name a ``model_version``. ``docs/API.md`` has the whole contract.

The straight line of a prediction is `_Native.predict`: parse, choose the version, check the rows against its
signature, load it when it is not loaded, predict, answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from registry.errors import (
    BusyError,
    ConflictError,
    ContentError,
    InputError,
    IntegrityError,
    InvalidRowsError,
    MediaTypeError,
    RegistryError,
    StoreError,
    TooLargeError,
    UnknownModelError,
    UnknownVersionError,
    WithdrawnVersionError,
)
from registry.inference import pages
from registry.inference.info import model_info
from registry.inference.metrics import MEDIA_TYPE as METRICS_TYPE
from registry.inference.openapi import openapi
from registry.inference.protocols import Request, Response, Route
from registry.inference.rows import MAX_PROBLEMS, Loc, problem, read_row, read_rows
from registry.names import Pin, parse_pin
from registry.signature import Signature

if TYPE_CHECKING:
    from registry.formats import Predictions
    from registry.inference.loaded import Loaded
    from registry.inference.predictor import Chosen
    from registry.inference.service import Service

RETRY_AFTER_S = {429: 1, 503: 5}
"""When it is worth asking again, in seconds."""

STATUS: tuple[tuple[type[RegistryError], int], ...] = (
    (UnknownModelError, 404),
    (UnknownVersionError, 404),
    (WithdrawnVersionError, 410),
    (TooLargeError, 413),
    (MediaTypeError, 415),
    (BusyError, 429),
    (InputError, 422),
    (ContentError, 503),
    (StoreError, 503),
    (ConflictError, 503),
)
"""First match wins. Only our own errors have a status: a bug is a 500."""


def routes(service: Service) -> list[Route]:
    """Return the protocol's routes over a service."""
    native = _Native(service)
    probes = {
        "/health": native.health,
        "/health/live": native.live,
        "/health/ready": native.health,
        "/health/startup": native.health,
    }
    table = [
        ("GET", "/", native.status),
        ("GET", "/model/info", native.info),
        ("GET", "/model-info", native.info),
        ("POST", "/predict", native.predict),
        ("GET", "/metrics", native.metrics),
        ("GET", "/openapi.json", native.openapi),
    ]
    return [
        *(Route(method="GET", path=path, handler=probe, error=error, probe=True) for path, probe in probes.items()),
        *(Route(method=method, path=path, handler=handler, error=error) for method, path, handler in table),
    ]


def error(raised: RegistryError) -> Response:
    """Put an error into the protocol's form: ``detail``, ``code``, and what would have worked."""
    status = next((status for kind, status in STATUS if isinstance(raised, kind)), 500)
    detail: Any = raised.message
    if status == 422:
        problems = raised.problems if isinstance(raised, InvalidRowsError) else []
        detail = problems or [problem(("request",), raised.message, "value_error")]
    body = {"detail": detail, "code": raised.code, **raised.details}
    headers = {"retry-after": str(RETRY_AFTER_S[status])} if status in RETRY_AFTER_S else {}
    return Response(status=status, body=orjson.dumps(body), headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    """The body of a prediction request.

    Attributes:
        rows: The rows as JSON values.
        many: Whether they came as many.
        loc: Where they stand in the request.
        pin: The version that was asked for.
    """

    rows: list[Any]
    many: bool
    loc: tuple[str, ...]
    pin: Pin | None


class _Native:
    """The handlers."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._predictor = service.predictor

    def predict(self, request: Request) -> Response:
        body = _parse(request, max_rows=self._service.limits.max_rows)
        chosen = self._predictor.choose(body.pin, wait=request.may_wait)
        signature = chosen.record.signature
        read = read_rows if body.many else read_row
        rows = read(body.rows if body.many else body.rows[0], signature, loc=body.loc)
        loaded = self._predictor.load(chosen, wait=request.may_wait)
        predictions = loaded.predict(rows)
        _check_finite(predictions, body)
        self._service.metrics.predicted(loaded.record.model, loaded.record.version, len(rows))
        answer = _many(predictions, signature) if body.many else _one(predictions, signature)
        answer["model_name"] = loaded.record.model
        answer["model_version"] = loaded.record.version
        return _json(answer, headers=_provenance(chosen, loaded))

    def info(self, request: Request) -> Response:
        named = request.parameter("model_version")
        pin = None if named is None else _parse_pin(named, loc=("query", "model_version"))
        chosen = self._predictor.choose(pin, wait=request.may_wait)
        loaded = self._predictor.load(chosen, wait=request.may_wait)
        return _json(model_info(self._predictor, chosen, loaded), headers=_provenance(chosen, loaded))

    def status(self, request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            page = pages.registry_page(self._predictor, docs=self._service.docs)
            return Response(status=200, body=page, media_type="text/html; charset=utf-8", headers=pages.HEADERS)
        record = self._predictor.serving.loaded.record
        return _json(
            {
                "status": "ok",
                "service": "model-bucket",
                "model_loaded": True,
                "model_name": record.model,
                "model_version": record.version,
            },
            headers={"vary": "accept"},
        )

    def health(self, request: Request) -> Response:
        serving = self._predictor.serving
        answer = {
            "status": "ok",
            "model_loaded": True,
            "model_name": serving.loaded.record.model,
            "model_version": serving.resolved.version,
            "manifest_revision": serving.manifest.revision,
            "problem": self._predictor.problem or None,
        }
        return _json(answer)

    def live(self, request: Request) -> Response:
        return _json({"status": "ok"})

    def metrics(self, request: Request) -> Response:
        text = self._service.metrics.text(self._predictor.loaded)
        return Response(status=200, body=text, media_type=METRICS_TYPE)

    def openapi(self, request: Request) -> Response:
        return _json(openapi(self._predictor))


def _parse(request: Request, *, max_rows: int) -> _Body:
    """Read the body of a prediction request, down to the rows."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type and media_type != "application/json" and not media_type.endswith("+json"):
        raise MediaTypeError(f"expected Content-Type: application/json, not {media_type!r}", known=["application/json"])
    try:
        document = orjson.loads(request.body)
    except orjson.JSONDecodeError as exc:
        raise InvalidRowsError([problem(("body", exc.pos), f"JSON decode error: {exc.msg}", "json_invalid")]) from exc
    if isinstance(document, list):
        body = _Body(rows=document, many=True, loc=("body",), pin=None)
    elif isinstance(document, dict):
        body = _parse_object(document)
    else:
        raise InvalidRowsError([problem(("body",), "Input should be an object or an array of rows", "model_type")])
    if not body.rows:
        raise InvalidRowsError([problem(body.loc, "There should be at least 1 row", "too_short")])
    if len(body.rows) > max_rows:
        raise TooLargeError(f"a request has at most {max_rows} rows, not {len(body.rows)}", limit=max_rows)
    return body


def _parse_object(document: dict[str, Any]) -> _Body:
    pin = _parse_version(document)
    rest = {key: value for key, value in document.items() if key != "model_version"}
    for key in ("features", "instances"):
        if key not in rest:
            continue
        if extra := [name for name in rest if name != key]:
            msg = f"Not beside {key!r}"
            raise InvalidRowsError([problem(("body", name), msg, "extra_forbidden") for name in extra[:MAX_PROBLEMS]])
        if key == "instances" and not isinstance(rest[key], list):
            raise InvalidRowsError([problem(("body", key), "Input should be an array of rows", "list_type")])
        many = key == "instances"
        return _Body(rows=rest[key] if many else [rest[key]], many=many, loc=("body", key), pin=pin)
    return _Body(rows=[rest], many=False, loc=("body",), pin=pin)


def _parse_version(document: dict[str, Any]) -> Pin | None:
    named = document.get("model_version")
    if named is None:
        return None
    loc = ("body", "model_version")
    if not isinstance(named, str):
        raise InvalidRowsError([problem(loc, "Input should be a version or an alias as text", "string_type")])
    return _parse_pin(named, loc=loc)


def _parse_pin(named: str, *, loc: Loc) -> Pin:
    if not named or named != named.strip():
        raise InvalidRowsError([problem(loc, f"Input should be a version or an alias, not {named!r}", "value_error")])
    try:
        return parse_pin(named)
    except InputError as exc:
        raise InvalidRowsError([problem(loc, exc.message, "value_error")]) from exc


def _check_finite(predictions: Predictions, body: _Body) -> None:
    values, shares = predictions.values, predictions.probabilities
    finite = np.isfinite(values) if values.dtype.kind == "f" else np.ones(len(values), dtype=bool)
    if shares is not None:
        finite &= np.isfinite(shares).all(axis=1)
    if not finite.all():
        place = int(np.argmin(finite))
        loc: tuple[str | int, ...] = (*body.loc, place) if body.many else body.loc
        raise InvalidRowsError([problem(loc, "The model has no finite answer to this row", "no_finite_prediction")])


def _one(predictions: Predictions, signature: Signature) -> dict[str, Any]:
    value = predictions.values[0].item() if hasattr(predictions.values[0], "item") else predictions.values[0]
    answer: dict[str, Any] = {"prediction": value}
    if signature.classes:
        place = _class_ids([value], signature)[0]
        answer["prediction_id"] = place
        answer["prediction_label"] = signature.class_names[place]
    if predictions.probabilities is not None:
        shares = predictions.probabilities[0].tolist()
        answer["confidence"] = max(shares)
        answer["probabilities"] = dict(zip(signature.class_names, shares, strict=True))
    return answer


def _many(predictions: Predictions, signature: Signature) -> dict[str, Any]:
    values = predictions.values.tolist()
    answer: dict[str, Any] = {"predictions": values}
    if signature.classes:
        answer["prediction_labels"] = [signature.class_names[place] for place in _class_ids(values, signature)]
        answer["class_names"] = signature.class_names
    if predictions.probabilities is not None:
        answer["probabilities"] = np.ascontiguousarray(predictions.probabilities)
    return answer


def _class_ids(values: list[Any], signature: Signature) -> list[int]:
    places = {label: place for place, label in enumerate(signature.classes)}
    try:
        return [places[value] for value in values]
    except KeyError as exc:
        raise IntegrityError(f"the artifact answers {exc}, a class that its record does not know") from exc


def _provenance(chosen: Chosen, loaded: Loaded) -> dict[str, str]:
    return {
        "x-model-version": loaded.record.version,
        "x-model-digest": f"sha256:{loaded.sha256}",
        "x-manifest-revision": str(chosen.manifest.revision),
    }


def _json(document: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        status=status, body=orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY), headers=headers or {}
    )
