"""The true answers of an invented cohort, where the folder of tables holds them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from outcomes.errors import DataError

__all__ = ["TRUTH", "read_truth", "truth_hash"]

TRUTH = "truth.json"


def read_truth(folder: Path) -> dict[str, Any] | None:
    """Return the truth of an invented cohort as plain data, or None where there is no such file.

    Raises
    ------
    DataError
        The file is there and is not what `outcomes synth` writes.
    """
    path = folder / TRUTH
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        found = None
    if not isinstance(found, dict) or not found.get("invented") or not isinstance(found.get("results"), list):
        raise DataError(
            f"{TRUTH} is not the truth of an invented cohort as `outcomes synth` writes it; write it again."
        )
    return found


def truth_hash(folder: Path) -> dict[str, str]:
    """Return the sha256 of the truth by file name; nothing where there is no such file."""
    path = folder / TRUTH
    return {TRUTH: hashlib.sha256(path.read_bytes()).hexdigest()} if path.is_file() else {}
