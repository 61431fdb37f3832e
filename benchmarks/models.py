"""The models that are measured, each as a pickle for the reference and as a published version for us."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import joblib
import orjson

from registry.fetch import fetch_manifest, fetch_object, fetch_record
from registry.formats.skops import load
from registry.names import parse_pin
from registry.stores import open_store
from trainer.demo import publish_demo


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A model under measurement.

    Attributes:
        label: As it stands in the tables.
        model: The model's name in the registry.
        version: The version's label.
        pickle: What the reference loads.
        registry: The registry's URL.
        row: One row as JSON.
        expected: Bytes that a right answer to the row contains.
    """

    label: str
    model: str
    version: str
    pickle: Path
    registry: str
    row: bytes
    expected: bytes

    def rows(self, n_rows: int) -> bytes:
        """Return a body of many rows."""
        row = orjson.loads(self.row)["features"]
        return orjson.dumps({"instances": [row] * n_rows})


CASES = (
    ("iris logistic", "iris", "1.0.0"),
    ("iris forest, 100 trees", "iris", "1.1.0"),
    ("digits forest, 300 trees", "digits", "1.0.0"),
)


def prepare(folder: Path) -> list[Measured]:
    """Publish the demo models to a folder, and write a pickle of each for the reference."""
    url = f"file://{folder}/registry"
    for _ in publish_demo(open_store(url)):
        pass
    return [_measured(folder, url, label, model, version) for label, model, version in CASES]


def _measured(folder: Path, url: str, label: str, model: str, version: str) -> Measured:
    store = open_store(url)
    manifest = fetch_manifest(store, model).manifest
    record = fetch_record(store, manifest, manifest.resolve(parse_pin(version)).version)
    data = fetch_object(store, model, manifest.versions[version].artifacts["skops"])
    runtime = load(data, trusted=frozenset(), n_columns=len(record.signature.columns))
    pickle = folder / f"{model}-{version}.pkl"
    joblib.dump(runtime.estimator, pickle)
    row = record.examples[0]
    value = runtime.estimator.predict([row])[0]
    return Measured(
        label=label,
        model=model,
        version=version,
        pickle=pickle,
        registry=url,
        row=orjson.dumps({"features": row}),
        expected=b'"prediction":' + orjson.dumps(value.item()),
    )
