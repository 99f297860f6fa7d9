"""Worked examples 5.6: the Lalonde data matched in every way whose numbers do not hang on how ties are broken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from r_numbers import data_set, folder

import outcomes as oc

FORMULA = "age + educ + black + hispan + married + nodegree + re74 + re75"

pytestmark = pytest.mark.skipif(folder() is None, reason="OUTCOMES_REFERENCE names no folder: the data are not here")


@pytest.fixture(scope="module")
def data() -> oc.SurvivalData:
    frame = data_set("lalonde.csv").assign(day=1.0, seen=0)
    return oc.survival_data(frame, duration="day", event="seen", arm="treat", reference=0)


def earnings(weights: oc.Weights) -> float:
    outcome = data_set("lalonde.csv")["re78"].to_numpy()
    means = [np.average(outcome[weights.arm == a], weights=weights.values[weights.arm == a]) for a in (0, 1)]
    return float(means[1] - means[0])


def standardised(matched: oc.Matched) -> pd.Series:
    frame: pd.DataFrame = matched.balance(binary="population").to_frame()
    return frame.set_index("term")["smd_after"]


def test_nearest_neighbours_without_a_caliper(data: oc.SurvivalData) -> None:
    matched = oc.match(data, FORMULA, distance="score")
    assert matched.pairs is not None
    assert len(matched.pairs) == 185
    assert earnings(matched) == pytest.approx(894.3675, abs=5e-5)
    found = standardised(matched)
    expected = {"propensity score": 0.9739, "age": 0.0718, "educ": -0.1290, "re74": -0.0505, "re75": -0.0257}
    for term, value in expected.items():
        assert found[term] == pytest.approx(value, abs=5e-5), term
    raw = matched.balance().to_frame().set_index("term")["difference_after"]
    for term, value in {"black": 0.3730, "hispan": -0.1568, "married": -0.0216, "nodegree": 0.0703}.items():
        assert raw[term] == pytest.approx(value, abs=5e-5), term


def test_nearest_neighbours_within_a_tenth_of_a_standard_deviation(data: oc.SurvivalData) -> None:
    matched = oc.match(data, FORMULA, distance="score", caliper=0.1)
    assert matched.pairs is not None
    assert matched.score is not None
    assert len(matched.pairs) == 111
    assert earnings(matched) == pytest.approx(1835.41, abs=5e-3)
    ages = matched.baseline["age"].to_numpy()[matched.pairs[:, 1]]
    assert ages.mean() == pytest.approx(26.1441, abs=5e-5)
    apart = np.abs(np.diff(matched.score[matched.pairs], axis=1))
    assert apart.max() <= 0.02903134


def test_a_fifth_of_a_standard_deviation_gives_113_pairs(data: oc.SurvivalData) -> None:
    matched = oc.match(data, FORMULA, distance="score", caliper=0.2)
    assert matched.pairs is not None
    assert len(matched.pairs) == 113


def test_mahalanobis_with_replacement_balances_alike_whoever_of_twins_is_taken(data: oc.SurvivalData) -> None:
    """23 people have several nearest, alike in every covariate: how many different ones are taken hangs on which; means do not."""
    found = standardised(oc.match(data, FORMULA, distance="mahalanobis", replace=True))
    for term, value in {"age": 0.0385, "educ": -0.0403, "re74": 0.0628, "re75": 0.1380}.items():
        assert found[term] == pytest.approx(value, abs=5e-5), term


def test_exact(data: oc.SurvivalData) -> None:
    matched = oc.match(data, "race + married + nodegree", method="exact")
    assert matched.effective_sample_size["0"] == pytest.approx(111.5254, abs=5e-5)
    assert earnings(matched) == pytest.approx(1309.897, abs=5e-4)


def test_coarsened_exact(data: oc.SurvivalData) -> None:
    matched = oc.match(data, "age + educ + race + married + nodegree + re74 + re75", method="cem")
    assert matched.summary()["n_matched"].tolist() == [75, 65]
    assert matched.effective_sample_size["0"] == pytest.approx(41.28985, abs=5e-6)
    assert earnings(matched) == pytest.approx(1070.907, abs=5e-4)


def test_five_subclasses(data: oc.SurvivalData) -> None:
    matched: Any = oc.match(data, FORMULA, method="subclass", distance="score")
    assert [np.bincount(matched.classes[matched.arm == a]).tolist() for a in (0, 1)] == [
        [356, 19, 25, 18, 11],
        [37] * 5,
    ]
    assert matched.effective_sample_size["0"] == pytest.approx(103.3463, abs=5e-5)
