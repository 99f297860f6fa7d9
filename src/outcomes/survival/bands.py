"""Simultaneous bands: limits that hold a whole curve between two times, not one point of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.errors import EstimationError
from outcomes.results import Array, IntArray
from outcomes.survival.band_constants import equal_precision_constant, hall_wellner_constant
from outcomes.survival.few_clusters import reach_of_arm
from outcomes.survival.influence_paths import InfluencePath
from outcomes.survival.inputs import Asked, normal_quantile
from outcomes.survival.intervals import probability_limits

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData
    from outcomes.survival.curve_results import Curves

__all__ = ["BAND_KINDS", "bands_of"]

BAND_KINDS = ("equal-precision", "hall-wellner")


def bands_of(
    curves: Curves, kind: str, between: Array | None, conf_level: float, draws: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the bands of every arm and cause; arguments as in `Curves.bands`, checked there."""
    import pandas as pd

    people = curves.asked.people_by_arm(curves.data)
    frames = []
    for arm, name in enumerate(curves.arms):
        wider = reach_of_arm(curves.data, curves.asked, arm, conf_level) / normal_quantile(conf_level)
        reached = np.concatenate(([0.0], curves.fits[arm].times))
        for cause, label in enumerate(curves.causes):
            estimate, error = curves.steps(arm, cause), curves.std_error(arm, cause)
            inside = _usable(estimate, error, reached, between, name)
            value, spread = estimate[inside], error[inside]
            drawn = None
            if curves.rising or curves.asked.variance != "model":  # the constants are of Kaplan–Meier alone
                path, rows = curves.path(arm, cause), curves.rows[arm]
                drawn = _deviations(curves.asked, path, curves.data, rows, inside, draws, rng)
            scale, critical = _width(value, spread, int(people[arm]), kind, conf_level, drawn)
            critical *= wider
            low, high = probability_limits(value, scale, critical, curves.conf_type)
            frames.append(
                pd.DataFrame(
                    {
                        "outcome": curves.data.labels.get("outcome", ""),
                        "estimand": curves.asked.estimand,
                        "arm": name,
                        "cause": label,
                        "time": reached[inside] if between is None else np.maximum(reached[inside], between[0]),
                        "estimate": value,
                        "std_error": spread,
                        "critical": critical,
                        "conf_low": low,
                        "conf_high": high,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def _usable(estimate: Array, std_error: Array, reached: Array, between: Array | None, arm: str) -> IntArray:
    """Return the numbers of times passed (U,) at which the curve lies between 0 and 1 and inside the times asked for.

    Raises
    ------
    EstimationError
        There are none.
    """
    known = (estimate > 0) & (estimate < 1) & (std_error > 0)
    if between is not None:
        until = np.append(reached[1:], np.inf)
        known &= (until > between[0]) & (reached <= between[1])
    found = np.flatnonzero(known)
    if len(found) == 0:
        raise EstimationError(
            f"bands: the curve of arm {arm!r} is 0 or 1, or has no width, at every time asked for; there is no band."
        )
    return found


def _width(
    estimate: Array, std_error: Array, people: int, kind: str, conf_level: float, drawn: Array | None
) -> tuple[Array, float]:
    """Return the scale of a band (U,) and the constant it is multiplied by.

    Parameters
    ----------
    drawn : ndarray, shape (M, U), or None
        Deviations of the curve drawn from its influences. None: the constant for independent people.
    """
    grown = people * (std_error / estimate) ** 2  # n sigma^2(t)
    equal = kind == "equal-precision"
    scale = std_error if equal else estimate * (1 + grown) / np.sqrt(people)
    if drawn is not None:
        return scale, float(np.quantile(np.abs(drawn / scale).max(axis=1), conf_level))
    share = grown / (1 + grown)
    constant = equal_precision_constant if equal else hall_wellner_constant
    return scale, constant(float(share[0]), float(share[-1]), conf_level)


def _deviations(
    asked: Asked,
    path: InfluencePath,
    data: SurvivalData,
    rows: IntArray,
    inside: IntArray,
    draws: int,
    rng: np.random.Generator,
) -> Array:
    """Return deviations of a curve as its influences would have them, shape (draws, U): people's influences times normal numbers.

    Lin, Fleming & Wei (1994), Biometrika 81:73. People of one cluster share a number.
    """
    person = data.person[rows]
    times = asked.count if asked.cluster is not None else np.sqrt(asked.count)
    normal = _numbers_of_people(asked, draws, rng)
    each = (asked.by_row(data, rows) * times[person])[:, None]
    found = np.concatenate(
        [path.totals(each * normal[person, low : low + 50])[:, inside] for low in range(0, draws, 50)]
    )
    score = asked.score
    if score is not None:
        gradient, influence = score
        moved = path.totals((asked.count[person] * asked.beside(rows))[:, None] * gradient[person])[:, inside]
        found = found + (normal.T @ (times[:, None] * influence)) @ moved
    return found


def _numbers_of_people(asked: Asked, draws: int, rng: np.random.Generator) -> Array:
    """Return standard normal numbers, shape (P, draws), that people of one cluster share and overlapping sets share out."""
    if asked.overlapping is not None:
        return asked.overlapping.spread(rng.standard_normal((asked.overlapping.size, draws)))
    found: Array = rng.standard_normal((int(asked.groups.max()) + 1, draws))
    return found if asked.cluster is None else found[asked.cluster]
