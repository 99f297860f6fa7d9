"""What no matching can answer is said in words, whichever way people are matched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import outcomes as oc

WAYS: dict[str, dict[str, Any]] = {
    "replacement": {"replace": True},
    "full": {"method": "full"},
    "full mahalanobis": {"method": "full", "distance": "mahalanobis"},
    "radius": {"method": "radius", "caliper": 0.5},
}


def people(arm: list[int], x: np.ndarray) -> oc.SurvivalData:
    frame = pd.DataFrame({"arm": arm, "x": x, "day": np.arange(len(arm)) + 1.0, "seen": 1})
    return oc.survival_data(frame, duration="day", event="seen", arm="arm", reference=0)


HALF = [1] * 20 + [0] * 20
DRAWN = np.random.default_rng(0).normal(size=40)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(
    ("arm", "x", "said"),
    [
        (HALF, np.where(np.arange(40) == 3, np.nan, DRAWN), r"covariates are missing: x \(1\) of 40 people"),
        (HALF, np.ones(40), "x is the same for everyone"),
        (HALF, np.array(HALF) * 1.0, r"tell the arms apart exactly \(separation\).*Look at x"),
        ([1] + [0] * 39, DRAWN, r"arm '1' has fewer than two people \(1\)"),
        ([1] * 39 + [0], DRAWN, r"arm '0' has fewer than two people \(1\)"),
    ],
    ids=["missing", "constant", "separated", "one asked about", "one to compare with"],
)
def test_refused(way: dict[str, Any], arm: list[int], x: np.ndarray, said: str) -> None:
    with pytest.raises(oc.EstimationError, match=said):
        oc.match(people(arm, x), "x", **way)


@pytest.mark.parametrize("way", ["full", "full mahalanobis", "replacement"])
def test_a_caliper_of_nothing(way: str) -> None:
    with pytest.raises(
        oc.EstimationError, match=r"nobody is matched \(20 in 0, 20 in 1\)\. Widen or leave out caliper="
    ):
        oc.match(people(HALF, DRAWN), "x", **WAYS[way], caliper=0)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_exact_on_a_column_in_which_everybody_differs(way: dict[str, Any]) -> None:
    with pytest.raises(oc.EstimationError, match=r"40 of 40 people have a value of 'x'.*method='cem'"):
        oc.match(people(HALF, DRAWN), "x", exact=["x"], **way)


class TestOneWhoStandsForNearlyEveryone:
    """Nineteen of twenty asked about stand near one comparison person, and one near the nineteen others."""

    rng = np.random.default_rng(1)
    data = people(HALF, np.concatenate([[-2.0], rng.normal(3, 0.3, 19), rng.normal(-3, 1, 19), [2.0]]))

    def test_with_replacement_the_arm_has_two_clusters_and_counts_as_one_person(self) -> None:
        matched = oc.match(self.data, "x", replace=True, distance="mahalanobis")
        assert "2 comparison people stand for 20 people asked about" in matched.notes[0].text
        assert matched.summary()["effective_sample_size"][0] == pytest.approx(2**2 / (1.9**2 + 0.1**2))
        found = oc.compare(oc.kaplan_meier(self.data, weights=matched), measure="risk_difference", at=10)
        assert "few_clusters" in {note.code for note in found.notes}

    def test_in_full_matching_two_sets_give_no_interval(self) -> None:
        matched = oc.match(self.data, "x", method="full", distance="mahalanobis")
        assert matched.sets is not None
        assert len(np.unique(matched.sets)) == 2
        found = oc.compare(oc.kaplan_meier(self.data, weights=matched), measure="risk_difference", at=10)
        assert found.to_frame()["conf_low"].isna().all()
        assert "one_cluster" in {note.code for note in found.notes}
