"""Ids as integers, the same in every table that speaks of the same thing; keys that repeat and references to nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    places = [(d, table, i) for d in domains.values() for table, i in d.places if table == d.owner]
    found = _asked(
        connection,
        [f"SELECT count(*), count(v{i}) - (SELECT count(*) FROM {d.table}) FROM staged_{t}" for d, t, i in places],
    )
    return [
        Fault(table, domain.name, "the key is in the table already.", n, rows)
        for (domain, table, _), (rows, n) in zip(places, found, strict=True)
        if n
    ]


def dangling_faults(connection: duckdb.DuckDBPyConnection, domains: Mapping[str, Domain]) -> list[Fault]:
    """Return the references to rows that are not there, where the table referred to came."""
    places = [
        (domain, table, i, refers)
        for domain in domains.values()
        for table, i in domain.places
        if domain.owner is not None and (refers := SCHEMA[table].column(domain.name).refers) is not None
    ]
    found = _asked(
        connection,
        [
            f"SELECT (SELECT count(*) FROM staged_{table}), count(*) FROM staged_{table} s ANTI JOIN {domain.table} d "
            f"ON d.key = {domain.key_of(f's.v{i}')} WHERE s.v{i} IS NOT NULL"
            for domain, table, i, _ in places
        ],
    )
    return [
        Fault(table, domain.name, f"refers to nothing in {refers.table}.{refers.column}.", n, rows)
        for (domain, table, _, refers), (rows, n) in zip(places, found, strict=True)
        if n
    ]


def _asked(connection: duckdb.DuckDBPyConnection, queries: Sequence[str]) -> list[tuple[int, int]]:
    """Return rows and offending rows of each query, all of them asked at once."""
    if not queries:
        return []
    union = " UNION ALL ".join(f"SELECT {k}, * FROM ({query})" for k, query in enumerate(queries))
    return [(int(rows), int(n)) for _, rows, n in sorted(connection.execute(union).fetchall())]
