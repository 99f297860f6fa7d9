"""Times drawn from distributions whose risks are known in closed form, and how they come to be observed."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = [
    "SCALE",
    "SHAPE",
    "censoring",
    "free",
    "hazard",
    "observed",
    "positive_stable",
    "weibull",
    "weighted_by_outcome",
]  # fmt: skip

Array = np.ndarray

SHAPE, SCALE = 0.8, 1200.0  # rates that fall after release; about a third within the first year


def hazard(time: Array | float, *, shape: float = SHAPE, scale: float = SCALE) -> Array:
    """Return the cumulative hazard of a Weibull time."""
    return (np.asarray(time, dtype=np.float64) / scale) ** shape


def free(time: Array | float, ratio: Array | float = 1.0, *, shape: float = SHAPE, scale: float = SCALE) -> Array:
    """Return the share free of the event at a time, hazards being `ratio` times the Weibull's."""
    return np.exp(-np.asarray(ratio) * hazard(time, shape=shape, scale=scale))


def weibull(rng: np.random.Generator, ratio: Array, *, shape: float = SHAPE, scale: float = SCALE) -> Array:
    """Return times whose hazards are `ratio` times the Weibull's."""
    return scale * (rng.standard_exponential(len(ratio)) / ratio) ** (1 / shape)


def censoring(rng: np.random.Generator, size: int, *, low: float = 600.0, high: float = 1600.0) -> Array:
    """Return times of censoring: the data cut, spread evenly, or an earlier loss at a constant rate."""
    return np.minimum(rng.uniform(low, high, size), rng.exponential(3000.0, size))


def positive_stable(rng: np.random.Generator, index: float, size: int) -> Array:
    """Return positive stable frailties Z, for which E exp(−sZ) = exp(−s^index) (Kanter 1975).

    Proportional hazards given Z stay proportional in the mean: times have the cumulative hazard H^index, log hazard ratios shrink by
    the factor `index` (Hougaard 1986).
    """
    angle, size_ = rng.uniform(0, np.pi, size), rng.standard_exponential(size)
    first = np.sin(index * angle) / np.sin(angle) ** (1 / index)
    return np.asarray(first * (np.sin((1 - index) * angle) / size_) ** ((1 - index) / index))


def observed(time: Array, until: Array, cause: Array | int = 1, **columns: Array) -> pd.DataFrame:
    """Return rows of time and event (0: censored); at a tie the event comes first."""
    event = np.where(time <= until, cause, 0)
    return pd.DataFrame({"time": np.minimum(time, until), "event": event, **columns})


def weighted_by_outcome(rng: np.random.Generator, frame: pd.DataFrame, share: float) -> pd.DataFrame:
    """Return everybody with an event and a share of the others, with the inverse of their chance of being there as ``w``."""
    chance = np.where(frame["event"].to_numpy() > 0, 1.0, share)
    return frame.assign(w=1 / chance)[rng.random(len(frame)) < chance].reset_index(drop=True)
