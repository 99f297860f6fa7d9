"""The columns of a fitted formula at covariates of the reader's choice: levels are those of the fit, the new rows teach nothing."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array, IntArray

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["columns_at"]


def columns_at(formula: str, data: SurvivalData, new: pd.DataFrame, *, what: str) -> Array:
    """Return the columns of `formula`, as fitted to `data`, at the rows of `new`, shape (M, p).

    Raises
    ------
    EstimationError
        A column is not in `new` or has missing values there; a level or arm that the data do not have.
    """
    from formulaic import Formula
    from formulaic.errors import DataMismatchWarning

    parsed = Formula(f"1 + {formula}")
    needed = sorted(str(name) for name in parsed.required_variables)
    known = _with_arm(data.frame, data, needed, data.row_arm)
    asked = _with_arm(new, data, needed, None)
    for name in needed:
        if name not in asked.columns:
            raise EstimationError(
                f"{what}: the new rows have no column {name!r}. {did_you_mean(name, map(str, new.columns))}"
            )
        unknown = int(asked[name].isna().sum())
        if unknown:
            raise EstimationError(
                f"{what}: column {name!r} is missing, or holds an arm the data do not have, in {unknown:,} of {len(new):,} new rows."
            )
    spec = parsed.get_model_matrix(known[needed], na_action="ignore").model_spec
    columns = None
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataMismatchWarning)
        try:
            columns = np.asarray(spec.get_model_matrix(asked[needed], na_action="ignore"), dtype=np.float64)
        except (DataMismatchWarning, TypeError, ValueError):
            columns = None
    if columns is None or not np.isfinite(columns).all():
        raise EstimationError(
            f"{what}: the new rows do not fit the formula {formula!r}: a level the data do not have, or text where the data hold numbers."
        )
    keep = [i for i, name in enumerate(spec.column_names) if str(name) != "Intercept"]
    return np.asarray(columns[:, keep])


def _with_arm(frame: pd.DataFrame, data: SurvivalData, needed: list[str], codes: IntArray | None) -> pd.DataFrame:
    """Return `frame` with the arm as the factor the fit took it for; arms the data do not have are missing."""
    import pandas as pd

    original = data.arm_column
    names = [name for name in ("arm", original) if name in needed and name is not None]
    if original in names and original != "arm" and pd.api.types.is_numeric_dtype(data.frame[original]):
        names.remove(original)
    for name in names:
        if codes is not None:
            values = np.asarray(data.arms, dtype=object)[codes]
        else:
            source = name if name in frame.columns else original if name == "arm" else "arm"
            if source is None or source not in frame.columns:
                continue
            values = frame[source].astype(str).to_numpy(dtype=object)
        frame = frame.assign(**{name: pd.Categorical(values, categories=list(data.arms))})
    return frame
