"""Leaving out the rows that break a rule, and what referred to them; every row left out is counted under its rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from outcomes.loading.checking import offending
from outcomes.loading.duckdb_engine import quoted
from outcomes.loading.rules import Rule
from outcomes.loading.schema import SCHEMA, Column

if TYPE_CHECKING:
    import duckdb

__all__ = ["Dropped", "without_rows"]

Dropped = tuple[str, str, int, str]
"""rule, table, n, why"""

BROKEN, DANGLING, EMPTIED = "breaks the rule", "refers to a dropped row", "reference emptied"


def without_rows(
    connection: duckdb.DuckDBPyConnection, schema: str, rules: Sequence[Rule]
) -> tuple[duckdb.DuckDBPyConnection, str, tuple[Dropped, ...]]:
    """Return a connection to the same database that sees the tables without the rows that break `rules`.

    Tables that lose no row are views of the old ones. A row that breaks several rules is counted under the first of them.
    Rows whose required reference goes are dropped too; an optional reference is emptied. Both are counted under all rules
    together, by name joined with ``+``, because a row may hang on rows of several rules.
    """
    made = connection.execute("SELECT count(*) FROM duckdb_schemas() WHERE schema_name LIKE 'clean_%'").fetchall()[0][0]
    new = f"clean_{made + 1}"
    connection.execute(f"CREATE SCHEMA {new}")
    seen = connection.cursor()
    seen.execute(f"USE {schema}")
    dropped: list[Dropped] = []
    for table in SCHEMA:
        mine = [rule for rule in rules if rule.table == table]
        query, counts = _kept(seen, schema, table, mine)
        seen.execute(f"CREATE {'TABLE' if counts else 'VIEW'} {new}.{table} AS {query}")
        dropped += counts
    names = "+".join(dict.fromkeys(entry[0] for entry in dropped))
    while more := [entry for table in SCHEMA for entry in _prune(seen, new, table, names)]:
        dropped += more
    seen.execute(f"USE {new}")
    return seen, new, tuple(dropped)


def _kept(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, rules: Sequence[Rule]
) -> tuple[str, list[Dropped]]:
    """Return the query of the rows that stay, and what goes under each rule."""
    connection.execute("CREATE OR REPLACE TEMP TABLE going (_row BIGINT)")
    dropped: list[Dropped] = []
    for rule in rules:
        new = f"SELECT DISTINCT _row FROM ({offending(rule)}) WHERE _row NOT IN (SELECT _row FROM going)"
        n = connection.execute(f"SELECT count(*) FROM ({new})").fetchall()[0][0]
        if n:
            connection.execute(f"INSERT INTO going {new}")
            dropped.append((rule.name, table, int(n), BROKEN))
    where = " WHERE _row NOT IN (SELECT _row FROM going)" if dropped else ""
    return f"SELECT * FROM {schema}.{table}{where}", dropped


def _prune(connection: duckdb.DuckDBPyConnection, schema: str, table: str, names: str) -> list[Dropped]:
    """Drop rows whose required reference is gone and empty optional references that are; return how many."""
    done: list[Dropped] = []
    for column in sorted(
        SCHEMA[table].columns, key=lambda column: column.nullable
    ):  # a row that goes needs no emptying
        if column.refers is None:
            continue
        gone = _gone(schema, column)
        place = f"{schema}.{table}"
        n = int(connection.execute(f"SELECT count(*) FROM {place} WHERE {gone}").fetchall()[0][0])
        if not n:
            continue
        connection.execute(f"CREATE OR REPLACE TEMP TABLE kept AS SELECT * FROM {place}")
        if column.nullable:
            connection.execute(f"UPDATE kept SET {quoted(column.name)} = NULL WHERE {gone}")
        else:
            connection.execute(f"DELETE FROM kept WHERE {gone}")
        kind = connection.execute(
            "SELECT table_type FROM information_schema.tables WHERE table_schema = ? AND table_name = ?",
            [schema, table],
        ).fetchall()[0][0]
        connection.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} {place}")
        connection.execute(f"CREATE TABLE {place} AS SELECT * FROM kept")
        connection.execute("DROP TABLE kept")
        done.append((names, table, n, EMPTIED if column.nullable else DANGLING))
    return done


def _gone(schema: str, column: Column) -> str:
    assert column.refers is not None
    cell = quoted(column.name)
    return f"{cell} IS NOT NULL AND {cell} NOT IN (SELECT {quoted(column.refers.column)} FROM {schema}.{column.refers.table})"
