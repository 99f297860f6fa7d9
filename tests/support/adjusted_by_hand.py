"""Adjusted risks by plain loops over people and times, with a weight a person: from the formulas, not from the library's sums.

The score is statsmodels' weighted logistic regression; hazards are those of weighted Cox models (checked against R elsewhere), taken as
numbers: coefficients and the baseline's jumps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm

import outcomes as oc

__all__ = ["Asked", "risks"]


@dataclass(frozen=True)
class Asked:
    """What is estimated: rows of ``time, event (1 asked about, 2 competing, 0 censored), arm (0, 1), x, z``."""

    frame: pd.DataFrame
    times: tuple[float, ...]
    estimand: str
    method: str


def risks(asked: Asked, weights: np.ndarray) -> np.ndarray:
    """Return the risk in each arm at each time, shape (2, T), people counting as `weights` say."""
    frame, target = asked.frame, _target(asked)
    score = _score(frame, weights)
    hazards = [_hazard(frame, frame["event"] == code, "arm + x + z", weights) for code in (1, 2)]
    censoring = _hazard(frame, frame["event"] == 0, "arm + x", weights)
    found = np.zeros((2, len(asked.times)))
    for arm in (0, 1):
        for t, time in enumerate(asked.times):
            each = [
                _one(frame.iloc[i], arm, time, target[i], score[i], hazards, censoring, asked)
                for i in range(len(frame))
            ]
            found[arm, t] = weights @ np.array(each) / (weights @ target)
    return found


def _target(asked: Asked) -> np.ndarray:
    arm = asked.frame["arm"].to_numpy()
    return {"ate": np.ones(len(arm)), "att": 1.0 * (arm == 1), "atc": 1.0 * (arm == 0)}[asked.estimand]


def _score(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    design = sm.add_constant(frame[["x", "z"]].to_numpy())
    fit = sm.GLM(frame["arm"].to_numpy(), design, family=sm.families.Binomial(), freq_weights=weights).fit(tol=1e-14)
    return np.asarray(fit.predict(design))


def _hazard(frame: pd.DataFrame, died: Any, formula: str, weights: np.ndarray) -> dict[str, Any]:
    """Return times, jumps of the baseline at covariates 0, and coefficients by name."""
    ended = frame.assign(died=np.asarray(died).astype(int))
    data = oc.survival_data(ended, duration="time", event="died", arm="arm", reference=0)
    model = oc.cox(data, formula, weights=weights)
    base = model.baseline_hazard()
    jumps = np.diff(base["cumulative_hazard"], prepend=0.0)
    beta = {term.partition("[")[0]: value for term, value in zip(model.terms, model.coefficients, strict=True)}
    return {"time": base["time"].to_numpy(), "jump": jumps, "beta": beta}


def _jumps(hazard: dict[str, Any], person: pd.Series, arm: int) -> dict[float, float]:
    values = {"arm": arm, "x": person["x"], "z": person["z"]}
    relative = np.exp(sum(beta * values[name] for name, beta in hazard["beta"].items()))
    return dict(zip(hazard["time"], hazard["jump"] * relative, strict=True))


def _one(
    person: pd.Series,
    arm: int,
    until: float,
    target: float,
    score: float,
    hazards: list[dict[str, Any]],
    censoring: dict[str, Any],
    asked: Asked,
) -> float:
    """Return what one person adds to an arm's risk."""
    chance = score if arm == 1 else 1 - score
    asks = {"ate": 1.0, "att": score, "atc": 1 - score}[asked.estimand]
    weight = asks / chance * (person["arm"] == arm)
    causes = [_jumps(hazard, person, arm) for hazard in hazards]
    leaving = _jumps(censoring, person, arm)
    moments = sorted({t for jumps in (*causes, leaving) for t in jumps if t <= until})
    free, risk, steps = 1.0, 0.0, {}
    for moment in moments:
        first, second = (jumps.get(moment, 0.0) for jumps in causes)
        if first + second > 0:
            risk += free * (1 - np.exp(-first - second)) * first / (first + second)
            free *= np.exp(-first - second)
        steps[moment] = (free, risk)
    if asked.method == "g-formula":
        return target * risk
    view = np.exp(-sum(jump for t, jump in leaving.items() if t < person["time"]))
    seen = (person["event"] == 1 and person["time"] <= until) / view
    if asked.method == "iptw":
        return weight * seen
    made_up, view = 0.0, 1.0
    for moment in moments:
        jump = leaving.get(moment, 0.0)
        view *= np.exp(-jump)
        if moment <= person["time"]:
            left = 1.0 * (person["event"] == 0 and person["time"] == moment)
            made_up += (risk - steps[moment][1]) / (steps[moment][0] * view) * (left - jump)
    return weight * (seen - risk + made_up) + target * risk
