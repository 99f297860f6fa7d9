"""From whatever holds an extract to the engine it belongs on and its raw tables there, as they came."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from outcomes.errors import DataError
from outcomes.loading.duckdb_engine import DuckDBEngine, open_duckdb
from outcomes.loading.duckdb_sources import read_into_duckdb, release_sources
from outcomes.loading.faults import Fault, nearest
from outcomes.loading.raw_tables import Sources, rename
from outcomes.loading.schema import SCHEMA
from outcomes.loading.spark_engine import SparkEngine
from outcomes.loading.spark_sources import is_spark, read_spark_frames, session_of

__all__ = ["close_sources", "open_engine", "read_sources"]


def open_engine(source: Any, memory_limit: str | None = None) -> DuckDBEngine | SparkEngine:
    """Return the engine a source belongs on: Spark for Spark frames, the embedded DuckDB for all else.

    Raises
    ------
    DataError
        Some of the frames are Spark frames and some are not, or they are of several sessions; the limit is none.
    """
    frames = [f for name, f in source.items() if str(name) in SCHEMA] if isinstance(source, Mapping) else []
    on_spark = sum(map(is_spark, frames))
    if not on_spark:
        return DuckDBEngine(open_duckdb(memory_limit))
    if on_spark < len(frames):
        raise DataError(
            f"load_tables: {on_spark} of {len(frames)} tables are Spark frames and the others are not. Hand in all of them as "
            "Spark frames, or none."
        )
    if memory_limit is not None:
        raise DataError(
            "load_tables: memory_limit is for the embedded engine; Spark has the memory its session was given."
        )
    return SparkEngine(session_of(frames))


def read_sources(engine: DuckDBEngine | SparkEngine, source: Any, columns: Mapping[str, Mapping[str, str]]) -> Sources:
    """Put every table of `source` on the engine; return what came and what is at fault.

    Raises
    ------
    DataError
        The source is no folder, DuckDB file or mapping of frames, or holds none of the tables.
    """
    found = Sources()
    where = (
        read_into_duckdb(engine, source, found)
        if isinstance(engine, DuckDBEngine)
        else read_spark_frames(engine, source, found)
    )
    unreadable = {fault.table for fault in found.faults}
    if not found.tables and not unreadable:
        raise DataError(f"load_tables: {where} holds none of the tables: {', '.join(SCHEMA)}.")
    for name, table in SCHEMA.items():
        if not table.optional and name not in found.tables and name not in unreadable:
            hint = nearest(name, [Path(other).stem for other in found.ignored])
            found.faults.append(Fault(name, "", f"the table is missing.{hint}"))
    rename(found, columns)
    return found


def close_sources(engine: DuckDBEngine | SparkEngine) -> None:
    """Let go of what was read: what follows needs no file."""
    if isinstance(engine, DuckDBEngine):
        release_sources(engine)
