"""The OpenAPI document: valid, about the served model, and true."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier

from registry import Registry
from registry.inference.examples import example_rows
from registry.inference.service import Service
from registry.stores import Store
from tests.fixtures.models import PETALS, SETOSA, SPECIES
from tests.fixtures.watched import Watched
from tests.inference.asking import get, post, read, service

STATUSES = {
    "/predict": {"200", "404", "410", "413", "415", "422", "429", "503"},
    "/model/info": {"200", "404", "410", "422", "429", "503"},
    "/model-info": {"200", "404", "410", "422", "429", "503"},
}


@pytest.fixture(params=["flowers", "line", "kinds"])
def served(request: pytest.FixtureRequest, published: Store) -> Service:
    """A service of each model in turn."""
    return service(published, request.param, refresh_s=0.0)


@pytest.fixture(scope="module")
def kinds(published: Store) -> Service:
    """A service of the model with every kind of column."""
    return service(published, "kinds", refresh_s=0.0)


def document_of(served: Service) -> dict[str, Any]:
    document: dict[str, Any] = read(get(served, "/openapi.json"))
    return document


def fits(document: dict[str, Any], name: str, value: Any) -> bool:
    """Tell whether a value fits a component schema."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return bool(Draft202012Validator(schema).is_valid(value))


def test_it_is_openapi_3_1_and_its_schemas_are_json_schema(served: Service) -> None:
    """A checker that knows the specification finds nothing, and every schema fits the meta-schema."""
    document = document_of(served)
    assert document["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(document).validate()
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_it_documents_every_route_but_its_own(served: Service) -> None:
    """What is served is documented, with the methods that are answered."""
    documented = {(path, method.upper()) for path, item in document_of(served)["paths"].items() for method in item}
    assert documented == {
        (path, "POST" if path == "/predict" else "GET") for path in served.paths if path != "/openapi.json"
    }


def test_every_operation_has_its_statuses_and_a_name_of_its_own(served: Service) -> None:
    """Clients that are generated from the document need both."""
    operations = {path: operation for path, item in document_of(served)["paths"].items() for operation in item.values()}
    assert {path: set(operation["responses"]) for path, operation in operations.items()} == {
        path: STATUSES.get(path, {"200"}) for path in operations
    }
    assert len({operation["operationId"] for operation in operations.values()}) == len(operations)


def test_every_example_is_answered(served: Service) -> None:
    """What a person sees behind "Try it out" works, fits its own schema, and so does the answer."""
    document = document_of(served)
    examples = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert set(examples) == {"by_position", "by_name", "many", "with_version"}
    for example in examples.values():
        answer = post(served, example["value"])
        assert answer.status == 200
        assert fits(document, "PredictRequest", example["value"])
        assert fits(document, "Answer", read(answer))


def test_it_speaks_of_the_served_models_columns(kinds: Service) -> None:
    """Names, kinds and limits are those of the model."""
    schemas = document_of(kinds)["components"]["schemas"]
    amount = {"type": "number", "minimum": 0.0, "exclusiveMaximum": 10.0}
    count = {"type": "integer", "minimum": 0.0, "maximum": 100.0}
    assert schemas["RowByName"] == {
        "type": "object",
        "properties": {"amount": amount, "count": count, "wet": {"type": "boolean"}},
        "required": ["amount", "count", "wet"],
        "additionalProperties": False,
    }
    assert schemas["RowByPosition"] == {
        "type": "array",
        "prefixItems": [amount, count, {"type": "boolean"}],
        "minItems": 3,
        "maxItems": 3,
    }


def test_it_describes_the_answers(published: Store) -> None:
    """One row and many rows, with a classifier's labels."""
    flowers = service(published, refresh_s=0.0)
    document = document_of(flowers)
    for request in ({"features": SETOSA}, [SETOSA, SETOSA]):
        assert fits(document, "Answer", read(post(flowers, request)))
    assert not fits(document, "Answer", {"prediction": 0})
    wrong = post(flowers, {"features": ["x"]})
    assert fits(document, "ValidationError", read(wrong))
    assert fits(document, "Error", read(post(flowers, {"features": SETOSA, "model_version": "7.7.7"})))
    assert fits(document, "ModelInfo", read(get(flowers, "/model/info")))


def test_answers_of_every_version_are_documented(watched: Watched) -> None:
    """Another version may have other classes, or be a regression: what it answers is in the document all the same."""
    registry = Registry(watched)
    other = DecisionTreeClassifier().fit(PETALS, SPECIES > 0)
    registry.publish("flowers", other, inputs=PETALS, version="2.0.0", class_names=["no", "yes"])
    number = LinearRegression().fit(PETALS, SPECIES)
    registry.publish("flowers", number, inputs=PETALS, version="3.0.0")
    flowers = service(watched)
    document = document_of(flowers)
    for version in ("1.0.0", "1.2.0", "2.0.0", "3.0.0"):
        for rows in ({"features": SETOSA}, {"instances": [SETOSA]}):
            assert fits(document, "Answer", read(post(flowers, {**rows, "model_version": version})))


VALUES = (
    st.floats(-1, 11)
    | st.integers(-5, 105)
    | st.booleans()
    | st.none()
    | st.sampled_from(["1", 1e39, -0.0, 10.0, 100, 101, 0, 2.0, 2.5, [], {}])
)
ROWS = st.lists(VALUES, min_size=2, max_size=4) | st.dictionaries(
    st.sampled_from(["amount", "count", "wet", "x"]), VALUES
)
BODIES = (
    ROWS
    | st.lists(ROWS, max_size=2)
    | st.fixed_dictionaries(
        {"features": ROWS}, optional={"model_version": st.sampled_from(["stable", "1.0.0", None, 1, ""])}
    )
    | st.fixed_dictionaries({"instances": st.lists(ROWS, max_size=2)}, optional={"amount": VALUES})
)
GOOD = st.fixed_dictionaries({"amount": st.floats(0, 9.5), "count": st.integers(0, 100), "wet": st.booleans()})


@given(
    body=BODIES | GOOD | GOOD.map(lambda row: {"features": list(row.values())}) | st.lists(GOOD, min_size=1, max_size=2)
)
def test_the_schema_and_the_service_agree(kinds: Service, body: Any) -> None:
    """A body is answered exactly when it fits the documented schema."""
    assert (post(kinds, body).status == 200) == fits(document_of(kinds), "PredictRequest", body)


def test_examples_are_rows_that_clients_may_send(kinds: Service) -> None:
    """Whole numbers and booleans are written as such."""
    rows = example_rows(kinds.predictor.serving.loaded.record)
    assert [list(map(type, row)) for row in rows] == [[float, int, bool]] * len(rows)
    assert rows[0] == [0.5, 1, False]
