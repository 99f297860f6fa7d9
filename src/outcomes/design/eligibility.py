"""The entry rules of the programmes, as dated data, applied to everyone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.design.baseline import holds
from outcomes.design.study import Condition
from outcomes.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["eligible_for"]

_FLAGS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0"), False),
}


def eligible_for(rows: pd.DataFrame, programmes: frozenset[int], rules: pd.DataFrame) -> tuple[Any, Any]:
    """Return for each row ``yes``, ``no`` or ``unknown``, and the reason that excludes (missing where none does).

    A rule counts if it is in force on the day of the person's referral, else of time zero. A programme excludes a person if any of
    its rules holds; a missing value makes a rule unknown. A person is eligible for an arm if some programme of the arm does not
    exclude; unknown if none is clear but some is unknown. Values are those at time zero.
    """
    day = rows["referral_date"].where(rows["referral_date"].notna(), rows["time_zero"]).to_numpy(dtype=np.float64)
    clear = np.zeros(len(rows), dtype=bool)
    doubtful = np.zeros(len(rows), dtype=bool)
    reason = np.full(len(rows), None, dtype=object)
    for programme in sorted(programmes):
        excluded, unknown = np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
        for rule in rules[rules["programme_id"] == programme].to_dict("records"):
            start, end = rule["valid_from"], rule["valid_to"]
            in_force = np.ones(len(rows), dtype=bool)
            if start == start and start is not None:
                in_force &= day >= start
            if end == end and end is not None:
                in_force &= day <= end
            condition = Condition(
                rule["column"], rule["operator"], _cast(rows, rule["column"], rule["operator"], rule["value"])
            )
            met, missing = holds(rows, condition, where="table eligibility")
            hit = in_force & met
            reason[hit & ~excluded & (reason == None)] = rule["reason"]  # noqa: E711 - elementwise
            excluded |= hit
            unknown |= in_force & missing
        clear |= ~excluded & ~unknown
        doubtful |= ~excluded & unknown
    verdict = np.where(clear, "yes", np.where(doubtful, "unknown", "no"))
    reason[verdict != "no"] = None
    return verdict, reason


def _cast(rows: pd.DataFrame, column: str, operator: str, text: str) -> Any:
    """Return the rule's value in the kind of the column; a list is separated by |."""
    import pandas as pd

    if column not in rows.columns:
        raise DesignError(f"Table eligibility: a rule speaks of column {column!r}, which is not known at time zero.")
    values = rows[column].dropna()
    parts = [part.strip() for part in text.split("|")]
    if len(parts) > 1 and operator not in ("in", "not in"):
        raise DesignError(
            f"Table eligibility: a rule compares {column!r} with a list by {operator}; a list needs 'in' or 'not in'."
        )
    wrong = False
    cast: list[Any] = list(parts)
    if not len(values):
        pass  # nothing is known of anybody: the rule is unknown for all
    elif all(isinstance(v, (bool, np.bool_)) for v in values.head(50)):
        if not all(part.lower() in _FLAGS for part in parts):
            raise DesignError(
                f"Table eligibility: a rule compares {column!r}, which holds yes or no, with something else."
            )
        cast = [_FLAGS[part.lower()] for part in parts]
    elif pd.api.types.is_numeric_dtype(rows[column]):
        try:
            cast = [float(part) for part in parts]
        except ValueError:
            wrong = True
    if wrong:
        raise DesignError(f"Table eligibility: a rule compares the number {column!r} with text.")
    return tuple(cast) if operator in ("in", "not in") else cast[0]
