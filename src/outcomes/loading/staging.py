"""One pass over a raw table: every cell read once, typed, and its faults marked; then counted from what was kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from outcomes.loading.cells import FAR_DAY, Reading, read_cell, read_extra
from outcomes.loading.dialect import Family
from outcomes.loading.engine import Engine, Refused, attempt
from outcomes.loading.raw_tables import RawTable
from outcomes.loading.schema import SCHEMA, Column

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
    family: Family
    reading: Reading

    @property
    def kind(self) -> str:
        """Kind of the schema, or ``extra``."""
        return "extra" if self.column is None else self.column.kind

    @property
    def can_fail(self) -> bool:
        """Whether a cell may say something that has no type."""
        if self.reading.cheap and self.reading.said == self.reading.plain:
            return False
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
    """A table on its way: its rows, its parts and their counts. On the engine it is called ``staged_<name>``.

    `row` is the SQL of a row's number there; `copied` says whether its rows were copied out of what they came in.
    """

    name: str
    rows: int
    parts: tuple[Part, ...]
    counts: tuple[Counts, ...]
    row: str
    copied: bool

    def pairs(self) -> Iterator[tuple[Part, Counts]]:
        """Return parts with their counts."""
        return zip(self.parts, self.counts, strict=True)


def stage(
    engine: Engine, tables: Mapping[str, RawTable], codes: Mapping[str, Mapping[str, str]]
) -> dict[str, Staged | Refused]:
    """Make ``staged_<table>`` of every raw table; return its parts with their counts, or that the engine would not.

    Where a table can be read again and each of its cells cheaply, it is not copied: what is staged is a view of it.
    """
    found: dict[str, Staged | Refused] = {}
    parts: dict[str, tuple[Part, ...]] = {}
    counted: dict[str, tuple[int, ...] | Refused] = {}
    seen: set[str] = set()
    for name, raw in tables.items():
        parts[name] = _parts(engine, raw, codes)
        if raw.row and all(part.reading.cheap for part in parts[name]):
            seen.add(name)
            parts[name], plain = _simplest(engine, raw, parts[name])
            if plain is not None:
                counted[name] = plain
        keep = engine.view if name in seen else engine.make
        made = attempt(partial(keep, f"staged_{name}", _staging(engine, raw, parts[name])))
        if isinstance(made, Refused):
            counted[name] = made
    unasked = [name for name in tables if name not in counted]
    queries = [f"{_counting(parts[name])} FROM {engine.place(f'staged_{name}')}" for name in unasked]
    counted |= zip(unasked, _rows(engine, queries), strict=True)
    for name in tables:
        row = counted[name]
        if isinstance(row, Refused):
            found[name] = row
            continue
        cells = row[1:]
        counts = tuple(Counts(*cells[4 * i : 4 * i + 4]) for i in range(len(parts[name])))
        number = tables[name].row if name in seen else engine.dialect.kept_row
        found[name] = Staged(name, row[0], parts[name], counts, number, name not in seen)
    return found


def _rows(engine: Engine, queries: Sequence[str]) -> Sequence[tuple[int, ...] | Refused]:
    """Return the row of each query; where they cannot be asked together, one by one, to learn which are at fault."""
    together = attempt(partial(engine.ask_each, queries))
    if not isinstance(together, Refused):
        return together
    alone = [attempt(partial(engine.ask_each, [query])) for query in queries]
    return [row if isinstance(row, Refused) else row[0] for row in alone]


def _parts(engine: Engine, raw: RawTable, codes: Mapping[str, Mapping[str, str]]) -> tuple[Part, ...]:
    known = {column.name: column for column in SCHEMA[raw.name].columns}
    parts = []
    for i, column in enumerate(raw.columns):
        ours = known.get(column.name)
        if ours is None:
            reading = read_extra(engine.dialect, column.cell, column.family, i)
        else:
            mapping = {str(k).strip(): str(v) for k, v in codes.get(f"{raw.name}.{ours.name}", {}).items()}
            reading = read_cell(engine.dialect, ours, column.cell, column.family, i, mapping)
        parts.append(
            Part(i, column.name, ours, "text" if codes.get(f"{raw.name}.{column.name}") else column.family, reading)
        )
    return tuple(parts)


def _simplest(
    engine: Engine, raw: RawTable, parts: tuple[Part, ...]
) -> tuple[tuple[Part, ...], tuple[int, ...] | None]:
    """Return the parts of a table that will be read again and again: text as it stands where no cell asks for more.

    Where that holds for every column the counts come with them: asked in one pass with whether it does.
    """
    looked = [part for part in parts if part.reading.odd]
    plain = tuple(_as_it_stands(part) if part.reading.odd else part for part in parts)
    odd = [f"count(*) FILTER (WHERE o{part.i})" for part in looked]
    marks = [f"{part.reading.odd} AS o{part.i}" for part in looked]
    query = f"{', '.join([_counting(plain), *odd])} FROM ({_staging(engine, raw, plain, marks)})"
    row = attempt(partial(engine.ask_each, [query]))
    if isinstance(row, Refused):
        return parts, None
    found = row[0][len(row[0]) - len(looked) :]
    if not any(found):
        return plain, row[0]
    as_it_stands = {part.i for part, n in zip(looked, found, strict=True) if not n}
    return tuple(plain[part.i] if part.i in as_it_stands else part for part in parts), None


def _as_it_stands(part: Part) -> Part:
    return replace(part, reading=replace(part.reading, said=part.reading.plain, typed=f"x{part.i}"))


def _staging(engine: Engine, raw: RawTable, parts: Sequence[Part], marks: Sequence[str] = ()) -> str:
    """Return the query of a staged table, and of further marks over its raw cells."""
    row = [raw.row] if raw.row else []
    said = ", ".join([*(f"{part.reading.said} AS x{part.i}" for part in parts), *row, *marks])
    typed = ", ".join(f"{part.reading.typed} AS v{part.i}" for part in parts)
    number = raw.row or engine.dialect.given_row
    kept = [*map(_marked, parts), *([number] if number else []), *(mark.rpartition(" AS ")[2] for mark in marks)]
    return (
        f"SELECT {', '.join(kept)} FROM (SELECT *, {typed} FROM (SELECT {said} FROM {engine.place(f'raw_{raw.name}')}))"
    )


def _marked(part: Part) -> str:
    i = part.i
    marks = [f"v{i}"]
    if part.can_fail:
        marks.append(f"x{i} IS NOT NULL AND v{i} IS NULL AS b{i}")
    if part.marks_whole:
        marks.append(f"x{i} IS NOT NULL AND v{i} IS NOT NULL AND {part.reading.whole} AS w{i}")
    return ", ".join(marks)


def _counting(parts: Sequence[Part]) -> str:
    """Return the first words of a query of how many rows there are, and of the four counts of each part."""
    return f"SELECT count(*), {', '.join(map(_counted, parts))}"


def _counted(part: Part) -> str:
    """Return the four counts of `Counts` as SQL over the staged table."""
    i = part.i
    bad = f"count(*) FILTER (WHERE b{i})" if part.can_fail else "0"
    whole = {"true": f"count(v{i})", "false": "0"}.get(part.reading.whole, f"count(*) FILTER (WHERE w{i})")
    far = (
        f"count(*) FILTER (WHERE w{i} AND v{i} NOT BETWEEN -{FAR_DAY} AND {FAR_DAY})"
        if part.kind == "date" and part.marks_whole
        else "0"
    )
    return f"count(v{i}) + {bad}, {bad}, {whole if part.kind in ('date', 'id', 'extra') else '0'}, {far}"
