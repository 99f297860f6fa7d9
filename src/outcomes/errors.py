"""The one tree of errors. A message says what was wrong, where, and what to do; it never shows a row's value."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

__all__ = [
    "DataError",
    "DesignError",
    "DisclosureError",
    "EstimationError",
    "NotSupportedError",
    "OutcomesError",
    "did_you_mean",
    "must_be",
    "one_of",
]


class OutcomesError(Exception):
    """Base of every error this library raises on purpose."""


class DataError(OutcomesError):
    """The data handed in break a rule of the schema or contradict themselves."""


class DesignError(OutcomesError):
    """The study asks for a comparison that is not defined, or its file cannot be read as one."""


class EstimationError(OutcomesError):
    """An estimate cannot be computed from these data."""


class NotSupportedError(EstimationError):
    """A combination that has no right answer here."""


class DisclosureError(OutcomesError):
    """Something may not leave the room, or a place may not be written to."""


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return a hint naming the nearest valid name, or the valid names when nothing is near.

    Examples
    --------
    >>> did_you_mean("bespoek", ["bespoke", "manualised"])
    "Did you mean 'bespoke'?"
    >>> did_you_mean("x", ["bespoke", "manualised"])
    "Valid: 'bespoke', 'manualised'."
    """
    options = [str(v) for v in valid]
    near = difflib.get_close_matches(str(name), options, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    shown = ", ".join(repr(v) for v in options[:12])
    return f"Valid: {shown}{', …' if len(options) > 12 else ''}." if options else "There are none."


def one_of(value: str, valid: Iterable[str], *, what: str, error: type[OutcomesError] = EstimationError) -> str:
    """Return `value` if it is one of `valid`, else raise `error` naming the argument and the valid names."""
    options = tuple(valid)
    if value not in options:
        shown = ", ".join(repr(v) for v in options)
        raise error(f"{what} must be one of {shown}; got {value!r}.")
    return value


def must_be(
    value: Any, kind: type | tuple[type, ...], *, what: str, expected: str, error: type[OutcomesError] = EstimationError
) -> None:
    """Raise `error` unless an argument is of a kind: what was given (its kind, never what is in it) and what was expected.

    Examples
    --------
    >>> must_be("arm", dict, what="cox(data, formula): data", expected="a dict")
    Traceback (most recent call last):
    outcomes.errors.EstimationError: cox(data, formula): data must be a dict; got str.
    """
    if not isinstance(value, kind):
        home = type(value).__module__.partition(".")[0]
        given = type(value).__name__ if home in ("builtins", "outcomes") else f"{home} {type(value).__name__}"
        raise error(f"{what} must be {expected}; got {given}.")
