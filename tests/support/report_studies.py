"""Study files for tests of the report: the example's with changes, or with few figures and tables, which build in a moment."""

from __future__ import annotations

from pathlib import Path

__all__ = ["DATA", "ROOT", "STUDY", "changed_study", "small_study"]

ROOT = Path(__file__).resolve().parents[2]
STUDY = ROOT / "notebooks" / "study.toml"
DATA = ROOT / "data" / "synthetic"


def changed_study(folder: Path, *changes: tuple[str, str], data: Path = DATA, text: str | None = None) -> Path:
    """Write the example study with some texts replaced, each of which must be there."""
    text = STUDY.read_text(encoding="utf-8") if text is None else text
    text = text.replace("../data/synthetic", str(data))
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def small_study(folder: Path, holds: str, *changes: tuple[str, str], data: Path = DATA) -> Path:
    """Write the example study with these figures and tables in place of its own.

    `holds` has one of them a line, such as ``figure shut_out`` or ``table fidelity_effect; arm = "manualised"``; each is called by kind
    and number in the list.
    """
    written = []
    for number, line in enumerate(holds.strip().splitlines(), start=1):
        asked, *keys = line.split(";")
        kind, draws = asked.split()
        written += [f"[[{kind}]]", f'name = "{kind}{number}"', f'draws = "{draws}"', *map(str.strip, keys)]
    kept = STUDY.read_text(encoding="utf-8").split("[[figure]]")[0]
    return changed_study(folder, *changes, data=data, text=kept + "\n".join(written))
