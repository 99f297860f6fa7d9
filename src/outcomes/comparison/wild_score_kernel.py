"""The wild bootstrap of one score: its clusters' parts get signs by chance, and the statistic is seen anew each time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array

__all__ = ["MULTIPLIERS", "WildScore", "wild_score"]

MULTIPLIERS: dict[str, tuple[float, ...]] = {
    "rademacher": (-1.0, 1.0),
    "webb": (-(1.5**0.5), -1.0, -(0.5**0.5), 0.5**0.5, 1.0, 1.5**0.5),
}
_ROUNDING = 1e-9  # relative; closer statistics are the same
_CHUNK = 1_000_000  # multipliers held at once


@dataclass(frozen=True)
class WildScore:
    """What the bootstrap of a score gave.

    Attributes
    ----------
    statistic : float
        The score over the root of the sum of its clusters' squared parts; missing where all are 0.
    p_value, smallest_p : float
        Two-sided; the smallest it could have been.
    n_draws : int
        Signs tried, the observed ones among them.
    everything : bool
        Whether these were all there are.
    n_clusters : int
        Clusters that have a part in it.
    """

    statistic: float
    p_value: float
    smallest_p: float
    n_draws: int
    everything: bool
    n_clusters: int


def wild_score(parts: Array, answer: Array | None, multipliers: str, draws: int, seed: int) -> WildScore:
    """Return the test of a score at 0.

    Parameters
    ----------
    parts : ndarray, shape (G,)
        Each cluster's part of the score, under the hypothesis.
    answer : ndarray, shape (G, G), or None
        By how much a cluster's part (row) falls with the multiplied part of another (column), because what is estimated under the
        hypothesis is estimated anew.
    multipliers : {"rademacher", "webb"}
        Two points, or six (Webb 2014).
    draws : int
        All combinations are taken where there are no more than this; else one fewer are drawn, and the observed one added.
    seed : int

    Notes
    -----
    Score and variance are both made of the multiplied parts, after one step in all else that the hypothesis leaves free. Without that
    step the statistic has a variance of about G / (G - 1) where those it is read against have 1. Taking the parts less their mean in
    the variance is a monotone change of the squared statistic, u / (1 - u / G), and moves no p-value.

    References
    ----------
    Kline & Santos (2012), Journal of Econometric Methods 1:23; Webb (2014), Queen's Economics Department working paper 1315.
    """
    points = np.array(MULTIPLIERS[multipliers])
    parts, answer = _with_a_part(parts, answer)
    size = len(parts)
    if not parts.any():
        return WildScore(float("nan"), float("nan"), float("nan"), 0, True, size)
    statistic = float(parts.sum() / np.sqrt((parts**2).sum()))
    observed = float(_squared(np.ones((1, size)), parts, answer)[0])  # by the same sums as those it is read against
    ways = len(points) ** size
    everything = ways <= draws
    wanted, rng = ways if everything else draws - 1, np.random.default_rng(seed)
    beyond = top = 0
    highest = -np.inf
    step = max(1, _CHUNK // size)
    for start in range(0, wanted, step):
        number = min(step, wanted - start)
        if everything:
            index = (np.arange(start, start + number)[:, None] // len(points) ** np.arange(size)) % len(points)
        else:
            index = rng.integers(0, len(points), (number, size))
        again = _squared(points[index], parts, answer)
        beyond += int((again >= observed * (1 - _ROUNDING)).sum())
        highest, top = _counted(again, highest, top)
    if everything:
        return WildScore(statistic, beyond / ways, top / ways, ways, True, size)
    return WildScore(statistic, (1 + beyond) / draws, 1 / draws, draws, False, size)


def _with_a_part(parts: Array, answer: Array | None) -> tuple[Array, Array | None]:
    """Return the same without clusters that nothing comes from, such as those of people who weigh nothing or are of another arm."""
    some = parts != 0
    if answer is None:
        return parts[some], None
    some = some | answer.any(axis=0) | answer.any(axis=1)
    return parts[some], answer[np.ix_(some, some)]


def _squared(signs: Array, parts: Array, answer: Array | None) -> Array:
    """Return the squared statistic of each row of multipliers (N, G), shape (N,)."""
    again = signs * parts
    if answer is not None:
        again -= signs @ answer.T
    found: Array = again.sum(axis=1) ** 2 / (again**2).sum(axis=1)
    return found


def _counted(again: Array, highest: float, top: int) -> tuple[float, int]:
    """Return the highest statistic so far, and how many are as high."""
    mine = float(again.max())
    if mine > highest * (1 + _ROUNDING):
        highest, top = mine, 0
    return highest, top + int((again >= highest * (1 - _ROUNDING)).sum())
