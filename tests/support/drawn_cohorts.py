"""Cohorts for properties: small, tied, and with all that can be asked for at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

import outcomes as oc


@st.composite
def cohorts(draw: st.DrawFn, *, late: bool = True, least: int = 6, most: int = 30) -> pd.DataFrame:
    """People in two arms: ties, late entry, events on the first day (half a day), two causes, weights and clusters."""
    n = draw(st.integers(least, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    entry = rng.integers(0, 4, n) * (rng.random(n) < 0.4) * late
    stay = rng.integers(0, draw(st.integers(2, 8)) + 1, n)
    frame = pd.DataFrame(
        {
            "id": np.arange(n),
            "entry": entry.astype(float),
            "exit": entry + np.where(stay == 0, 0.5, stay),
            "event": rng.choice([0, 1, 2], n, p=[0.3, 0.45, 0.25]),
            "arm": np.where(np.arange(n) % 2 == 0, "a", "b"),
            "x": rng.normal(size=n).round(1),
            "w": rng.uniform(0.2, 3, n).round(2),
            "cluster": rng.integers(0, 5, n),
        }
    )
    frame.loc[:1, "entry"] = 0.0
    return frame


def take(frame: pd.DataFrame, **more: Any) -> oc.SurvivalData:
    asked = {"entry": "entry", "exit": "exit", "event": "event", "censored": 0, "causes": {1: "first", 2: "second"}}
    return oc.survival_data(frame, **{**asked, "arm": "arm", "reference": "a", **more})
