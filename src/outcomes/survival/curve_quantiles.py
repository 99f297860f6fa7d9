"""When a curve reaches a share, and limits of that time by inverting the curve's own (Brookmeyer & Crowley 1982)."""

from __future__ import annotations

import numpy as np

from outcomes.results import Array

__all__ = ["crossing"]

_NEAR = 1e-9


def crossing(times: Array, values: Array, level: float) -> float:
    """Return when a falling step curve comes down to `level`; missing where it never does.

    Where it is level exactly there, the middle of the level stretch (as R's ``survfit``).

    Examples
    --------
    >>> crossing(np.array([2.0, 4.0, 7.0]), np.array([0.8, 0.5, 0.2]), 0.5)
    5.5
    """
    reached = np.flatnonzero(values <= level + _NEAR)
    if len(reached) == 0:
        return float("nan")
    first = int(reached[0])
    if abs(values[first] - level) < _NEAR:
        lower = np.flatnonzero(values < level - _NEAR)
        if len(lower):
            return float((times[first] + times[lower[0]]) / 2)
    return float(times[first])
