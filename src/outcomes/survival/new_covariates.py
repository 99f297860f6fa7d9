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
    speaks = {"arm", data.arm_column} & set(design.needed)
    if speaks and codes is None:
        given = next((n for n in ("arm", data.arm_column) if n is not None and n in frame.columns), None)
        if given is None:
            raise EstimationError(f"{what}: the new rows have no column 'arm'.")
        names = frame[given].astype(str).to_numpy(dtype=object)
        known = {name: code for code, name in enumerate(data.arms)}
        codes = np.array([known.get(name, -1) for name in names], dtype=np.int64)
        if (codes < 0).any() and design.spec is not None:
            raise EstimationError(
                f"{what}: {int((codes < 0).sum()):,} of {len(frame):,} new rows are of no arm of the data ({', '.join(data.arms)})."
            )
    if speaks and design.spec is not None and codes is not None:
        arm = (data.arm_column, codes.astype(np.float64), data.arms)
    return columns_of(design, frame, arm=arm, what=what)


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
