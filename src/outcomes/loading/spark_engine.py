"""Tables in a Spark session of the user's: rows computed once, under private names, freed with the tables.

Only what classic Spark and Spark Connect share is used, and no setting of the session is changed.
"""

from __future__ import annotations

import re
import uuid
import weakref
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

from outcomes.errors import DataError
from outcomes.loading.dialect import Dialect, Family
from outcomes.loading.engine import PLAIN, Keys, Refused, attempt

if TYPE_CHECKING:
    import narwhals as nw
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["SPARK", "SparkEngine"]

_ENDED = "the Spark session that holds the tables has ended; start one and load the tables again."
_INTEGERS = ("tinyint", "smallint", "int", "bigint")
_NO_VALUES = ("array", "map", "struct", "binary", "variant", "geometry", "geography")
_SAFE = re.compile(r"[A-Za-z0-9_ .,:;<>=+/-]*")
_LOGGERS = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")
_ROW_BITS = 33  # monotonically_increasing_id: the number of the partition above, that of the row within it below
_LAST = 2**63 - 1
_SORTED = "sorted_keys"


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _literal(text: str) -> str:
    """Return text as an SQL string; in bytes where settings of the session decide how a mark in it is read."""
    return f"'{text}'" if _SAFE.fullmatch(text) else f"CAST(X'{text.encode().hex()}' AS STRING)"


def _matches(text: str, pattern: str) -> str:
    whole = _literal(f"^(?:{pattern})\\z")
    return f"{text} RLIKE {whole}"


def _number(text: str) -> str:
    """Java reads 1d and 0x1p3 as numbers as well, and not 1_000 as DuckDB does."""
    digits = r"\d+(_\d+)*"
    written = _matches(text, rf"[+-]?({digits}\.?({digits})?|\.{digits})([eE][+-]?\d+)?")
    return f"CASE WHEN {written} THEN try_cast(replace({text}, '_', '') AS DOUBLE) END"


def _family(kind: str) -> Family:
    if kind in _INTEGERS:
        return "integer"
    if kind.startswith("decimal"):
        return "decimal"
    if kind in ("float", "double"):
        return "float"
    if kind in ("date", "timestamp", "timestamp_ntz"):  # an instant shows the wall clock of the session
        return "date"
    if kind == "boolean":
        return "bool"
    return "other" if kind.startswith(_NO_VALUES) else "text"


SPARK = Dialect(
    quoted=_quoted,
    literal=_literal,
    matches=_matches,
    among=lambda text, words: f"{text} IN ({', '.join(map(_literal, words))})",
    number=_number,
    days=lambda date: f"CAST(unix_date({date}) AS BIGINT)",
    real_date=lambda date: f"{date} IS NOT NULL",
    hashed=lambda cells: f"xxhash64({', '.join(cells)})",
    family=_family,
    given_row="monotonically_increasing_id() AS r",
    kept_row="r",
)


