"""Data made by a formula, in R as here, in which ties, weights, late entry, strata, clusters and competing causes meet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import outcomes as oc

__all__ = ["from_zero", "late", "made_by_formula"]

_CAUSES: dict[str, Any] = {"causes": {1: "first", 2: "second"}, "censored": 0, "event": "ev"}


def made_by_formula() -> pd.DataFrame:
    """Return 60 people: entry, exit, ev (0, 1, 2), g, x, w, and the columns cl and h to cluster and stratify by."""
    i = np.arange(1, 61)
    frame = pd.DataFrame({"id": i, "entry": np.maximum(0, (i * 11) % 7 - 3), "g": i % 2, "x": ((i * 13) % 17) / 4})
    frame["exit"] = frame["entry"] + 1 + (i * 37) % 23
    frame["ev"] = np.where((i * 7) % 5 == 0, 0, np.where((i * 5) % 7 < 2, 2, 1))
    return frame.assign(w=np.round(0.5 + ((i * 5) % 9) / 6, 3), cl=(i * 7) % 12, h=(i * 7) % 3)


def late(frame: pd.DataFrame) -> oc.SurvivalData:
    """Return its time at risk with late entry."""
    return oc.survival_data(frame, entry="entry", exit="exit", arm="g", reference=0, **_CAUSES)


def from_zero(frame: pd.DataFrame) -> oc.SurvivalData:
    """Return its time at risk as if everybody had entered at 0."""
    return oc.survival_data(frame, duration="exit", arm="g", reference=0, **_CAUSES)
