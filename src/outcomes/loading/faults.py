"""Structural faults: where the tables break the schema, and how often. Collected, so that one error lists them all."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from outcomes.errors import DataError

__all__ = ["Fault", "nearest", "refusal"]


@dataclass(frozen=True)
class Fault:
    """One broken rule of the structure: where and how often, never what.

    Attributes
    ----------
    table, column : str
        Where; `column` is empty where the whole table is meant.
    text : str
        What is wrong and what is expected.
    n, of : int
        Rows at fault, of how many; 0 where the fault is not one of rows.
    """

    table: str
    column: str
    text: str
    n: int = 0
    of: int = 0

    def __str__(self) -> str:
        place = f"{self.table}.{self.column}" if self.column else self.table
        counted = f"{self.n:,} of {self.of:,} rows: " if self.n else ""
        return f"{place}: {counted}{self.text}"


def nearest(name: str, present: Iterable[str]) -> str:
    """Return a hint naming the nearest of the names that are there, or nothing.

    The other names are not listed: where a file has no header its "names" are the values of its first row.

    Examples
    --------
    >>> nearest("release_date", ["date_of_release", "relase_date"])
    " Did you mean 'relase_date'?"
    >>> nearest("release_date", ["12 High Street"])
    ''
    """
    written = {str(other).lower(): str(other) for other in present}
    near = difflib.get_close_matches(name.lower(), list(written), n=1, cutoff=0.7)
    return f" Did you mean {written[near[0]]!r}?" if near else ""


def refusal(faults: Sequence[Fault]) -> DataError:
    """Return the one error that lists every fault."""
    lines = "\n".join(f"  - {fault}" for fault in faults)
    many = "s" if len(faults) > 1 else ""
    return DataError(
        f"load_tables: {len(faults)} fault{many} in the structure of the tables; nothing was loaded.\n{lines}\n"
        "What each column holds is in the data dictionary; [columns] renames columns and [codes] maps codes."
    )
