"""Intervals where an arm has no events, or nothing but events: there the variance is 0 and says nothing."""

from __future__ import annotations

import numpy as np

from outcomes.comparison.measures import quantile
from outcomes.results import Array
from outcomes.survival.curves import CumulativeIncidence, KaplanMeier

__all__ = ["newcombe", "sizes_behind"]


def newcombe(pair: Array, sizes: Array, conf_level: float) -> tuple[float, float]:
    """Return Newcombe's hybrid score interval of arm minus reference.

    Parameters
    ----------
    pair : ndarray, shape (2,)
        Risks, reference and arm.
    sizes : ndarray, shape (2,)
        (Effective) number of people behind each risk.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17:873, method 10.
    """
    z = quantile(conf_level, float("inf"))
    centre = (pair + z**2 / (2 * sizes)) / (1 + z**2 / sizes)
    reach = z * np.sqrt(pair * (1 - pair) / sizes + z**2 / (4 * sizes**2)) / (1 + z**2 / sizes)
    low, high = centre - reach, centre + reach
    gap = float(pair[1] - pair[0])
    return (
        gap - float(np.hypot(pair[1] - low[1], high[0] - pair[0])),
        gap + float(np.hypot(high[1] - pair[1], pair[0] - low[0])),
    )


def sizes_behind(
    result: KaplanMeier | CumulativeIncidence,
    cause: str,
    time: float,
    arms: tuple[int, int],
    pair: Array,
    variances: Array,
) -> Array:
    """Return the number of people whose fate by `time` would give a risk this variance, shape (2,).

    Where the risk lies inside (0, 1) that is p(1 - p) / variance. Where it is 0 or 1, the people whose fate is known (still at
    risk at `time`, or ended before it), which errs towards too few; weighted ones count as sum(w)^2 / sum(w^2).
    """
    sizes = []
    for arm, risk, variance in zip(arms, pair, variances, strict=True):
        inside = 0 < risk < 1 and variance > 0
        sizes.append(risk * (1 - risk) / variance if inside else _fate_known(result, cause, time, arm))
    return np.array(sizes)


def _fate_known(result: KaplanMeier | CumulativeIncidence, cause: str, time: float, arm: int) -> float:
    data = result.data
    people = len(data.baseline)
    last = np.zeros(people)
    np.maximum.at(last, data.person, data.exit)
    ending = np.ones(len(data.event), dtype=bool)
    if isinstance(result, KaplanMeier) and cause in data.causes:  # other causes were censored
        ending = data.event == 1 + data.causes.index(cause)
    ended = np.zeros(people, dtype=bool)
    ended[data.person[(data.event > 0) & ending]] = True
    count = np.ones(people)
    if data.frequency is not None:
        count[data.person] = data.frequency
    known = (data.arm == arm) & ((last >= time) | ended)
    w, f = result.asked.weight[known], count[known]
    squares = float((f * w**2).sum())
    return float((f * w).sum() ** 2 / squares) if squares > 0 else float("nan")
