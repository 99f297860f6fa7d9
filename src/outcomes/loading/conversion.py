"""From raw tables to the types of the schema: days and ids as integers, codes checked, every fault counted and collected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from outcomes.loading.cells import FAR_DAY, SQL_TYPES, Reading, read_cell, read_extra
from outcomes.loading.engine import Refused, attempt, quoted
from outcomes.loading.faults import Fault, nearest, refusal
from outcomes.loading.identifiers import names_a_person
from outcomes.loading.keys import key_faults, number_ids
from outcomes.loading.schema import SCHEMA, Column, Table
from outcomes.loading.sources import RawTable, Sources

if TYPE_CHECKING:
    import duckdb

__all__ = ["Converted", "convert"]

Codes = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Converted:
    """What conversion found: the origin of days, and the catalogue's own ids of programmes."""

    origin: str
    programme_ids: Mapping[str, int]


@dataclass(frozen=True)
class _Part:
    """A column on its way: `column` is None where the schema does not know it."""

    name: str
    column: Column | None
    reading: Reading


@dataclass(frozen=True)
class _Counts:
    """Of one part: cells that say something, that have a type, that are whole numbers, that lie too far for a day."""

    said: int
    typed: int
    whole: int
    far: int


@dataclass(frozen=True)
class _Survey:
    """A raw table and the counts of its parts."""

    raw: RawTable
    rows: int
    parts: tuple[_Part, ...]
    counts: tuple[_Counts, ...]

    def pairs(self) -> Iterator[tuple[_Part, _Counts]]:
        """Return parts with their counts."""
        return zip(self.parts, self.counts, strict=True)


def convert(connection: duckdb.DuckDBPyConnection, sources: Sources, codes: Codes) -> Converted:
    """Make every table of the schema, typed, with a row number ``_row``; optional tables that did not come are empty.

    Raises
    ------
    DataError
        Every structural fault at once: tables or columns missing or unreadable, cells that are no date, number or known
        code, empty required cells, repeated keys, references to nothing, columns that name a direct identifier.
    """
    faults = [*sources.faults, *_code_faults(codes, sources.tables)]
    surveys: dict[str, _Survey] = {}
    for name in SCHEMA:
        if name in sources.tables:
            raw = sources.tables[name]
            faults += _column_faults(raw)
            survey = attempt(partial(_survey, connection, raw, codes))
            if isinstance(survey, Refused):
                faults.append(Fault(name, "", f"{raw.label} is damaged: its cells cannot be read ({survey.kind})."))
            else:
                surveys[name] = survey
    faults += [fault for survey in surveys.values() for fault in _cell_faults(survey)]
    origin, mixed = _origin(surveys)
    faults += mixed
    domains: dict[str, bool] = {}
    for survey in surveys.values():
        for part, count in survey.pairs():
            if part.column is not None and part.column.kind == "id":
                domains[part.name] = domains.get(part.name, True) and count.whole == count.said
    number_ids(connection, {d: _keys(surveys, d) for d in domains}, domains)
    for name in SCHEMA:
        _make_table(connection, SCHEMA[name], surveys.get(name), domains)
    faults += key_faults(connection, list(surveys))
    if faults:
        raise refusal(faults)
    named = connection.execute(
        "SELECT CAST(i.key AS VARCHAR), i.id FROM ids_programme_id i SEMI JOIN programmes p ON p.programme_id = i.id ORDER BY 2"
    ).fetchall()
    for domain in domains:
        connection.execute(f"DROP TABLE ids_{domain}")
    for name in surveys:
        _forget(connection, sources.tables[name].relation)
    return Converted(origin, dict(named))


def _column_faults(raw: RawTable) -> list[Fault]:
    """Return the columns that are missing, and those whose name says a direct identifier or is ours."""
    table = SCHEMA[raw.name]
    known = {column.name for column in table.columns}
    present = [column.name for column in raw.columns]
    extras = [name for name in present if name not in known]
    required = [column.name for column in table.columns if not column.optional]
    if not known & set(present):
        text = f"none of its columns is in {raw.label}; is the line of column names missing? Expected {', '.join(required)}."
        return [Fault(raw.name, "", text)]
    faults = [
        Fault(raw.name, name, f"the column is missing.{nearest(name, extras)}")
        for name in required
        if name not in present
    ]
    for name in extras:
        if names_a_person(name):
            faults.append(
                Fault(raw.name, name, "the column's name says a direct identifier; take it out of the extract.")
            )
        if name.lower() in {"_row", *(k.lower() for k in known)}:
            faults.append(Fault(raw.name, name, "the name is too near one of ours; rename it in [columns]."))
    return faults


