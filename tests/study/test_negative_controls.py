"""An outcome that no programme can change stands beside the headline, and says what the adjustment has left."""

from __future__ import annotations

from pathlib import Path

import pytest

import outcomes as oc
from outcomes.design.study import Outcome
from outcomes.report.analysis import analyse
from outcomes.report.headline import HeadlineResults, headline_results

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def results() -> HeadlineResults:
    study = oc.read_study(ROOT / "notebooks" / "study.toml")
    control = Outcome("motoring", ("motoring",), 182.0, negative_control=True)
    study = study.replace(outcomes={**study.outcomes, "motoring": control})
    tables = oc.load_tables(ROOT / "data" / "synthetic")
    made = analyse(study, tables, lambda _: None)
    return headline_results(made, "any")


def test_its_contrast_is_a_row_and_a_sentence_of_the_headline(results: HeadlineResults) -> None:
    row = results.to_frame().query("analysis == 'negative control: motoring'").iloc[0]
    assert row["measure"] == "risk_difference"
    said = next(
        text
        for text in results.sentences
        if text.startswith("Negative control: motoring, which no programme can change: ")
    )
    assert f"{100 * row['estimate']:+.1f} per 100 people".replace("-", "−") in said
    left = "has left something" in said
    assert left == (not row["conf_low"] <= 0 <= row["conf_high"])


def test_on_invented_data_without_an_effect_on_it_the_adjusted_control_is_nothing(results: HeadlineResults) -> None:
    row = results.to_frame().query("analysis == 'negative control: motoring'").iloc[0]
    assert row["estimand"] == "ato"
    assert row["conf_low"] < 0 < row["conf_high"]
