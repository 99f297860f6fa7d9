"""The same seed gives the same bytes, whoever asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from outcomes.errors import DesignError
from outcomes.loading.schema import SCHEMA, dictionary_markdown
from outcomes.synthetic import Biases, make_cohort

COMMITTED = Path(__file__).resolve().parents[3] / "data" / "synthetic"
HASH = """
import hashlib
from outcomes.synthetic import make_cohort
files = make_cohort(400, n_areas=4, seed=5, replicates=3).files()
print(hashlib.sha256("".join(files[name] for name in sorted(files)).encode()).hexdigest())
"""


def digest(hash_seed: str) -> str:
    env = os.environ | {"PYTHONHASHSEED": hash_seed}
    return subprocess.run([sys.executable, "-c", HASH], env=env, capture_output=True, text=True, check=True).stdout


def test_another_process_with_another_hash_seed_writes_the_same_bytes() -> None:
    assert digest("1") == digest("2")


def test_another_seed_writes_other_bytes() -> None:
    one, two = (make_cohort(200, n_areas=3, seed=seed, replicates=1).files() for seed in (1, 2))
    same = {name for name in one if one[name] == two[name]}
    assert same == {"dictionary.md", "programmes.csv", "eligibility.csv"}


def test_replicates_do_not_touch_the_tables() -> None:
    one, two = (make_cohort(200, n_areas=3, seed=1, replicates=k).files() for k in (0, 5))
    assert all(one[f"{name}.csv"] == two[f"{name}.csv"] for name in SCHEMA)


def test_the_committed_cohort_is_the_default_one() -> None:
    files = make_cohort().files()
    assert sorted(files) == sorted(path.name for path in COMMITTED.iterdir())
    for name, text in files.items():
        assert (COMMITTED / name).read_bytes() == text.encode(), name


def test_the_committed_cohort_is_small_and_says_that_it_is_invented() -> None:
    assert sum(path.stat().st_size for path in COMMITTED.iterdir()) < 6_000_000
    assert "invented" in (COMMITTED / "README.md").read_text(encoding="utf-8")
    assert json.loads((COMMITTED / "truth.json").read_text(encoding="utf-8"))["seed"] == 2010
    assert (COMMITTED / "dictionary.md").read_text(encoding="utf-8") == dictionary_markdown()


def test_csv_has_plain_line_ends_iso_dates_and_whole_numbers() -> None:
    files = make_cohort(200, n_areas=3, seed=1, replicates=0).files()
    tables = {name: text for name, text in files.items() if name.endswith(".csv")}
    cells = {cell for text in tables.values() for line in text.split("\n") for cell in line.split(",")}
    assert not cells & {"NaT", "nan", "<NA>", "None", "True", "False"}
    assert not any("\r" in cell or cell.endswith(".0") for cell in cells)
    header, first = files["spells.csv"].splitlines()[:2]
    row = dict(zip(header.split(","), first.split(","), strict=True))
    assert row["start_date"][4] == "-"
    assert row["person_id"].isdigit()
    assert row["reoffence_id"] == "" or row["reoffence_id"].isdigit()
    assert {"true", "false"} >= {line.split(",")[7] for line in files["assessments.csv"].splitlines()[1:]}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"n_people": 3}, "n_people must be at least 50"),
        ({"n_areas": 1}, "n_areas must be at least 2"),
        ({"replicates": -1}, "replicates must be at least 0"),
        ({"scope": "everything"}, "scope must be one of"),
    ],
)
def test_a_wrong_argument_is_named(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(DesignError, match=says):
        make_cohort(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("strength", [-1.0, float("nan"), float("inf")])
def test_a_strength_is_a_number_of_at_least_zero(strength: float) -> None:
    with pytest.raises(DesignError, match="selection must be a number of at least 0"):
        Biases(selection=strength)
