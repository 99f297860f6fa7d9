"""Ids as integers, the same in every table that speaks of the same thing; keys that repeat and references to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outcomes.loading.faults import Fault
from outcomes.loading.schema import SCHEMA
from outcomes.loading.staging import Staged

if TYPE_CHECKING:
    import duckdb

__all__ = ["Domain", "dangling_faults", "id_domains", "number_ids", "repeated_faults"]


@dataclass(frozen=True)
class Domain:
    """Everything called by one name of id, such as ``person_id``.

    Attributes
    ----------
    name : str
    places : tuple of (table, number of the column there)
    owner : str or None
        The table whose key it is, where there is one: its keys are all there are.
    plain : bool
        Every id is a plainly written whole number; keys are then BIGINT, which join faster than text.
    mixed : bool
        Some are, some are not: numbers come first, in their own order.
    """

    name: str
    places: tuple[tuple[str, int], ...]
    owner: str | None
    plain: bool
    mixed: bool

    @property
    def table(self) -> str:
        """Name of the table (key, id) on the connection."""
        return f"ids_{self.name}"

    def key_of(self, cell: str) -> str:
        """Return the SQL of the key in a staged cell."""
        return f"CAST({cell} AS {'BIGINT' if self.plain else 'VARCHAR'})"


def id_domains(tables: Mapping[str, Staged]) -> dict[str, Domain]:
    """Return the id domains of the tables that came."""
    places: dict[str, list[tuple[str, int]]] = {}
    said: dict[str, int] = {}
    whole: dict[str, int] = {}
    for staged in tables.values():
        for part, count in staged.pairs():
            if part.kind == "id":
                places.setdefault(part.name, []).append((staged.name, part.i))
                said[part.name] = said.get(part.name, 0) + count.said
                whole[part.name] = whole.get(part.name, 0) + count.whole
    owners = {table.key[0]: table.name for table in SCHEMA.values() if table.key}
    return {
        name: Domain(
            name,
            tuple(where),
            next((table for table, _ in where if owners.get(name) == table), None),
            plain=whole[name] == said[name],
            mixed=0 < whole[name] < said[name],
        )
        for name, where in places.items()
    }


def number_ids(connection: duckdb.DuckDBPyConnection, domains: Mapping[str, Domain]) -> None:
    """Make the table (key, id) of each domain: 1, 2, … in the order of the numbers, else of the text."""
    for domain in domains.values():
        parts = " UNION ALL ".join(
            f"SELECT {domain.key_of(f'v{i}')} AS key FROM staged_{table} WHERE v{i} IS NOT NULL"
            for table, i in domain.places
            if domain.owner in (None, table)
        )
        order = "try_cast(key AS HUGEINT) NULLS LAST, key" if domain.mixed else "key"
        connection.execute(
            f"CREATE TABLE {domain.table} AS SELECT key, row_number() OVER (ORDER BY {order}) AS id "
            f"FROM (SELECT DISTINCT key FROM ({parts}))"
        )


def repeated_faults(connection: duckdb.DuckDBPyConnection, domains: Mapping[str, Domain]) -> list[Fault]:
    """Return the keys that are in their table more than once."""
    faults = []
    for domain in domains.values():
        for table, i in domain.places:
            if table != domain.owner:
                continue
            rows, said, ids = connection.execute(
                f"SELECT count(*), count(v{i}), (SELECT count(*) FROM {domain.table}) FROM staged_{table}"
            ).fetchall()[0]
            if said > ids:
                faults.append(Fault(table, domain.name, "the key is in the table already.", said - ids, rows))
    return faults


def dangling_faults(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Staged], domains: Mapping[str, Domain]
) -> list[Fault]:
    """Return the references to rows that are not there, where the table referred to came."""
    faults = []
    for domain in domains.values():
        for table, i in domain.places:
            refers = SCHEMA[table].column(domain.name).refers
            if refers is None or domain.owner is None:
                continue
            n = connection.execute(
                f"SELECT count(*) FROM staged_{table} s ANTI JOIN {domain.table} d ON d.key = {domain.key_of(f's.v{i}')} "
                f"WHERE s.v{i} IS NOT NULL"
            ).fetchall()[0][0]
            if n:
                text = f"refers to nothing in {refers.table}.{refers.column}."
                faults.append(Fault(table, domain.name, text, n, tables[table].rows))
    return faults
