"""What changed between two reports: what went in, which files came out otherwise, and by how much their numbers moved."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.report.manifest import read_manifest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["differences"]


def differences(first: str | Path, second: str | Path) -> list[str]:
    """Return one line for each thing in which two reports differ; none where they are the same.

    Parameters
    ----------
    first, second : path
        Folders that `outcomes report` wrote.

    Raises
    ------
    DisclosureError
        One of them holds no report.
    """
    old, new = Path(first), Path(second)
    before, after = read_manifest(old), read_manifest(new)
    lines = _inputs(before, after)
    for name in sorted({*before["outputs"], *after["outputs"]}):
        a, b = before["outputs"].get(name), after["outputs"].get(name)
        if a == b:
            continue
        if a is None or b is None:
            lines.append(f"{name}: only in the {'second' if a is None else 'first'} report")
        elif name.endswith(".csv"):
            lines += [f"{name}: {text}" for text in _numbers(old / name, new / name)]
        elif name == "index.html" or _same_numbers(name, before["outputs"], after["outputs"]):
            lines.append(f"{name}: differs")
    return lines


def _same_numbers(picture: str, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Return whether a picture differs although its numbers do not; else the numbers tell what changed."""
    numbers = f"{picture.rsplit('.', 1)[0]}.csv"
    return before.get(numbers) == after.get(numbers)


def _inputs(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    lines = []
    for part in ("study", "tables", "code", "versions", "policy"):
        a, b = before.get(part), after.get(part)
        if not isinstance(a, Mapping) or not isinstance(b, Mapping):
            lines += [] if a == b else [f"{part}: {a} became {b}"]
            continue
        for key in [*a, *(key for key in b if key not in a)]:
            if a.get(key) != b.get(key):
                said = "changed" if "sha256" in key or part == "tables" else f"{a.get(key)} became {b.get(key)}"
                lines.append(f"{part} {key}: {said}")
    return lines


def _numbers(old: Path, new: Path) -> list[str]:
    """Return how two tables of released numbers differ: shape, columns, cells, the largest move of each column."""
    import pandas as pd

    a, b = (pd.read_csv(io.BytesIO(path.read_bytes())) for path in (old, new))
    if list(a.columns) != list(b.columns):
        gone, come = (
            [str(c) for c in a.columns if c not in b.columns],
            [str(c) for c in b.columns if c not in a.columns],
        )
        return [f"columns differ (gone: {', '.join(gone) or 'none'}; new: {', '.join(come) or 'none'})"]
    if len(a) != len(b):
        return [f"{len(a):,} rows became {len(b):,}"]
    lines = []
    for column in a.columns:
        moved = _moved(a[column], b[column])
        if moved:
            lines.append(f"{column}: {moved}")
    return lines or ["differs in writing only"]


def _moved(a: pd.Series[Any], b: pd.Series[Any]) -> str:
    import pandas as pd

    other = ~((a == b) | (a.isna() & b.isna())).to_numpy()
    if not other.any():
        return ""
    text = f"{int(other.sum()):,} of {len(a):,} values differ"
    if all(pd.api.types.is_numeric_dtype(column) for column in (a, b)):
        gap = (b - a).to_numpy(dtype=np.float64)[other]
        known = gap[np.isfinite(gap)]
        if len(known):
            return f"{text}, by at most {np.abs(known).max():.6g}"
    return text
