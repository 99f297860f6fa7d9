"""What SQL engines write differently. All else that loading asks is written once, in the SQL they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Dialect", "Family"]

Family = Literal["integer", "decimal", "float", "date", "instant", "bool", "text", "other"]


@dataclass(frozen=True)
class Dialect:
    """Fragments of SQL, as functions of SQL or of plain text.

    Attributes
    ----------
    quoted : name -> SQL
        A name as an identifier.
    literal : text -> SQL
        Text as a constant, whatever is in it.
    matches : (SQL of text, pattern) -> SQL
        The whole text matches; patterns keep to what RE2 and Java share.
    among : (SQL of text, words) -> SQL
        The text is one of the words.
    number : SQL of text -> SQL
        The text as DOUBLE, null where it is no number.
    days : SQL of a date -> SQL
        Civil days since 1970-01-01 as BIGINT.
    real_date : SQL of a date or instant -> SQL
        It is neither null nor one of the infinities some engines have.
    hashed : SQL of cells -> SQL
        One number of several cells; equal rows have equal numbers, others nearly always different ones.
    family : name of a type -> Family
        What kind of value a type holds: ``instant`` still has to become a wall clock, ``other`` is no plain value.
    given_row : str
        SQL of a row's number in a table that is being read, or nothing where a kept table numbers its rows itself.
    kept_row : str
        SQL of that number once the table is kept.
    """

    quoted: Callable[[str], str]
    literal: Callable[[str], str]
    matches: Callable[[str, str], str]
    among: Callable[[str, Sequence[str]], str]
    number: Callable[[str], str]
    days: Callable[[str], str]
    real_date: Callable[[str], str]
    hashed: Callable[[Sequence[str]], str]
    family: Callable[[str], Family]
    given_row: str
    kept_row: str
