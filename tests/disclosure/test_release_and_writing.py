"""Nothing leaves but through the gate, and what is written is written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.disclosure.writing import sha256, write_folder
from outcomes.errors import DisclosureError, NotSupportedError

OUTPUTS = {"figures/one.csv": sha256(b"a\n1\n"), "old.txt": sha256(b"x")}
MANIFEST = json.dumps({"outputs": OUTPUTS}).encode()
FILES = {"manifest.json": MANIFEST, "figures/one.csv": b"a\n1\n"}


@pytest.fixture(scope="module")
def curve() -> oc.KaplanMeier:
    return oc.kaplan_meier(oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0))


@pytest.mark.parametrize("name", ["sensitive", "academic_safe", "opensafely", "moj_publication"])
def test_policies_for_real_data_refuse_by_name_until_they_are_there(curve: oc.KaplanMeier, name: str) -> None:
    with pytest.raises(NotSupportedError, match=f"'{name}' is not there yet"):
        oc.release(curve, name)


def test_an_unknown_policy_and_what_is_no_result_are_refused(curve: oc.KaplanMeier) -> None:
    with pytest.raises(DisclosureError, match="Did you mean 'none'"):
        oc.release(curve, "nonee")
    with pytest.raises(DisclosureError, match="not DataFrame"):
        oc.release(curve.to_frame(), "none")  # type: ignore[arg-type]


def test_what_is_released_has_six_digits(curve: oc.KaplanMeier) -> None:
    frame = oc.release(curve, "none").frame
    assert all(float(f"{v:.6g}") == v for name in ("estimate", "std_error", "conf_low") for v in frame[name])
    assert frame["estimate"].iloc[5] == pytest.approx(curve.to_frame()["estimate"].iloc[5], rel=1e-5)


def test_a_folder_is_written_whole(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", FILES)
    assert (tmp_path / "out" / "figures" / "one.csv").read_bytes() == b"a\n1\n"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_replacing_leaves_nothing_of_the_old_and_nothing_beside(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", {**FILES, "old.txt": b"x"})
    write_folder(tmp_path / "out", FILES, overwrite=True)
    assert not (tmp_path / "out" / "old.txt").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_failure_on_the_way_leaves_the_old_folder_as_it_was(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", FILES)
    with pytest.raises(DisclosureError, match="nothing was changed"):
        write_folder(tmp_path / "out", {"a": b"1", "a/b": b"2"}, overwrite=True)  # a file cannot be a folder too
    assert (tmp_path / "out" / "manifest.json").read_bytes() == MANIFEST
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_places_that_cannot_be_written_to_are_refused_first(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(DisclosureError, match="is no folder"):
        write_folder(tmp_path / "file", FILES)
    with pytest.raises(DisclosureError, match="does not exist"):
        write_folder(tmp_path / "nowhere" / "out", FILES)
    os.symlink(tmp_path, tmp_path / "link")
    with pytest.raises(DisclosureError, match="is no folder"):
        write_folder(tmp_path / "link", FILES, overwrite=True)


@pytest.mark.parametrize("kind", [OSError, KeyboardInterrupt])
def test_an_interruption_while_swapping_leaves_the_old_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]
) -> None:
    write_folder(tmp_path / "out", FILES)
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if Path(target) == tmp_path / "out" and self.name != "was":
            raise kind
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises((DisclosureError, KeyboardInterrupt)):
        write_folder(tmp_path / "out", {"manifest.json": b"new"}, overwrite=True)
    assert (tmp_path / "out" / "manifest.json").read_bytes() == MANIFEST
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_policy_made_at_home_lets_nothing_out(curve: oc.KaplanMeier) -> None:
    with pytest.raises(NotSupportedError, match="not there yet"):
        oc.release(curve, oc.DisclosurePolicy("sensitive", "mine"))


def test_what_speaks_of_single_people_is_not_released() -> None:
    data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0)
    with pytest.raises(NotSupportedError, match="speaks of single people"):
        oc.release(oc.weight(data, "age", estimand="ate"), "none")
    assert oc.release(oc.rmst(data, horizon=52), "none").kind == "intervals"
    assert oc.release(oc.pairwise_logrank_test(data), "none").kind == "intervals"
    assert oc.release(oc.missingness(data), "none").kind == "table"
