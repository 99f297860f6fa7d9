"""What went in and what came out, by hash: by this a report is known, compared and found to be up to date."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import outcomes
from outcomes.design.study import Study
from outcomes.disclosure.writing import as_written, sha256
from outcomes.errors import DisclosureError

__all__ = ["as_bytes", "inputs_of", "read_manifest", "still_true"]

_PACKAGES = (
    "numpy", "pandas", "scipy", "statsmodels", "lifelines", "duckdb", "narwhals", "formulaic", "matplotlib", "great-tables",
    "jinja2", "pyarrow",
)  # fmt: skip


def inputs_of(study: Study, tables: Mapping[str, str]) -> dict[str, Any]:
    """Return everything the numbers depend on: study, headline, tables, code, versions, seed and policy.

    Parameters
    ----------
    study : Study
    tables : mapping of file name to sha256
    """
    return {
        "study": {"title": study.title, "sha256": study.hash, "headline_sha256": study.headline_hash, "seed": study.seed},
        "tables": dict(sorted(tables.items())),
        "code": {"outcomes": outcomes.__version__, "sha256": _code()},
        "versions": {"python": ".".join(map(str, sys.version_info[:3])), **{n: importlib.metadata.version(n) for n in _PACKAGES}},
        "policy": study.disclosure.policy,
    }  # fmt: skip


def _code() -> str:
    """Return the sha256 of the library's own files, names and contents in order."""
    root = Path(outcomes.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".py", ".j2")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def as_bytes(inputs: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """Return the manifest of a report."""
    outputs = {name: sha256(content) for name, content in sorted(files.items())}
    return (json.dumps({**inputs, "outputs": outputs}, indent=1, ensure_ascii=False) + "\n").encode()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a report.

    Raises
    ------
    DisclosureError
        The folder holds no report of ours.
    """
    path = folder / "manifest.json"
    found: Any = None
    if path.is_file():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            found = None
    if not isinstance(found, dict) or not isinstance(found.get("outputs"), dict):
        raise DisclosureError(f"{folder.name} holds no report: there is no manifest.json that `outcomes report` wrote.")
    return found


def still_true(folder: Path, inputs: Mapping[str, Any]) -> bool:
    """Return whether a folder holds the report of exactly these inputs, every file as it was written."""
    if not (folder / "manifest.json").is_file():
        return False
    try:
        found = read_manifest(folder)
    except DisclosureError:
        return False
    outputs = found.pop("outputs")
    same = found == json.loads(json.dumps(inputs)) and all((folder / name).is_file() for name in outputs)
    return same and as_written(folder, outputs)
