"""From raw tables to the types of the schema: days and ids as integers, codes checked, every fault counted and collected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from outcomes.loading.cells import SQL_TYPES
from outcomes.loading.engine import Refused, attempt, quoted
from outcomes.loading.faults import Fault, refusal
from outcomes.loading.keys import Domain, dangling_faults, id_domains, number_ids, repeated_faults
from outcomes.loading.protecting import CheckRow, protect
from outcomes.loading.schema import SCHEMA, Table
from outcomes.loading.sources import Sources
from outcomes.loading.staging import Staged, stage
from outcomes.loading.structure import cell_faults, code_faults, column_faults, origin_of_days

if TYPE_CHECKING:
    import duckdb

__all__ = ["Converted", "convert"]


@dataclass(frozen=True)
class Converted:
    """What conversion found: the origin of days, the catalogue's own ids of programmes, and what the protective checks say."""

    origin: str
    programme_ids: Mapping[str, int]
    protective: tuple[CheckRow, ...]


def convert(
    connection: duckdb.DuckDBPyConnection,
    sources: Sources,
    codes: Mapping[str, Mapping[str, str]],
    declared: Sequence[str] = (),
) -> Converted:
    """Make every table of the schema, typed, with a row number ``_row``; optional tables that did not come are empty.

    Raises
    ------
    DataError
        Every structural fault at once: tables or columns missing or unreadable, cells that are no date, number or known
        code, empty required cells, repeated keys, references to nothing, columns that name or hold what says who somebody is and are
        not `declared`.
    """
    faults = [*sources.faults, *code_faults(codes, sources.tables)]
    staged: dict[str, Staged] = {}
    for name in SCHEMA:
        if name not in sources.tables:
            continue
        raw = sources.tables[name]
        faults += column_faults(raw)
        made = attempt(partial(stage, connection, raw, codes))
        if isinstance(made, Refused):
            faults.append(Fault(name, "", f"{raw.label} cannot be read: {raw.trouble()}"))
        else:
            staged[name] = made
            connection.execute(f"DROP VIEW {raw.relation}")
    faults += [fault for table in staged.values() for fault in cell_faults(table)]
    origin, mixed = origin_of_days(staged)
    domains = id_domains(staged)
    number_ids(connection, domains)
    protected = protect(
        lambda query: connection.execute(query).fetchall(), staged, domains, declared, dated=origin == "1970-01-01"
    )
    faults += [*mixed, *repeated_faults(connection, domains), *dangling_faults(connection, domains), *protected.faults]
    if faults:
        raise refusal(faults)
    for name, table in SCHEMA.items():
        _make_table(connection, table, staged.get(name), domains)
    named = connection.execute(
        f"SELECT CAST(key AS VARCHAR), id FROM {domains['programme_id'].table} ORDER BY id"
    ).fetchall()
    for domain in domains.values():
        connection.execute(f"DROP TABLE {domain.table}")
    return Converted(origin, dict(named), protected.rows)


def _make_table(
    connection: duckdb.DuckDBPyConnection, table: Table, staged: Staged | None, domains: Mapping[str, Domain]
) -> None:
    """Create the typed table: the schema's columns in its order, then the extract's own, then the number of the row."""
    if staged is None:
        empty = ", ".join(f"{quoted(column.name)} {SQL_TYPES[column.kind]}" for column in table.columns)
        connection.execute(f"CREATE TABLE {table.name} ({empty}, _row BIGINT)")
        return
    at = {part.name: part.i for part in staged.parts}
    select, joins = [], []
    for column in table.columns:
        i = at.get(column.name)
        if i is None:
            select.append(f"CAST(NULL AS {SQL_TYPES[column.kind]}) AS {quoted(column.name)}")
        elif column.kind == "id":
            domain = domains[column.name]
            joins.append(f"LEFT JOIN {domain.table} i{i} ON i{i}.key = {domain.key_of(f's.v{i}')}")
            select.append(f"i{i}.id AS {quoted(column.name)}")
        else:
            select.append(f"s.v{i} AS {quoted(column.name)}")
    for part, count in staged.pairs():
        if part.column is None:
            number = count.said > 0 and count.whole == count.said
            cell = f"CAST(s.v{part.i} AS DOUBLE)" if number else f"s.v{part.i}"
            select.append(f"{cell} AS {quoted(part.name)}")
    connection.execute(
        f"CREATE TABLE {table.name} AS SELECT {', '.join(select)}, s.rowid AS _row FROM staged_{table.name} s {' '.join(joins)}"
    )
    connection.execute(f"DROP TABLE staged_{table.name}")
