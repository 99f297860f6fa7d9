"""From the codes of a column to causes: which value means nothing happened, and what the others are called."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.errors import DataError, did_you_mean
from outcomes.results import IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["count_columns", "read_causes"]


def count_columns(causes: Sequence[str], taken: Sequence[str]) -> tuple[str, ...]:
    """Return the name of each cause in the columns of a table: its own, or with ``_event`` where another column has that name.

    Examples
    --------
    >>> count_columns(["arrest", "censored"], taken=["at_risk", "censored"])
    ('arrest', 'censored_event')
    """
    names: list[str] = []
    for cause in causes:
        name, others = cause, {*taken, *names, *(c for c in causes if c != cause)}
        while name in others:
            name = f"{name}_event"
        names.append(name)
    return tuple(names)


_SMALL = 1_000  # codes below it have a place each in a table
_MOST_CODES = 20  # more are free text or ids, which must not become the names of causes


def read_causes(
    column: pd.Series[Any], name: str, censored: Hashable, causes: Mapping[Any, str] | Sequence[str] | None
) -> tuple[IntArray, tuple[str, ...]]:
    """Return the cause each row ends with, shape (N,), 0 where nothing happened, and the names of the causes in order.

    Raises
    ------
    DataError
        A missing code, text without `censored` or of very many kinds, codes that nothing names.
    """
    which, found = _distinct(column, name)
    values = [value.item() if isinstance(value, np.generic) else value for value in found]
    if censored is None:
        censored = 0  # 0 == 0.0 == False
    present = {value for value in values if value != censored}
    if causes is None:
        if present <= {1}:
            mapping: dict[Any, str] = {1: name}
        elif all(isinstance(value, str) for value in present):
            if censored != 0 and censored not in values:
                near = (
                    "" if len(present) > _MOST_CODES else f" {did_you_mean(str(censored), map(str, sorted(present)))}"
                )
                raise DataError(
                    f"survival_data: no row of column {name!r} holds the value given as censored=.{near} If nobody is censored, declare "
                    "causes=."
                )
            if censored == 0:
                raise DataError(
                    f"survival_data: column {name!r} holds text; say which value means nothing happened (censored=)."
                )
            if len(present) > _MOST_CODES:
                raise DataError(
                    f"survival_data: column {name!r} holds {len(present):,} different texts besides censored; without causes= at most "
                    f"{_MOST_CODES} are taken for causes. Declare causes={{code: name}}, the outcome of interest first."
                )
            mapping = {value: str(value) for value in sorted(present)}
        else:
            raise DataError(
                f"survival_data: column {name!r} has {len(present)} codes besides censored, not just 0 and 1. "
                "Declare causes={code: name}, the outcome of interest first."
            )
    elif isinstance(causes, Mapping):
        mapping = dict(causes)
    else:
        mapping = {cause: cause for cause in causes}
    numbers = {censored: 0, **{value: index for index, value in enumerate(mapping, start=1)}}
    codes = np.array([numbers.get(value, -1) for value in values], dtype=np.int64)[which]
    if undeclared := int((codes < 0).sum()):
        raise DataError(
            f"survival_data: {undeclared:,} rows of column {name!r} hold a code that causes= and censored= do not name."
            f"{_not_met(numbers, values)}"
        )
    return codes, tuple(str(v) for v in mapping.values())


def _not_met(numbers: Mapping[Any, int], values: Sequence[Any]) -> str:
    """Return which of the codes that were named no row holds: one of them may be misspelt."""
    absent = [code for code in numbers if code not in values]
    return f" No row holds {', '.join(map(repr, absent))}, which they name." if absent else ""


def _distinct(column: pd.Series[Any], name: str) -> tuple[IntArray, Any]:
    """Return the number of each row's value among the distinct ones, shape (N,), and these; small whole numbers are counted."""
    import pandas as pd

    numbers = column.to_numpy() if column.dtype == np.int64 else None
    if numbers is not None and numbers.min() >= 0 and numbers.max() < _SMALL:
        present = np.bincount(numbers) > 0
        return (np.cumsum(present) - 1)[numbers], np.flatnonzero(present)
    missing = int(column.isna().sum())
    if missing:
        raise DataError(f"survival_data: column {name!r} (event) is missing in {missing:,} of {len(column):,} rows.")
    which, found = pd.factorize(column)
    return which, found
