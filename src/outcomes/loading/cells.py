"""SQL that reads one cell as the schema says, whatever type the extract gave it.

Nothing here runs. A cell has two readings: what it says, null where it is empty, and the type made of that, null also where it
does not fit. What is said and has no type is a fault, and the caller counts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from outcomes.loading.dialect import Dialect, Family
from outcomes.loading.engine import PLAIN
from outcomes.loading.schema import Column

__all__ = ["FAR_DAY", "SQL_TYPES", "Reading", "read_cell", "read_extra"]

SQL_TYPES: Mapping[str, str] = {
    "id": "BIGINT",
    "date": "BIGINT",
    "int": "BIGINT",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "code": "STRING",
    "text": "STRING",
}
FAR_DAY = 200_000  # days; 547 years. A larger "day" is a date written 20100331, or a time stamp

_NOTHING = ("", "NA", "NaN", "nan", "NaT", "<NA>", "NULL", "null")  # how R, pandas and SQL write a missing cell
_BLANKS = " \t\r\n\u00a0"
_ISO = r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?)?"
_WHOLE = r"[+-]?\d{1,18}(\.0+)?"
_POINT_ZERO = r"[+-]?\d+\.0+"
_NUMBER = r"[+-]?(0|[1-9]\d*)?(\.\d+)?([eE][+-]?\d+)?"
_TRUE = ("true", "t", "1", "1.0", "yes", "y")
_FALSE = ("false", "f", "0", "0.0", "no", "n")


@dataclass(frozen=True)
class Reading:
    """How one cell is read, in three steps, each under the name the one before was given.

    Attributes
    ----------
    said : str
        SQL over the raw cell, null where the cell is empty.
    typed : str
        SQL over `said`, null also where the cell does not fit. Ids stay as they are here and are numbered later.
    whole : str
        SQL condition over `said` and `typed`: the cell holds a whole number (of dates: a day number; of ids: a number
        written plainly; of extra columns: any number).
    cheap : bool
        Reading the cell again costs next to nothing: its number, day or flag is no text.
    odd : str
        SQL condition over the raw cell, where that is text: what is read is another thing than what stands there. Where no cell
        is odd, `plain` reads the column; it then holds nothing that does not fit.
    plain : str
    """

    said: str
    typed: str
    whole: str = "false"
    cheap: bool = False
    odd: str = ""
    plain: str = ""


@dataclass(frozen=True)
class _Reader:
    """Reads the cells of one column: SQL of the raw cell, what kind of value it holds, the names of the two steps."""

    dialect: Dialect
    cell: str
    family: Family
    said: str
    typed: str

    def native(self, column: Column) -> Reading | None:
        """Return the reading that needs no detour over text, or None where the type asks for one."""
        cell, said, integer, floating = self.cell, self.said, self.family == "integer", self.family == "float"
        number = f"CASE WHEN NOT isnan({cell}) THEN {cell} END" if floating else cell
        if column.kind == "id" and integer:
            return Reading(cell, f"CAST({said} AS BIGINT)", f"{said} >= 0")
        if column.kind == "date" and self.family == "date":
            day = self.dialect.days(f"CAST({said} AS DATE)")
            return Reading(cell, f"CASE WHEN {self.dialect.real_date(said)} THEN {day} END")
        if column.kind in ("date", "int") and integer:
            return Reading(cell, f"CAST({said} AS BIGINT)", f"{said} IS NOT NULL")  # every one is
        if column.kind in ("date", "int") and floating:
            whole = _is_whole(said)
            return Reading(number, f"CASE WHEN {whole} THEN try_cast({said} AS BIGINT) END", whole)
        if column.kind == "float" and (integer or floating):
            finite = f"CASE WHEN {_is_finite(said)} THEN CAST({said} AS DOUBLE) END"
            return Reading(number, finite if floating else f"CAST({said} AS DOUBLE)")
        if column.kind == "bool" and self.family == "bool":
            return Reading(cell, said)
        return None

    def text(self) -> str:
        """Return a cell as trimmed text; a float that is whole loses its ``.0``, so that 7.0 and 7 are one id."""
        if self.family == "float":
            return (
                f"CASE WHEN isnan({self.cell}) THEN NULL WHEN {_is_whole(self.cell)} THEN "
                f"CAST(try_cast({self.cell} AS BIGINT) AS STRING) ELSE CAST({self.cell} AS STRING) END"
            )
        return f"trim(BOTH {self.dialect.literal(_BLANKS)} FROM CAST({self.cell} AS STRING))"

    def unless_odd(self, reading: Reading, column: Column) -> Reading:
        """Return the reading of a column of codes or text with how to tell whether every cell is what it says."""
        plain = f"CAST({self.cell} AS STRING)"
        if column.codes:
            return replace(reading, odd=f"NOT {self.dialect.among(plain, column.codes)}", plain=plain)
        nothing = self.dialect.among(plain, _NOTHING if column.kind == "code" else ("",))
        return replace(reading, odd=f"{nothing} OR {self.text()} <> {plain}", plain=plain)

    def unless_nothing(self, text: str) -> str:
        """Return the text, null where it says that there is nothing."""
        return f"CASE WHEN NOT {self.dialect.among(text, _NOTHING)} THEN {text} END"

    def from_text(self, column: Column) -> tuple[str, str]:
        """Return `typed` and `whole` over text."""
        dialect, said = self.dialect, self.said
        number = dialect.number(said)
        if column.kind == "id":
            noted = f"{said} LIKE '%.%0' AND {dialect.matches(said, _POINT_ZERO)}"  # LIKE is quick, a pattern slow
            begins = f"{self.typed} >= '0' AND {self.typed} < ':'"
            plain = f"CASE WHEN {begins} THEN {dialect.matches(self.typed, PLAIN)} ELSE false END"
            return f"CASE WHEN {noted} THEN split_part({said}, '.', 1) ELSE {said} END", plain
        if column.kind == "date":
            whole = dialect.matches(said, _WHOLE)
            day = dialect.days(f"try_cast(left({said}, 10) AS DATE)")
            iso = dialect.matches(said, _ISO)
            return f"CASE WHEN {iso} THEN {day} WHEN {whole} THEN try_cast({number} AS BIGINT) END", whole
        if column.kind == "int":
            return f"CASE WHEN {_is_whole(number)} THEN try_cast({number} AS BIGINT) END", "false"
        if column.kind == "float":
            return f"CASE WHEN {_is_finite(number)} THEN {number} END", "false"
        if column.kind == "bool":
            low = f"lower({said})"
            flag = f"CASE WHEN {dialect.among(low, _TRUE)} THEN true WHEN {dialect.among(low, _FALSE)} THEN false END"
            return flag, "false"
        if column.codes:
            return f"CASE WHEN {dialect.among(said, column.codes)} THEN {said} END", "false"
        return said, "false"


def read_cell(
    dialect: Dialect, column: Column, cell: str, family: Family, i: int, codes: Mapping[str, str] | None = None
) -> Reading:
    """Return how a column of the schema is read.

    Parameters
    ----------
    dialect : Dialect
        The engine's own words.
    column : Column
        What the cell should hold.
    cell, family : str
        SQL of the raw cell, and what kind of value it holds.
    i : int
        Number of the column: what is said will be called ``x<i>``, what is typed ``v<i>``.
    codes : mapping, optional
        Their codes to ours, applied to the trimmed text.
    """
    reader = _Reader(dialect, cell, family, f"x{i}", f"v{i}")
    if not codes:
        native = reader.native(column)
        if native is not None:
            return replace(native, cheap=True)
    text = reader.text()
    said = f"nullif({text}, '')" if column.kind == "text" else reader.unless_nothing(text)
    if codes:
        cases = " ".join(
            f"WHEN {dialect.literal(theirs)} THEN {dialect.literal(ours)}" for theirs, ours in codes.items()
        )
        said = f"nullif(CASE {text} {cases} ELSE {said} END, '')"
    reading = Reading(said, *reader.from_text(column), cheap=column.kind in ("code", "text"))
    return reading if codes or not reading.cheap or family != "text" else reader.unless_odd(reading, column)


def read_extra(dialect: Dialect, cell: str, family: Family, i: int) -> Reading:
    """Return how a column the schema does not know is read: numbers become DOUBLE, all else text.

    In text, `whole` tells which cells are numbers, for the caller to count: 019 is a code, 19 a number.
    """
    reader = _Reader(dialect, cell, family, f"x{i}", f"v{i}")
    if family in ("integer", "decimal"):
        return Reading(cell, f"CAST(x{i} AS DOUBLE)", "true", cheap=True)
    if family == "float":
        return Reading(f"CASE WHEN {_is_finite(cell)} THEN CAST({cell} AS DOUBLE) END", f"x{i}", "true", cheap=True)
    if family == "date":
        day = f"CASE WHEN {dialect.real_date(cell)} THEN CAST(CAST({cell} AS DATE) AS STRING) END"
        return Reading(day, f"x{i}", cheap=True)
    number = f"({dialect.matches(f'x{i}', _NUMBER)} AND {_is_finite(dialect.number(f'x{i}'))})"
    text = reader.text()
    flag = f"CASE WHEN {dialect.among(text, ('True', 'TRUE', 'False', 'FALSE'))} THEN lower({text}) ELSE {text} END"
    return Reading(reader.unless_nothing(flag), f"x{i}", number, cheap=True)


def _is_whole(number: str) -> str:
    """Return SQL: a double is a whole number that BIGINT holds. Not by floor, which on Spark gives BIGINT or stops."""
    return f"({number} % 1 = 0 AND abs({number}) < 9e15)"


def _is_finite(number: str) -> str:
    """Return SQL: a double is neither infinite nor NaN, which both engines hold to be the largest number."""
    return f"abs({number}) < CAST('Infinity' AS DOUBLE)"
