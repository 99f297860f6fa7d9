"""Columns of a tidy frame as arrays, each checked: the frame itself, times, people, row counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.errors import DataError, did_you_mean, must_be
from outcomes.results import Array, IntArray, read_only

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_table", "people_of", "row_counts", "start_and_stop"]


def as_table(frame: Any, columns: tuple[str | None, ...]) -> pd.DataFrame:
    """Return the frame as one of pandas with a fresh index; refuse what is no frame, has no rows, or lacks a column."""
    import narwhals as nw
    import pandas as pd

    if isinstance(frame, pd.DataFrame):
        table = frame
    else:
        known = nw.from_native(frame, eager_only=True, pass_through=True)
        must_be(
            known, nw.DataFrame, what="survival_data: frame", expected="a pandas, Polars or pyarrow frame, collected", error=DataError
        )  # fmt: skip
        table = known.to_pandas()
    for name in columns:
        if name is not None and name not in table.columns:
            raise DataError(
                f"survival_data: the frame has no column {name!r}. {did_you_mean(name, map(str, table.columns))}"
            )
    if len(table) == 0:
        raise DataError("survival_data: the frame has no rows.")
    return table.reset_index(drop=True)


def start_and_stop(table: pd.DataFrame, entry: str | None, exit: str) -> tuple[Array, Array]:
    """Return when each row starts and ends; refuse those that end at or before they start."""
    stop = _times(table, exit)
    start = _times(table, entry) if entry is not None else np.zeros(len(stop))
    if wrong := int((start >= stop).sum()):
        raise DataError(
            f"survival_data: {wrong:,} of {len(stop):,} rows end at or before they start. Expected start < end "
            "(time zero counts as 0). Give an event on the day of time zero half a day."
        )
    return start, stop


def _times(table: pd.DataFrame, name: str) -> Array:
    import pandas as pd

    column = table[name]
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        raise DataError(f"survival_data: column {name!r} must hold numbers (time since time zero), not {column.dtype}.")
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise DataError(f"survival_data: column {name!r} is missing or infinite in {bad:,} of {len(values):,} rows.")
    return np.asarray(values)


def people_of(table: pd.DataFrame, id: str | None, start: Array, stop: Array) -> tuple[IntArray, IntArray]:
    """Return the number of each row's person, and the order of rows by person and time."""
    import pandas as pd

    if id is None:
        everyone = np.arange(len(table))
        return everyone, everyone
    if int(table[id].isna().sum()):
        raise DataError(f"survival_data: column {id!r} (id) is missing in {int(table[id].isna().sum()):,} rows.")
    person = pd.factorize(table[id])[0].astype(np.int64)
    return person, np.lexsort((stop, start, person))


def row_counts(table: pd.DataFrame, name: str | None) -> Array | None:
    """Return how many people each row stands for; None where no column says."""
    if name is None:
        return None
    values = _times(table, name)
    wrong = int(((values < 1) | (values != np.floor(values))).sum())
    if wrong:
        raise DataError(
            f"survival_data: column {name!r} (frequency) must hold whole numbers of 1 or more; {wrong:,} rows do not."
        )
    array: Array = read_only(values)
    return array
