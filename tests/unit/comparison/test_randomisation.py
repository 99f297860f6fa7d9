"""Randomisation tests: the arms given to other clusters, in every way or in some; exact by brute force."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi
from scipy import stats

import outcomes as oc
from outcomes.comparison.arrangements import Arrangements, as_extreme
from outcomes.design.other_arms import with_arms

ROSSI = load_rossi().assign(town=lambda f: f.index % 3 + 3 * f["fin"], pair=lambda f: f.index % 3)  # 3 towns an arm


def take(frame: pd.DataFrame = ROSSI, **given: Any) -> oc.SurvivalData:
    return oc.survival_data(
        frame, **{"duration": "week", "event": "arrest", "arm": "fin", "reference": 0, "cluster": "town", **given}
    )


def difference(data: oc.SurvivalData) -> oc.Comparison:
    return oc.compare(oc.kaplan_meier(data), measure="risk_difference", at=50)


def logrank(data: oc.SurvivalData) -> float:
    found = oc.logrank_test(data.with_cluster(None))
    return float((found.observed - found.expected)[1])


# the ways to give arms


@pytest.mark.parametrize(
    ("arm", "stratum"),
    [
        ([0, 0, 0, 1, 1], [0] * 5),
        ([0, 1, 2, 0, 1, 2], [0] * 6),
        ([0, 1, 1, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1, 1]),
        ([1, 0, 1, 0], [0, 0, 1, 1]),
    ],
)
def test_every_way_is_there_once_and_keeps_the_arms_of_each_stratum(arm: list[int], stratum: list[int]) -> None:
    possible = Arrangements(np.array(arm), np.array(stratum))
    kept = [
        way
        for way in set(permutations(arm))
        if all(
            sorted(np.array(way)[np.array(stratum) == s]) == sorted(np.array(arm)[np.array(stratum) == s])
            for s in stratum
        )
    ]
    assert sorted(map(tuple, possible.every().tolist())) == sorted(kept)
    assert possible.number == len(kept)


def test_ways_at_random_keep_strata_and_are_alike_in_chance() -> None:
    possible = Arrangements(np.array([0, 0, 1, 0, 1]), np.array([0, 0, 0, 1, 1]))
    drawn = [tuple(possible.at_random(1, repeat).tolist()) for repeat in range(1200)]
    seen = pd.Series(drawn).value_counts()
    assert set(seen.index) == set(map(tuple, possible.every().tolist()))
    assert stats.chisquare(seen).pvalue > 0.001


def test_the_number_of_ways_of_many_clusters_is_no_float() -> None:
    assert (
        Arrangements(np.repeat([0, 1], 100), np.zeros(200, dtype=np.int64)).number
        == 90548514656103281165404177077484163874504589675413336841320
    )


def test_other_arms_are_told_by_the_column_of_the_arm_too() -> None:
    rows = pd.DataFrame(
        {"who": [1, 1, 2, 3], "from": [0, 2, 0, 0], "to": [2, 5, 3, 1], "e": [0, 1, 0, 1], "arm": ["b", "b", "a", "a"]}
    )
    data = oc.survival_data(rows, entry="from", exit="to", event="e", id="who", arm="arm", reference="a")
    again = with_arms(data, np.array([0, 1, 1]))
    assert again.baseline["arm"].tolist() == ["a", "b", "b"]
    assert again.frame["arm"].tolist() == ["a", "a", "b", "b"]
    assert again.row_arm.tolist() == [0, 0, 1, 1]
    assert data.frame["arm"].tolist() == ["b", "b", "a", "a"]
    assert oc.cox(again, "arm").terms == ("arm[b]",)


# the test


def test_it_is_exact_by_brute_force() -> None:
    found = oc.randomisation_test(take(), difference)
    brute = []
    for towns in combinations(range(6), 3):
        frame = ROSSI.assign(fin=ROSSI["town"].isin(towns).astype(int))
        brute.append(difference(take(frame)).to_frame()["estimate"].item())
    observed = difference(take()).to_frame()["estimate"].item()
    below, above = (np.array(brute) <= observed + 1e-12).mean(), (np.array(brute) >= observed - 1e-12).mean()
    assert sorted(found.arranged[:, 0]) == pytest.approx(sorted(brute))
    assert found.to_frame()["estimate"].item() == observed
    assert found.to_frame()["p_value"].item() == pytest.approx(min(1, 2 * min(below, above)))
    assert (found.everything, found.ways, dict(found.units)) == (True, 20, {"0": 3, "1": 3})


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_it_is_scipys_test_of_the_clusters(alternative: str) -> None:
    data, mean = take(), lambda d: float(d.exit[d.arm == 1].mean() - d.exit[d.arm == 0].mean())
    found = oc.randomisation_test(data, mean, alternative=alternative).to_frame()

    def of_towns(first: np.ndarray, second: np.ndarray) -> float:
        weeks = [ROSSI["week"][ROSSI["town"].isin(towns)].mean() for towns in (first, second)]
        return float(weeks[0] - weeks[1])

    other = stats.permutation_test((np.arange(3, 6), np.arange(3)), of_towns, alternative=alternative, n_resamples=100)
    assert found["p_value"].item() == pytest.approx(other.pvalue)


def test_without_a_statistic_it_is_the_log_rank_tests_under_every_arrangement() -> None:
    quick, slow = oc.randomisation_test(take()), oc.randomisation_test(take(), logrank)
    assert quick.arranged == pytest.approx(slow.arranged)
    assert quick.to_frame()["p_value"].item() == slow.to_frame()["p_value"].item()
    assert quick.to_frame()["measure"].item() == "observed_less_expected"


def test_late_entry_and_causes_are_in_the_log_rank_tests_numbers() -> None:
    frame = ROSSI.assign(start=ROSSI["prio"].clip(upper=3), cause=ROSSI["arrest"] * (1 + ROSSI["mar"]))
    frame = frame[frame["week"] > frame["start"]].reset_index(drop=True)
    data = take(frame, duration=None, entry="start", exit="week", event="cause", causes={1: "theft", 2: "other"})

    def of_theft(people: oc.SurvivalData) -> float:
        found = oc.logrank_test(people.with_cluster(None), cause="theft")
        return float((found.observed - found.expected)[1])

    quick, slow = oc.randomisation_test(data, cause="theft"), oc.randomisation_test(data, of_theft)
    assert quick.arranged == pytest.approx(slow.arranged)


def test_within_pairs_only_the_arms_of_a_pair_change_places() -> None:
    found = oc.randomisation_test(take(), difference, within="pair")
    assert found.ways == 2**3
    assert found.to_frame()["smallest_p"].item() == 0.25


def test_arms_given_to_people_within_clusters() -> None:
    data = take(ROSSI.iloc[:9].assign(town=[0, 0, 0, 0, 1, 1, 1, 1, 1], fin=[0, 1, 0, 1, 0, 1, 0, 1, 0], arrest=1))
    found = oc.randomisation_test(data, lambda d: float(d.exit[d.arm == 1].mean()), by="person", within="town")
    assert found.ways == 6 * 10
    assert "clusters_ignored" not in {note.code for note in found.notes}
    free = oc.randomisation_test(data, lambda d: float(d.exit[d.arm == 1].mean()), by="person")
    assert (free.ways, "clusters_ignored" in {note.code for note in free.notes}) == (126, True)


def test_a_sample_counts_the_observed_arrangement_too() -> None:
    frame = ROSSI.assign(town=ROSSI.index % 9 + 9 * ROSSI["fin"])
    found = oc.randomisation_test(take(frame), arrangements=500)
    row = found.to_frame().iloc[0]
    tails = [(found.arranged[:, 0] * side >= row["estimate"] * side - 1e-9).sum() for side in (1, -1)]
    assert (found.everything, found.ways, len(found.arranged), row["n_arrangements"]) == (False, 48_620, 499, 500)
    assert row["p_value"] == pytest.approx(2 * (1 + min(tails)) / 500)
    assert row["smallest_p"] == 2 / 500


def test_the_same_seed_gives_the_same_numbers_for_any_number_of_processes() -> None:
    frame = ROSSI.assign(town=ROSSI.index % 9 + 9 * ROSSI["fin"])
    one, two = (oc.randomisation_test(take(frame), logrank, arrangements=40, n_jobs=jobs) for jobs in (1, 2))
    assert one.arranged.tolist() == two.arranged.tolist()
    assert one.arranged == pytest.approx(oc.randomisation_test(take(frame), arrangements=40).arranged)


def test_estimates_in_standard_errors_can_be_compared_instead() -> None:
    found = oc.randomisation_test(take(), difference, read="statistic").to_frame()
    assert found["estimate"].item() == pytest.approx(difference(take()).to_frame()["statistic"].item())


def test_three_arms_are_tested_as_one_hypothesis_by_a_statistic_of_their_own() -> None:
    frame = ROSSI.assign(fin=ROSSI.index % 3, town=ROSSI.index % 6)
    found = oc.randomisation_test(
        take(frame), lambda d: oc.logrank_test(d, cluster=None).statistic, alternative="greater"
    )
    assert found.ways == 90
    assert found.to_frame()["p_value"].item() >= 6 / 90  # the three arms' names do not matter to the statistic


# shares of arrangements, by hand


def test_missing_numbers_count_as_extreme() -> None:
    arranged = np.array([[1.0], [2.0], [np.nan], [4.0]])
    assert as_extreme(np.array([4.0]), arranged, "greater", everything=True).tolist() == [0.5]
    assert as_extreme(np.array([4.0]), arranged, "less", everything=True).tolist() == [1.0]
    assert as_extreme(np.array([4.0]), arranged, "two-sided", everything=False).tolist() == [1.0]
    assert np.isnan(as_extreme(np.array([np.nan]), arranged, "less", everything=True)).all()


def test_what_differs_by_rounding_is_the_same() -> None:
    arranged = np.array([[0.3], [0.1 + 0.2], [-0.3]])
    assert as_extreme(np.array([0.1 + 0.2]), arranged, "greater", everything=True).item() == pytest.approx(2 / 3)


# what is said, and what is refused


def test_a_test_that_could_not_have_found_anything_says_so() -> None:
    found = oc.randomisation_test(take())
    note = {n.code: n.text for n in found.notes}["coarse_test"]
    assert note.startswith("No p-value below 0.1 was possible")
    assert found.to_frame()["smallest_p"].item() == 0.1
    ways = "Randomisation test over all 20 ways to give arms to clusters (3 in 0 and 3 in 1): "
    assert found.describe().startswith(f"{ways}1 against 0, observed less expected of arrest -10.4")
    risks = oc.randomisation_test(take(), difference).describe()
    assert risks.startswith(f"{ways}1 against 0, risk difference of arrest by 50 -0.06")
    age = oc.randomisation_test(take(), lambda d: float(d.baseline["age"][d.arm == 1].mean())).describe()
    assert age.startswith(f"{ways}0 {ROSSI['age'][ROSSI['fin'] == 1].mean():.4g}, p = ")


def test_arrangements_without_a_number_are_counted_and_said() -> None:
    quiet = ROSSI.assign(arrest=((ROSSI["town"] < 2) & (ROSSI["arrest"] == 1)).astype(int))

    def strict(data: oc.SurvivalData) -> float:
        if data.events_by_arm().min() == 0:
            raise oc.EstimationError("an arm has no events")
        return logrank(data)

    frame = quiet.assign(fin=quiet["town"].isin([0, 2, 4]).astype(int))  # town 0 and town 1 in different arms
    found = oc.randomisation_test(take(frame), strict)
    assert dict(found.failures) == {"an arm has no events": 8}  # both of two given towns in one arm: 2 x 4 ways
    note = {n.code: n.text for n in found.notes}["arrangements_lost"]
    assert note.startswith("8 of 20 arrangements gave no number and count as extreme (an arm has no events).")
    assert found.to_frame()["p_value"].item() >= 8 / 20


MIXED = ROSSI.assign(town=ROSSI.index % 6)


@pytest.mark.parametrize(
    ("frame", "statistic", "given", "said"),
    [
        (MIXED, None, {}, r"6 of 6 clusters hold people of several arms.*by='person', within='town'"),
        (ROSSI, None, {"within": "race"}, "race differs within 6 clusters"),
        (ROSSI, None, {"within": "fin"}, "only one way to give the arms within the levels of fin"),
        (ROSSI, None, {"within": "pairs"}, "no column 'pairs' .within.. Did you mean 'pair'"),
        (ROSSI.assign(arrest=[0] * 431 + [1], week=[9] * 431 + [1]), None, {"cause": "theft"}, "no cause 'theft'"),
        (ROSSI, difference, {"cause": "arrest"}, "leave cause= out"),
        (ROSSI, None, {"alternative": "both"}, "alternative must be one of"),
        (ROSSI, None, {"read": "p_value"}, "read must be one of"),
        (ROSSI, None, {"arrangements": 5}, "must be 20 or more; got 5"),
        (ROSSI, "logrank", {}, "statistic must be a function of the data"),
        (ROSSI, lambda d: float("nan"), {}, "no number on the data as they are"),
        (ROSSI, lambda d: "text", {}, "randomisation_test: the statistic must give a number"),
        (ROSSI, lambda d: oc.kaplan_meier(d).at(50)[["arm"]], {}, "no column 'estimate'"),
        (ROSSI.assign(fin=ROSSI["pair"]), None, {}, "with more than two arms say what is compared"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    frame: pd.DataFrame, statistic: Any, given: dict[str, Any], said: str
) -> None:
    if frame["fin"].nunique() == 3:
        frame = frame.assign(town=frame.index % 6)
    with pytest.raises(oc.EstimationError, match=said):
        oc.randomisation_test(take(frame), statistic, **given)


def test_one_arm_no_events_no_clusters_clones_and_row_counts() -> None:
    from cloned_lives import as_clones, lived

    with pytest.raises(oc.EstimationError, match="only one arm"):
        oc.randomisation_test(take(arm=None, reference=None))
    with pytest.raises(oc.EstimationError, match="nobody had the event"):
        oc.randomisation_test(take(ROSSI.assign(arrest=0)))
    with pytest.raises(oc.EstimationError, match="needs data with clusters"):
        oc.randomisation_test(take(cluster=None), by="cluster")
    with pytest.raises(oc.NotSupportedError, match="clones stand in every arm"):
        oc.randomisation_test(as_clones(lived(60, np.random.default_rng(1), (1.0, 1.0))))
    with pytest.raises(oc.NotSupportedError, match="row count"):
        oc.randomisation_test(take(ROSSI.assign(many=2), cluster=None, frequency="many"))


def test_row_counts_move_with_their_cluster() -> None:
    twice = oc.randomisation_test(take(ROSSI.assign(many=2), frequency="many"))
    again = oc.randomisation_test(take(pd.concat([ROSSI, ROSSI], ignore_index=True)))
    assert twice.arranged == pytest.approx(again.arranged)


def test_notes_of_few_clusters_name_it() -> None:
    assert "randomisation_test(data, …)" in {n.code: n.text for n in difference(take()).notes}["few_clusters"]
    assert "randomisation_test(data, …)" in {n.code: n.text for n in oc.cox(take(), "fin").notes}["few_clusters"]


def test_order_of_rows_names_of_clusters_and_unit_of_time_do_not_matter() -> None:
    mixed = ROSSI.sample(frac=1, random_state=1).assign(
        week=lambda f: f["week"] * 7, town=lambda f: f["town"].map("abcdef".__getitem__)
    )
    one, other = (
        oc.randomisation_test(take()).to_frame(),
        oc.randomisation_test(take(mixed.reset_index(drop=True))).to_frame(),
    )
    assert other["estimate"].item() == pytest.approx(one["estimate"].item())
    assert other["p_value"].item() == one["p_value"].item()


def test_arms_the_other_way_round_turn_the_sign_alone() -> None:
    one, other = oc.randomisation_test(take()).to_frame(), oc.randomisation_test(take(reference=1)).to_frame()
    assert other["estimate"].item() == pytest.approx(-one["estimate"].item())
    assert other["p_value"].item() == one["p_value"].item()


def test_the_outcome_that_was_named_is_the_one_that_is_tested() -> None:
    frame = ROSSI.assign(what=np.where(ROSSI["arrest"] == 1, np.where(ROSSI["age"] > 22, "arrest", "other"), "none"))
    named = take(frame, event="what", censored="none", causes=["arrest", "other"])
    found = oc.randomisation_test(named).to_frame()
    pd.testing.assert_frame_equal(found, oc.randomisation_test(named, cause="arrest").to_frame())
    with pytest.raises(oc.EstimationError, match="outcome of interest"):
        oc.randomisation_test(take(frame, event="what", censored="none"))
