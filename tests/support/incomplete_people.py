"""Invented people some of whose covariates are missing, for a reason that is recorded."""

from __future__ import annotations

import numpy as np
import pandas as pd

import outcomes as oc

__all__ = ["incomplete_people", "time_at_risk"]


def incomplete_people(n: int = 300, seed: int = 1, *, causes: int = 1) -> pd.DataFrame:
    """Return people with a number (risk), a factor (band) and a flag (denial) that some miss, more often after an event."""
    rng = np.random.default_rng(seed)
    arm, band = rng.integers(0, 2, n), rng.integers(0, 3, n)
    risk = rng.normal(50, 10, n) + 4 * arm + 5 * band
    denial = rng.random(n) < 1 / (1 + np.exp(-(risk - 55) / 15))
    rate = np.exp(-6 + 0.03 * (risk - 50) + 0.4 * denial - 0.3 * arm)
    time, ends = np.ceil(rng.exponential(1 / rate)), rng.integers(300, 900, n).astype(float)
    event = np.where(time <= ends, rng.integers(1, causes + 1, n), 0)
    frame = pd.DataFrame(
        {
            "arm": np.where(arm == 1, "new", "old"),
            "risk": risk,
            "band": pd.Categorical.from_codes(band, ["low", "middle", "high"], ordered=True),
            "denial": denial.astype(object),
            "age": rng.integers(18, 60, n).astype(float),
            "area": rng.choice(list("abcdefghijkl"), n),
            "day": np.minimum(time, ends),
            "event": event,
        }
    )
    lost = 1 / (1 + np.exp(-(-1.5 + 0.8 * (event > 0) + 0.5 * arm)))
    frame.loc[rng.random(n) < lost, "risk"] = np.nan
    frame.loc[rng.random(n) < 0.2, "band"] = None
    frame.loc[rng.random(n) < 0.1, "denial"] = None
    return frame


def time_at_risk(frame: pd.DataFrame, **more: object) -> oc.SurvivalData:
    causes = {1: "any", 2: "death"} if frame["event"].max() > 1 else {1: "any"}
    given = {"duration": "day", "event": "event", "causes": causes, "arm": "arm", "reference": "old", **more}
    return oc.survival_data(frame, **given)  # type: ignore[arg-type]
