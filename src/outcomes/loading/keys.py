"""Ids as integers, the same in every table that speaks of the same thing; keys that repeat and references to nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from outcomes.loading.engine import quoted
from outcomes.loading.faults import Fault
from outcomes.loading.schema import SCHEMA

if TYPE_CHECKING:
    import duckdb

__all__ = ["key_faults", "number_ids"]


def number_ids(
    connection: duckdb.DuckDBPyConnection, queries: Mapping[str, Sequence[str]], plain: Mapping[str, bool]
) -> None:
    """Make ``ids_<domain>`` (key, id) for each id domain: 1, 2, … in the order of the numbers, else of the text.

    Parameters
    ----------
    queries : mapping of domain to queries
        Each gives the keys of one table as text.
    plain : mapping of domain to bool
        Every key of the domain is a plainly written whole number: keys become BIGINT, which join faster.
    """
    for domain, parts in queries.items():
        key = "CAST(key AS BIGINT)" if plain[domain] else "key"
        union = " UNION ALL ".join(
            f"SELECT DISTINCT {key} AS key FROM ({part}) WHERE key IS NOT NULL" for part in parts
        )
        order = "key" if plain[domain] else "try_cast(key AS HUGEINT) NULLS LAST, key"
        connection.execute(
            f"CREATE TABLE ids_{domain} AS SELECT key, row_number() OVER (ORDER BY {order}) AS id "
            f"FROM (SELECT DISTINCT key FROM ({union}))"
        )


def key_faults(connection: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> list[Fault]:
    """Return keys that repeat, and references to rows that are not there, in the typed tables that came."""
    faults = []
    for name in tables:
        table = SCHEMA[name]
        for key in table.key:
            rows, repeated = connection.execute(
                f"SELECT count(*), count({quoted(key)}) - count(DISTINCT {quoted(key)}) FROM {name}"
            ).fetchall()[0]
            if repeated:
                faults.append(Fault(name, key, "the key is in the table already.", repeated, rows))
        for column in table.columns:
            if column.refers is None or column.refers.table not in tables:
                continue
            there, place = quoted(column.refers.column), f"{column.refers.table}.{column.refers.column}"
            here = quoted(column.name)
            rows, dangling = connection.execute(
                f"SELECT (SELECT count(*) FROM {name}), count(*) FROM {name} a ANTI JOIN {column.refers.table} b "
                f"ON a.{here} = b.{there} WHERE a.{here} IS NOT NULL"
            ).fetchall()[0]
            if dangling:
                faults.append(Fault(name, column.name, f"refers to nothing in {place}.", dangling, rows))
    return faults
