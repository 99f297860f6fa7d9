"""Variances where matched sets share people: by set and by person, against three plain clusterings of the pairs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import outcomes as oc
from outcomes.adjust.set_weights import of_pairs, of_radius
from outcomes.overlapping_sets import OverlappingSets
from outcomes.results import Array


def shares(sets: OverlappingSets) -> Array:
    """Which part of each person (columns) is in each set (rows), summing to 1 for those in any."""
    found = np.zeros((len(sets.asked), sets.people))
    for row, (asked, first, last, part) in enumerate(zip(sets.asked, sets.first, sets.last, sets.part, strict=True)):
        found[row, sets.listed[first:last]] = part
        found[row, asked] = 1.0
    return np.asarray(found / np.maximum(found.sum(axis=0), 1e-300))


def with_replacement() -> OverlappingSets:
    asked_about = np.array([True] * 5 + [False] * 6)
    found = of_pairs(
        np.array([[0, 5], [0, 6], [1, 5], [2, 7], [2, 8], [2, 5], [4, 7]]), asked_about
    )  # 3, 9, 10 in no set
    assert found.overlapping is not None
    return found.overlapping


def by_radius() -> OverlappingSets:
    rng = np.random.default_rng(2)
    line, stratum, asked_about = rng.normal(size=60), rng.integers(0, 2, 60), rng.random(60) < 0.4
    found = of_radius(line, stratum, asked_about, np.ones(60, dtype=bool), 0.3)
    assert found.overlapping is not None
    return found.overlapping


@pytest.fixture(params=[with_replacement, by_radius], ids=["replacement", "radius"])
def sets(request: pytest.FixtureRequest) -> OverlappingSets:
    made: OverlappingSets = request.param()
    return made


class TestSums:
    def test_squares_are_by_set_plus_by_person_minus_by_person_in_a_set(self, sets: OverlappingSets) -> None:
        x = np.random.default_rng(1).normal(size=(sets.people, 3))
        b = shares(sets)
        cells = b[:, :, None] * x[None]
        in_none = b.sum(axis=0) == 0  # alone in a set of their own
        by_set = np.einsum("sk,sl->kl", cells.sum(axis=1), cells.sum(axis=1)) + x[in_none].T @ x[in_none]
        by_person = x.T @ x
        by_cell = np.einsum("spk,spl->kl", cells, cells) + x[in_none].T @ x[in_none]
        summed = sets.summed(x)
        np.testing.assert_allclose(summed.T @ summed, by_set + by_person - by_cell, rtol=1e-12)

    def test_shapes_beyond_two_are_summed_column_by_column(self, sets: OverlappingSets) -> None:
        x = np.random.default_rng(1).normal(size=(sets.people, 2, 3))
        np.testing.assert_allclose(sets.summed(x)[:, 1, 2], sets.summed(x[:, 1, 2, None])[:, 0])

    def test_spreading_numbers_is_the_reverse_of_summing(self, sets: OverlappingSets) -> None:
        rng = np.random.default_rng(1)
        x, z = rng.normal(size=(sets.people, 2)), rng.normal(size=(sets.size, 4))
        np.testing.assert_allclose(sets.spread(z).T @ x, z.T @ sets.summed(x), atol=1e-12)

    def test_each_is_counted_in_a_set_they_are_in(self, sets: OverlappingSets) -> None:
        b = shares(sets)
        some = b.sum(axis=0) > 0
        assert (b[sets.label[some], np.flatnonzero(some)] > 0).all()
        assert len(np.unique(sets.label[~some])) == (~some).sum()
        assert (sets.label[~some] >= len(b)).all()

    def test_of_some_people_only_these_are_summed(self, sets: OverlappingSets) -> None:
        x = np.random.default_rng(1).normal(size=(sets.people, 1))
        kept = np.flatnonzero(np.arange(sets.people) % 3 > 0)
        seen = np.zeros((sets.people, 1))
        seen[kept] = x[kept]
        some, everyone = sets.among(kept).summed(x[kept]), sets.summed(seen)
        assert (some**2).sum() == pytest.approx((everyone**2).sum())


def test_sets_that_share_nobody_are_clusters() -> None:
    sets = OverlappingSets(
        5, np.array([0, 1]), np.array([3, 2, 4]), np.array([0, 1]), np.array([1, 3]), np.array([1.0, 0.5])
    )
    x = np.arange(1.0, 6.0)[:, None]
    assert sets.summed(x).ravel().tolist() == pytest.approx([1 + 4, 2 + 3 + 5])
    assert sets.label.tolist() == [0, 1, 1, 0, 1]


@pytest.fixture(scope="module")
def drawn() -> oc.SurvivalData:
    """150 people; no two times of an event are one, so that how ties count does not matter."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=(150, 2))
    arm = (rng.random(150) < 1 / (1 + np.exp(0.3 - x[:, 0]))).astype(int)
    frame = pd.DataFrame({"arm": arm, "x": x[:, 0], "z": x[:, 1], "town": rng.choice(["north", "south"], 150)})
    frame["day"] = rng.permutation(150) + 10.0
    frame["seen"] = (rng.random(150) < 0.7).astype(int)
    return oc.survival_data(frame, duration="day", event="seen", arm="arm", reference=0)


