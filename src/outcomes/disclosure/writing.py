"""The one module that writes. A folder is built beside its place and swapped in whole, so that a failure leaves nothing."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from outcomes.errors import DisclosureError

__all__ = ["MANIFEST", "as_written", "check_target", "sha256", "write_folder"]

MANIFEST = "manifest.json"
_log = logging.getLogger("outcomes")


def sha256(content: bytes) -> str:
    """Return the sha256 of some bytes as text."""
    return hashlib.sha256(content).hexdigest()


def check_target(target: Path, *, overwrite: bool, ours: str = MANIFEST) -> None:
    """Refuse a place that cannot be written to, before any work is done for it.

    Parameters
    ----------
    target : Path
        The folder that is to be made.
    overwrite : bool
        Whether a folder this library wrote before may be replaced.
    ours : str
        The file by which such a folder is known.

    Raises
    ------
    DisclosureError
        It is a file; it is not empty and may not, or must not, be replaced; its parent is not there or not writable.
    """
    if target.is_symlink() or target.is_file():
        raise DisclosureError(f"{target.name} is no folder; name another place to write to.")
    if not target.absolute().parent.is_dir():
        raise DisclosureError(f"The folder that {target.name!r} is to be made in does not exist.")
    if not os.access(target.absolute().parent, os.W_OK):
        raise DisclosureError(f"The folder that {target.name!r} is to be made in cannot be written to.")
    if not target.exists() or not any(target.iterdir()):
        return
    if not _ours(target, ours):
        raise DisclosureError(
            f"{target.name} is not empty and holds no {ours} of ours, or files beside it that we did not write or that were changed "
            "since: it is not replaced. Name another folder."
        )
    if not overwrite:
        raise DisclosureError(f"{target.name} is not empty. Name another folder, or pass --overwrite to replace it.")


def _ours(target: Path, ours: str) -> bool:
    """Return whether a folder is one this library wrote, to which nobody added and in which nobody changed anything.

    The file `ours` lists under ``outputs`` the sha256 of every file beside it.
    """
    try:
        found = json.loads((target / ours).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    outputs = found.get("outputs") if isinstance(found, dict) else None
    if not isinstance(outputs, dict):
        return False
    return as_written(target, outputs, ours)


def as_written(folder: Path, outputs: Mapping[str, str], ours: str = MANIFEST) -> bool:
    """Return whether every file of a folder but `ours` is among `outputs` (name to sha256) and unchanged; some may be gone."""
    there = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    return all(
        not path.is_symlink() and outputs.get(path.relative_to(folder).as_posix()) == sha256(path.read_bytes())
        for path in there
        if path != folder / ours
    )


def write_folder(target: Path, files: Mapping[str, bytes], *, overwrite: bool = False, ours: str = MANIFEST) -> None:
    """Write all `files` (relative path to content) as the folder `target`, or nothing.

    The folder is built under a temporary name beside `target`; what stood there before is moved aside and removed only when
    the new one is in place.

    Raises
    ------
    DisclosureError
        As `check_target`; or the disk refused.
    """
    check_target(target, overwrite=overwrite, ours=ours)
    target = target.absolute()
    building = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        problem = _fill(building, files) or _swap(building, target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    if problem:
        raise DisclosureError(f"{target.name} could not be written ({problem}); nothing was changed.")
    _log.info("wrote %d files", len(files))


def _fill(folder: Path, files: Mapping[str, bytes]) -> str:
    """Write the files, and return what went wrong (nothing: an empty text)."""
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        folder.chmod(0o755)
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def _swap(building: Path, target: Path) -> str:
    """Put the finished folder in its place (or leave the old one there), and return what went wrong."""
    aside = None
    try:
        if target.exists():
            aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
            target.rename(aside / "was")
        building.rename(target)
    except OSError as error:
        _put_back(aside, target)
        return error.strerror or type(error).__name__
    except BaseException:  # an interruption between the two renames must not cost the old folder
        _put_back(aside, target)
        raise
    if aside is not None:
        shutil.rmtree(aside, ignore_errors=True)
    return ""


def _put_back(aside: Path | None, target: Path) -> None:
    """Return the old folder to its place; where that fails too it stays beside, under its hidden name."""
    if aside is None:
        return
    if (aside / "was").exists() and not target.exists():
        (aside / "was").rename(target)
    if not (aside / "was").exists():
        aside.rmdir()
