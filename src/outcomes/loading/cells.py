"""SQL that reads one cell as the schema says, whatever type the extract gave it.

Nothing here runs. A cell has two readings: what it says, null where it is empty, and the type made of that, null also where it
does not fit. What is said and has no type is a fault, and the caller counts it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outcomes.loading.duckdb_engine import literal
from outcomes.loading.schema import Column

__all__ = ["FAR_DAY", "SQL_TYPES", "Reading", "read_cell", "read_extra"]

SQL_TYPES: Mapping[str, str] = {
    "id": "BIGINT",
    "date": "BIGINT",
    "int": "BIGINT",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "code": "VARCHAR",
    "text": "VARCHAR",
}
FAR_DAY = 200_000  # days; 547 years. A larger "day" is a date written 20100331, or a time stamp

_INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"})
_WIDE = frozenset({"UBIGINT", "HUGEINT", "UHUGEINT"})
_FLOATS = frozenset({"FLOAT", "DOUBLE"})
_DATES = frozenset({"DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"})
_NOTHING = ("", "NA", "NaN", "nan", "NaT", "<NA>", "NULL", "null")  # how R, pandas and SQL write a missing cell
_BLANKS = "E' \\t\\r\\n\u00a0'"
_ISO = r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?)?"
_WHOLE = r"[+-]?\d{1,18}(\.0+)?"
_TRUE = ("true", "t", "1", "1.0", "yes", "y")
_FALSE = ("false", "f", "0", "0.0", "no", "n")


@dataclass(frozen=True)
class Reading:
    """How one cell is read, in two steps: what it says, under a name of its own, then the type made of that.

    Attributes
    ----------
    said : str
        SQL over the raw cell, null where the cell is empty.
    typed : str
        SQL over the name given to `said`, null also where the cell does not fit. Ids stay as they are here and are numbered later.
    whole : str
        SQL condition over that name: the cell holds a whole number (of dates: a day number; of ids: a number written
        plainly; of extra columns: any number).
    """

    said: str
    typed: str
    whole: str = "false"


def read_cell(column: Column, cell: str, kind: str, name: str, codes: Mapping[str, str] | None = None) -> Reading:
    """Return how a column of the schema is read.

    Parameters
    ----------
    column : Column
        What the cell should hold.
    cell, kind : str
        SQL of the raw cell, and its DuckDB type.
    name : str
        The name `said` will have where `typed` and `whole` are asked.
    codes : mapping, optional
        Their codes to ours, applied to the trimmed text.
    """
    if not codes:
        native = _native(column, cell, kind, name)
        if native is not None:
            return native
    text = _text(cell, kind)
    said = f"nullif({text}, '')" if column.kind == "text" else _unless_nothing(text)
    if codes:
        cases = " ".join(f"WHEN {literal(theirs)} THEN {literal(ours)}" for theirs, ours in codes.items())
        said = f"nullif(CASE {text} {cases} ELSE {said} END, '')"
    typed, whole = _from_text(column, name)
    return Reading(said, typed, whole)


def read_extra(cell: str, kind: str, name: str) -> Reading:
    """Return how a column the schema does not know is read: numbers become DOUBLE, all else text.

    In text, `whole` tells which cells are numbers, for the caller to count: 019 is a code, 19 a number.
    """
    if kind in _INTEGERS | _WIDE or kind.startswith("DECIMAL"):
        return Reading(cell, f"CAST({name} AS DOUBLE)", "true")
    if kind in _FLOATS:
        return Reading(f"CASE WHEN isfinite({cell}) THEN CAST({cell} AS DOUBLE) END", name, "true")
    if kind in _DATES:
        return Reading(f"CASE WHEN isfinite({cell}) THEN CAST(CAST({cell} AS DATE) AS VARCHAR) END", name)
    pattern = r"[+-]?(0|[1-9]\d*)?(\.\d+)?([eE][+-]?\d+)?"
    number = f"(regexp_full_match({name}, '{pattern}') AND isfinite(try_cast({name} AS DOUBLE)))"
    text = _text(cell, kind)
    flag = f"CASE WHEN {_among(text, ('True', 'TRUE', 'False', 'FALSE'))} THEN lower({text}) ELSE {text} END"
    return Reading(_unless_nothing(flag), name, number)


def _native(column: Column, cell: str, kind: str, name: str) -> Reading | None:
    """Return the reading that needs no detour over text, or None where the type asks for one."""
    integer, floating = kind in _INTEGERS, kind in _FLOATS
    number = f"CASE WHEN NOT isnan({cell}) THEN {cell} END" if floating else cell
    if column.kind == "id" and integer:
        return Reading(cell, f"CAST({name} AS BIGINT)", f"{name} >= 0")
    if column.kind == "date" and kind in _DATES:
        day = f"date_diff('day', DATE '1970-01-01', CAST({name} AS DATE))"
        return Reading(cell, f"CASE WHEN isfinite({name}) THEN {day} END")
    if column.kind in ("date", "int") and integer:
        return Reading(cell, f"CAST({name} AS BIGINT)", f"{name} IS NOT NULL")  # every one is
    if column.kind in ("date", "int") and floating:
        whole = f"({name} = floor({name}) AND abs({name}) < 9e15)"
        return Reading(number, f"CASE WHEN {whole} THEN CAST({name} AS BIGINT) END", whole)
    if column.kind == "float" and (integer or floating):
        finite = f"CASE WHEN isfinite({name}) THEN CAST({name} AS DOUBLE) END"
        return Reading(number, finite if floating else f"CAST({name} AS DOUBLE)")
    if column.kind == "bool" and kind == "BOOLEAN":
        return Reading(cell, name)
    return None


def _text(cell: str, kind: str) -> str:
    """Return a cell as trimmed text; a float that is whole loses its ``.0``, so that 7.0 and 7 are one id."""
    if kind in _FLOATS:
        whole = f"{cell} = floor({cell}) AND abs({cell}) < 9e15"
        return (
            f"CASE WHEN isnan({cell}) THEN NULL WHEN {whole} THEN CAST(CAST({cell} AS BIGINT) AS VARCHAR) "
            f"ELSE CAST({cell} AS VARCHAR) END"
        )
    return f"trim(CAST({cell} AS VARCHAR), {_BLANKS})"


def _unless_nothing(text: str) -> str:
    return f"CASE WHEN NOT {_among(text, _NOTHING)} THEN {text} END"


def _among(text: str, words: Sequence[str]) -> str:
    """Return SQL: `text` is one of `words`. Not IN: DuckDB makes a join of that, which loses the order of the rows."""
    return f"list_contains([{', '.join(map(literal, words))}], {text})"


def _from_text(column: Column, name: str) -> tuple[str, str]:
    """Return `typed` and `whole` over text called `name`."""
    number = f"try_cast({name} AS DOUBLE)"
    if column.kind == "id":
        plain = f"CASE WHEN {name} LIKE '%.%0' THEN regexp_replace({name}, '^([+-]?\\d+)\\.0+$', '\\1') ELSE {name} END"
        return plain, f"regexp_full_match({plain}, '0|[1-9][0-9]{{0,17}}')"
    if column.kind == "date":
        whole = f"regexp_full_match({name}, '{_WHOLE}')"
        day = f"date_diff('day', DATE '1970-01-01', try_cast(left({name}, 10) AS DATE))"
        iso = f"regexp_full_match({name}, '{_ISO}')"
        return f"CASE WHEN {iso} THEN {day} WHEN {whole} THEN try_cast({number} AS BIGINT) END", whole
    if column.kind == "int":
        return (
            f"CASE WHEN {number} = floor({number}) AND abs({number}) < 9e15 THEN CAST({number} AS BIGINT) END",
            "false",
        )
    if column.kind == "float":
        return f"CASE WHEN isfinite({number}) THEN {number} END", "false"
    if column.kind == "bool":
        low = f"lower({name})"
        return f"CASE WHEN {_among(low, _TRUE)} THEN true WHEN {_among(low, _FALSE)} THEN false END", "false"
    if column.codes:
        return f"CASE WHEN {_among(name, column.codes)} THEN {name} END", "false"
    return name, "false"
