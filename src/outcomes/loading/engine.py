"""The embedded DuckDB: opened with a private place to spill to, asked in a way that lets none of its messages out.

Engines print row values in their exceptions. Whatever may meet a row runs inside `attempt`, which keeps the kind of a
failure and forgets its text; the caller raises our own error outside any handler, so that nothing stays as a cause.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from outcomes.errors import OutcomesError

if TYPE_CHECKING:
    import duckdb

__all__ = ["Refused", "attempt", "literal", "open_engine", "quoted"]

T = TypeVar("T")
_numbers = count(1)
_SHARE_OF_MEMORY = 0.75  # of DuckDB's own default, which is 80 %: frames of the same process need room as well


@dataclass(frozen=True)
class Refused:
    """What an engine would not do: the kind of its exception, never its message."""

    kind: str


def attempt(action: Callable[[], T]) -> T | Refused:
    """Return what `action` returns, or the kind of exception it ended with; our own errors pass.

    Examples
    --------
    >>> attempt(lambda: int("12"))
    12
    >>> attempt(lambda: int("a value of a row"))
    Refused(kind='ValueError')
    """
    try:
        return action()
    except OutcomesError:
        raise
    except Exception as error:  # whatever a third party raises may show a row
        return Refused(type(error).__name__)


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


def open_engine() -> duckdb.DuckDBPyConnection:
    """Return a connection to a new DuckDB in memory.

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
    limit, unit = connection.execute("SELECT current_setting('memory_limit')").fetchall()[0][0].split()
    connection.execute(f"SET memory_limit = '{float(limit) * _SHARE_OF_MEMORY:.2f} {unit}'")
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
