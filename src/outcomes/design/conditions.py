"""Conditions on people as a study writes them: a column, an operator and a value."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from outcomes.design.study import Condition
from outcomes.errors import DesignError, did_you_mean

if TYPE_CHECKING:
    import narwhals as nw

__all__ = ["holds", "kind_of", "parse_condition"]

_OPERATORS = ("==", "!=", "<=", ">=", "<", ">", "not in", "in")


def parse_condition(text: str, *, where: str = "condition") -> Condition:
    """Read a condition such as ``"age_at_time_zero >= 18"`` or ``"risk_band in ['high', 'very_high']"``.

    Raises
    ------
    DesignError
        It is not a column, an operator and a value.

    Examples
    --------
    >>> parse_condition("sex == 'male'")
    Condition(column='sex', operator='==', value='male')
    """
    for operator in _OPERATORS:
        column, found, value = text.partition(f" {operator} ")
        if found and column.strip().isidentifier():
            parsed = _value(value.strip())
            if parsed is not None and (operator in ("in", "not in")) == isinstance(parsed, tuple):
                return Condition(column.strip(), operator, parsed)
    raise DesignError(
        f"{where}: expected 'column operator value', such as 'age_at_time_zero >= 18' or \"sex == 'male'\"; got {text!r}."
    )


def _value(text: str) -> Any:
    """Return a value or a tuple of values written as in TOML; None where it is neither."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return None
    plain = all(isinstance(v, (str, int, float)) for v in (value if isinstance(value, list) else [value]))
    if not plain:
        return None
    return tuple(value) if isinstance(value, list) else value


def holds(condition: Condition, schema: nw.Schema, *, where: str) -> tuple[nw.Expr, nw.Expr]:
    """Return whether a condition holds for each row, and whether that is unknown (the value is missing); never null.

    Raises
    ------
    DesignError
        No such column, or its kind cannot be compared with the value.
    """
    import narwhals as nw

    name, operator = condition.column, condition.operator
    if name not in schema:
        raise DesignError(f"{where}: there is no column {name!r}. {did_you_mean(name, schema)}")
    holds_kind = kind_of(schema[name])
    wanted = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    if operator in ("<", "<=", ">", ">=") and holds_kind != "numbers":
        raise DesignError(f"{where}: {name} holds no numbers; '{operator}' has no meaning.")
    fits = {"numbers": (int, float), "yes or no": (bool,), "text": (str,)}[holds_kind]
    if not all(isinstance(v, fits) and (holds_kind != "numbers" or not isinstance(v, bool)) for v in wanted):
        other = "text" if any(isinstance(v, str) for v in wanted) else "something else"
        raise DesignError(f"{where}: {name} holds {holds_kind}; the condition compares it with {other}.")
    column, unknown = nw.col(name), nw.col(name).is_null()
    value = condition.value
    tests: dict[str, Callable[[], nw.Expr]] = {
        "==": lambda: column == value,
        "!=": lambda: column != value,
        "<": lambda: column < value,
        "<=": lambda: column <= value,
        ">": lambda: column > value,
        ">=": lambda: column >= value,
        "in": lambda: column.is_in(list(wanted)),
        "not in": lambda: ~column.is_in(list(wanted)),
    }
    return tests[operator]().fill_null(False) & ~unknown, unknown


def kind_of(dtype: Any) -> str:
    """Return what a column holds, as far as a condition may ask: numbers, yes or no, text."""
    import narwhals as nw

    if isinstance(dtype, nw.Boolean) or dtype == nw.Boolean:
        return "yes or no"
    return "numbers" if dtype.is_numeric() else "text"
