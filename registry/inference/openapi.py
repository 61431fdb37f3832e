"""The OpenAPI 3.1 document of a service, with the served model's own columns, classes and a working example."""

from __future__ import annotations

from typing import Any

from registry import __version__
from registry.inference.examples import by_name, example_rows
from registry.inference.predictor import Predictor
from registry.inference.rows import LARGEST
from registry.record import Record

Schema = dict[str, Any]

_STATUS_TEXT = {
    404: "No such model or version; `known` lists what there is.",
    410: "The version was withdrawn.",
    413: "Too many bytes or rows.",
    415: "Not JSON.",
    422: "The input does not fit the model; `detail` names each place.",
    429: "Too many requests at once.",
    503: "The bucket, or what lies in it, is at fault; try again later.",
}


def openapi(predictor: Predictor) -> Schema:
    """Return the document for what is served now."""
    record = predictor.serving.loaded.record
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"model-bucket: {record.model}",
            "version": __version__,
            "description": f"Serves `{record.model}` version `{record.version}`, "
            f"a {record.signature.task} model ({record.estimator.rpartition('.')[2]}). Requests are described for that "
            "version; one that names another version in `model_version` is checked against the columns of that one.",
        },
        "paths": _paths(record),
        "components": {"schemas": _schemas(record)},
    }


def _paths(record: Record) -> dict[str, Any]:
    version = {
        "name": "model_version",
        "in": "query",
        "required": False,
        "description": "A version or an alias; the served one when it is missing.",
        "schema": _pin_schema("string"),
    }
    info = _operation(
        "Describe a version", "model", _json("ModelInfo"), parameters=[version], errors=(404, 410, 422, 429, 503)
    )
    page = {"text/html": {"schema": {"type": "string"}}}
    status = {"200": {"description": "Status.", "content": {**_json("Status"), **page}}}
    health = {"200": _answer("Ready.", "Status")}
    predict = _operation(
        "Predict one row or many", "predict", _json("Answer"), errors=(404, 410, 413, 415, 422, 429, 503)
    )
    predict["requestBody"] = {"required": True, "content": {"application/json": _request_body(record)}}
    paths: dict[str, Any] = {
        "/": {"get": {"summary": "Status, or the registry page", "operationId": "status", "responses": status}},
        "/predict": {"post": predict},
        "/model/info": {"get": {**info, "operationId": "model_info"}},
        "/model-info": {"get": {**info, "operationId": "model_info_alias"}},
        "/metrics": {
            "get": {
                "summary": "Prometheus metrics",
                "operationId": "metrics",
                "responses": {
                    "200": {"description": "Text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
                },
            }
        },
    }
    for path in ("/health", "/health/live", "/health/ready", "/health/startup"):
        operation = path.strip("/").replace("/", "_")
        paths[path] = {"get": {"summary": "Probe", "operationId": operation, "responses": health}}
    return paths


def _operation(
    summary: str, operation: str, answer: Schema, *, errors: tuple[int, ...], parameters: list[Schema] | None = None
) -> Schema:
    responses: dict[str, Any] = {"200": {"description": "The answer.", "content": answer, "headers": _headers()}}
    for status in errors:
        schema = "ValidationError" if status == 422 else "Error"
        responses[str(status)] = _answer(_STATUS_TEXT[status], schema)
    return {"summary": summary, "operationId": operation, "parameters": parameters or [], "responses": responses}


def _headers() -> Schema:
    text = {"schema": {"type": "string"}}
    return {
        "X-Model-Version": {"description": "The version that answered.", **text},
        "X-Model-Digest": {"description": "The digest of the artifact that answered.", **text},
        "X-Manifest-Revision": {"description": "The manifest revision it was resolved from.", **text},
    }


def _request_body(record: Record) -> Schema:
    rows = example_rows(record)
    row = rows[0]
    values = {
        "by_position": {"summary": "One row by position", "value": {"features": row}},
        "by_name": {"summary": "One row by name", "value": by_name(row, record.signature)},
        "many": {"summary": "Many rows", "value": {"instances": rows[:2]}},
        "with_version": {
            "summary": "A chosen version",
            "value": {"features": row, "model_version": record.version},
        },
    }
    return {"schema": _ref("PredictRequest"), "examples": values}


def _schemas(record: Record) -> dict[str, Schema]:
    columns = record.signature.columns
    values = [_value_schema(column.schema()) for column in columns]
    named = dict(zip(record.signature.feature_names, values, strict=True))
    version = _pin_schema("string", "null")
    by_position = {"type": "array", "prefixItems": values, "minItems": len(values), "maxItems": len(values)}
    return {
        "RowByPosition": by_position,
        "RowByName": _object(named),
        "Row": {"oneOf": [_ref("RowByPosition"), _ref("RowByName")]},
        "Rows": {"type": "array", "items": _ref("Row"), "minItems": 1},
        "PredictRequest": {
            "oneOf": [
                _object({"features": _ref("Row"), "model_version": version}, required=["features"]),
                _object({**named, "model_version": version}, required=list(named)),
                _object({"instances": _ref("Rows"), "model_version": version}, required=["instances"]),
                _ref("Rows"),
            ]
        },
        "Answer": {"oneOf": [_one_answer(record), _many_answer(record)]},
        "ModelInfo": {"type": "object", "required": ["model_name", "model_version", "digest", "feature_names"]},
        "Status": {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}},
        "Error": _object({"detail": {"type": "string"}, "code": {"type": "string"}}, open_ended=True),
        "ValidationError": _object({"detail": _problems(), "code": {"type": "string"}}, open_ended=True),
    }


