"""What a design could have found, and how many people it would take: never from the effect it did find."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from outcomes.comparison.measures import quantiles
from outcomes.results import Array

__all__ = ["DEFAULT_TARGET", "detectable", "people_needed", "plan_of"]

DEFAULT_TARGET = 3.0  # percentage points, where no margin was named
_LEVEL, _POWER = 0.95, 0.80


def detectable(std_error: Any, df: Any, half_width: Any = 0.0, conf_level: float = 0.95) -> Array:
    """Return the difference found with 80 % power at 5 %, in the unit of the standard error; on t where `df` is finite.

    Parameters
    ----------
    std_error, df : float or ndarray, shape (R,)
        Degrees of freedom are infinite on the normal.
    half_width : float or ndarray, shape (R,)
        The longer side of an interval. Where an arm had no event, or nothing else, its standard error is 0 and its interval is not:
        the error is then taken from the interval.
    conf_level : float
        Of the interval.

    Examples
    --------
    >>> detectable(1.0, np.inf).round(2).item()
    2.8
    """
    from_interval = np.asarray(half_width, dtype=np.float64) / quantiles(conf_level, df)
    error = np.fmax(np.asarray(std_error, dtype=np.float64), from_interval)
    return np.asarray((quantiles(_LEVEL, df) + quantiles(2 * _POWER - 1, df)) * error)


def people_needed(n: Any, found: Any, target: float) -> Array:
    """Return how many people, arms and clusters and follow-up in the same proportions, would find `target` where `n` found `found`."""
    return np.ceil(np.asarray(n, dtype=np.float64) * (np.asarray(found, dtype=np.float64) / target) ** 2)


def plan_of(row: Mapping[Any, Any], conf_level: float, margin: float | None = None) -> dict[str, float]:
    """Return what the design behind a difference in risk could have found: detectable, target, people_needed; per 100 people.

    Parameters
    ----------
    row : mapping
        A row of a comparison.
    conf_level : float
        Of its interval.
    margin : float, optional
        In percentage points; the target. Default: 3.
    """
    longer = np.fmax(row["conf_high"] - row["estimate"], row["estimate"] - row["conf_low"])
    found = 100 * float(detectable(row["std_error"], row.get("df", np.inf), longer, conf_level))
    target = DEFAULT_TARGET if margin is None else margin
    return {"detectable": found, "target": target, "people_needed": float(people_needed(row["n"], found, target))}
