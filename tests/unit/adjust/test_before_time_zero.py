"""What came after time zero makes no arms alike: formulas that name it are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lifelines.datasets import load_rossi

import outcomes as oc

ROOT = Path(__file__).parents[3]


def rossi() -> oc.SurvivalData:
    return oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")


ASK: dict[str, Callable[[str], object]] = {
    "weight": lambda formula: oc.weight(rossi(), formula, estimand="ate"),
    "match": lambda formula: oc.match(rossi(), formula),
    "adjusted_curves": lambda formula: oc.adjusted_curves(rossi(), treatment=formula, estimand="ate", method="iptw"),
}


@pytest.mark.parametrize("name", ASK)
@pytest.mark.parametrize("column", ["week", "arrest"])
def test_the_outcome_is_no_covariate_of_a_score(name: str, column: str) -> None:
    with pytest.raises(oc.EstimationError, match=f"names '{column}', which holds what happened after time zero"):
        ASK[name](f"age + {column}")


@pytest.mark.parametrize("name", ASK)
def test_neither_is_the_arm(name: str) -> None:
    with pytest.raises(oc.EstimationError, match="names the arm"):
        ASK[name]("age + fin")


def test_how_a_programme_ended_is_no_covariate_of_a_cohort_and_is_not_imputed_from() -> None:
    tables, study = oc.load_tables(ROOT / "data/synthetic"), oc.read_study(ROOT / "notebooks/study.toml")
    data = oc.build_cohort(tables, study).outcome("any")
    with pytest.raises(oc.EstimationError, match="'status', which holds what happened after time zero"):
        oc.weight(data, "age_at_time_zero + C(status)", estimand="ato")
    assert {"status", "release_date", "time_zero"} <= set(data.apart)