def _pin_schema(*types: str) -> Schema:
    return {
        "type": types[0] if len(types) == 1 else list(types),
        "pattern": r"^(?!.*\.\.)[0-9A-Za-z]([0-9A-Za-z._+-]{0,62}[0-9A-Za-z])?(@sha256:[0-9a-f]{64})?$",
    }


def _value_schema(schema: dict[str, object]) -> Schema:
    if schema["type"] == "boolean":
        return schema
    bounded: Schema = dict(schema)
    if "maximum" not in bounded and "exclusiveMaximum" not in bounded:
        bounded["maximum"] = LARGEST
    if "minimum" not in bounded and "exclusiveMinimum" not in bounded:
        bounded["minimum"] = -LARGEST
    return bounded


def _one_answer(record: Record) -> Schema:
    properties = {
        "prediction": _prediction(),
        "prediction_id": {"type": "integer", "minimum": 0},
        "prediction_label": _label(record),
        "confidence": {"type": "number"},
        "probabilities": {"type": "object", "additionalProperties": {"type": "number"}},
    }
    return _object({**properties, **_names()}, required=["prediction", "model_name", "model_version"])


def _many_answer(record: Record) -> Schema:
    properties = {
        "predictions": {"type": "array", "items": _prediction()},
        "prediction_labels": {"type": "array", "items": _label(record)},
        "class_names": {"type": "array", "items": {"type": "string"}},
        "probabilities": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
    }
    return _object({**properties, **_names()}, required=["predictions", "model_name", "model_version"])


def _prediction() -> Schema:
    """Any version may answer, and another one's classes may be of another type, or it may have none."""
    return {"type": ["string", "number", "boolean"]}


def _label(record: Record) -> Schema:
    names = list(record.signature.class_names)
    return {"type": "string", "examples": names} if names else {"type": "string"}


def _names() -> Schema:
    return {"model_name": {"type": "string"}, "model_version": {"type": "string"}}


def _problems() -> Schema:
    place = {"type": "array", "items": {"type": ["string", "integer"]}}
    text = {"type": "string"}
    return {"type": "array", "items": _object({"loc": place, "msg": text, "type": text}, open_ended=True)}


def _object(properties: Schema, *, required: list[str] | None = None, open_ended: bool = False) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": open_ended,
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(name: str) -> Schema:
    return {"application/json": {"schema": _ref(name)}}


def _answer(description: str, schema: str) -> Schema:
    return {"description": description, "content": _json(schema)}
