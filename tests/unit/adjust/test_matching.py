"""Matching, in tables small enough to check by eye."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

import outcomes as oc
from outcomes.adjust.set_weights import of_pairs, of_radius, of_strata


def people(rows: list[tuple[int, float, str]]) -> oc.SurvivalData:
    """Rows of arm (1 asked about), x, town; everyone is followed for ten days."""
    frame = pd.DataFrame(rows, columns=["arm", "x", "town"]).assign(day=10.0, seen=0)
    return oc.survival_data(frame, duration="day", event="seen", arm="arm", reference=0)


@pytest.fixture(scope="module")
def drawn() -> oc.SurvivalData:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 2)).round(1)
    arm = (rng.random(400) < 1 / (1 + np.exp(0.8 - x[:, 0]))).astype(int)
    frame = pd.DataFrame({"arm": arm, "x": x[:, 0], "z": x[:, 1], "town": rng.choice(["north", "south", "west"], 400)})
    frame["day"], frame["seen"] = rng.integers(1, 500, 400).astype(float), rng.integers(0, 2, 400)
    return oc.survival_data(frame, duration="day", event="seen", arm="arm", reference=0)


class TestWeights:
    def test_two_who_stand_for_one_person_share_the_weight(self) -> None:
        asked_about = np.array([True, True, False, False, False, False])
        found = of_pairs(np.array([[0, 2], [0, 3], [1, 4]]), asked_about)
        np.testing.assert_allclose(found.weights, [1, 1, 0.75, 0.75, 1.5, 0])  # 1/2, 1/2, 1 scaled to three people
        assert found.sets is not None
        assert found.sets.tolist() == [0, 1, 0, 0, 1, 5]

    def test_one_who_stands_for_two_is_in_no_single_set(self) -> None:
        found = of_pairs(np.array([[0, 2], [1, 2]]), np.array([True, True, False]))
        assert found.sets is None
        assert found.weights.tolist() == [1, 1, 1]

    def test_radius_is_the_double_loop(self) -> None:
        rng = np.random.default_rng(1)
        line, stratum = rng.integers(0, 12, 60) / 2, rng.integers(0, 2, 60)
        asked_about, usable = rng.random(60) < 0.4, rng.random(60) < 0.9
        share, found = np.zeros(60), np.zeros(60, dtype=bool)
        for i in np.flatnonzero(asked_about & usable):
            near = [
                j
                for j in range(60)
                if usable[j] and not asked_about[j] and stratum[i] == stratum[j] and abs(line[i] - line[j]) <= 0.5
            ]
            found[i] = bool(near)
            for j in near:
                share[j] += 1 / len(near)
        made = of_radius(line, stratum, asked_about, usable, 0.5)
        expected = np.where(found, 1.0, share * (share > 0).sum() / share.sum())
        np.testing.assert_allclose(made.weights, expected, atol=1e-12)

    @pytest.mark.parametrize("estimand", ["att", "atc", "ate"])
    def test_classes_make_the_arms_alike_in_their_classes(self, estimand: str) -> None:
        stratum, arm = np.array([0, 0, 0, 1, 1, 1, 2]), np.array([1, 0, 0, 1, 1, 0, 1])
        found = of_strata(stratum, arm, np.ones(7, dtype=bool), estimand)
        asked = {"att": [1, 2], "atc": [2, 1], "ate": [3, 3]}[estimand]
        for a in (0, 1):
            shares = [found.weights[(arm == a) & (stratum == s)].sum() for s in (0, 1)]
            assert shares[0] / sum(shares) == pytest.approx(asked[0] / sum(asked))
        assert found.sets is None  # classes are many people, not a cluster each
        assert found.weights[6] == 0  # nobody of the other arm is in its class


class TestWhoIsMatched:
    def test_inside_the_town_only(self, drawn: oc.SurvivalData) -> None:
        matched = oc.match(drawn, "x + z", exact="town")
        assert matched.pairs is not None
        town = drawn.baseline["town"].to_numpy()
        assert (town[matched.pairs[:, 0]] == town[matched.pairs[:, 1]]).all()

    def test_never_inside_the_town(self, drawn: oc.SurvivalData) -> None:
        matched = oc.match(drawn, "x + z", antiexact=["town"], calipers={"z": 0.5})
        assert matched.pairs is not None
        town, z = drawn.baseline["town"].to_numpy(), drawn.baseline["z"].to_numpy()
        assert (town[matched.pairs[:, 0]] != town[matched.pairs[:, 1]]).all()
        assert np.abs(np.diff(z[matched.pairs], axis=1)).max() <= 0.5

    def test_nobody_twice_and_nobody_beyond_the_caliper(self, drawn: oc.SurvivalData) -> None:
        matched = oc.match(drawn, "x + z", caliper=0.1, ratio=2)
        assert matched.pairs is not None
        assert matched.linear is not None
        assert len(np.unique(matched.pairs[:, 1])) == len(matched.pairs)
        unit = matched.linear.std(ddof=1)
        assert np.abs(np.diff(matched.linear[matched.pairs], axis=1)).max() <= 0.1 * unit

    def test_atc_is_att_with_the_arms_named_the_other_way_round(self, drawn: oc.SurvivalData) -> None:
        turned = oc.survival_data(
            drawn.baseline[["x", "z", "town"]].assign(arm=1 - drawn.arm, day=drawn.exit, seen=0),
            duration="day", event="seen", arm="arm", reference=0,
        )  # fmt: skip
        one = oc.match(drawn, "x + z", caliper=0.2, estimand="atc")
        other = oc.match(turned, "x + z", caliper=0.2, estimand="att")
        np.testing.assert_allclose(one.values, other.values)

    def test_row_order_decides_only_between_equals(self, drawn: oc.SurvivalData) -> None:
        frame = drawn.baseline.assign(
            arm=drawn.arm, day=drawn.exit, seen=0, x=lambda f: f["x"] + np.arange(len(f)) * 1e-7
        ).drop(columns=["person"], errors="ignore")
        frame["who"] = np.arange(len(frame))
        turned = frame.sample(frac=1, random_state=1)
        made = [
            oc.match(oc.survival_data(f, duration="day", event="seen", arm="arm", reference=0), "x + z", caliper=0.2)
            for f in (frame, turned)
        ]
        who = [f["who"].to_numpy()[m.pairs] for f, m in zip((frame, turned), made, strict=True)]
        assert {tuple(p) for p in who[0]} == {tuple(p) for p in who[1]}

    def test_the_same_seed_the_same_pairs(self, drawn: oc.SurvivalData) -> None:
        made = [oc.match(drawn, "x + z", order="random", seed=seed).pairs for seed in (1, 1, 2)]
        assert np.array_equal(made[0], made[1])  # type: ignore[arg-type]
        assert not np.array_equal(made[0], made[2])  # type: ignore[arg-type]


def test_optimal_pairs_have_the_smallest_sum_of_all_ways_to_pair() -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"arm": [1] * 4 + [0] * 6, "x": rng.normal(size=10), "z": rng.normal(size=10)})
    data = oc.survival_data(frame.assign(day=1.0, seen=0), duration="day", event="seen", arm="arm", reference=0)
    optimal = oc.match(data, "x + z", method="optimal", distance="mahalanobis")
    within = frame[["x", "z"]] - frame.groupby("arm")[["x", "z"]].transform("mean")
    inverse = np.linalg.inv(within.T @ within / 8)
    x = frame[["x", "z"]].to_numpy()

    def distance(i: int, j: int) -> float:
        return float(np.sqrt((x[i] - x[j]) @ inverse @ (x[i] - x[j])))

    sums = [sum(distance(i, j) for i, j in enumerate(chosen)) for chosen in itertools.permutations(range(4, 10), 4)]
    assert optimal.pairs is not None
    assert sum(distance(i, j) for i, j in optimal.pairs) == pytest.approx(min(sums))


def test_sets_are_the_clusters_of_every_variance(drawn: oc.SurvivalData) -> None:
    matched = oc.match(drawn, "x + z", caliper=0.2)
    own = oc.kaplan_meier(drawn, weights=matched).at([100.0])
    asked = oc.kaplan_meier(drawn, weights=matched.values, cluster=matched.sets).at([100.0])
    np.testing.assert_allclose(own["std_error"], asked["std_error"])
    assert (
        oc.compare(oc.kaplan_meier(drawn, weights=matched), measure="risk_difference", at=100)
        .to_frame()
        .notna()
        .any(axis=None)
    )


def test_the_sentence_says_for_whom_the_answer_holds(drawn: oc.SurvivalData) -> None:
    matched = oc.match(drawn, "x + z", caliper=0.01)
    n = matched.summary()["n_matched"].tolist()
    assert n[0] == n[1] < matched.summary()["n"][1]
    assert "those people of 1 who could be matched (ATT of the matched)" in matched.describe()
    assert matched.estimand == "matched_att"
    assert {note.code for note in matched.notes} == {"unmatched"}
    risk = oc.compare(oc.kaplan_meier(drawn, weights=matched), measure="risk_difference", at=100)
    assert "weighted to the people of 1 who could be matched (ATT of the matched)" in risk.describe()
    assert "who could be matched" not in oc.match(drawn, "x + z", method="optimal").describe()
    assert matched.balance().to_frame()["smd_after"].abs().max() < 0.2


def test_people_in_classes_are_independent(drawn: oc.SurvivalData) -> None:
    """Five classes of the score are no five clusters: the error is that of people with known weights."""
    classes = oc.match(drawn, "x + z", method="subclass")
    own = oc.kaplan_meier(drawn, weights=classes).at([100.0])
    people = oc.kaplan_meier(drawn, weights=classes.values).at([100.0])
    np.testing.assert_allclose(own[["conf_low", "conf_high"]], people[["conf_low", "conf_high"]])
    assert classes.notes == ()


def test_sets_are_clusters_within_levels_too(drawn: oc.SurvivalData) -> None:
    matched = oc.match(drawn, "x + z", exact=["town"])
    effects = oc.subgroup_effects(drawn, "town", at=100, weights=matched).to_frame().set_index("level")
    town = drawn.baseline["town"].to_numpy() == "north"
    alone = oc.survival_data(
        drawn.frame.assign(w=matched.values, pair=matched.sets)[town].reset_index(drop=True),
        duration="day", event="seen", arm="arm", reference=0,
    )  # fmt: skip
    by_hand = oc.compare(oc.kaplan_meier(alone, weights="w", cluster="pair"), measure="risk_difference", at=100)
    found = by_hand.to_frame().iloc[0]
    assert effects.loc["north", "std_error"] == pytest.approx(found["std_error"], rel=1e-9)


class TestRefused:
    def test_one_person_in_an_arm(self) -> None:
        data = people([(1, 1.0, "a"), (0, 2.0, "a"), (0, 2.2, "a")])
        with pytest.raises(oc.EstimationError, match=r"arm '1' has fewer than two people \(1\)"):
            oc.match(data, "x")

    def test_a_caliper_that_leaves_nobody(self) -> None:
        data = people([(1, 1.0, "a"), (1, 2.0, "a"), (1, 2.2, "a"), (0, 1.5, "a"), (0, 2.1, "a"), (0, 5.0, "a")])
        with pytest.raises(
            oc.EstimationError, match=r"nobody is matched \(3 in 0, 3 in 1\)\. Widen or leave out caliper=\."
        ):
            oc.match(data, "x", caliper=0)

    def test_exact_on_a_continuous_column(self, drawn: oc.SurvivalData) -> None:
        frame = drawn.baseline.assign(arm=drawn.arm, day=1.0, seen=0, own=np.linspace(0, 1, 400))
        data = oc.survival_data(
            frame.drop(columns=["person"], errors="ignore"), duration="day", event="seen", arm="arm", reference=0
        )
        with pytest.raises(oc.EstimationError, match=r"400 of 400 people have a value of 'own'.*method='cem'"):
            oc.match(data, "x + z", exact=["own"])

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"method": "neerest"}, "method must be one of"),
            ({"estimand": "ato"}, "estimand must be one of"),
            ({"estimand": "ate"}, "finds comparison people for one arm"),
            ({"method": "radius"}, "needs caliper="),
            ({"method": "cem", "caliper": 0.1}, "does not look at caliper="),
            ({"method": "optimal", "replace": True}, "does not look at replace="),
            ({"caliper": -1}, "must be 0 or more"),
            ({"ratio": 0}, "ratio must be 1 or more"),
            ({"order": "random"}, "needs seed="),
            ({"exact": ["twon"]}, "no column 'twon'"),
            ({"cutpoints": {"x": 3}}, "does not look at cutpoints="),
            ({"method": "cem", "cutpoints": {"x": []}}, "must be a number of classes"),
        ],
    )  # fmt: skip
    def test_what_has_no_answer(self, drawn: oc.SurvivalData, given: dict[str, object], said: str) -> None:
        with pytest.raises(oc.EstimationError, match=said):
            oc.match(drawn, "x + z", **given)  # type: ignore[arg-type]

    def test_the_arm_in_its_own_score(self, drawn: oc.SurvivalData) -> None:
        with pytest.raises(oc.EstimationError, match="arm"):
            oc.match(drawn, "x + arm")
