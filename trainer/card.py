"""The model card of a recipe: what a person should know before using the model, as Markdown.

The head is the metadata that model hubs read. A card depends on the recipe and on the data alone: no times, no
versions and no paths, so the same training writes the same card.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from registry.record import Data
from trainer.recipes import SEED, Recipe

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_COLUMNS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What came out of training.

    Attributes:
        classifies: Whether the estimator is a classifier.
        estimator: The fitted estimator.
        metrics: Measured on the rows that were held out.
        data: What it was trained on.
        n_held_out: How many rows were held out.
    """

    classifies: bool
    estimator: Any
    metrics: Mapping[str, float]
    data: Data
    n_held_out: int


def write_card(name: str, recipe: Recipe, facts: Facts) -> str:
    """Return the card of a trained recipe, Markdown."""
    task = "classification" if facts.classifies else "regression"
    split = "in the proportions of the classes" if facts.classifies else "at random"
    metrics = "\n".join(f"| {metric} | {value:g} |" for metric, value in facts.metrics.items())
    classes = f"\n\nClasses: {_classes(recipe, facts.estimator)}." if facts.classifies else ""
    return f"""---
library_name: sklearn
model_format: skops
tags:
- sklearn
- skops
- tabular-{task}
---

# {name}

{recipe.summary}

## Data

{recipe.data}

{facts.data.n_rows} rows were used for training and {facts.n_held_out} were held out, {split}, with seed {SEED}.
SHA-256 of the training rows: `{facts.data.sha256}`.

## Model

```python
{facts.estimator!r}
```

Inputs: {_columns(recipe)}.{classes}

## Metrics

On the rows that were held out. The published model never saw them.

| metric | value |
|---|---|
{metrics}

## Intended use

{recipe.intended_use}

## Limits

{recipe.limits}

## Reproduce

`python -m trainer {name}` trains it again and prints its digest, which is the same in every process.
"""


def _columns(recipe: Recipe) -> str:
    columns = [f"`{column.name}`" for column in recipe.columns]
    if len(columns) > _MOST_COLUMNS:
        columns = [f"{len(columns)} columns, {columns[0]}, {columns[1]}", "…", columns[-1]]
    limits = sorted({column.limits() for column in recipe.columns} - {""})
    return ", ".join(columns) + "".join(f"; each {limit}" for limit in limits)


def _classes(recipe: Recipe, estimator: Any) -> str:
    classes = estimator.classes_.tolist()
    names = recipe.class_names or classes
    return ", ".join(
        f"`{label}`" if label == name else f"`{label}` ({name})" for label, name in zip(classes, names, strict=True)
    )