@pytest.fixture(scope="module", params=["replacement", "radius"])
def matched(request: pytest.FixtureRequest, drawn: oc.SurvivalData) -> oc.Matched:
    if request.param == "radius":
        return oc.match(drawn, "x + z", method="radius", caliper=0.2)
    return oc.match(drawn, "x + z", replace=True, ratio=2)


@pytest.fixture(scope="module")
def pairs(drawn: oc.SurvivalData, matched: oc.Matched) -> oc.SurvivalData:
    """One row a person in a set, as a person of its own, with its part of the weight."""
    assert matched.overlapping is not None
    cells = shares(matched.overlapping) * matched.values
    row, person = np.nonzero(cells)
    frame = drawn.frame.iloc[person].reset_index(drop=True)
    frame["w"], frame["in_set"], frame["who"] = cells[row, person], row, person
    return oc.survival_data(frame, duration="day", event="seen", arm="arm", reference=0)


def three_ways(pairs: oc.SurvivalData, variance_of: object) -> Array:
    """Variance by set plus by person minus by pair."""
    found = [np.asarray(variance_of(cluster)) for cluster in ("in_set", "who", None)]  # type: ignore[operator]
    return np.asarray(found[0] + found[1] - found[2])


AT = [40.0, 80.0, 120.0]


