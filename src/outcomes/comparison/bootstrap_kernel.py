"""Intervals from bootstrap replicates of several numbers: percentile, basic, normal, bias-corrected accelerated, and studentised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array

__all__ = ["INTERVALS", "Replicated", "acceleration", "intervals"]

INTERVALS = ("percentile", "basic", "normal", "bca", "studentised")


@dataclass(frozen=True)
class Replicated:
    """What K numbers do over replicates: their bias, standard error and limits, shape (K,) each; missing with fewer than 2."""

    bias: Array
    std_error: Array
    low: Array
    high: Array
    used: Array


def intervals(
    estimate: Array,
    replicates: Array,
    kind: str,
    conf_level: float,
    accelerated: Array | None = None,
    errors: tuple[Array, Array] | None = None,
) -> Replicated:
    """Return bias, standard errors and limits.

    Parameters
    ----------
    estimate : ndarray, shape (K,)
        On the data as they are.
    replicates : ndarray, shape (R, K)
        Missing where a replicate gave no number; those are left out, number by number.
    kind : {"percentile", "basic", "normal", "bca", "studentised"}
    accelerated : ndarray, shape (K,), optional
        Accelerations, for bca.
    errors : (ndarray, ndarray), shapes (K,), (R, K), optional
        Standard errors on the data as they are, and in each replicate, for studentised.

    References
    ----------
    Davison & Hinkley (1997), Bootstrap Methods and their Application, chapter 5; Efron (1987), JASA 82:171.
    """
    found = np.full((5, len(estimate)), np.nan)
    for k, value in enumerate(estimate):
        known = np.isfinite(replicates[:, k])
        mine = replicates[known, k]
        found[4, k] = len(mine)
        if len(mine) < 2 or not np.isfinite(value):
            continue
        bias, error = float(mine.mean() - value), float(mine.std(ddof=1))
        faster = 0.0 if accelerated is None else float(accelerated[k])
        if kind == "studentised" and errors is not None:
            limits = _studentised(value, mine, errors[0][k], errors[1][known, k], conf_level)
        else:
            limits = _limits(value, mine, bias, error, kind, conf_level, faster)
        found[:4, k] = bias, error, *limits
    return Replicated(*found)


def _limits(
    value: float, mine: Array, bias: float, error: float, kind: str, conf_level: float, faster: float
) -> tuple[float, float]:
    from scipy.special import ndtr, ndtri

    tails = np.array([0.5 * (1 - conf_level), 0.5 * (1 + conf_level)])
    if kind == "normal":
        low, high = value - bias + ndtri(tails) * error
        return float(low), float(high)
    if kind == "bca":
        below = (np.count_nonzero(mine < value) + 0.5 * np.count_nonzero(mine == value)) / len(mine)
        if not 0 < below < 1:
            return float("nan"), float("nan")
        shift = ndtri(below)
        moved = shift + ndtri(tails)
        tails = ndtr(shift + moved / (1 - faster * moved))
    low, high = quantiles(mine, tails)
    return (2 * value - high, 2 * value - low) if kind == "basic" else (low, high)


def _studentised(value: float, mine: Array, error: float, errors: Array, conf_level: float) -> tuple[float, float]:
    """Return limits from the replicates' distances in their own standard errors; those without one are left out."""
    known = np.isfinite(errors) & (errors > 0)
    if known.sum() < 2:
        return float("nan"), float("nan")
    apart = (mine[known] - value) / errors[known]
    low, high = quantiles(apart, np.array([0.5 * (1 - conf_level), 0.5 * (1 + conf_level)]))
    return value - high * error, value - low * error


def quantiles(replicates: Array, shares: Array) -> tuple[float, float]:
    """Return the (R + 1) p-th of the ordered replicates, interpolated on the normal scale where it lies between two."""
    from scipy.special import ndtri

    ordered, count = np.sort(replicates), len(replicates)
    out = []
    for share in shares:
        place = (count + 1) * share
        whole = int(np.floor(place))
        if whole < 1 or whole >= count:
            out.append(float(ordered[0] if whole < 1 else ordered[-1]))
            continue
        low, at, high = ndtri(np.array([whole / (count + 1), share, (whole + 1) / (count + 1)]))
        out.append(float(ordered[whole - 1] + (at - low) / (high - low) * (ordered[whole] - ordered[whole - 1])))
    return out[0], out[1]


def acceleration(left_out: Array) -> Array:
    """Return the acceleration of K numbers from their values with each group left out, shape (G, K); missing ones are passed over."""
    known = np.isfinite(left_out)
    mean = np.sum(left_out, axis=0, where=known) / np.maximum(known.sum(axis=0), 1)
    apart = np.where(known, mean - left_out, 0.0)
    below = 6 * (apart**2).sum(axis=0) ** 1.5
    found: Array = np.divide((apart**3).sum(axis=0), below, out=np.zeros(left_out.shape[1]), where=below > 0)
    return found
