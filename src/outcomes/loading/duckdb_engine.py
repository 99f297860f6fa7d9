"""The embedded DuckDB: opened with a private place to spill to, gone with the last that uses it."""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outcomes.errors import DataError
from outcomes.loading.dialect import Dialect, Family
from outcomes.loading.engine import PLAIN, Keys, Refused, attempt
from outcomes.results import IntArray

if TYPE_CHECKING:
    import duckdb
    import narwhals as nw
    import pyarrow as pa

__all__ = ["DUCKDB", "DuckDBEngine", "literal", "open_duckdb", "quoted"]

_ROWS = 250_000  # of a part
_numbers = count(1)
_SHARE_OF_MEMORY = 0.75  # of DuckDB's own default, which is 80 %: frames of the same process need room as well
_INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"})
_WIDE = ("UBIGINT", "HUGEINT", "UHUGEINT", "DECIMAL")  # numbers that may be too large for BIGINT, or not whole
_DATES = frozenset({"DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"})
_NO_VALUES = ("STRUCT", "MAP", "UNION", "BLOB", "VARIANT")


def quoted(name: str) -> str:
    """Return `name` as an SQL identifier.

    Examples
    --------
    >>> quoted("from")
    '"from"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return `text` as an SQL string.

    Examples
    --------
    >>> literal("driver's")
    "'driver''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def _family(kind: str) -> Family:
    if kind in _INTEGERS:
        return "integer"
    if kind.startswith(_WIDE):
        return "decimal"
    if kind in ("FLOAT", "DOUBLE"):
        return "float"
    if kind in _DATES:
        return "date"
    if kind == "TIMESTAMP WITH TIME ZONE":
        return "instant"
    if kind == "BOOLEAN":
        return "bool"
    return "other" if kind.endswith("]") or kind.startswith(_NO_VALUES) else "text"


def _among(text: str, words: Sequence[str]) -> str:
    """Not IN: DuckDB makes a join of that, which loses the order of the rows."""
    return f"list_contains([{', '.join(map(literal, words))}], {text})"


DUCKDB = Dialect(
    quoted=quoted,
    literal=literal,
    matches=lambda text, pattern: f"regexp_full_match({text}, {literal(pattern)})",
    among=_among,
    number=lambda text: f"try_cast({text} AS DOUBLE)",
    days=lambda date: f"date_diff('day', DATE '1970-01-01', {date})",
    real_date=lambda date: f"isfinite({date})",
    hashed=lambda cells: f"hash({', '.join(cells)})",
    family=_family,
    given_row="",
    kept_row="rowid",  # the order of the extract, also where a file is read in parallel
)


_State = tuple[int, ...] | None


def _state(file: Path) -> _State:
    """Return what tells whether a file has been written again, or None where it is gone."""
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def _tally(keys: IntArray) -> tuple[int, int, int, int]:
    if not len(keys):
        return 0, 0, 0, 0
    return len(keys), 1 + int((keys[1:] != keys[:-1]).sum()), int(keys[0]), int(keys[-1])


def _absent(keys: IntArray, references: IntArray) -> int:
    """Return how many references are no key; both are sorted, so that each search begins where the last one ended."""
    if not len(keys):
        return len(references)
    near = keys.searchsorted(references).clip(max=len(keys) - 1)
    return int((keys[near] != references).sum())


def _slim(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    return column.dictionary_encode() if pa.types.is_string(column.type) else column


class DuckDBEngine:
    """Tables on one DuckDB connection; a branch has names of its own on the same connection."""

    name = "the embedded DuckDB"
    dialect = DUCKDB
    keeps_order = True

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, prefix: str = "", files: dict[Path, _State] | None = None
    ) -> None:
        self.connection = connection
        self._prefix = prefix
        self.files = {} if files is None else files
        self._views: set[str] = set()
        self._kept: list[str] = []

    def place(self, name: str) -> str:
        """Return what a table of this name is called in SQL."""
        return quoted(self._prefix + name)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return the few rows of a query."""
        return self.connection.execute(query).fetchall()

    def ask_each(self, queries: Sequence[str]) -> list[tuple[int, ...]]:
        """Return the one row of whole numbers of each query."""
        return [tuple(map(int, self.ask(query)[0])) for query in queries]

    def fetch(self, query: str) -> pa.Table:
        """Return all rows of a query in its order."""
        return self.connection.execute(query).to_arrow_table()

    def make(self, name: str, query: str) -> None:
        """Keep the rows of a query in a table."""
        self.connection.execute(f"CREATE TABLE {self.place(name)} AS {query}")

    def view(self, name: str, query: str) -> None:
        """Give a query a name."""
        self.connection.execute(f"CREATE VIEW {self.place(name)} AS {query}")
        self._views.add(name)

    def watch(self, file: Path) -> None:
        """Remember a file as it is now: tables are views of it, and say nothing once it has changed."""
        self.files[file] = _state(file)

    def changed(self) -> list[str]:
        """Return the names of the files that are no longer what they were when tables became views of them."""
        return [file.name for file, state in self.files.items() if _state(file) != state]

    def take(self, name: str, table: pa.Table) -> None:
        """Give an Arrow table a name, without copying it."""
        self.connection.register(self._prefix + name, table)
        self._views.add(name)

    def drop(self, name: str) -> None:
        """Forget a table or view."""
        self.connection.execute(f"DROP {'VIEW' if name in self._views else 'TABLE'} {self.place(name)}")
        self._views.discard(name)

    def columns(self, name: str) -> list[tuple[str, str]]:
        """Return the names and types of a table's columns."""
        return [(str(row[0]), str(row[1])) for row in self.ask(f"DESCRIBE {self.place(name)}")]

    # Numbers sorted as an array are counted and compared in a fifth of the time the engine takes with its tables of hashes.

    def tally(self, queries: Sequence[str]) -> list[tuple[int, int, int, int]]:
        """Return of the whole numbers of each query how many there are, how many different, the least and the greatest."""
        return [_tally(self._sorted(query)) for query in queries]

    def absent(self, keys: str, references: Sequence[str]) -> list[int]:
        """Return how many of the whole numbers of each query of references are none of those of the query of keys."""
        there = self._sorted(keys)
        return [_absent(there, self._sorted(query)) for query in references]

    def _sorted(self, query: str) -> IntArray:
        """Return the whole numbers of the one column of a query, sorted."""
        import numpy as np

        (column,) = self.connection.execute(query).fetchnumpy().values()
        return np.sort(np.ma.getdata(column))

    def number(self, keys: Sequence[Keys]) -> None:
        """Make the table (key, id) of each: 1, 2, … in the order of the numbers, then of the other text."""
        for wanted in keys:
            number = f"CASE WHEN {DUCKDB.matches('key', PLAIN)} THEN try_cast(key AS BIGINT) END NULLS LAST"
            order = f"{number}, key" if wanted.numbers == "some" else "key"
            self.make(wanted.name, f"SELECT key, row_number() OVER (ORDER BY {order}) AS id FROM ({wanted.query})")

    def lazy(self, name: str) -> nw.LazyFrame[Any]:
        """Return a table as a narwhals frame that runs on the connection."""
        return self._lazy(self.place(name))

    def keep(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Return the frame with its rows kept in a table."""
        name = f"kept_{next(_numbers)}"
        frame.to_native().create(name)
        self._kept.append(name)
        return self._lazy(quoted(name))

    def put(self, table: pa.Table) -> nw.LazyFrame[Any]:
        """Return a frame with the rows of an Arrow table, kept in a table."""
        name = f"kept_{next(_numbers)}"
        self.connection.register("given_rows", table)
        self.connection.execute(f"CREATE TABLE {quoted(name)} AS SELECT * FROM given_rows")
        self.connection.unregister("given_rows")
        self._kept.append(name)
        return self._lazy(quoted(name))

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Forget at the end what is kept inside."""
        before = len(self._kept)
        try:
            yield
        finally:
            while len(self._kept) > before:
                self.connection.execute(f"DROP TABLE {quoted(self._kept.pop())}")

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        """Return the rows of a frame, a part at a time: text as dictionaries, which are small where the text itself is not."""
        import pyarrow as pa

        reader = frame.to_native().to_arrow_reader(_ROWS)
        parts = [
            pa.record_batch([_slim(column) for column in part.columns], names=part.schema.names) for part in reader
        ]
        fields = [
            pa.field(f.name, pa.dictionary(pa.int32(), f.type) if pa.types.is_string(f.type) else f.type)
            for f in reader.schema
        ]
        return pa.Table.from_batches(parts, schema=pa.schema(fields))

    def branch(self) -> DuckDBEngine:
        """Return an engine on the same connection with no names yet."""
        return DuckDBEngine(self.connection, f"branch_{next(_numbers)}_", self.files)

    def must_live(self) -> None:
        """Do nothing: an embedded engine lives as long as its tables."""

    def why(self, refused: Refused) -> str:
        """Return in words why the engine may have refused, and what to do."""
        return (
            f"the embedded engine stopped ({refused.kind}) on something the checks of the structure do not know; "
            "is there enough memory and free disk?"
        )

    def release(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _lazy(self, place: str) -> nw.LazyFrame[Any]:
        import narwhals as nw

        return nw.from_native(self.connection.sql(f"SELECT * FROM {place}"))


def open_duckdb(memory_limit: str | None = None) -> duckdb.DuckDBPyConnection:
    """Return a connection to a new DuckDB in memory, which takes no more of it than the limit (such as ``"3GB"``) and then spills.

    It spills to a folder of its own inside this process's private one; DuckDB removes the folder when the last relation of
    the database is gone. Nothing is installed from a network, no local variable is taken for a table, no bar is printed.
    """
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "temp_directory": str(_private_folder() / str(next(_numbers))),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
        },
    )
    # in a notebook kernel without ipywidgets the bar is off, and DuckDB refuses even to be told so
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchall()[0][0]:
        connection.execute("SET enable_progress_bar = false")
    connection.execute("SET TimeZone = 'UTC'")  # never the machine's
    if memory_limit is None:
        limit, unit = connection.execute("SELECT current_setting('memory_limit')").fetchall()[0][0].split()
        memory_limit = f"{float(limit) * _SHARE_OF_MEMORY:.2f} {unit}"
    if isinstance(attempt(lambda: connection.execute(f"SET memory_limit = {literal(memory_limit)}")), Refused):
        connection.close()
        raise DataError(
            f"load_tables: memory_limit {memory_limit!r} is none; expected a size such as '3GB' or '500MB'."
        )
    return connection


@cache
def _private_folder() -> Path:
    """Return a folder only this user can enter, removed when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="outcomes-", ignore_cleanup_errors=True)
    owner = os.getpid()

    def leave() -> None:
        if os.getpid() == owner:  # a forked child must not take it from its parent
            folder.cleanup()

    atexit.register(leave)
    return Path(folder.name)
