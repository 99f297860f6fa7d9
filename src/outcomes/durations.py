"""Lengths of time as a study writes them (`730`, `"2y"`, `"18m"`, `"6w"`, `"90d"`) in whole days."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from outcomes.errors import DesignError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["DAYS_PER_MONTH", "DAYS_PER_YEAR", "days", "in_words", "moments_of"]

DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = 30.4375
_UNITS = {"d": 1.0, "w": 7.0, "m": DAYS_PER_MONTH, "y": DAYS_PER_YEAR}
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*([dwmy])")


def days(length: int | float | str, *, what: str = "length of time", unit: str = "days") -> float:
    """Return a length of time in days.

    Parameters
    ----------
    length : int, float or str
        Days as a number, or text with a unit: ``"2y"`` = floor(2 x 365.25), ``"18m"`` = floor(18 x 30.4375),
        ``"6w"`` = 42, ``"90d"`` = 90.
    what : str
        What the length is, for the error message.
    unit : str
        Unit of the data: text is for days alone, since a month is not a whole number of any other unit.

    Raises
    ------
    DesignError
        If the text is not a number with a unit, the data are not in days, or the length is not positive and finite.

    Examples
    --------
    >>> days("2y"), days("18m"), days("6w"), days(365)
    (730.0, 547.0, 42.0, 365.0)
    """
    if isinstance(length, str) and unit != "days":
        raise DesignError(f"{what}: the times of these data are in {unit}; give a number of {unit}, not {length!r}.")
    if isinstance(length, str):
        match = _WRITTEN.fullmatch(length.strip())
        if match is None:
            raise DesignError(
                f"{what}: expected days as a number or text like '90d', '6w', '18m' or '2y'; got {length!r}."
            )
        number = float(match[1])
        value = number if match[2] == "d" else float(math.floor(number * _UNITS[match[2]]))
    else:
        value = float(length)
    if not math.isfinite(value) or value <= 0:
        raise DesignError(f"{what} must be positive and finite; got {length!r}.")
    return value


def moments_of(times: float | str | Iterable[float | str], unit: str, *, what: str = "time") -> npt.NDArray[np.float64]:
    """Return times as they are written in a call, one or several, as numbers of `unit`, shape (T,); 0 is time zero.

    Examples
    --------
    >>> moments_of([0, 100, "2y"], "days").tolist()
    [0.0, 100.0, 730.0]
    """
    import numpy as np

    listed = [times] if isinstance(times, (str, int, float, numbers.Real)) else list(times)
    return np.array([0.0 if not isinstance(t, str) and t == 0 else days(t, what=what, unit=unit) for t in listed])


def in_words(length: float, unit: str = "days") -> str:
    """Return a length of time as a reader says it: years or months where days make whole ones, else the number and its unit.

    Examples
    --------
    >>> in_words(730), in_words(547), in_words(182), in_words(100), in_words(52, "weeks")
    ('2 years', '18 months', '6 months', '100 days', '52 weeks')
    """
    if unit != "days":
        return f"{length:g} {unit}"
    for unit, per in (("year", DAYS_PER_YEAR), ("month", DAYS_PER_MONTH)):
        count = round(length / per)
        if count >= 1 and math.floor(count * per) == math.floor(length):
            return f"{count} {unit}{'' if count == 1 else 's'}"
    count_days = f"{length:g}"
    return f"{count_days} day{'' if length == 1 else 's'}"