class SparkEngine:
    """Tables in one Spark session; a branch has names of its own and lives on the tables it was made from."""

    name = "Spark"
    dialect = SPARK
    keeps_order = False

    def __init__(self, session: SparkSession, parent: SparkEngine | None = None) -> None:
        self._session = session
        self._parent = parent  # whose names live as long as this
        self._prefix = f"outcomes_{uuid.uuid4().hex[:12]}_"
        self._frames: dict[str, DataFrame] = {}
        self._numbered: set[str] = set()  # the tables (key, id) that read the sorted keys
        self._end = weakref.finalize(self, _free, session, self._prefix, self._frames)
        self._end.atexit = False  # the session frees all that is its own

    def place(self, name: str) -> str:
        """Return what a table of this name is called in SQL."""
        return _quoted(self._prefix + name)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return the few rows of a query."""
        with _quiet():
            return [tuple(row) for row in self._session.sql(query).collect()]

    def ask_each(self, queries: Sequence[str]) -> list[tuple[int, ...]]:
        """Return the one row of whole numbers of each query, all of them from one job."""
        if not queries:
            return []
        with _quiet():
            asked = reduce(_union, (self._counts(k, query) for k, query in enumerate(queries)))
            found = {int(row[0]): tuple(map(int, row[1])) for row in asked.collect()}
        return [found[k] for k in range(len(queries))]

    def fetch(self, query: str) -> pa.Table:
        """Return all rows of a query in its order."""
        with _quiet():
            return self._session.sql(query).toArrow()

    def take(self, name: str, frame: DataFrame) -> None:
        """Give a frame a name."""
        with _quiet():
            frame.createOrReplaceTempView(self._prefix + name)
        self._frames[name] = frame

    def make(self, name: str, query: str) -> None:
        """Keep the rows of a query under a name; they are computed when they are first asked for."""
        with _quiet():
            self.take(name, _kept(self._session.sql(query)))

    def view(self, name: str, query: str) -> None:
        """Give a query a name."""
        with _quiet():
            self.take(name, self._session.sql(query))

    def drop(self, name: str) -> None:
        """Forget what a name stands for; Spark frees rows that nothing speaks of any more."""
        with _quiet():
            self._session.catalog.dropTempView(self._prefix + name)
        del self._frames[name]
        self._numbered.discard(name)
        if not self._numbered and _SORTED in self._frames:
            self.drop(_SORTED)

    def columns(self, name: str) -> list[tuple[str, str]]:
        """Return the names and types of a table's columns."""
        with _quiet():
            return self._frames[name].dtypes

    def tally(self, queries: Sequence[str]) -> list[tuple[int, int, int, int]]:
        """Return of the whole numbers of each query how many there are, how many different, the least and the greatest."""
        asked = "SELECT count(key), count(DISTINCT key), coalesce(min(key), 0), coalesce(max(key), 0) FROM"
        found = self.ask_each([f"{asked} ({query})" for query in queries])
        return [(n, distinct, low, high) for n, distinct, low, high in found]

    def absent(self, keys: str, references: Sequence[str]) -> list[int]:
        """Return how many of the whole numbers of each query of references are none of those of the query of keys."""
        lost = "SELECT count(*) FROM ({}) c ANTI JOIN ({}) k ON k.key = c.key"
        return [n for (n,) in self.ask_each([lost.format(query, keys) for query in references])]

    def changed(self) -> list[str]:
        """Return no name: a frame is what it is."""
        return []

    def number(self, keys: Sequence[Keys]) -> None:
        """Make the table (key, id) of each: 1, 2, … in the order of the numbers, then of the other text.

        All keys are sorted at once over all partitions; a key's id is its place in its partition, moved by the keys of its
        kind in the partitions before. No partition ever holds them all.
        """
        if not keys:
            return
        union = " UNION ALL ".join(
            f"SELECT {kind} AS kind, CAST(key AS STRING) AS key, {_rank(wanted)} AS rank FROM ({wanted.query})"
            for kind, wanted in enumerate(keys)
        )
        order = ("kind", "rank", "key")
        with _quiet():
            ordered = self._session.sql(union).repartitionByRange(*order).sortWithinPartitions(*order)
            self.take(_SORTED, _kept(ordered.selectExpr(*order, "monotonically_increasing_id() AS place")))
        parts = self.ask(
            f"SELECT kind, shiftright(place, {_ROW_BITS}) AS part, min(place), count(*) FROM {self.place(_SORTED)} "
            "GROUP BY kind, part ORDER BY kind, part"
        )
        self._numbered = {wanted.name for wanted in keys}
        for kind, wanted in enumerate(keys):
            self.view(wanted.name, self._ids_of(kind, wanted, [part[1:] for part in parts if part[0] == kind]))

    def _ids_of(self, kind: int, wanted: Keys, parts: Sequence[Sequence[int]]) -> str:
        """Return the query of (key, id) of one kind: `parts` holds number, first place and count of its partitions."""
        key = "CAST(key AS BIGINT)" if wanted.numbers == "all" else "key"
        rows = f"FROM {self.place(_SORTED)} WHERE kind = {kind}"
        shifts, before = [], 0
        for part, first, n in parts:
            shifts.append((part, before - first + 1))
            before += n
        if len(shifts) < 2:
            return f"SELECT {key} AS key, place + {shifts[0][1] if shifts else 0} AS id {rows}"
        moved = ", ".join(map(str, shifts))
        return (
            f"SELECT {key} AS key, place + shift AS id FROM (SELECT key, place, shiftright(place, {_ROW_BITS}) AS part {rows}) "
            f"JOIN (SELECT * FROM VALUES {moved} AS o(part, shift)) USING (part)"
        )

    def lazy(self, name: str) -> nw.LazyFrame[Any]:
        """Return a table as a narwhals frame that runs in the session."""
        import narwhals as nw

        self.must_live()
        return nw.from_native(self._frames[name])

    def keep(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Return the frame with its rows kept once they are computed."""
        import narwhals as nw

        with _quiet():
            return nw.from_native(_kept(frame.to_native()))

    def put(self, table: pa.Table) -> nw.LazyFrame[Any]:
        """Return a frame with the rows of an Arrow table."""
        import narwhals as nw

        with _quiet():
            return nw.from_native(_kept(self._session.createDataFrame(table)))

    def keeping(self) -> AbstractContextManager[None]:
        """Do nothing: Spark frees rows that no frame speaks of any more."""
        return nullcontext()

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        """Return the rows of a frame."""
        with _quiet():
            return frame.to_native().toArrow()

    def branch(self) -> SparkEngine:
        """Return an engine with no names in the same session."""
        return SparkEngine(self._session, self)

    def must_live(self) -> None:
        """Raise DataError where the session has ended."""
        if isinstance(attempt(partial(self.ask, "SELECT 1")), Refused):
            raise DataError(f"Spark: {_ENDED}")

    def why(self, refused: Refused) -> str:
        """Return in words why the engine may have refused, and what to do."""
        if isinstance(attempt(partial(self.ask, "SELECT 1")), Refused):
            return _ENDED
        return f"Spark stopped ({refused.kind}); its own log, which may show rows, says more. Has it enough memory and disk?"

    def release(self) -> None:
        """Take back the names; with them goes what was kept."""
        self._end()

    def _counts(self, k: int, query: str) -> DataFrame:
        found = self._session.sql(query)
        names = [f"c{i}" for i in range(len(found.columns))]
        cells = ", ".join(f"CAST({name} AS BIGINT)" for name in names)
        return found.toDF(*names).selectExpr(f"{k} AS k", f"array({cells}) AS cells")


def _kept(frame: DataFrame) -> DataFrame:
    """Return a frame whose rows are computed once, and which no longer says how.

    Not persist: the plan of a table would hold those of all tables its ids were numbered from, a plan of rules would hold
    that many times over, and Spark would never be done planning.
    """
    return frame.localCheckpoint(eager=False)


def _union(one: DataFrame, other: DataFrame) -> DataFrame:
    return one.unionAll(other)


def _rank(wanted: Keys) -> str:
    """Return SQL of what keys are sorted by before their text."""
    if wanted.numbers == "all":
        return "key"
    plain = f"CASE WHEN {_matches('key', PLAIN)} THEN try_cast(key AS BIGINT) ELSE {_LAST} END"
    return plain if wanted.numbers == "some" else f"CAST({_LAST} AS BIGINT)"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Spark's client from printing its exceptions, which show rows and queries, before we can forget them."""
    from pyspark.logger import PySparkLogger

    loggers = [PySparkLogger.getLogger(name) for name in _LOGGERS]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, was in zip(loggers, before, strict=True):
            logger.disabled = was


def _free(session: SparkSession, prefix: str, frames: dict[str, DataFrame]) -> None:
    """Take back the names an engine gave; a session that has ended has done so itself."""
    with _quiet():
        for name in frames:
            if isinstance(attempt(partial(session.catalog.dropTempView, prefix + name)), Refused):
                return
