"""``/model/info``: everything a client may want to know about a version, as one JSON object."""

from __future__ import annotations

from typing import Any

from registry.inference.loaded import Loaded
from registry.inference.predictor import Chosen, Predictor
from registry.names import version_key


def model_info(predictor: Predictor, chosen: Chosen, loaded: Loaded) -> dict[str, Any]:
    """Describe a loaded version and what it was chosen from."""
    record, manifest, signature = loaded.record, chosen.manifest, loaded.record.signature
    return {
        "model_name": record.model,
        "model_version": record.version,
        "resolved": list(chosen.resolved.steps),
        "pin": str(predictor.pin) or None,
        "digest": f"sha256:{loaded.sha256}",
        "artifact_bytes": loaded.size,
        "manifest_revision": manifest.revision,
        "runtime": loaded.format,
        "task": signature.task,
        "model_type": record.estimator.rpartition(".")[2],
        "estimator": record.estimator,
        "parameters": record.parameters,
        "feature_names": signature.feature_names,
        "input_features": [_column(column) for column in signature.columns],
        "class_names": list(signature.class_names),
        "target_names": list(signature.class_names),
        "output_classes": list(signature.classes),
        "metrics": record.metrics,
        "lineage": {
            "data": record.data.model_dump(mode="json") if record.data else None,
            "seed": record.seed,
            "code_revision": record.run.code_revision,
            "created_at": record.run.created_at,
            "training_s": record.run.training_s,
        },
        "environment": {"python": record.run.python, **record.run.libraries},
        "version_skew": {name: {"training": was, "here": here} for name, (was, here) in loaded.skew.items()},
        "card": record.card,
        "versions": sorted(manifest.versions, key=version_key),
        "versions_loaded": list(dict.fromkeys(one.record.version for one in predictor.loaded)),
        "aliases": dict(manifest.aliases),
        "default": manifest.default,
        "cold_start": {
            "total_ms": round(sum(phase.ms for phase in loaded.phases), 3),
            "phases": [phase.to_dict() for phase in loaded.phases],
        },
    }


def _column(column: Any) -> dict[str, Any]:
    fields = ("name", "dtype", "minimum", "maximum", "exclusive_minimum", "exclusive_maximum")
    observed = {"minimum": column.observed_minimum, "maximum": column.observed_maximum}
    described = {name: getattr(column, name) for name in fields if getattr(column, name) is not None}
    return {**described, "observed": {name: value for name, value in observed.items() if value is not None}}
