"""Full matching against a solver of whole numbers over every pair, and by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import outcomes as oc
from outcomes.adjust import full_matching
from outcomes.adjust.full_matching import full_pairs
from outcomes.adjust.set_weights import of_full
from outcomes.adjust.who_may import who_may
from outcomes.results import Array

NONE_LEFT = 1000.0  # what leaving one out costs in the solver of whole numbers


def smallest_cost(distance: Array, most_others: float, most_people: float) -> float:
    """Sum of distances and NONE_LEFT for each left out, of the best choice of pairs, each taken or not; infinite: no pair."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    n, m = distance.shape
    rows, columns = np.indices((n, m)).reshape(2, -1)
    touches = np.concatenate([np.equal.outer(np.arange(n), rows), np.equal.outer(np.arange(m), columns)]).astype(float)
    may = np.isfinite(distance).ravel()
    found = milp(
        np.concatenate([np.where(may, distance.ravel(), 0.0), np.full(n + m, NONE_LEFT)]),
        constraints=[
            LinearConstraint(np.hstack([touches, np.eye(n + m)]), 1, np.inf),
            LinearConstraint(np.hstack([touches, np.zeros((n + m, n + m))]), -np.inf, np.repeat([most_others, most_people], [n, m])),
        ],
        integrality=np.ones(n * m + n + m),
        bounds=Bounds(0, np.concatenate([may, np.ones(n + m)])),
    )  # fmt: skip
    return float(found.fun)


