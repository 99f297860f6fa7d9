"""Likelihood-ratio tests and limits of single coefficients from the profile of the (penalised) partial likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.errors import NotSupportedError
from outcomes.survival.cox_penalty import Point, climb
from outcomes.survival.inputs import normal_quantile

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.survival.cox_result import Cox

__all__ = ["profile_table"]

_FAR = 40.0  # standard deviations of a covariate beyond which a limit is infinite


def profile_table(model: Cox) -> pd.DataFrame:
    """Return the profile of every term, as `Cox.profile` says."""
    import pandas as pd
    from scipy.special import chdtrc

    model.refuse("profile", exact=True, penalised=model.penalty != "firth")
    if model.asked.variance != "model":
        raise NotSupportedError(
            "profile: with weights, clusters or several rows a person the likelihood is not one of independent people. Read the robust "
            "limits of to_frame()."
        )
    top = climb(model.rows, model.scaled, np.ones(len(model.terms), dtype=bool), firth=model.penalty == "firth")
    reach, table = normal_quantile(model.conf_level), []
    for j, name in enumerate(model.terms):
        statistic = 2 * (top.value - _held(model, top, j, 0.0).value)
        low, high = (_limit(model, top, j, side * reach) / model.scale[j] for side in (-1, 1))
        table.append((name, float(model.coefficients[j]), max(statistic, 0.0), low, high))
    frame = pd.DataFrame(table, columns=["term", "estimate", "statistic", "conf_low", "conf_high"])
    frame.insert(3, "p_value", chdtrc(1, frame["statistic"]))
    return frame


def _held(model: Cox, near: Point, j: int, value: float) -> Point:
    """Return the highest point with coefficient `j` held at `value`, searched from `near`."""
    start, free = near.beta.copy(), np.ones(len(near.beta), dtype=bool)
    # the others move along as the information says they do
    others = np.flatnonzero(free & (np.arange(len(free)) != j))
    if len(others):
        pull = np.linalg.lstsq(near.information[np.ix_(others, others)], near.information[others, j], rcond=None)[0]
        start[others] -= pull * (value - start[j])
    start[j], free[j] = value, False
    return climb(model.rows, start, free, firth=model.penalty == "firth")


def _limit(model: Cox, top: Point, j: int, reach: float) -> float:
    """Return where the signed root of twice the fall from `top` is `reach`: nearly a line, so Newton's steps are few."""
    centre = float(top.beta[j])
    step = reach * float(np.sqrt(np.linalg.pinv(top.information, hermitian=True)[j, j]))
    at, near = centre + (step if abs(step) < _FAR else np.sign(step)), top
    for _ in range(60):
        near = _held(model, near, j, at)
        root = np.sign(at - centre) * _root(top, near)
        slope = -float(near.slope[j]) / root if root else 0.0
        if slope <= 0 or abs(at - centre) > _FAR:
            return float(np.sign(reach) * np.inf)
        move = float(np.clip((reach - root) / slope, -2 * abs(step) - 1, 2 * abs(step) + 1))
        at = at + move
        if abs(move) < 1e-10 * max(1.0, abs(at)):
            return at
    return at


def _root(top: Point, here: Point) -> float:
    return float(np.sqrt(max(2 * (top.value - here.value), 0.0)))
