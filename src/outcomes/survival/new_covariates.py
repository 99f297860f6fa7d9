"""Covariates and strata of rows that a model was not fitted to, by the names and levels of the rows it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.errors import EstimationError
from outcomes.results import Array, IntArray
from outcomes.survival.design_matrix import DesignMatrix, columns_of

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["new_columns", "new_strata"]


def new_columns(
    data: SurvivalData, design: DesignMatrix, frame: pd.DataFrame, codes: IntArray | None, *, what: str
) -> Array:
    """Return the columns of a model of `data` at other rows, shape (M, p).

    `codes` are the arms of the rows; None: they are read from a column ``arm`` or the arm's own, by name.
    """
    arm = None
    if _names_arms(data, design):
        known = codes if codes is not None else _arm_codes(data, frame, what)
        arm = (data.arm_column, known.astype(np.float64), data.arms)
    return columns_of(design, frame, arm=arm, what=what)


def _names_arms(data: SurvivalData, design: DesignMatrix) -> bool:
    """Return whether the formula speaks of arms by name, and not of a number that stands for them."""
    from pandas.api.types import is_numeric_dtype

    if "arm" in design.needed:
        return True
    return data.arm_column in design.needed and not is_numeric_dtype(data.frame[data.arm_column])


def _arm_codes(data: SurvivalData, frame: pd.DataFrame, what: str) -> IntArray:
    """Return the index of each row's arm, read by name from a column ``arm`` or the arm's own, shape (M,)."""
    given = next((n for n in ("arm", data.arm_column) if n is not None and n in frame.columns), None)
    if given is None:
        raise EstimationError(f"{what}: the new rows have no column 'arm'.")
    known = {name: code for code, name in enumerate(data.arms)}
    codes = np.array([known.get(name, -1) for name in frame[given].astype(str)], dtype=np.int64)
    if (codes < 0).any():
        count = f"{int((codes < 0).sum()):,} of {len(frame):,}"
        raise EstimationError(f"{what}: {count} new rows are of no arm of the data ({', '.join(data.arms)}).")
    return codes


def new_strata(levels: pd.DataFrame | None, frame: pd.DataFrame, *, what: str) -> IntArray:
    """Return the code of each row's stratum, shape (M,); `levels` has the strata's columns, one row a code.

    Raises
    ------
    EstimationError
        A stratum's column that is not there; rows of a stratum the model does not know (counted).
    """
    import pandas as pd

    if levels is None:
        return np.zeros(len(frame), dtype=np.int64)
    names = list(levels.columns)
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise EstimationError(f"{what}: the new rows have no column {', '.join(absent)} (strata).")
    known = pd.MultiIndex.from_frame(levels)
    codes = known.get_indexer(pd.MultiIndex.from_frame(frame[names]))
    unknown = int((codes < 0).sum())
    if unknown:
        raise EstimationError(
            f"{what}: {unknown:,} of {len(frame):,} new rows are of a stratum the model was not fitted to."
        )
    return np.asarray(codes, dtype=np.int64)
