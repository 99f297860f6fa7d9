"""Random draws as inverse distribution functions of uniform numbers.

Only `Generator.random` is used: numpy promises no other stream across versions. Each stage of the generator has a
generator of its own, so that changing one stage leaves the draws of the others as they were.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outcomes.results import Array, IntArray

__all__ = ["below", "exponential", "generators", "lag", "pick", "spread", "table", "two_exponentials"]

STAGES = ("people", "provision", "assignment", "life", "records", "truth", "events")
_SMALLEST = 2.0**-54


def generators(seed: int) -> dict[str, np.random.Generator]:
    """Return one generator a stage, all from one seed."""
    children = np.random.SeedSequence(seed).spawn(len(STAGES))
    return {stage: np.random.default_rng(child) for stage, child in zip(STAGES, children, strict=True)}


def exponential(u: Array) -> Array:
    """Return standard exponential draws: -log(1 - u)."""
    return -np.log1p(-u)


def two_exponentials(u: Array, v: Array) -> Array:
    """Return gamma draws of shape 2 and scale 1, as the sum of two exponentials."""
    return exponential(u) + exponential(v)


def lag(u: Array, median: Array, shape: Array) -> Array:
    """Return Weibull draws by median and shape."""
    return np.asarray(median * np.exp(np.log(exponential(np.maximum(u, _SMALLEST)) / np.log(2.0)) / shape))


def spread(u: Array, sd: float) -> Array:
    """Return uniform draws with mean 0 and this standard deviation (bounded at 1.73 of them)."""
    return np.asarray((u - 0.5) * (sd * 12.0**0.5))


def table(u: Array, probabilities: Sequence[float], quantiles: Sequence[float]) -> Array:
    """Return draws from the distribution whose quantiles are given, straight lines between them."""
    return np.interp(u, probabilities, quantiles)


def pick(u: Array, shares: Sequence[float]) -> IntArray:
    """Return the index of a category drawn with these shares (which need not sum to one)."""
    cumulative = np.cumsum(np.asarray(shares, dtype=np.float64))
    return np.searchsorted(cumulative[:-1] / cumulative[-1], u, side="right").astype(np.int64)


def below(u: Array, low: int, high: int) -> IntArray:
    """Return whole numbers from `low` to `high`, both included, all alike."""
    return (low + np.floor(u * (high - low + 1))).astype(np.int64)
