"""What identifies a study: everything it says, and nothing of how its file is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_study import SMALL_FILE as SMALL

import outcomes as oc


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read_text(text: str) -> oc.Study:
        file = tmp_path / "study.toml"
        file.write_text(text, encoding="utf-8")
        return oc.read_study(file)

    return read_text


def _instead(old: str, new: str, text: str = SMALL) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)


def test_the_hash_does_not_see_order_spacing_or_comments(read: Any) -> None:
    sections = SMALL.strip().split("\n\n")
    turned = "\n\n# a comment\n".join(reversed(sections)).replace(" = ", "=").replace("{ ", "{")
    lines = SMALL.split("\n")
    lines[2], lines[3] = lines[3], lines[2]  # title and data
    assert read(SMALL).hash == read(turned).hash == read("\n".join(lines)).hash
    assert len(read(SMALL).hash) == 64


def test_the_hash_sees_what_is_meant_not_how_it_is_written(read: Any, tmp_path: Path) -> None:
    same = _instead("data_cut = 2015-12-31", "data_cut = 16800", _instead('"5y"', "1826"))
    assert read(SMALL).hash == read(same).hash
    spelt_out = SMALL + 'proving_period = "6m"\ncompeting = ["death", "deportation"]\n[time_zero]\nevent = "auto"\n'
    assert read(SMALL).hash == read(spelt_out).hash
    here = read(SMALL).hash
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "other.toml").write_text(SMALL, encoding="utf-8")
    assert oc.read_study(tmp_path / "elsewhere" / "other.toml").hash == here


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Two programmes", "Two programs"),
        ("2015-12-31", "2015-12-30"),
        ('"5y"', '"4y"'),
        ('["violent", "other"]', '["violent"]'),
        ('["violent", "other"]', '["violent", "other"]\nproving_period = "7m"'),
        ('reference = "manualised"', 'reference = "bespoke"'),
        ('data = "tables"', 'data = "tables"\nseed = 1'),
        ("[follow_up]", "[eligibility]\ninclude = [\"sex == 'male'\"]\n[follow_up]"),
    ],
)
def test_the_hash_sees_every_change(read: Any, old: str, new: str) -> None:
    assert read(SMALL).hash != read(_instead(old, new)).hash


def test_the_headline_has_a_hash_of_its_own(read: Any) -> None:
    assert read(SMALL).headline_hash is None
    named = SMALL + '[headline]\noutcome = "any"\nhorizon = "2y"\n'
    first = read(named).headline_hash
    assert len(first) == 64
    for old, new in [
        ("Two programmes", "Another title"),
        ("2015-12-31", "2016-12-31"),
        ("[headline]", "[checks]\n[headline]"),
    ]:
        assert read(_instead(old, new, named)).headline_hash == first
    other = named + '[outcomes.sexual]\ntypes = ["sexual_contact"]\nproving_period = "18m"\n'
    assert read(other).headline_hash == first
    for old, new in [
        ('"2y"', '"3y"'),
        ('"2y"', '"2y"\nmargin = 3.0'),
        ('"2y"', '"2y"\nsubgroups = ["risk_band"]'),
        ('"2y"', '"2y"\npopulation = "own"'),
        ('["violent", "other"]', '["violent"]'),
    ]:
        assert read(_instead(old, new, named)).headline_hash != first
