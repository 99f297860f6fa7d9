"""People who are not allocated by lot: who they are, which programme they join, what then happens, and every true answer.

Two covariates decide who joins the programme and how soon people reoffend; the programme helps some more than others, so that its
effect differs between everyone, those who joined, those who did not, and those who might have done either. Another cause competes.
All hazards are constant given who a person is: risks by a time are closed forms, averaged over a fine grid of the covariates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = [
    "AT",
    "ESTIMANDS",
    "PEOPLE",
    "hazard_ratio",
    "people",
    "person_effects",
    "risk_difference",
    "time_free_difference",
]

Array = np.ndarray

PEOPLE = 1500
AT = 730.0  # days
ESTIMANDS = ("ate", "att", "atc", "ato", "atm")
_CUT = (900.0, 1900.0)  # follow-up ends evenly between these
_LOSS = {0: 1 / 4000, 1: 1 / 9000}  # a day, by arm: people of the programme are easier to keep in view
_SHARE = 0.4  # of z


@dataclass(frozen=True)
class _Grid:
    """Covariates on a grid, with the share of people at each point."""

    x: Array
    z: Array
    share: Array


def _grid() -> _Grid:
    x = np.linspace(-7, 7, 2801)
    density = np.exp(-0.5 * x**2)
    density /= density.sum()
    return _Grid(np.tile(x, 2), np.repeat([0.0, 1.0], len(x)), np.r_[density * (1 - _SHARE), density * _SHARE])


def chance(x: Array, z: Array) -> Array:
    """Return the chance of joining the programme."""
    return 1 / (1 + np.exp(-(-1.1 + 0.6 * x + 0.9 * z)))


def hazards(x: Array, z: Array, arm: Array | int) -> tuple[Array, Array]:
    """Return hazards a day of reoffending and of what competes. Without z the programme does nearly nothing."""
    first = np.exp(-7.3 + 0.5 * x + 0.4 * z + arm * (-0.1 - 0.7 * z))
    return first, np.exp(-9.0 + 0.3 * x + 0.2 * arm)


def people(rng: np.random.Generator, size: int = PEOPLE) -> pd.DataFrame:
    """Return one row a person: time, event (0 censored, 1 reoffended, 2 something else), arm (none, programme), x, z."""
    x, z = rng.standard_normal(size), (rng.random(size) < _SHARE).astype(np.float64)
    arm = (rng.random(size) < chance(x, z)).astype(np.int64)
    first, other = hazards(x, z, arm)
    time = rng.standard_exponential(size) / (first + other)
    cause = np.where(rng.random(size) < first / (first + other), 1, 2)
    lost = rng.standard_exponential(size) / np.array([_LOSS[0], _LOSS[1]])[arm]
    until = np.minimum(rng.uniform(*_CUT, size), lost)
    return pd.DataFrame(
        {
            "time": np.minimum(time, until),
            "event": np.where(time <= until, cause, 0),
            "arm": np.array(["none", "programme"])[arm],
            "x": x,
            "z": z,
        }
    )


def risk(x: Array, z: Array, arm: int, at: float = AT) -> Array:
    """Return each person's risk of reoffending by a time in an arm."""
    first, other = hazards(x, z, arm)
    return first / (first + other) * -np.expm1(-(first + other) * at)


def person_effects(frame: pd.DataFrame) -> Array:
    """Return what the programme does to the risk of each person drawn."""
    x, z = frame["x"].to_numpy(), frame["z"].to_numpy()
    return risk(x, z, 1) - risk(x, z, 0)


def _target(estimand: str) -> tuple[_Grid, Array]:
    """Return the grid, and the share of the people asked about at each point."""
    grid = _grid()
    e = chance(grid.x, grid.z)
    tilt = {"ate": np.ones_like(e), "att": e, "atc": 1 - e, "ato": e * (1 - e), "atm": np.minimum(e, 1 - e)}[estimand]
    share = grid.share * tilt
    return grid, share / share.sum()


def risk_difference(estimand: str) -> float:
    """Return the true difference in risk by `AT` in the people asked about."""
    grid, share = _target(estimand)
    return float(share @ (risk(grid.x, grid.z, 1) - risk(grid.x, grid.z, 0)))


def time_free_difference(estimand: str) -> float:
    """Return the true difference in mean days free of both causes up to `AT`."""
    grid, share = _target(estimand)
    total = [sum(hazards(grid.x, grid.z, arm)) for arm in (0, 1)]
    free = [-np.expm1(-both * AT) / both for both in total]
    return float(share @ (free[1] - free[0]))


def hazard_ratio(estimand: str) -> float:
    """Return where the weighted log hazard ratio of reoffending goes as people become many.

    The weights make each arm the people asked about, as they would be in that arm; whoever is still in view at a time depends on the
    arm alone. The limit solves the mean of the partial likelihood's score, an integral over time.
    """
    from scipy.integrate import trapezoid
    from scipy.optimize import brentq

    grid, share = _target(estimand)
    days = np.linspace(0.0, _CUT[1], 1501)
    at_risk, events = [], []
    for arm in (0, 1):
        first, other = hazards(grid.x, grid.z, arm)
        alive = np.exp(-np.outer(days, first + other))
        in_view = np.clip((_CUT[1] - days) / (_CUT[1] - _CUT[0]), 0, 1) * np.exp(-_LOSS[arm] * days)
        at_risk.append(in_view * (alive @ share))
        events.append(in_view * (alive @ (share * first)))

    def score(beta: float) -> float:
        part = np.exp(beta) * at_risk[1] / np.maximum(at_risk[0] + np.exp(beta) * at_risk[1], 1e-300)
        return float(trapezoid(events[1] - part * (events[0] + events[1]), days))

    return float(brentq(score, -3, 3))
