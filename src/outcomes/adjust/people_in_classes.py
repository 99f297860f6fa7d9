"""Classes of people: alike in columns, alike once numbers are cut, or alike in the score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array, IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["alike_in", "classes_of_score", "cut", "must_have"]

_CONTINUOUS = 0.5  # share of people with a value of their own


def must_have(frame: pd.DataFrame, columns: Sequence[str], argument: str) -> None:
    """Raise where a column named in an argument is not there."""
    for name in columns:
        if name not in frame.columns:
            raise EstimationError(
                f"match: no column {name!r} ({argument}). {did_you_mean(name, map(str, frame.columns))}"
            )


def alike_in(frame: pd.DataFrame, columns: Sequence[str], *, what: str) -> IntArray:
    """Return a class number for each row: the same for rows alike in every column. Missing is a value like others.

    Raises
    ------
    EstimationError
        A column of numbers in which most people have a value of their own.
    """
    import pandas as pd

    codes = np.zeros(len(frame), dtype=np.int64)
    for name in columns:
        values = frame[name]
        if pd.api.types.is_float_dtype(values) and values.nunique() > max(2, _CONTINUOUS * len(values)):
            raise EstimationError(
                f"match: {values.nunique():,} of {len(values):,} people have a value of {name!r} that differs from most others', so nobody "
                f"is alike in it ({what}). Cut it into classes (method='cem'), or give it a width (calipers={{{name!r}: …}})."
            )
        levels = pd.factorize(values, use_na_sentinel=False)[0].astype(np.int64)
        codes = np.unique(codes * (levels.max(initial=0) + 1) + levels, return_inverse=True)[1].astype(np.int64)
    return codes


def cut(frame: pd.DataFrame, columns: Sequence[str], cuts: Mapping[str, int | Sequence[float]]) -> pd.DataFrame:
    """Return the columns with numbers in classes: cut where asked, else into as many of equal width as Sturges's rule says.

    A class holds its lower bound and not its upper one; only the last of equal width holds both.
    """
    import pandas as pd

    classes: dict[str, npt.ArrayLike | pd.Series] = {}
    for name in columns:
        values = frame[name]
        if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
            if name in cuts:
                raise EstimationError(f"match: cutpoints of {name!r}, which holds no numbers.")
            classes[name] = values
            continue
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        classes[name] = np.where(np.isnan(numbers), -1, _class_numbers(numbers, cuts.get(name), name))
    return pd.DataFrame(classes, index=frame.index)


def _class_numbers(numbers: Array, asked: int | Sequence[float] | None, name: str) -> IntArray:
    if asked is None or isinstance(asked, int):
        wanted = math.ceil(math.log2(len(numbers)) + 1) if asked is None else asked
        if wanted < 1:
            raise EstimationError(f"match: cutpoints of {name!r} must be at least one class; got {wanted}.")
        low, high = np.nanmin(numbers), np.nanmax(numbers)
        inside = np.linspace(low, high, wanted + 1)[1:-1]
    else:
        inside = np.sort(np.asarray(asked, dtype=np.float64))
        if not len(inside) or not np.isfinite(inside).all():
            raise EstimationError(
                f"match: cutpoints of {name!r} must be a number of classes, or numbers at which to cut."
            )
    return np.searchsorted(inside, numbers, side="right").astype(np.int64)


def classes_of_score(score: Array, asked_about: npt.NDArray[np.bool_], number: int) -> IntArray:
    """Return the class of each score between the quantiles of the people asked about; the last class holds its upper bound.

    Lower and higher scores than any of theirs fall into the first and the last class.
    """
    bounds = np.quantile(score[asked_about], np.linspace(0, 1, number + 1)[1:-1])
    return np.searchsorted(bounds, score, side="right").astype(np.int64)
