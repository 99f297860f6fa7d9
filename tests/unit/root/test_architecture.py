"""The shape of the library itself: what imports what, what is named how, and that the map is true."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import outcomes

ROOT = Path(__file__).resolve().parents[3]
SRC = ROOT / "src" / "outcomes"
MODULES = sorted(SRC.rglob("*.py"))

# Imports point to the left only. `synthetic` needs the schema and nothing else.
ORDER = [
    "errors",
    "durations",
    "overlapping_sets",
    "results",
    "loading",
    "synthetic",
    "design",
    "survival",
    "adjust",
    "comparison",
    "disclosure",
    "figures",
    "report",
    "cli",
]
HEAVY = ("pandas", "scipy", "matplotlib", "lifelines", "statsmodels", "duckdb", "pyarrow", "narwhals", "formulaic")


def _room(path: Path) -> str:
    first = path.relative_to(SRC).parts[0]
    return first.removesuffix(".py")


def _imports_of_ours(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "outcomes":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("outcomes.")}
    return found


def _module_name(path: Path) -> str:
    return ".".join(path.relative_to(SRC.parent).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SRC)))
def test_imports_point_one_way(path: Path) -> None:
    room = _room(path)
    if room == "__init__":
        return
    allowed = set(ORDER[: ORDER.index(room) + 1])
    assert _imports_of_ours(path) <= allowed


def test_no_module_is_named_like_a_public_function() -> None:
    public = set(outcomes.__all__)
    assert {path.stem for path in MODULES if path.stem != "__init__"} & public == set()


def test_every_public_name_is_there_and_stays_itself_after_every_submodule_is_imported() -> None:
    for path in MODULES:
        importlib.import_module(_module_name(path))
    for name in outcomes.__all__:
        value = getattr(outcomes, name)
        assert not isinstance(value, type(sys)), f"outcomes.{name} is a module"
        assert (value.__doc__ or "").strip(), f"outcomes.{name} has no docstring"


def test_importing_the_library_loads_nothing_heavy() -> None:
    code = f"import sys, outcomes; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_one_module_writes() -> None:
    writes = re.compile(
        r"\.write_text\(|\.write_bytes\(|\.to_csv\(\s*(?!index=|\))|\.to_parquet\(|savefig\(|open\([^)]*[\"'][wax]b?[\"']|\.mkdir\(|rmtree\("
    )
    allowed = {SRC / "disclosure" / "writing.py"}
    found = [
        str(p.relative_to(SRC)) for p in MODULES if p not in allowed and writes.search(p.read_text(encoding="utf-8"))
    ]
    memory_only = {"figures/rendering.py"}  # draws into a buffer in memory, not to disk
    assert set(found) <= memory_only


def test_the_map_lists_every_module_and_nothing_else() -> None:
    listed = set(re.findall(r"^\| `([\w/]+\.py)` \|", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), re.M))
    present = {p.relative_to(SRC).as_posix() for p in MODULES if p.name != "__init__.py"}
    assert listed == present


def test_no_module_grows_past_four_hundred_lines() -> None:
    long = {p.name: n for p in MODULES if (n := len(p.read_text(encoding="utf-8").splitlines())) > 420}
    assert long == {}
