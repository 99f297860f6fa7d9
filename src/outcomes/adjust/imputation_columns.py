"""Which columns of the people take part in imputing, how each is drawn, and back from what was drawn to values of its own type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.adjust.before_time_zero import outcome_columns
from outcomes.adjust.chained_equations import Column
from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array, Note, sealed

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["Variable", "filled", "read_variables"]

_MOST_LEVELS = 20


@dataclass(frozen=True)
class Variable:
    """A column of the baseline for imputing; P people.

    Attributes
    ----------
    name : str
    column : Column
        Its numbers, or the indices of its levels.
    levels : tuple
        Levels that occur, in the order of the categories where there are any, else sorted; empty for a number.
    """

    name: str
    column: Column
    levels: tuple[Any, ...]

    @property
    def n_missing(self) -> int:
        """Number of people who miss it."""
        return int(self.column.missing.sum())

    @property
    def method(self) -> str:
        """How it is drawn: predictive mean matching, or logistic or multinomial regression."""
        if not self.levels:
            return "predictive mean matching"
        return "logistic regression" if len(self.levels) == 2 else "multinomial regression"


def read_variables(data: SurvivalData, columns: Sequence[str] | None) -> tuple[tuple[Variable, ...], tuple[Note, ...]]:
    """Return the columns that take part, and what must be said of those that do not.

    Parameters
    ----------
    data : SurvivalData
    columns : sequence of str or None
        None: every column of the baseline but the arm, the outcome, clusters and ids.

    Raises
    ------
    EstimationError
        A column that was named is not there, is the arm's, has infinite values, nobody who has it, the same value for everybody, or
        more levels than people could tell apart.
    """
    named = columns is not None
    found, notes, left = [], list[Note](), list[str]()
    for name in _chosen(data, columns):
        series = data.baseline[name]
        reason = _unusable(series)
        missing = bool(series.isna().any())
        if reason and named:
            raise EstimationError(f"impute: column {name!r} {reason}. Leave it out of columns=.")
        if reason and missing:
            text = f"{name} is missing for some people and stays so: it {reason}."
            notes.append(Note("left_missing", text))
        elif reason:
            left.append(name)
        else:
            found.append(_variable(name, series))
    if left:
        text = (
            f"Took no part in imputing, the same for everybody, dates, infinite, or too many levels: {', '.join(left)}."
        )
        notes.append(Note("left_out", text))
    return tuple(found), tuple(notes)


def filled(series: pd.Series, variable: Variable, drawn: Array) -> pd.Series:
    """Return the column with the drawn values where it is missing, of the type it had."""
    import pandas as pd

    values = [variable.levels[int(code)] for code in drawn] if variable.levels else list(drawn)
    complete = series.copy()
    kind: Any = series.dtype
    complete.iloc[np.flatnonzero(variable.column.missing)] = pd.array(values, dtype=kind)
    return complete


def _chosen(data: SurvivalData, columns: Sequence[str] | None) -> list[str]:
    """Return the columns that were named, checked; or those that are neither arm, outcome, cluster nor id."""
    baseline = data.baseline
    if columns is None:
        apart = {
            "arm",
            data.arm_column,
            data.cluster,
            *data.varying,
            *data.time_columns,
            *data.apart,
            *outcome_columns(data),
        }
        return [name for name in baseline.columns if name not in apart and not _is_id(baseline[name])]
    names = [columns] if isinstance(columns, str) else list(dict.fromkeys(columns))
    for name in names:
        if name in ("arm", data.arm_column):
            raise EstimationError("impute: the arm is in every imputation model by itself; leave it out of columns=.")
        if name not in baseline.columns:
            raise EstimationError(f"impute: no column {name!r}. {did_you_mean(name, map(str, baseline.columns))}")
    return names


def _is_id(series: pd.Series) -> bool:
    """Return whether a complete column of whole numbers or text has a value of its own for everybody."""
    from pandas.api.types import is_float_dtype

    return not is_float_dtype(series) and not series.isna().any() and len(series) > 2 and bool(series.is_unique)


def _unusable(series: pd.Series) -> str:
    """Return why a column can be neither drawn nor drawn from; empty where it can."""
    from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype, is_timedelta64_dtype

    if is_datetime64_any_dtype(series) or is_timedelta64_dtype(series):
        return "holds dates; give days as numbers"
    seen = series.dropna()
    if len(seen) == 0:
        return "is missing for everybody"
    if is_numeric_dtype(series) and not is_bool_dtype(series):
        values = seen.to_numpy(dtype=np.float64)
        if not np.isfinite(values).all():
            return "has infinite values"
        return "" if values.min() < values.max() else "is the same for everybody who has it"
    distinct = seen.nunique()
    if distinct < 2:
        return "is the same for everybody who has it"
    return f"has {distinct:,} levels, more than {_MOST_LEVELS}" if distinct > _MOST_LEVELS else ""


def _variable(name: str, series: pd.Series) -> Variable:
    """Return a usable column as the chain takes it."""
    import pandas as pd
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    missing = sealed(series.isna().to_numpy(dtype=bool).copy())
    seen = series[~missing]
    number = is_numeric_dtype(series) and not is_bool_dtype(series)
    if number and seen.nunique() > 2:
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        return Variable(name, Column(sealed(values.copy()), missing, 0), ())
    present = set(seen.unique())
    if isinstance(series.dtype, pd.CategoricalDtype):
        levels = tuple(level for level in series.cat.categories if level in present)
    else:
        levels = tuple(sorted(present, key=lambda level: (isinstance(level, str), level)))
    codes = np.full(len(series), np.nan)
    for code, level in enumerate(levels):
        codes[(series == level).fillna(False).to_numpy(dtype=bool)] = code
    return Variable(name, Column(sealed(codes), missing, len(levels)), levels)
