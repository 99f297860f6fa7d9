"""One table of a study file, read key by key: what is not as expected is said, and what was not asked for is unknown."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Callable, Mapping
from typing import Any

from outcomes.durations import days
from outcomes.errors import DesignError, did_you_mean

__all__ = [
    "REQUIRED",
    "Section",
    "as_boolean",
    "as_day",
    "as_file_name",
    "as_length",
    "as_names",
    "as_positive",
    "as_text",
    "as_whole",
]

_EPOCH = datetime.date(1970, 1, 1)
REQUIRED = object()
"""The default of a key that has none."""


class Section:
    """One table of the file, read key by key; what is left over at the end is unknown."""

    def __init__(self, name: str, values: Any, file: str) -> None:
        if not isinstance(values, Mapping):
            raise DesignError(f"{file}: [{name}] must be a table.")
        self.name, self.values, self.file = name, dict(values), file
        self.asked: list[str] = []

    def fault(self, key: str, text: str) -> DesignError:
        """Return the error that says what is wrong with a key."""
        return DesignError(f"{self.file}: [{self.name}] {key}: {text}")

    def take(self, key: str, kind: Callable[[Any], Any], expected: str, default: Any = REQUIRED) -> Any:
        """Return the value of `key` as `kind`; a value that is not as expected is an error that says what was."""
        self.asked.append(key)
        if key not in self.values:
            if default is REQUIRED:
                near = difflib.get_close_matches(key, map(str, self.values), n=1, cutoff=0.6)
                hint = f"There is {near[0]!r}: is that meant?" if near else ""
                raise self.fault(key, f"is required ({expected}). {hint}".rstrip())
            return default
        value, wrong = self.values[key], False
        try:
            return kind(value)
        except (TypeError, ValueError):
            wrong = True
        if wrong:
            raise self.fault(key, f"expected {expected}; got {value!r}.")
        return None

    def one_of(self, key: str, valid: tuple[str, ...], default: Any = REQUIRED) -> str:
        """Return the value of `key`, one of `valid`."""
        value = self.take(key, as_text, f"one of {', '.join(valid)}", default)
        if value not in valid:
            raise self.fault(key, f"{value!r} is not known. {did_you_mean(value, valid)}")
        return str(value)

    def duration(self, key: str, default: Any = REQUIRED) -> Any:
        """Return the value of `key` in days."""
        value = self.take(key, as_length, "days or text such as '2y'", default)
        return value if value is None else days(value, what=f"{self.file}: [{self.name}] {key}")

    def names(self, key: str, valid: tuple[str, ...] | None, default: Any = REQUIRED) -> tuple[str, ...]:
        """Return the value of `key`, a list of names, each one of `valid` where that is given."""
        found = self.take(key, as_names, "a list of names", default)
        for name in found:
            if valid is not None and name not in valid:
                raise self.fault(key, f"{name!r} is not known. {did_you_mean(name, valid)}")
        return tuple(found)

    def done(self) -> None:
        """Refuse what was not asked for."""
        for key in self.values:
            if key not in self.asked:
                raise self.fault(key, f"is not a key of this section. {did_you_mean(key, self.asked)}")


def as_text(value: Any) -> str:
    """Return text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise TypeError
    return value


def as_names(value: Any) -> tuple[str, ...]:
    """Return a list of texts."""
    if not isinstance(value, list):
        raise TypeError
    return tuple(as_text(item) for item in value)


def as_length(value: Any) -> int | float | str:
    """Return days, or text such as '2y'."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError
    return value


def as_whole(value: Any) -> int:
    """Return a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def as_boolean(value: Any) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise TypeError
    return value


def as_positive(value: Any) -> float:
    """Return a number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        raise TypeError
    return float(value)


def as_file_name(value: Any) -> str:
    """Return text that can name a file: letters, digits and _."""
    if not as_text(value).replace("_", "").isalnum():
        raise ValueError
    return str(value)


def as_day(value: Any) -> int:
    """Return a date as days since 1970, or a whole day."""
    if isinstance(value, (datetime.datetime, bool)):
        raise TypeError
    return (value - _EPOCH).days if isinstance(value, datetime.date) else as_whole(value)
