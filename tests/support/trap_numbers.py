"""The numbers of `docs/traps.csv`: what is asked, our answer, R's and another package's; the tests and the page both read them.

A cell is words, or numbers with words around them; numbers are compared to the digits the cell prints.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

__all__ = ["TRAPS", "row_of", "shown", "table"]

DOCS = Path(__file__).resolve().parents[2] / "docs"
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.]*\w)")
_HEAD = "| trap | what is asked | `outcomes` | R | package | it gives | test |"


@lru_cache
def _rows() -> tuple[dict[str, str], ...]:
    with (DOCS / "traps.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


TRAPS = tuple(row["key"] for row in _rows())


def row_of(key: str) -> dict[str, str]:
    """Return one row of the table."""
    return next(row for row in _rows() if row["key"] == key)


def _numbers(cell: str) -> list[str]:
    return _NUMBER.findall(cell)


def _half_a_digit(number: str) -> float:
    mantissa, _, power = number.partition("e")
    return 0.5000001 * 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))


def _matches(cell: str, found: float | Sequence[float]) -> bool:
    """Return whether numbers are those of a cell, to its digits."""
    printed, values = _numbers(cell), np.atleast_1d(np.asarray(found, dtype=float))
    assert len(printed) == len(values), f"{cell!r} holds {len(printed)} numbers, not {len(values)}"
    return all(abs(v - float(p)) <= _half_a_digit(p) for v, p in zip(values, printed, strict=True))


def _is_installed(package: str) -> bool:
    """Return whether this version of a package, written ``name 1.2.3``, is the one installed."""
    name, _, wanted = package.partition(" ")
    try:
        return version(name) == wanted
    except PackageNotFoundError:
        return False


def shown(key: str, ours: float | Sequence[float], theirs: float | Sequence[float] | None = None) -> None:
    """Check a row: our numbers, that R's are the same where it has any, and the package's where that version is installed.

    Words in a cell (what is refused, what is missing) are for the test itself to check.
    """
    row = row_of(key)
    assert _matches(row["ours"], ours), f"{key}: ours is {ours}, the table says {row['ours']}"
    if not re.search("[a-z]{3,}", row["r"]):  # R answers with a number and without a warning
        assert _matches(row["r"], ours), f"{key}: R gives {row['r']}, ours is {ours}"
    if theirs is None:
        return
    if _is_installed(row["package"]):
        assert _matches(row["theirs"], theirs), (
            f"{key}: {row['package']} gives {theirs}, the table says {row['theirs']}"
        )
    assert not _matches(row["theirs"], ours), f"{key}: our number is the trap's"


def table() -> list[str]:
    """Return the lines of the page's table."""
    columns = ("trap", "asked", "ours", "r", "package", "theirs", "test")
    lines = [_HEAD, "|---" * len(columns) + "|"]
    for row in _rows():
        cells = [f"`{row[c]}`" if c == "test" else row[c].replace("; ", ", ") for c in columns]
        lines.append("| " + " | ".join(cells) + " |")
    return lines
