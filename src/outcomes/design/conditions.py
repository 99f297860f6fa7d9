"""Conditions on people as a study writes them: a column, an operator and a value."""

from __future__ import annotations

import tomllib
from typing import Any

from outcomes.design.study import Condition
from outcomes.errors import DesignError

__all__ = ["parse_condition"]

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