class TestEveryEstimator:
    def test_curves_at_each_time(self, drawn: oc.SurvivalData, matched: oc.Matched, pairs: oc.SurvivalData) -> None:
        own = oc.kaplan_meier(drawn, weights=matched).at(AT)["std_error"]
        expected = three_ways(
            pairs, lambda c: oc.kaplan_meier(pairs, weights="w", cluster=c).at(AT)["std_error"].to_numpy() ** 2
        )
        np.testing.assert_allclose(own**2, expected, rtol=1e-9)

    def test_arms_together(self, drawn: oc.SurvivalData, matched: oc.Matched, pairs: oc.SurvivalData) -> None:
        own = oc.kaplan_meier(drawn, weights=matched)
        expected = three_ways(
            pairs, lambda c: oc.kaplan_meier(pairs, weights="w", cluster=c).arm_estimates(AT).covariance
        )
        np.testing.assert_allclose(own.arm_estimates(AT).covariance, expected, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(own.influence(AT).covariance, expected, rtol=1e-9, atol=1e-15)

    def test_mean_time(self, drawn: oc.SurvivalData, matched: oc.Matched, pairs: oc.SurvivalData) -> None:
        own = oc.rmst(drawn, horizon=100, weights=matched).arm_estimates().covariance
        expected = three_ways(
            pairs, lambda c: oc.rmst(pairs, horizon=100, weights="w", cluster=c).arm_estimates().covariance
        )
        np.testing.assert_allclose(own, expected, rtol=1e-9, atol=1e-12)

    @pytest.mark.parametrize("of", ["coefficients", "predicted", "standardised"])
    def test_cox(self, drawn: oc.SurvivalData, matched: oc.Matched, pairs: oc.SurvivalData, of: str) -> None:
        def variance(data: oc.SurvivalData, weights: object, cluster: str | None = None) -> Array:
            model = oc.cox(data, "arm + x", weights=weights, cluster=cluster, ties="breslow")
            if of == "coefficients":
                return np.asarray(model.covariance)
            if of == "standardised":
                return np.asarray(model.standardised().arm_estimates(AT).covariance)
            new = pd.DataFrame({"arm": ["1"], "x": [0.5]})
            return np.asarray(model.predict(new).at(AT)["std_error"]) ** 2

        expected = three_ways(pairs, lambda c: variance(pairs, "w", c))
        np.testing.assert_allclose(variance(drawn, matched), expected, rtol=1e-7, atol=1e-14)

    def test_bands_draw_what_the_variance_says(self, drawn: oc.SurvivalData, matched: oc.Matched) -> None:
        """The deviations behind a simulated band have the standard error of the curve."""
        from outcomes.survival.bands import _deviations

        curves = oc.kaplan_meier(drawn, weights=matched)
        path, rows = curves.path(0, 0), curves.rows[0]
        inside = curves.fits[0].passed(np.array(AT))
        found = _deviations(curves.asked, path, drawn, rows, inside, 4000, np.random.default_rng(0))
        error = np.sqrt(curves.arm_estimates(AT).covariance[:, 0, 0])
        np.testing.assert_allclose(found.std(axis=0), error, rtol=0.05)

    def test_levels(self, drawn: oc.SurvivalData, matched: oc.Matched, pairs: oc.SurvivalData) -> None:
        """Within a town the sets are seen through its people only; factors for few clusters are taken out."""
        effects = oc.subgroup_effects(drawn, "town", at=80, weights=matched).to_frame().set_index("level")
        town = pairs.frame["town"] == "north"
        alone = oc.survival_data(
            pairs.frame[town].reset_index(drop=True), duration="day", event="seen", arm="arm", reference=0
        )

        def variance(cluster: str | None) -> float:
            c = oc.kaplan_meier(alone, weights="w", cluster=cluster).arm_estimates([80.0]).covariance[0]
            return float(c[0, 0] + c[1, 1] - 2 * c[0, 1])

        clusters = _number_of_clusters(drawn, matched, "north")
        expected = three_ways(pairs, variance) * clusters / (clusters - 1)
        assert effects.loc["north", "std_error"] ** 2 == pytest.approx(float(expected), rel=1e-6)


def _number_of_clusters(data: oc.SurvivalData, matched: oc.Matched, town: str) -> int:
    assert matched.overlapping is not None
    mine = (data.baseline["town"].to_numpy() == town) & matched.kept
    return len(np.unique(matched.overlapping.label[mine]))


def test_named_clusters_come_before_sets(drawn: oc.SurvivalData) -> None:
    matched = oc.match(drawn, "x + z", replace=True)
    own = oc.kaplan_meier(drawn, weights=matched, cluster="town").at([80.0])
    known = oc.kaplan_meier(drawn, weights=matched.values, cluster="town").at([80.0])
    np.testing.assert_allclose(own["std_error"], known["std_error"])


def test_one_who_stands_for_everyone_says_nothing_of_how_people_differ() -> None:
    frame = pd.DataFrame({"arm": [1, 1, 1, 1, 0, 0, 0], "day": [5.0, 7, 9, 4, 6, 8, 3], "seen": [1, 0, 1, 1, 1, 0, 1]})
    data = oc.survival_data(frame, duration="day", event="seen", arm="arm", reference=0)
    one = of_pairs(np.array([[0, 4], [1, 4], [2, 4]]), data.arm == 1).overlapping
    weights = oc.Weights(
        values=np.array([1.0, 1, 1, 0, 1, 0, 0]), estimand="matched_att", arm=data.arm, arms=data.arms, overlapping=one
    )
    curves = oc.kaplan_meier(data, weights=weights)
    found = oc.compare(curves, measure="risk_difference", at=6)
    assert np.isnan(found.to_frame().loc[0, ["conf_low", "conf_high"]].astype(float)).all()
    assert "one_cluster" in {note.code for note in found.notes}
