"""Bands of people that no table holds: of age, and the first and second half of a study's years."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AGES", "Bands", "age_bands", "eras", "yes_or_no"]

AGES = ("below 30", "30 to 49", "50 and over")
_BOUNDS = (30.0, 50.0)


@dataclass(frozen=True)
class Bands:
    """The band of each of P people.

    Attributes
    ----------
    values : pandas.Categorical, shape (P,)
        Missing where what it is made of is missing.
    said : str
        What the bands are, in a sentence.
    """

    values: Any
    said: str


def age_bands(age: pd.Series[float]) -> Bands:
    """Return below 30, 30 to 49, 50 and over.

    Parameters
    ----------
    age : Series, shape (P,)
        Age at time zero in years.
    """
    codes = np.searchsorted(_BOUNDS, age.to_numpy(dtype=np.float64), side="right")
    return Bands(_coded(np.where(age.isna(), -1, codes), AGES), f"Age at time zero is in bands: {', '.join(AGES)}.")


def eras(period: pd.Series[Any]) -> Bands:
    """Return the first and the second half of the periods there are; of an odd number the middle one is in the first half.

    Parameters
    ----------
    period : Series, shape (P,)
        Names of periods that sort in the order of time, such as years.
    """
    names = period.astype(str).to_numpy()
    found = sorted(set(names[period.notna()]))
    half = (len(found) + 1) // 2
    parts = [part for part in (found[:half], found[half:]) if part]
    levels = [part[0] if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in parts]
    codes = np.where(period.isna(), -1, np.searchsorted(found, names) >= half)
    return Bands(_coded(codes, levels), f"Era is the first and the second half of the periods: {' and '.join(levels)}.")


def yes_or_no(flag: pd.Series[Any]) -> Any:
    """Return a column of true and false as one of yes and no, the no first."""
    codes = np.where(flag.isna(), -1, flag.fillna(False).astype(bool))
    return _coded(codes, ("no", "yes"))


def _coded(codes: Any, levels: Any) -> Any:
    import pandas as pd

    kind = pd.CategoricalDtype(list(levels), ordered=True)
    return pd.Categorical.from_codes(np.asarray(codes, dtype=np.int64).tolist(), dtype=kind)
