"""Who may stand for whom by columns of the people: numbers within a width, and columns in which a pair must differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from outcomes.results import Array, IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WhoMay", "who_may"]


@dataclass(frozen=True)
class WhoMay:
    """What columns say of P people asked about and Q others.

    Attributes
    ----------
    numbers, numbers_of_others : ndarray, shape (P, c) and (Q, c)
        Missing where unknown: then nobody is near.
    widths : ndarray, shape (c,)
        Largest difference, itself included.
    levels, levels_of_others : ndarray of int, shape (P, k) and (Q, k)
        A pair differs in each.
    """

    numbers: Array
    numbers_of_others: Array
    widths: Array
    levels: IntArray
    levels_of_others: IntArray

    def block(self, part: slice) -> npt.NDArray[np.bool_]:
        """Return whether each of some people (B,) may be in a pair with each other, shape (B, Q)."""
        open_ = np.ones((len(self.numbers[part]), len(self.numbers_of_others)), dtype=bool)
        for column, width in enumerate(self.widths):
            open_ &= np.abs(self.numbers_of_others[None, :, column] - self.numbers[part, column, None]) <= width
        for column in range(self.levels.shape[1]):
            open_ &= self.levels_of_others[None, :, column] != self.levels[part, column, None]
        return open_

    def each(self, candidates: IntArray) -> npt.NDArray[np.bool_]:
        """Return whether each person may be in a pair with each of their own candidates (P, C), shape (P, C)."""
        open_ = np.ones(candidates.shape, dtype=bool)
        for column, width in enumerate(self.widths):
            open_ &= np.abs(self.numbers_of_others[candidates, column] - self.numbers[:, column, None]) <= width
        for column in range(self.levels.shape[1]):
            open_ &= self.levels_of_others[candidates, column] != self.levels[:, column, None]
        return open_

    def of(self, person: int, candidates: IntArray) -> npt.NDArray[np.bool_]:
        """Return whether one person may be in a pair with each of some others, shape (C,)."""
        near = np.abs(self.numbers_of_others[candidates] - self.numbers[person]) <= self.widths
        differ = self.levels_of_others[candidates] != self.levels[person]
        open_: npt.NDArray[np.bool_] = near.all(axis=1) & differ.all(axis=1)
        return open_


def who_may(
    frame: pd.DataFrame, widths: Mapping[str, float], unlike: Sequence[str], people: IntArray, others: IntArray
) -> WhoMay | None:
    """Return what columns of the people say of some rows and others; None where they say nothing."""
    if not widths and not unlike:
        return None
    import pandas as pd

    numbers = np.column_stack([np.empty((len(frame), 0)), *(_numbers(frame[name]) for name in widths)])
    levels = [pd.factorize(frame[name], use_na_sentinel=False)[0].astype(np.int64) for name in unlike]
    codes = np.column_stack([np.empty((len(frame), 0), dtype=np.int64), *levels])
    return WhoMay(numbers[people], numbers[others], np.array(list(widths.values())), codes[people], codes[others])


def _numbers(column: pd.Series) -> Array:
    found: Array = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return found
