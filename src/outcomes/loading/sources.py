"""From a folder, a DuckDB file or frames to raw tables of text on one embedded DuckDB connection.

Engines print row values in their exceptions, so none of theirs leaves this module: the fault is noted, and our error raised
outside the handler.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outcomes.errors import DataError, did_you_mean
from outcomes.loading.schema import SCHEMA

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["RawTables", "quoted", "read_sources"]


@dataclass(frozen=True)
class RawTables:
    """Tables as they came, every cell as text.

    Attributes
    ----------
    columns : mapping of table to its columns, in order, after renaming
    hashes : mapping of file name to sha256
    ignored : tuple of str
        Names of files or frames the schema does not know.
    """

    columns: Mapping[str, tuple[str, ...]]
    hashes: Mapping[str, str]
    ignored: tuple[str, ...]


def quoted(name: str) -> str:
    """Return an SQL identifier.

    Examples
    --------
    >>> quoted("from")
    '"from"'
    """
    return '"' + name.replace('"', '""') + '"'


def read_sources(
    connection: duckdb.DuckDBPyConnection, source: Any, columns: Mapping[str, Mapping[str, str]]
) -> RawTables:
    """Put every table of `source` on the connection as ``raw_<table>`` with text columns; return what came.

    Raises
    ------
    DataError
        The source is no folder, file or mapping; a table is missing; a file cannot be read as what it says it is.
    """
    hashes: dict[str, str] = {}
    if isinstance(source, Mapping):
        parts = {str(name): frame for name, frame in source.items()}
        _known(parts, "frames")
        found = {name: _from_frame(connection, name, frame) for name, frame in parts.items() if name in SCHEMA}
        ignored = tuple(sorted(set(parts) - set(SCHEMA)))
    else:
        path = Path(source)
        if path.is_dir():
            files, ignored = _files(path)
            found = {name: _from_file(connection, name, file) for name, file in files.items()}
            hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files.values()}
        elif path.is_file():
            found, ignored = _from_database(connection, path)
            hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
        else:
            raise DataError(f"load_tables: there is no folder or file called {path.name!r}.")
    _rename(connection, found, columns)
    listed = {name: _columns(connection, name) for name in found}
    return RawTables(listed, hashes, ignored)


def _known(parts: Mapping[str, Any], what: str) -> None:
    missing = [name for name, table in SCHEMA.items() if name not in parts and not table.optional]
    if missing:
        hints = " ".join(
            did_you_mean(name, [p for p in parts if p not in SCHEMA])
            for name in missing[:1]
            if set(parts) - set(SCHEMA)
        )
        raise DataError(f"load_tables: the {what} lack {len(missing)} tables: {', '.join(missing)}. {hints}".rstrip())


def _files(folder: Path) -> tuple[dict[str, Path], tuple[str, ...]]:
    found: dict[str, Path] = {}
    ignored = []
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() not in (".csv", ".parquet") or file.stem not in SCHEMA:
            if file.suffix.lower() in (".csv", ".parquet"):
                ignored.append(file.name)
            continue
        if file.stem in found:
            raise DataError(
                f"load_tables: table {file.stem} is there twice, as {found[file.stem].name} and {file.name}."
            )
        found[file.stem] = file
    if not found:
        raise DataError(
            f"load_tables: folder {folder.name!r} holds none of the tables (CSV or Parquet): {', '.join(SCHEMA)}."
        )
    _known({**found, **{Path(n).stem: None for n in ignored}}, f"files in {folder.name!r}")
    return found, tuple(ignored)


def _run(connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None = None) -> bool:
    """Run a statement; return whether the engine took it. Its own message never leaves."""
    import duckdb

    try:
        connection.execute(sql, parameters or [])
    except (duckdb.Error, UnicodeError):
        return False
    return True


def _from_file(connection: duckdb.DuckDBPyConnection, name: str, file: Path) -> bool:
    target = quoted(f"raw_{name}")
    if file.suffix.lower() == ".csv":
        options = "all_varchar=true, header=true, strict_mode=true, delim=',', quote='\"', escape='\"', nullstr='', ignore_errors=false"
        sql = f"CREATE TABLE {target} AS SELECT * FROM read_csv(?, {options})"
    else:
        sql = f"CREATE TABLE {target} AS SELECT * FROM read_parquet(?)"
    if not _run(connection, sql, [str(file)]):
        kind = (
            "a comma-separated file in UTF-8 with one header line and as many cells in every line"
            if file.suffix == ".csv"
            else "Parquet"
        )
        raise DataError(f"load_tables: {file.name} cannot be read. Expected {kind}.")
    return True


def _from_database(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[dict[str, bool], tuple[str, ...]]:
    if not _run(connection, f"ATTACH '{str(path).replace(chr(39), chr(39) * 2)}' AS given (READ_ONLY)"):
        raise DataError(f"load_tables: {path.name} cannot be opened. Expected a folder, or a DuckDB file.")
    names = [
        row[0]
        for row in connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'given' ORDER BY table_name"
        ).fetchall()
    ]
    _known(dict.fromkeys(names), f"tables in {path.name!r}")
    for name in names:
        if name in SCHEMA:
            connection.execute(f"CREATE TABLE {quoted(f'raw_{name}')} AS SELECT * FROM given.{quoted(name)}")
    connection.execute("DETACH given")
    return {name: True for name in names if name in SCHEMA}, tuple(n for n in names if n not in SCHEMA)


def _from_frame(connection: duckdb.DuckDBPyConnection, name: str, frame: Any) -> bool:
    table = _arrow(frame)
    if table is None:
        raise DataError(
            f"load_tables: table {name} is no frame this library reads. Expected pandas, Polars, pyarrow or a DuckDB relation "
            "whose columns each hold one kind of value."
        )
    connection.register("given_frame", table)
    taken = _run(connection, f"CREATE TABLE {quoted(f'raw_{name}')} AS SELECT * FROM given_frame")
    connection.unregister("given_frame")
    if not taken:
        raise DataError(
            f"load_tables: table {name} holds a kind of column that cannot be read as text, numbers or dates."
        )
    return True


def _arrow(frame: Any) -> pa.Table | None:
    """Return the frame as an Arrow table, NaN as null; None where it is no frame."""
    import pandas as pd
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        return frame
    if isinstance(frame, pd.DataFrame):
        try:
            return pa.Table.from_pandas(frame, preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            mixed = frame.copy()
        for column in mixed.columns:
            if mixed[column].dtype == object:
                mixed[column] = [None if pd.isna(value) else str(value) for value in mixed[column]]
        return pa.Table.from_pandas(mixed, preserve_index=False)
    for method in ("to_arrow", "to_arrow_table", "fetch_arrow_table", "arrow"):
        if hasattr(frame, method):
            table = getattr(frame, method)()
            return table if isinstance(table, pa.Table) else table.read_all()
    return None


def _columns(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[str, ...]:
    return tuple(row[0] for row in connection.execute(f"DESCRIBE {quoted(f'raw_{name}')}").fetchall())


def _rename(
    connection: duckdb.DuckDBPyConnection, found: Mapping[str, bool], columns: Mapping[str, Mapping[str, str]]
) -> None:
    for table, names in columns.items():
        if table not in found:
            raise DataError(f"load_tables: [columns] speaks of table {table!r}. {did_you_mean(table, found)}")
        present = _columns(connection, table)
        for theirs, ours in names.items():
            if theirs not in present:
                raise DataError(
                    f"load_tables: [columns] {table} has no column {theirs!r}. {did_you_mean(theirs, present)}"
                )
            connection.execute(f"ALTER TABLE {quoted(f'raw_{table}')} RENAME COLUMN {quoted(theirs)} TO {quoted(ours)}")
