"""The reference, as most services are written: FastAPI, a Pydantic body, ``joblib.load("model.pkl")`` from the image.

Run by uvicorn as ``benchmarks.reference:app``; ``REFERENCE_MODEL`` is the path of the pickle.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

_loaded: dict[str, Any] = {}


class Body(BaseModel):
    """One row by position, or many."""

    features: list[float] | None = None
    instances: list[list[float]] | None = None


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Load the pickle when the server starts."""
    _loaded["model"] = joblib.load(os.environ["REFERENCE_MODEL"])
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/predict")
def predict(body: Body) -> dict[str, Any]:
    """Answer one row or many."""
    rows = np.array(body.instances if body.instances is not None else [body.features])
    values = _loaded["model"].predict(rows).tolist()
    if body.instances is not None:
        return {"predictions": values}
    answer: dict[str, Any] = {"prediction": values[0]}
    if hasattr(_loaded["model"], "predict_proba"):
        answer["probabilities"] = _loaded["model"].predict_proba(rows)[0].tolist()
    return answer
