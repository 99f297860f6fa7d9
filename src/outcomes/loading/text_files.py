"""CSV files, read as text by DuckDB: no type is guessed, and a line that does not fit is counted, never shown."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from outcomes.loading.duckdb_engine import literal, open_duckdb
from outcomes.loading.engine import Refused, attempt

__all__ = ["ends_in_a_line", "lines_that_do_not_fit", "read_header", "scan_of", "without_globs"]

_EXPECTED = "Expected UTF-8 text with commas between cells and one line of column names."
_FAULTS = {
    "MISSING COLUMNS": "with too few cells",
    "TOO MANY COLUMNS": "with too many cells",
    "UNQUOTED VALUE": "with quotation marks in the wrong place",
    "INVALID ENCODING": "not in UTF-8",
    "LINE SIZE OVER MAXIMUM": "of too many characters",
}


def read_header(file: Path) -> list[str] | str:
    """Return the column names of a file, or what is wrong with it in words."""
    header = attempt(lambda: _header(file))
    if isinstance(header, Refused):
        return f"{header.kind}. {_EXPECTED}"
    if not any(header):
        return f"it is empty. {_EXPECTED}"
    if any(mark in name for name in header for mark in "\x00\ufffd"):
        return f"its column names are not UTF-8 text. {_EXPECTED}"
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        return f"the cells are not separated by commas. {_EXPECTED}"
    return header


def _header(file: Path) -> list[str]:
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        return [name.strip() for name in next(csv.reader(stream), [])]


def ends_in_a_line(file: Path) -> bool:
    """Return whether the last line of a file is ended, as it is not where a transfer was cut off within the last cell."""
    with file.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) in b"\r\n"


def scan_of(file: Path, width: int, more: str = "") -> str:
    """Return the SQL that scans a file into text columns c0, c1, …; nothing is left to DuckDB's sniffing."""
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(width))
    options = (
        "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', strict_mode = true"
    )
    return f"read_csv({literal(without_globs(file))}, {options}, columns = {{{columns}}}{more})"


def without_globs(file: Path) -> str:
    """Return the path with the characters DuckDB would take for a pattern made literal.

    Examples
    --------
    >>> without_globs(Path("extract [2]") / "people.csv")
    'extract [[]2]/people.csv'
    """
    return "".join(f"[{c}]" if c in "*?[" else c for c in file.as_posix())


def lines_that_do_not_fit(file: Path, width: int) -> str:
    """Return how many lines do not fit and in what way; the lines themselves go with the engine that looked."""
    engine = open_duckdb()
    scan = scan_of(file, width, ", store_rejects = true")
    looked = attempt(lambda: engine.execute(f"CREATE TABLE looked AS SELECT * FROM {scan}"))
    counts = attempt(
        lambda: engine.execute(
            "SELECT CAST(error_type AS VARCHAR), count(DISTINCT line) FROM reject_errors GROUP BY 1 ORDER BY 1"
        ).fetchall()
    )
    engine.close()
    if isinstance(looked, Refused) or isinstance(counts, Refused) or not counts:
        return f"its lines end in different ways, or a quotation mark is never closed. {_EXPECTED}"
    parts = [f"{n:,} line{'s' if n > 1 else ''} {_FAULTS.get(kind, 'that do not fit')}" for kind, n in counts]
    return f"{', '.join(parts)}. {_EXPECTED}"
