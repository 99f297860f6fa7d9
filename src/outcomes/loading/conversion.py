"""From raw tables to the types of the schema: days and ids as integers, codes checked, every fault counted and collected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outcomes.loading.cells import SQL_TYPES
from outcomes.loading.engine import Engine, Refused
from outcomes.loading.faults import Fault, refusal
from outcomes.loading.keys import Domain, dangling_faults, id_domains, number_ids, repeated_faults
from outcomes.loading.protecting import CheckRow, protect
from outcomes.loading.raw_tables import Sources
from outcomes.loading.schema import SCHEMA, Table
from outcomes.loading.staging import Counts, Part, Staged, stage
from outcomes.loading.structure import cell_faults, code_faults, column_faults, origin_of_days

__all__ = ["Converted", "convert"]


@dataclass(frozen=True)
class Converted:
    """What conversion found: rows by table, the origin of days, the catalogue's own ids, and what the protective checks say."""

    counts: Mapping[str, int]
    origin: str
    programme_ids: Mapping[str, int]
    protective: tuple[CheckRow, ...]


def convert(
    engine: Engine, sources: Sources, codes: Mapping[str, Mapping[str, str]], declared: Sequence[str] = ()
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
    raw = {name: sources.tables[name] for name in SCHEMA if name in sources.tables}
    staged: dict[str, Staged] = {}
    for name, made in stage(engine, raw, codes).items():
        faults += column_faults(raw[name])
        if isinstance(made, Refused):
            engine.must_live()
            faults.append(Fault(name, "", f"{raw[name].label} cannot be read: {raw[name].trouble()}"))
        else:
            staged[name] = made
            if made.copied:
                engine.drop(f"raw_{name}")
    faults += [fault for table in staged.values() for fault in cell_faults(table)]
    origin, mixed = origin_of_days(staged)
    domains = number_ids(engine, id_domains(staged))
    copied = _make_tables(engine, staged, domains)
    faults += [*mixed, *repeated_faults(staged, domains), *dangling_faults(engine, staged, domains)]
    protected = protect(engine, staged, domains, declared, dated=origin == "1970-01-01")
    faults += protected.faults
    if faults:
        raise refusal(faults)
    named = _names(engine, domains["programme_id"])
    for name in copied:
        engine.drop(f"staged_{name}")
    for domain in domains.values():
        if not domain.kept:
            engine.drop(domain.table)
    return Converted({name: table.rows for name, table in staged.items()}, origin, named, protected.rows)


def _names(engine: Engine, domain: Domain) -> Mapping[str, int]:
    """Return the catalogue's own names of programmes, as text, and the integers they have here."""
    named = engine.ask(f"SELECT CAST(key AS STRING), id FROM {domain.ids(engine)} i ORDER BY id")
    return {str(name): int(i) for name, i in named}


def _make_tables(engine: Engine, staged: Mapping[str, Staged], domains: Mapping[str, Domain]) -> list[str]:
    """Make the typed tables; return those that do not stand on what was staged.

    A table whose columns are staged ones as they are is only other names for it. A reference to nothing is null.
    """
    copied = []
    for name, table in SCHEMA.items():
        if name not in staged:
            empty = ", ".join(
                f"CAST(NULL AS {SQL_TYPES[column.kind]}) AS {engine.dialect.quoted(column.name)}"
                for column in table.columns
            )
            engine.view(name, f"SELECT {empty}, CAST(NULL AS BIGINT) AS _row WHERE false")
        elif _as_staged(staged[name], domains):
            engine.view(name, _typed(engine, table, staged[name], domains))
        else:
            engine.make(name, _typed(engine, table, staged[name], domains))
            copied.append(name)
    return copied


def _as_staged(staged: Staged, domains: Mapping[str, Domain]) -> bool:
    """Return whether every column of a table is a staged one as it is."""
    return all(
        (domains[part.name].kept and part.family == "integer")
        if part.kind == "id"
        else not _becomes_number(part, count)
        for part, count in staged.pairs()
    )


def _becomes_number(part: Part, count: Counts) -> bool:
    """Return whether a column of the extract's own was read as text and holds nothing but numbers."""
    return part.column is None and part.marks_whole and count.said > 0 and count.whole == count.said


def _typed(engine: Engine, table: Table, staged: Staged, domains: Mapping[str, Domain]) -> str:
    """Return the query of a typed table: the schema's columns in its order, then the extract's own, then the row's number."""
    quoted = engine.dialect.quoted
    at = {part.name: part.i for part in staged.parts}
    select, joins = [], []
    for column in table.columns:
        i = at.get(column.name)
        if i is None:
            cell = f"CAST(NULL AS {SQL_TYPES[column.kind]})"
        elif column.kind == "id" and domains[column.name].kept:
            cell = f"CAST(s.v{i} AS BIGINT)"
        elif column.kind == "id":
            domain = domains[column.name]
            joins.append(f"LEFT JOIN {engine.place(domain.table)} i{i} ON i{i}.key = {domain.key_of(f's.v{i}')}")
            cell = f"i{i}.id"
        else:
            cell = f"s.v{i}"
        select.append(f"{cell} AS {quoted(column.name)}")
    taken = {"_row", *(column.name for column in table.columns)}  # an extra column of such a name is a fault
    for part, count in staged.pairs():
        if part.column is None and part.name.lower() not in taken:
            cell = f"CAST(s.v{part.i} AS DOUBLE)" if _becomes_number(part, count) else f"s.v{part.i}"
            select.append(f"{cell} AS {quoted(part.name)}")
    select.append(f"s.{staged.row} AS _row")
    return f"SELECT {', '.join(select)} FROM {engine.place(f'staged_{table.name}')} s {' '.join(joins)}"
