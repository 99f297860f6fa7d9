"""Who is left out for having few like them in another arm: by bounds, by the common range, by percentiles, or by least variance."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from outcomes.errors import EstimationError
from outcomes.results import Array, IntArray

__all__ = ["Trim", "check_trim", "common_range", "inside_bounds", "trimmed_how"]

Trim = tuple[float, float] | tuple[Literal["percentile"], float] | Literal["common", "crump"] | None


def check_trim(trim: Any) -> Trim:
    """Return the rule as plain values; raise where it is none."""
    if trim is None:
        return None
    if isinstance(trim, str) and trim in ("common", "crump"):
        return "common" if trim == "common" else "crump"
    if not isinstance(trim, str) and isinstance(trim, (tuple, list)) and len(trim) == 2:
        if trim[0] == "percentile" and _is_number(trim[1]) and 0 < trim[1] < 0.5:
            return "percentile", float(trim[1])
        if all(_is_number(bound) for bound in trim) and 0 <= trim[0] < trim[1] <= 1:
            return float(trim[0]), float(trim[1])
    raise EstimationError(
        "weight: trim must be two scores (low, high) with 0 <= low < high <= 1, such as (0.1, 0.9), 'common', 'crump', or "
        f"('percentile', share) with 0 < share < 0.5; got {trim!r}."
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and math.isfinite(value)


def inside_bounds(
    chances: Array, arm: IntArray, arms: tuple[str, ...], trim: Trim, *, sampling: Array | None = None
) -> npt.NDArray[np.bool_]:
    """Return who lies inside the bounds (the bounds included), shape (P,).

    Parameters
    ----------
    chances : ndarray, shape (P, A)
        Score of each arm.
    arm : ndarray of int, shape (P,)
    arms : tuple of str
        For messages.
    trim : (low, high), "common", "crump", ("percentile", share) or None
        Every score between two numbers; every score in the range that all arms have; those among whom the average effect is known
        best; every score at least the given percentile of it in its own arm.
    sampling : ndarray, shape (P,), optional
        Sampling weights, for percentiles and averages.

    Raises
    ------
    EstimationError
        Nobody is left of an arm.

    References
    ----------
    Crump, Hotz, Imbens & Mitnik (2009), Biometrika 96:187; of several arms: Yang et al. (2016), Biometrics 72:1055; percentiles:
    Stürmer et al. (2010), American Journal of Epidemiology 172:843; of several arms: Yoshida et al. (2019), American Journal of
    Epidemiology 188:609; common range: Lopez & Gutman (2017), Statistical Science 32:432.
    """
    everyone = np.ones(len(arm), dtype=bool)
    if trim is None:
        return everyone
    weight = np.ones(len(arm)) if sampling is None else sampling
    if trim == "crump":
        kept = _least_variance(chances, weight)
    elif trim == "common":
        low, high = common_range(chances, arm)
        kept = _between(chances, low, high)
    elif trim[0] == "percentile":
        share = float(trim[1])
        low = np.array([_quantile(chances[arm == a, a], weight[arm == a], share) for a in range(len(arms))])
        kept = _between(chances, low, np.ones(len(arms)))
    else:
        scores = chances[:, 1:] if len(arms) == 2 else chances  # of two arms the bounds are those of one score
        kept = _between(scores, np.float64(trim[0]), np.float64(trim[1]))
    for index in np.unique(arm):
        mine = arm == index
        if not kept[mine].any():
            which = "the reference arm" if index == 0 else "the other arm" if len(arms) == 2 else f"arm {arms[index]}"
            raise EstimationError(
                f"weight: trimming leaves nobody of {int(mine.sum()):,} people in {which}. Widen the bounds."
            )
    return np.asarray(kept, dtype=bool)


def _between(scores: Array, low: Array | np.float64, high: Array | np.float64) -> npt.NDArray[np.bool_]:
    """Return whose scores all lie between the bounds, shape (P,)."""
    return np.asarray(((scores >= low) & (scores <= high)).all(axis=1), dtype=bool)


def trimmed_how(trim: Trim) -> str:
    """Return the rule in words, as a note says it.

    Examples
    --------
    >>> trimmed_how((0.1, 0.9)), trimmed_how(("percentile", 0.05))
    ('scores from 0.1 to 0.9', 'scores of at least percentile 5 of those in the arm')
    """
    if trim is None or trim == "common":
        return "scores that all arms have"
    if trim == "crump":
        return "the scores among which the average effect is known best (Crump)"
    if trim[0] == "percentile":
        return f"scores of at least percentile {100 * float(trim[1]):g} of those in the arm"
    return f"scores from {trim[0]:g} to {trim[1]:g}"


def common_range(chances: Array, arm: IntArray) -> tuple[Array, Array]:
    """Return the lowest and the highest score of each arm that people of all arms have, shape (A,) each."""
    by_arm = [chances[arm == a] for a in np.unique(arm)]
    return np.max([s.min(axis=0) for s in by_arm], axis=0), np.min([s.max(axis=0) for s in by_arm], axis=0)


def _least_variance(chances: Array, weight: Array) -> npt.NDArray[np.bool_]:
    """Return those for whom the sum of 1 / score is at most twice its mean among those kept; everybody where that holds for all."""
    with np.errstate(divide="ignore"):
        cost = (1 / chances).sum(axis=1)
    order = np.argsort(cost, kind="stable")
    ordered, mass = cost[order], weight[order]
    known = np.isfinite(ordered)
    mean = np.cumsum(np.where(known, ordered * mass, 0.0)) / np.cumsum(mass)
    good = known & (ordered <= 2 * mean)
    limit = ordered[good][-1] if good.any() else np.inf
    return np.asarray(cost <= limit, dtype=bool)


def _quantile(values: Array, weight: Array, share: float) -> float:
    """Return the quantile: R's type 7 without weights, else the smallest value up to which the share lies."""
    if np.ptp(weight) == 0:
        return float(np.quantile(values, share))
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    return float(values[order][int(np.searchsorted(reached, share))])