class TestSmallestSum:
    @pytest.mark.parametrize("seed", range(12))
    def test_is_that_of_the_best_choice_of_pairs(self, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(full_matching, "_FIRST_LOOK", 2)  # so that pairs must be added
        monkeypatch.setattr(full_matching, "_CELLS", 40)  # and looked at in blocks
        rng = np.random.default_rng(seed)
        n, m = rng.integers(1, 14, 2)
        d = 1 + seed % 2
        people, others = rng.normal(size=(n, d)).round(1), rng.normal(size=(m, d)).round(1)
        limit = (math.inf, 1.0, 0.3)[seed % 3]
        most_others, most_people = ((math.inf, math.inf), (2, math.inf), (1, 3), (2, 2))[seed % 4]
        towns = rng.integers(0, 3, n + m)
        frame = pd.DataFrame({"town": towns})
        may = who_may(frame, {}, ["town"], np.arange(n), np.arange(n, n + m)) if seed % 5 == 0 else None
        distance = np.linalg.norm(people[:, None] - others[None], axis=2)
        distance[distance > limit] = np.inf
        if may is not None:
            distance[np.equal.outer(towns[:n], towns[n:])] = np.inf
        pairs = full_pairs(people, others, limit=limit, most_others=most_others, most_people=most_people, may=may)
        often = np.bincount(pairs[:, 0], minlength=n), np.bincount(pairs[:, 1], minlength=m)
        assert often[0].max() <= most_others
        assert often[1].max() <= most_people
        assert not ((often[0][pairs[:, 0]] > 1) & (often[1][pairs[:, 1]] > 1)).any()  # one and several
        left_out = int((often[0] == 0).sum() + (often[1] == 0).sum())
        found = distance[pairs[:, 0], pairs[:, 1]].sum() + NONE_LEFT * left_out
        assert found == pytest.approx(smallest_cost(distance, most_others, most_people), abs=1e-6)

    def test_no_optimal_pairs_are_shorter_where_all_sets_are_pairs(self) -> None:
        rng = np.random.default_rng(4)
        frame = pd.DataFrame({"arm": [1] * 20 + [0] * 20, "x": rng.normal(size=40), "day": 1.0, "seen": 0})
        data = oc.survival_data(frame, duration="day", event="seen", arm="arm", reference=0)
        full = oc.match(data, "x", method="full", min_controls=1, max_controls=1)
        optimal = oc.match(data, "x", method="optimal")
        assert full.pairs is not None and optimal.pairs is not None  # noqa: PT018
        lengths = [np.abs(np.diff(m.linear[m.pairs], axis=1)).sum() for m in (full, optimal)]
        assert lengths[0] == pytest.approx(lengths[1])


class TestWeights:
    """Sets {a; u, v} and {b, c; w}: a, b, c asked about."""

    pairs = np.array([[0, 3], [0, 4], [1, 5], [2, 5]])
    arm = np.array([1, 1, 1, 0, 0, 0, 0])

    def test_att_gives_comparison_people_the_number_asked_about_in_their_set(self) -> None:
        found = of_full(self.pairs, self.arm, "att")
        np.testing.assert_allclose(found.weights, [1, 1, 1, 0.5, 0.5, 2, 0])
        assert found.sets is not None
        assert [len({*found.sets[list(s)]}) for s in ((0, 3, 4), (1, 2, 5))] == [1, 1]
        assert len({*found.sets}) == 3  # whoever is in no set is alone

    def test_atc_and_ate(self) -> None:
        np.testing.assert_allclose(of_full(self.pairs, self.arm, "atc").weights, [2, 0.5, 0.5, 1, 1, 1, 0])
        # everyone: three in each set; 3 / own number, scaled to three people an arm
        np.testing.assert_allclose(of_full(self.pairs, self.arm, "ate").weights, [1.5, 0.75, 0.75, 0.75, 0.75, 1.5, 0])


@pytest.fixture(scope="module")
def drawn() -> oc.SurvivalData:
    rng = np.random.default_rng(8)
    x = rng.normal(size=(300, 2))
    arm = (rng.random(300) < 1 / (1 + np.exp(0.5 - x[:, 0]))).astype(int)
    frame = pd.DataFrame({"arm": arm, "x": x[:, 0], "z": x[:, 1], "town": rng.choice(["north", "south"], 300)})
    frame["day"], frame["seen"] = rng.integers(1, 500, 300).astype(float), rng.integers(0, 2, 300)
    return oc.survival_data(frame, duration="day", event="seen", arm="arm", reference=0)


@pytest.mark.parametrize("estimand", ["att", "atc", "ate"])
@pytest.mark.parametrize("distance", ["logit", "mahalanobis"])
def test_everyone_is_in_a_set_and_the_arms_are_alike(drawn: oc.SurvivalData, estimand: str, distance: str) -> None:
    matched = oc.match(drawn, "x + z", method="full", estimand=estimand, distance=distance)
    assert matched.kept.all()
    assert matched.estimand == estimand
    assert matched.notes == ()
    balance = matched.balance().to_frame()
    assert balance["smd_after"].abs().max() < balance["smd_before"].abs().max() / 2


def test_sets_stay_inside_the_town_and_are_the_clusters_of_the_variance(drawn: oc.SurvivalData) -> None:
    matched = oc.match(drawn, "x", method="full", exact=["town"], max_controls=3, caliper=0.2)
    town = drawn.baseline["town"].to_numpy()
    assert matched.pairs is not None
    assert matched.sets is not None
    assert (town[matched.pairs[:, 0]] == town[matched.pairs[:, 1]]).all()
    assert np.bincount(matched.pairs[:, 0]).max() <= 3
    own = oc.kaplan_meier(drawn, weights=matched).at([100.0])
    named = oc.kaplan_meier(drawn, weights=matched.values, cluster=matched.sets).at([100.0])
    np.testing.assert_allclose(own["std_error"], named["std_error"])


def test_those_whom_bounds_leave_in_no_set_are_counted(drawn: oc.SurvivalData) -> None:
    matched = oc.match(drawn, "x", method="full", min_controls=1, max_controls=1)
    idle = int((~matched.kept).sum())
    assert idle == abs(int(np.diff(np.bincount(drawn.arm))[0]))
    assert [note.text for note in matched.notes] == [f"{idle:,} comparison people are in no set and count for nothing."]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"method": "full", "min_controls": 2}, "min_controls lies between 0 and 1"),
        ({"method": "full", "max_controls": 0.5}, "max_controls is 1 or more; got 0.0 and 0.5"),
        ({"method": "full", "min_controls": math.nan}, "min_controls lies between 0 and 1"),
        ({"method": "optimal", "max_controls": 3}, "does not look at max_controls="),
        ({"method": "full", "ratio": 2}, "does not look at ratio="),
        ({"method": "full", "caliper": 0.0}, "nobody is matched .* Widen or leave out caliper="),
    ],
)
def test_refused(drawn: oc.SurvivalData, given: dict[str, object], said: str) -> None:
    with pytest.raises(oc.EstimationError, match=said):
        oc.match(drawn, "x + z", **given)


def test_too_many_distances_are_refused_before_they_are_made() -> None:
    many = np.zeros((1001, 1))
    with pytest.raises(oc.EstimationError, match=r"1,002,001 distances \(1,001 people by 1,001\); at most 1,000,000"):
        full_pairs(many, many, limit=math.inf, most_others=2, most_people=math.inf)
    with pytest.raises(oc.EstimationError, match=r"method='full' would look at .*exact=\), or take method='subclass'"):
        full_pairs(np.zeros((30_000, 1)), np.zeros((30_000, 1)), limit=math.inf, most_others=math.inf, most_people=math.inf)  # fmt: skip
