"""Sampling weights of people, read from a column and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["sampling_weights"]


def sampling_weights(baseline: pd.DataFrame, column: str, what: str) -> Array:
    """Return the sampling weight of each person, shape (P,).

    Raises
    ------
    EstimationError
        No such column; weights that are no numbers, missing, infinite or not above 0 (counted).
    """
    import pandas as pd

    if column not in baseline.columns:
        raise EstimationError(
            f"{what}: no column {column!r} (sampling). {did_you_mean(column, map(str, baseline.columns))}"
        )
    if not pd.api.types.is_numeric_dtype(baseline[column]):
        raise EstimationError(f"{what}: column {column!r} (sampling) must hold numbers.")
    values = baseline[column].to_numpy(dtype=np.float64, na_value=np.nan)
    bad = int((~(np.isfinite(values) & (values > 0))).sum())
    if bad:
        raise EstimationError(
            f"{what}: column {column!r} (sampling) is missing, infinite or not above 0 for {bad:,} of {len(values):,} people. Leave "
            "people who stand for nobody out of the data."
        )
    return np.asarray(values, dtype=np.float64)