def _code_faults(codes: Codes, tables: Mapping[str, RawTable]) -> list[Fault]:
    """Return the entries of [codes] that speak of no column, or map to no code of ours."""
    places = {f"{table.name}.{column.name}": column for table in SCHEMA.values() for column in table.columns}
    faults = []
    for place, mapping in codes.items():
        table, _, name = place.partition(".")
        if place not in places:
            faults.append(
                Fault(table, name, f"[codes] speaks of a column the schema does not know.{nearest(place, places)}")
            )
            continue
        valid = places[place].codes
        unknown = [str(ours) for ours in mapping.values() if valid and str(ours) not in (*valid, "")]
        faults += [
            Fault(
                table, name, f"[codes] maps to {ours!r}, which is no code of ours; expected one of {', '.join(valid)}."
            )
            for ours in unknown
        ]
        present = [column.name for column in tables[table].columns] if table in tables else [name]
        if name not in present and places[place].optional:
            faults.append(Fault(table, name, "[codes] maps the codes of a column that is not there."))
    return faults


def _survey(connection: duckdb.DuckDBPyConnection, raw: RawTable, codes: Codes) -> _Survey:
    """Return the parts of a table with their counts: one query, one pass over the table."""
    table = SCHEMA[raw.name]
    known = {column.name: column for column in table.columns}
    parts = []
    for i, column in enumerate(raw.columns):
        ours = known.get(column.name)
        if ours is None:
            reading = read_extra(column.cell, column.kind, f"x{i}")
        else:
            mapping = {str(k).strip(): str(v) for k, v in codes.get(f"{raw.name}.{ours.name}", {}).items()}
            reading = read_cell(ours, column.cell, column.kind, f"x{i}", mapping)
        parts.append(_Part(column.name, ours, reading))
    said = ", ".join(f"{part.reading.said} AS x{i}" for i, part in enumerate(parts))
    typed = ", ".join(
        f"x{i}, {part.reading.typed} AS v{i}, {part.reading.whole} AS w{i}" for i, part in enumerate(parts)
    )
    counts = ", ".join(
        f"count(x{i}), count(v{i}), count(*) FILTER (x{i} IS NOT NULL AND w{i}), "
        + (f"count(*) FILTER (w{i} AND abs(v{i}) > {FAR_DAY})" if _is_date(part) else "0")
        for i, part in enumerate(parts)
    )
    row = connection.execute(
        f"SELECT count(*), {counts} FROM (SELECT {typed} FROM (SELECT {said} FROM {raw.relation}))"
    ).fetchall()[0]
    cells = [int(value) for value in row[1:]]
    found = tuple(_Counts(*cells[4 * i : 4 * i + 4]) for i in range(len(parts)))
    return _Survey(raw, int(row[0]), tuple(parts), found)


def _is_date(part: _Part) -> bool:
    return part.column is not None and part.column.kind == "date"


def _cell_faults(survey: _Survey) -> list[Fault]:
    """Return what the counts of one table say is wrong."""
    name, rows, faults = survey.raw.name, survey.rows, []
    if not rows and name in ("people", "sentences", "programmes"):
        faults.append(Fault(name, "", "the table has no rows."))
    for part, count in survey.pairs():
        if part.column is None:
            continue
        if not part.column.nullable and count.said < rows:
            faults.append(Fault(name, part.name, "the cell is empty and may not be.", rows - count.said, rows))
        if count.typed < count.said:
            faults.append(Fault(name, part.name, _expected(part.column), count.said - count.typed, rows))
        if count.far:
            text = "a whole number too large for a day; a date such as 20100331 is written 2010-03-31."
            faults.append(Fault(name, part.name, text, count.far, rows))
    return faults


