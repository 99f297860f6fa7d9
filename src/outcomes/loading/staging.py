"""One pass over a raw table: every cell read once, typed, and its faults marked; then counted from what was kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outcomes.loading.cells import FAR_DAY, Reading, read_cell, read_extra
from outcomes.loading.schema import SCHEMA, Column
from outcomes.loading.sources import RawTable

if TYPE_CHECKING:
    import duckdb

__all__ = ["Counts", "Part", "Staged", "stage"]


@dataclass(frozen=True)
class Part:
    """A column on its way: number `i` of its table; `column` is None where the schema does not know it.

    In the staged table ``v<i>`` is the typed cell (ids still as they came), ``b<i>`` marks what is given and does not fit, and
    ``w<i>`` marks whole numbers (see `outcomes.loading.cells.Reading`); the marks are there only where they can hold.
    """

    i: int
    name: str
    column: Column | None
    reading: Reading

    @property
    def kind(self) -> str:
        """Kind of the schema, or ``extra``."""
        return "extra" if self.column is None else self.column.kind

    @property
    def can_fail(self) -> bool:
        """Whether a cell may say something that has no type."""
        return self.kind in ("date", "int", "float", "bool") or (self.column is not None and bool(self.column.codes))

    @property
    def marks_whole(self) -> bool:
        """Whether the staged table says which cells are whole numbers."""
        return self.kind in ("date", "id", "extra") and self.reading.whole not in ("true", "false")


@dataclass(frozen=True)
class Counts:
    """Of one part: cells that say something, that do not fit, that are whole numbers, that lie too far off for a day."""

    said: int
    bad: int
    whole: int
    far: int


@dataclass(frozen=True)
class Staged:
    """A table on its way: its rows, its parts and their counts. On the connection it is called ``staged_<name>``.

    Its ``rowid`` is the order of the extract: DuckDB keeps it, also when it reads a file in parallel.
    """

    name: str
    rows: int
    parts: tuple[Part, ...]
    counts: tuple[Counts, ...]

    def pairs(self) -> Iterator[tuple[Part, Counts]]:
        """Return parts with their counts."""
        return zip(self.parts, self.counts, strict=True)


def stage(connection: duckdb.DuckDBPyConnection, raw: RawTable, codes: Mapping[str, Mapping[str, str]]) -> Staged:
    """Make ``staged_<table>`` and return its parts with their counts."""
    known = {column.name: column for column in SCHEMA[raw.name].columns}
    parts = []
    for i, column in enumerate(raw.columns):
        ours = known.get(column.name)
        if ours is None:
            reading = read_extra(column.cell, column.kind, f"x{i}")
        else:
            mapping = {str(k).strip(): str(v) for k, v in codes.get(f"{raw.name}.{ours.name}", {}).items()}
            reading = read_cell(ours, column.cell, column.kind, f"x{i}", mapping)
        parts.append(Part(i, column.name, ours, reading))
    said = ", ".join(f"{part.reading.said} AS x{part.i}" for part in parts)
    connection.execute(
        f"CREATE TABLE staged_{raw.name} AS SELECT {', '.join(map(_marked, parts))} "
        f"FROM (SELECT *, {', '.join(map(_typed, parts))} FROM (SELECT {said} FROM {raw.relation}))"
    )
    asked = ", ".join(map(_counted, parts))
    row = connection.execute(f"SELECT count(*), {asked} FROM staged_{raw.name}").fetchall()[0]
    cells = [int(value) for value in row[1:]]
    counts = tuple(Counts(*cells[4 * part.i : 4 * part.i + 4]) for part in parts)
    return Staged(raw.name, int(row[0]), tuple(parts), counts)


def _typed(part: Part) -> str:
    return f"{part.reading.typed} AS v{part.i}"


def _marked(part: Part) -> str:
    i = part.i
    marks = [f"v{i}"]
    if part.can_fail:
        marks.append(f"x{i} IS NOT NULL AND v{i} IS NULL AS b{i}")
    if part.marks_whole:
        marks.append(f"x{i} IS NOT NULL AND v{i} IS NOT NULL AND {part.reading.whole} AS w{i}")
    return ", ".join(marks)


def _counted(part: Part) -> str:
    """Return the four counts of `Counts` as SQL over the staged table."""
    i = part.i
    bad = f"count(*) FILTER (b{i})" if part.can_fail else "0"
    whole = {"true": f"count(v{i})", "false": "0"}.get(part.reading.whole, f"count(*) FILTER (w{i})")
    far = f"count(*) FILTER (w{i} AND abs(v{i}) > {FAR_DAY})" if part.kind == "date" and part.marks_whole else "0"
    return f"count(v{i}) + {bad}, {bad}, {whole if part.kind in ('date', 'id', 'extra') else '0'}, {far}"
