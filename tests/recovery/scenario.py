"""What a recovery scenario is: how its data are drawn, what is asked of them, and what the true answers are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

__all__ = [
    "Band",
    "Estimate",
    "Found",
    "Interval",
    "Key",
    "PValue",
    "Scenario",
    "Setting",
    "Truth",
    "interval",
    "log_interval",
]


class Interval(NamedTuple):
    """An estimate with its standard error and 95 % limits, on the scale on which it is judged."""

    estimate: float
    std_error: float
    low: float
    high: float


class Estimate(NamedTuple):
    """An estimate whose limits are not judged: it is a limit itself, or what would take a bootstrap in every replicate."""

    value: float


class PValue(NamedTuple):
    """The p-value of a test whose hypothesis is true."""

    value: float


class Band(NamedTuple):
    """Whether a band held the whole true curve."""

    holds: bool


class Truth(NamedTuple):
    """A true value, and the Monte-Carlo error of it where it has no closed form."""

    value: float
    error: float = 0.0


Found = Interval | Estimate | PValue | Band
Key = tuple[str, str]  # who estimated, what


@dataclass(frozen=True)
class Setting:
    """What was drawn, and which of its rows are not judged as others are.

    Attributes
    ----------
    name, said : str
        A few words; then what is drawn, for the page.
    people : int
        How many a replicate holds (about, where they are sampled).
    reported : mapping
        From estimator to why its rows are told but not judged.
    conservative : mapping
        From estimator to why its intervals may cover more than 97.5 %, or its test reject less than 3.5 %.
    explained : mapping
        From estimator to what is behind a row that fails; the row fails all the same.
    """

    name: str
    said: str
    people: int
    reported: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    conservative: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    explained: Mapping[str, str] = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True)
class Scenario(Setting):
    """One way of drawing data, and everything that is asked of them.

    Attributes
    ----------
    replicate : callable
        From a generator to what was found, by estimator and quantity.
    truths : mapping
        From quantity to the true value; tests and bands have none.
    daily : bool
        Whether the bounded form runs it: quick, and together with the others one of every kind of estimator.
    """

    replicate: Callable[[np.random.Generator], Mapping[Key, Found]]
    truths: Mapping[str, Truth] = field(default_factory=dict)
    daily: bool = field(default=False, kw_only=True)


def interval(row: Mapping[str, Any] | pd.Series[Any], *, name: str = "estimate") -> Interval:
    """Return the interval that a row of a result's table holds."""
    error = float(row["std_error"]) if "std_error" in row else np.nan
    return Interval(float(row[name]), error, float(row["conf_low"]), float(row["conf_high"]))


def log_interval(row: Mapping[str, Any] | pd.Series[Any]) -> Interval:
    """Return the interval of a ratio on the log scale, on which its standard error is."""
    low, high = np.log(float(row["conf_low"])), np.log(float(row["conf_high"]))
    return Interval(float(np.log(float(row["estimate"]))), float(row["std_error"]), float(low), float(high))
