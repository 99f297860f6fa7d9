"""The entry rules of the programmes, as dated data, applied to everyone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outcomes.design.conditions import holds, kind_of
from outcomes.design.study import Condition
from outcomes.errors import DesignError
from outcomes.loading.faults import nearest

if TYPE_CHECKING:
    import narwhals as nw
    import pandas as pd

__all__ = ["eligible_for"]

_FLAGS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0"), False),
}


def eligible_for(programmes: frozenset[int], rules: pd.DataFrame, schema: nw.Schema) -> tuple[nw.Expr, nw.Expr]:
    """Return for each row ``yes``, ``no`` or ``unknown``, and the reason that excludes (null where none does).

    A rule counts if it is in force on the day of the person's referral where that is known at time zero, else of time zero. A
    programme excludes a person if any of its rules holds; a missing value makes a rule unknown. A person is eligible for an arm if
    some programme of the arm does not exclude; unknown if none is clear but some is unknown. Values are those at time zero.

    Parameters
    ----------
    programmes : frozenset of int
        Programmes of the arm.
    rules : pandas.DataFrame
        The table eligibility.
    schema : narwhals.Schema
        Columns known at time zero.
    """
    import narwhals as nw

    _refuse_unknown(rules[rules["programme_id"].isin(programmes)]["column"], schema)
    never = nw.lit(False)
    clear, doubtful = never, never
    reason: Any = nw.lit(None, dtype=nw.String)
    for programme in sorted(programmes, reverse=True):
        excluded, unknown = never, never
        for rule in reversed(rules[rules["programme_id"] == programme].to_dict("records")):
            met, missing = _asked(rule, schema)
            reason = nw.when(met).then(nw.lit(rule["reason"])).otherwise(reason)
            excluded, unknown = excluded | met, unknown | missing
        clear = clear | (~excluded & ~unknown)
        doubtful = doubtful | (~excluded & unknown)
    unclear = nw.when(doubtful).then(nw.lit("unknown")).otherwise(nw.lit("no"))
    return nw.when(clear).then(nw.lit("yes")).otherwise(unclear), nw.when(~clear & ~doubtful).then(reason)


def _refuse_unknown(columns: pd.Series[Any], schema: nw.Schema) -> None:
    """Refuse rules about columns nobody knows at time zero; a name that is near none is a cell's value and is not shown."""
    unknown = columns[~columns.isin(list(schema))]
    if len(unknown):
        hints = dict.fromkeys(nearest(name, schema) for name in unknown)
        raise DesignError(
            f"Table eligibility, column 'column': {len(unknown):,} of {len(columns):,} rules of an arm's programmes speak of what is not "
            f"known at time zero.{''.join(hints)}"
        )


def _asked(rule: dict[Any, Any], schema: nw.Schema) -> tuple[nw.Expr, nw.Expr]:
    """Return whether a rule in force excludes each row, and whether that is unknown."""
    import narwhals as nw
    import pandas as pd

    day = nw.col("time_zero")
    if "referral_date" in schema:
        day = nw.coalesce(nw.col("referral_date"), day)
    in_force = nw.lit(True)
    if not pd.isna(rule["valid_from"]):
        in_force = in_force & (day >= int(rule["valid_from"])).fill_null(False)
    if not pd.isna(rule["valid_to"]):
        in_force = in_force & (day <= int(rule["valid_to"])).fill_null(False)
    value = _cast(rule["column"], rule["operator"], rule["value"], schema)
    met, missing = holds(Condition(rule["column"], rule["operator"], value), schema, where="Table eligibility")
    return met & in_force, missing & in_force


def _cast(column: str, operator: str, text: str, schema: nw.Schema) -> Any:
    """Return the rule's value in the kind of the column; a list is separated by |."""
    parts = [part.strip() for part in text.split("|")]
    if len(parts) > 1 and operator not in ("in", "not in"):
        raise DesignError(
            f"Table eligibility: a rule compares {column!r} with a list by {operator}; a list needs 'in' or 'not in'."
        )
    cast: list[Any] = list(parts)
    kind, wrong = kind_of(schema[column]), False
    if kind == "yes or no":
        if not all(part.lower() in _FLAGS for part in parts):
            raise DesignError(
                f"Table eligibility: a rule compares {column!r}, which holds yes or no, with something else."
            )
        cast = [_FLAGS[part.lower()] for part in parts]
    elif kind == "numbers":
        try:
            cast = [float(part) for part in parts]
        except ValueError:
            wrong = True
    if wrong:
        raise DesignError(f"Table eligibility: a rule compares the number {column!r} with text.")
    return tuple(cast) if operator in ("in", "not in") else cast[0]
