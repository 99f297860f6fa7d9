"""From the values of a column to arms: who is in which, the reference first."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.errors import DataError, did_you_mean
from outcomes.results import IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["name_arms", "read_arms"]

_MOST_ARMS, _FEW_PEOPLE = 6, 5


def name_arms(
    table: pd.DataFrame, arm: str | None, reference: Hashable, names: Mapping[Hashable, str] | None
) -> tuple[pd.DataFrame, Hashable]:
    """Return the table with the values of the arm's column called by name, and the reference so; it may be said either way.

    Raises
    ------
    DataError
        No column of the arm; values that no row has; one name for two of them.
    """
    if not names:
        return table, reference
    if arm is None:
        raise DataError("survival_data: arms= names the values of a column; say which (arm=).")
    said = {str(value): str(name) for value, name in names.items()}
    number, levels = _levels(table[arm])
    if unknown := [value for value in said if value not in levels]:
        raise DataError(f"survival_data: arms= names {', '.join(map(repr, unknown))}, which no row of {arm!r} has.")
    called = [said.get(level, level) for level in levels]
    if len(set(called)) < len(called):
        raise DataError("survival_data: arms= gives two values of the arm one name.")
    named = np.array(called, dtype=object)[number]
    named[table[arm].isna().to_numpy()] = None
    return table.assign(**{arm: named}), reference if reference is None else said.get(str(reference), reference)


def read_arms(
    table: pd.DataFrame, person: IntArray, first: IntArray, arm: str | None, reference: Hashable
) -> tuple[IntArray, tuple[str, ...]]:
    """Return each person's arm, shape (P,), and the names of the arms, the reference first.

    `person` is each row's person, `first` each person's first row.

    Raises
    ------
    DataError
        An arm that is missing or changes within a person; two arms or more and no reference, or one that nobody has.
    """
    if arm is None:
        return np.zeros(len(first), dtype=np.int64), ("all",)
    column = table[arm]
    missing = int(column.iloc[first].isna().sum())
    if missing:
        raise DataError(f"survival_data: column {arm!r} (arm) is missing for {missing:,} people.")
    number, levels = _levels(column)
    mine = number[first]
    changes = int((number != mine[person]).sum())
    if changes:
        raise DataError(
            f"survival_data: column {arm!r} (arm) changes within a person in {changes:,} rows; arms are fixed. What changes with time goes "
            "into the formula of cox."
        )
    if len(levels) > 1 and reference is None:
        raise DataError(
            f"survival_data: name the arm every contrast is against (reference=). {_hint('', mine, levels, arm)}"
        )
    if reference is None:
        return mine, tuple(levels)
    if str(reference) not in levels:
        hint = _hint(str(reference), mine, levels, arm)
        raise DataError(f"survival_data: no row has the reference arm {str(reference)!r}. {hint}")
    ordered = [str(reference), *(level for level in levels if level != str(reference))]
    place = np.array([ordered.index(level) for level in levels], dtype=np.int64)
    return place[mine], tuple(ordered)


def _levels(column: pd.Series[Any]) -> tuple[IntArray, list[str]]:
    """Return the number of each row's level, shape (N,), and the levels as text in order; values that read alike are one level."""
    import pandas as pd

    which, found = pd.factorize(column, use_na_sentinel=False)
    text = [str(value) for value in pd.Series(found).astype(str)]
    levels = sorted(set(text))
    index = {level: code for code, level in enumerate(levels)}
    return np.array([index[value] for value in text], dtype=np.int64)[which], levels


def _hint(name: str, number: IntArray, levels: Sequence[str], arm: str) -> str:
    """Return which arms there are; only their number where they could be something of each person's, such as an id."""
    if len(levels) <= _MOST_ARMS and np.bincount(number, minlength=len(levels)).min() >= _FEW_PEOPLE:
        return did_you_mean(name, levels)
    return f"Column {arm!r} holds {len(levels):,} different values."
