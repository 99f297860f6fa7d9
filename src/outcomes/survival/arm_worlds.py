"""People's first rows as they would be in each arm: what averages over people of a predicted outcome stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.results import IntArray

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["first_rows", "in_arm"]


def first_rows(data: SurvivalData) -> IntArray:
    """Return the first row of each person, shape (P,)."""
    person = np.asarray(data.person)
    return np.flatnonzero(np.append(True, person[1:] != person[:-1]))


def in_arm(data: SurvivalData, arm: int) -> pd.DataFrame:
    """Return people's first rows as they would be in the arm."""
    from pandas.api.types import is_numeric_dtype

    name = data.arms[arm]
    world = data.frame.iloc[first_rows(data)].reset_index(drop=True).assign(arm=name)
    if data.arm_column is None:
        return world
    numeric = is_numeric_dtype(data.frame[data.arm_column])
    return world.assign(**{data.arm_column: float(name) if numeric else name})
