"""What may not decide about the arm: the arm itself, and columns that hold what came after time zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from outcomes.errors import EstimationError
from outcomes.survival.formula_text import names_in

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["must_come_before", "outcome_columns"]

_LATER = "status"  # of a cohort's participation: how the programme ended


def must_come_before(data: SurvivalData, formula: str, what: str, why: str) -> None:
    """Raise where a formula names the arm, the outcome, or what a cohort knows from after time zero.

    `why` ends the sentence about the arm.

    Raises
    ------
    EstimationError
    """
    named = set(names_in(formula))
    if arm := {"arm", data.arm_column} & named - (
        set() if data.arm_column == "arm" else {"arm"} & set(data.baseline.columns)
    ):
        raise EstimationError(f"{what}: the formula names the arm ({next(iter(arm))!r}); {why}.")
    later = named & (outcome_columns(data) | ({_LATER} & set(data.apart)))
    if later:
        raise EstimationError(
            f"{what}: the formula names {', '.join(sorted(map(repr, later)))}, which holds what happened after time zero; only what came "
            "before it may make the arms alike."
        )


def outcome_columns(data: SurvivalData) -> set[str]:
    """Return columns of the baseline that are the outcome itself: entries, exits or events, told by their values."""
    from pandas.api.types import is_numeric_dtype

    if data.multi_row or len(data.exit) != len(data.baseline):
        first = np.unique(data.person, return_index=True)[1]
    else:
        first = np.argsort(data.person, kind="stable")
    found = set()
    for name in data.baseline.columns:
        series = data.baseline[name]
        if series.isna().any():
            continue
        if is_numeric_dtype(series):
            values = series.to_numpy(dtype=np.float64)
            if any(np.array_equal(values, side[first]) for side in (data.entry, data.exit)):
                found.add(name)
                continue
        if _same_classes(series, data.event[first]):
            found.add(name)
    return found


def _same_classes(series: pd.Series, event: npt.NDArray[np.int64]) -> bool:
    """Return whether a column puts people into the same classes as what happened to them."""
    import pandas as pd

    codes, levels = pd.factorize(series)
    happened, kinds = pd.factorize(event)
    return 1 < len(levels) == len(kinds) and bool((codes == happened).all())