def _expected(column: Column) -> str:
    return {
        "date": "not a date; expected an ISO date such as 2010-03-31, or a whole number of days.",
        "int": "not a whole number.",
        "float": "not a number.",
        "bool": "neither true nor false; expected true/false, yes/no, t/f, y/n or 1/0.",
        "code": f"not a known code; expected one of {', '.join(column.codes)}. Map others in [codes].",
    }[column.kind]


def _origin(surveys: Mapping[str, _Survey]) -> tuple[str, list[Fault]]:
    """Return whether days count from 1970 or from an undisclosed origin, and the faults where the extract mixes both."""
    found = [(survey, part, count) for survey in surveys.values() for part, count in survey.pairs() if _is_date(part)]
    dates = sum(count.typed - count.whole for _, _, count in found)
    numbers = sum(count.whole for _, _, count in found)
    if not (dates and numbers):
        return ("undisclosed" if numbers else "1970-01-01"), []
    odd, rest = ("day numbers", "dates") if numbers <= dates else ("dates", "day numbers")
    text = f"{odd}, where the rest of the extract has {rest}; use one of the two."
    faults = []
    for survey, part, count in found:
        n = count.whole if odd == "day numbers" else count.typed - count.whole
        if n:
            faults.append(Fault(survey.raw.name, part.name, text, n, survey.rows))
    return "1970-01-01", faults


def _keys(surveys: Mapping[str, _Survey], domain: str) -> list[str]:
    """Return a query a table for the keys of one id domain."""
    queries = []
    for survey in surveys.values():
        for i, part in enumerate(survey.parts):
            if part.name == domain and part.column is not None:
                reading = part.reading
                queries.append(
                    f"SELECT {reading.typed} AS key FROM (SELECT {reading.said} AS x{i} FROM {survey.raw.relation})"
                )
    return queries


def _make_table(
    connection: duckdb.DuckDBPyConnection, table: Table, survey: _Survey | None, plain: Mapping[str, bool]
) -> None:
    """Create the typed table: the schema's columns in its order, then the extract's own, then the number of the row."""
    if survey is None:
        empty = ", ".join(f"{quoted(column.name)} {SQL_TYPES[column.kind]}" for column in table.columns)
        connection.execute(f"CREATE TABLE {table.name} ({empty}, _row BIGINT)")
        return
    at = {part.name: i for i, part in enumerate(survey.parts)}
    select, joins = [], []
    for column in table.columns:
        i = at.get(column.name)
        if i is None:
            select.append(f"CAST(NULL AS {SQL_TYPES[column.kind]}) AS {quoted(column.name)}")
        elif column.kind == "id":
            joins.append(f"LEFT JOIN ids_{column.name} i{i} ON i{i}.key = r.v{i}")
            select.append(f"i{i}.id AS {quoted(column.name)}")
        else:
            select.append(f"r.v{i} AS {quoted(column.name)}")
    for i, (part, count) in enumerate(survey.pairs()):
        if part.column is None:
            number = count.said > 0 and count.whole == count.said
            select.append(f"{f'CAST(r.v{i} AS DOUBLE)' if number else f'r.v{i}'} AS {quoted(part.name)}")
    said = ", ".join(f"{part.reading.said} AS x{i}" for i, part in enumerate(survey.parts))
    typed = ", ".join(_typed(part, plain, i) for i, part in enumerate(survey.parts))
    connection.execute(
        f"CREATE TABLE {table.name} AS SELECT {', '.join(select)}, r._row FROM "
        f"(SELECT {typed}, _row FROM (SELECT {said}, row_number() OVER () AS _row FROM {survey.raw.relation})) r "
        f"{' '.join(joins)}"
    )


def _typed(part: _Part, plain: Mapping[str, bool], i: int) -> str:
    integer = part.column is not None and part.column.kind == "id" and plain[part.name]
    return f"CAST({part.reading.typed} AS BIGINT) AS v{i}" if integer else f"{part.reading.typed} AS v{i}"


def _forget(connection: duckdb.DuckDBPyConnection, relation: str) -> None:
    kind = connection.execute(
        f"SELECT table_type FROM information_schema.tables WHERE table_name = '{relation}'"
    ).fetchall()[0][0]
    connection.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} {relation}")
