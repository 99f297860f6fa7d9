"""The states people are in and move between, read from a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.errors import DataError
from outcomes.results import IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_states"]


def read_states(
    column: pd.Series[Any],
    name: str,
    causes: Mapping[Any, str] | Sequence[str] | None,
    entered: tuple[str, ...],
) -> tuple[IntArray, tuple[str, ...]]:
    """Return the state of each row, shape (N,), and the names of all states: those never moved into, then those that are.

    Parameters
    ----------
    column : pandas.Series
        State occupied on each row: a code that `causes` names, or a state's name.
    name : str
        The column's name, for messages.
    causes : mapping, sequence or None
        As `survival_data` takes it.
    entered : tuple of str
        States moved into, in order.

    Raises
    ------
    DataError
        A missing state.
    """
    missing = int(column.isna().sum())
    if missing:
        raise DataError(
            f"survival_data: column {name!r} (from_state) is missing in {missing:,} of {len(column):,} rows."
        )
    named = {code: str(label) for code, label in causes.items()} if isinstance(causes, Mapping) else {}
    values = column.astype(object)
    labels = {value: named.get(value, str(value)) for value in values.unique()}
    start_only = sorted(set(labels.values()) - set(entered))
    states = (*start_only, *entered)
    place = {label: index for index, label in enumerate(states)}
    codes = values.map({value: place[label] for value, label in labels.items()})
    return codes.to_numpy(dtype=np.int64), states
