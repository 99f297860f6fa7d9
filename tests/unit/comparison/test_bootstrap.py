"""The bootstrap: the same people drawn again, whatever the number of processes; refused where it is not valid."""

from __future__ import annotations

import dataclasses
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.comparison.bootstrap_kernel import acceleration, intervals
from outcomes.design.resampling import Units, resampled

ROSSI = load_rossi().assign(town=lambda frame: np.arange(len(frame)) % 24)


def take(frame: pd.DataFrame = ROSSI, **given: Any) -> oc.SurvivalData:
    return oc.survival_data(frame, duration="week", event="arrest", arm="fin", reference=0, unit="weeks", **given)


def difference(data: oc.SurvivalData, weights: oc.Weights | None = None) -> oc.Comparison:
    return oc.compare(oc.kaplan_meier(data, weights=weights), measure="risk_difference", at=50)


def share_arrested(data: oc.SurvivalData) -> float:
    return float((data.event > 0).mean())


# what is drawn


def test_somebody_drawn_twice_is_two_people() -> None:
    data = take(ROSSI.iloc[:6].reset_index(drop=True))
    again, people = resampled(data, Units.of(np.arange(6)), np.array([0, 0, 3, 5, 5, 5]), as_clusters=False)
    assert people.tolist() == [0, 0, 3, 5, 5, 5]
    assert again.person.tolist() == [0, 1, 2, 3, 4, 5]
    assert again.exit.tolist() == data.exit[people].tolist()
    assert again.baseline["age"].tolist() == data.baseline["age"].iloc[people].tolist()


def test_all_rows_of_a_person_come_with_them() -> None:
    rows = pd.DataFrame(
        {
            "who": [1, 1, 2, 3, 3, 3],
            "start": [0, 2, 0, 0, 1, 4],
            "stop": [2, 5, 3, 1, 4, 6],
            "e": [0, 1, 0, 0, 0, 1],
            "x": range(6),
        }
    )
    data = oc.survival_data(rows, entry="start", exit="stop", event="e", id="who")
    again, _ = resampled(data, Units.of(np.arange(3)), np.array([0, 2, 2]), as_clusters=False)
    assert again.person.tolist() == [0, 0, 1, 1, 1, 2, 2, 2]
    assert again.frame["x"].tolist() == [0, 1, 3, 4, 5, 3, 4, 5]
    assert again.exit.tolist() == [2, 5, 1, 4, 6, 1, 4, 6]


def test_each_draw_of_a_cluster_is_a_cluster_of_its_own() -> None:
    data = take(cluster="town")
    units = Units.of(np.asarray(data.baseline["town"]))
    again, _ = resampled(data, units, np.array([3, 3, 7]), as_clusters=True)
    assert again.baseline["town"].tolist() == [0] * 18 + [1] * 18 + [2] * 18
    assert again.baseline["age"].iloc[:18].tolist() == again.baseline["age"].iloc[18:36].tolist()


def test_within_the_arms_every_replicate_has_as_many_people_of_each() -> None:
    found = oc.bootstrap(take(), lambda d: d.people_by_arm().astype(float), within="arm", replicates=20)
    assert found.to_frame()["std_error"].tolist() == [0, 0]
    free = oc.bootstrap(take(), lambda d: d.people_by_arm().astype(float), replicates=20)
    assert (free.to_frame()["std_error"] > 0).all()


# what comes back


def test_a_result_keeps_what_its_rows_are_and_gets_new_doubt() -> None:
    found = oc.bootstrap(take(), difference, replicates=50).to_frame()
    assert found[["arm", "reference", "time", "measure"]].iloc[0].tolist() == ["1", "0", 50.0, "risk_difference"]
    assert found["estimate"].item() == difference(take()).to_frame()["estimate"].item()
    assert list(found.columns[-6:]) == ["estimate", "bias", "std_error", "conf_low", "conf_high", "n_replicates"]


@pytest.mark.parametrize(
    "statistic",
    [share_arrested, lambda d: np.array([share_arrested(d)]), lambda d: pd.Series({"share": share_arrested(d)})],
    ids=["number", "array", "series"],
)
def test_numbers_arrays_and_series_are_taken(statistic: Any) -> None:
    found = oc.bootstrap(take(), statistic, replicates=200).to_frame()
    share = ROSSI["arrest"].mean()
    assert found["estimate"].item() == share
    assert found["std_error"].item() == pytest.approx(np.sqrt(share * (1 - share) / len(ROSSI)), rel=0.15)


def test_the_same_seed_gives_the_same_numbers_for_any_number_of_processes() -> None:
    one, two = (oc.bootstrap(take(), difference, replicates=60, n_jobs=jobs) for jobs in (1, 2))
    assert one.replicates.tolist() == two.replicates.tolist()
    other = oc.bootstrap(take(), difference, replicates=60, seed=1)
    assert one.replicates.tolist() != other.replicates.tolist()


def test_more_replicates_begin_with_the_same_ones() -> None:
    few, many = (oc.bootstrap(take(), share_arrested, replicates=r).replicates for r in (20, 90))
    assert few.tolist() == many[:20].tolist()


def test_clusters_of_alike_people_widen_the_interval() -> None:
    frame = ROSSI.assign(arrest=(ROSSI["town"] % 3 == 0).astype(int))  # towns are all or nothing
    by_town = oc.bootstrap(take(frame, cluster="town"), share_arrested, replicates=300)
    by_person = oc.bootstrap(take(frame, cluster="town"), share_arrested, by="person", replicates=300)
    ratio = by_town.to_frame()["std_error"].item() / by_person.to_frame()["std_error"].item()
    assert ratio == pytest.approx(np.sqrt(18), rel=0.15)  # 18 people a town
    assert (by_town.by, by_person.by) == ("cluster", "person")
    assert "clusters_ignored" in {note.code for note in by_person.notes}


def test_three_clusters_drawn_by_brute_force() -> None:
    some = ROSSI.iloc[:30].assign(town=[0] * 5 + [1] * 10 + [2] * 15)
    every = [
        pd.concat([some[some["town"] == town] for town in drawn])["week"].mean()
        for drawn in product(range(3), repeat=3)
    ]
    found = oc.bootstrap(take(some, cluster="town"), lambda d: float(d.exit.mean()), replicates=2000)
    assert {round(one, 9) for one in found.replicates[:, 0]} == {round(one, 9) for one in every}
    assert found.to_frame()["std_error"].item() == pytest.approx(np.std(every), rel=0.06)


def test_standard_errors_of_curves_are_greenwoods() -> None:
    curves = oc.kaplan_meier(take()).at([26, 52])
    found = oc.bootstrap(take(), lambda d: oc.kaplan_meier(d).at([26, 52]), within="arm", replicates=500).to_frame()
    assert found["std_error"].tolist() == pytest.approx(curves["std_error"].tolist(), rel=4 / np.sqrt(2 * 500))


def test_matched_sets_are_drawn_whole_with_their_weights() -> None:
    data = take()
    matched = oc.match(data, "age + prio", caliper=0.2)
    found = oc.bootstrap(data, difference, weights=matched, replicates=300)
    closed = difference(data, matched).to_frame()
    assert found.by == "set"
    assert found.to_frame()["estimate"].item() == pytest.approx(closed["estimate"].item())
    assert found.to_frame()["std_error"].item() == pytest.approx(closed["std_error"].item(), rel=0.12)


def test_clones_of_one_person_are_drawn_together() -> None:
    from cloned_lives import as_clones, lived

    data = as_clones(lived(120, np.random.default_rng(1), (1.0, 1.0)))
    found = oc.bootstrap(data, lambda d: float(len(np.unique(d.clones.person)) / len(d.baseline)), replicates=10)
    assert found.to_frame()["estimate"].item() == len(np.unique(data.clones.person)) / len(data.baseline)
    assert (found.replicates < 1).all()


def test_clones_drawn_by_their_areas_once_each_weigh_what_they_weighed() -> None:
    from cloned_lives import as_clones, lived

    data = as_clones(lived(120, np.random.default_rng(1), (1.0, 1.0)))
    area = data.clones.person % 6
    clustered = dataclasses.replace(data, baseline=data.baseline.assign(area=area), cluster="area")
    again, people = resampled(clustered, Units.of(area), np.arange(6), as_clusters=True)
    assert len(np.unique(again.clones.person)) == len(np.unique(data.clones.person))
    was, found = (oc.censoring_weights(one, "x") for one in (data, again))
    where = np.argsort(people, kind="stable")
    assert oc.kaplan_meier(again, weights=found).at(300)["estimate"].to_numpy() == pytest.approx(
        oc.kaplan_meier(data, weights=was).at(300)["estimate"].to_numpy(), rel=1e-9
    )
    assert again.clones.begun[where] == pytest.approx(data.clones.begun)
    twice, _ = resampled(clustered, Units.of(area), np.array([0, 0, 1]), as_clusters=True)
    assert len(np.unique(twice.clones.person)) == 2 * len(set(data.clones.person[area == 0])) + len(
        set(data.clones.person[area == 1])
    )


# what is refused, and what is said


def test_weights_of_a_score_are_not_held_fixed_under_standard_errors_of_each_replicate() -> None:
    data = take()
    weights = oc.weight(data, "age + prio", estimand="ate")
    with pytest.raises(oc.EstimationError, match="Make the weights inside"):
        oc.bootstrap(data, difference, weights=weights, kind="studentised", replicates=10)


def test_every_process_there_is_gets_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    import joblib

    from outcomes.comparison.repeating import _chunks

    monkeypatch.setattr(joblib, "effective_n_jobs", lambda n: 64 if n == -1 else n)
    assert len(list(_chunks(1000, joblib.effective_n_jobs(-1)))) > 64
    assert sum(map(len, _chunks(1000, 64))) == 1000


def test_nearest_neighbours_with_replacement_are_refused_outside_and_inside() -> None:
    data = take()
    matched = oc.match(data, "age + prio", replace=True)
    with pytest.raises(oc.NotSupportedError, match="no valid bootstrap"):
        oc.bootstrap(data, difference, weights=matched, replicates=10)
    with pytest.raises(oc.NotSupportedError, match="no valid bootstrap"):
        oc.bootstrap(data, lambda d: difference(d, oc.match(d, "age + prio", replace=True)), replicates=10)


def test_sets_by_radius_are_matched_inside() -> None:
    data = take()
    radius = {"method": "radius", "caliper": 0.1}
    with pytest.raises(oc.NotSupportedError, match="Match inside the statistic"):
        oc.bootstrap(data, difference, weights=oc.match(data, "age + prio", **radius), replicates=10)
    found = oc.bootstrap(data, lambda d: difference(d, oc.match(d, "age + prio", **radius)), replicates=10)
    assert len(found.replicates) == 10


def test_replicates_that_give_no_number_are_counted_and_said() -> None:
    few = ROSSI.iloc[[0, 1, *range(2, 40)]].assign(arrest=[1] + [0] * 39, fin=[0, 1] * 20)
    found = oc.bootstrap(take(few), lambda d: oc.cox(d, "age"), replicates=60)
    lost = sum(found.failures.values())
    assert 10 < lost < 30  # (1 - 1/40)^40 = 0.36 of the samples have no event
    note = {n.code: n.text for n in found.notes}["replicates_lost"]
    assert note.startswith(f"{lost} of 60 replicates gave no number")
    assert "more than 5 %" in note
    assert found.to_frame()["n_replicates"].item() == 60 - lost


def test_a_statistic_that_mostly_fails_is_an_error_with_its_reason() -> None:
    two = ROSSI.iloc[:4].assign(arrest=[1, 0, 0, 0], fin=[0, 0, 1, 1], age=[20, 30, 21, 31])
    with pytest.raises(oc.EstimationError, match=r"of 50 replicates gave no number\. The commonest reason"):
        oc.bootstrap(take(two), lambda d: oc.match(d, "age").kept.sum(), replicates=50)


@pytest.mark.parametrize(
    ("statistic", "given", "said"),
    [
        (lambda d: oc.kaplan_meier(d), {}, "other rows in another sample"),
        (lambda d: "text", {}, "it gave str"),
        (lambda d: oc.weight(d, "age", estimand="ate"), {}, "no column 'estimate'"),
        (share_arrested, {"by": "cluster"}, "needs data with clusters"),
        (share_arrested, {"by": "set"}, "give weights="),
        (share_arrested, {"within": "nowhere"}, "no column 'nowhere'"),
        (share_arrested, {"replicates": 1}, "must be 2 or more"),
        (share_arrested, {"kind": "bayes"}, "kind"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(statistic: Any, given: dict[str, Any], said: str) -> None:
    with pytest.raises(oc.EstimationError, match=said):
        oc.bootstrap(take(), statistic, **{"replicates": 4, **given})


def test_units_that_lie_in_two_strata_are_refused() -> None:
    with pytest.raises(oc.EstimationError, match="race differs within what is drawn"):
        oc.bootstrap(take(cluster="town"), share_arrested, within="race", replicates=4)


def test_row_counts_are_refused() -> None:
    data = take(ROSSI.assign(count=2), frequency="count")
    with pytest.raises(oc.NotSupportedError, match="row counts"):
        oc.bootstrap(data, share_arrested, replicates=4)


def test_the_sentence_says_how_the_interval_was_made() -> None:
    said = oc.bootstrap(take(), share_arrested, replicates=50).describe()
    assert said.startswith("95 % percentile intervals from 50 bootstrap replicates by person: 0: 0.2639 (")


# the intervals by hand


def test_intervals_by_hand() -> None:
    drawn = np.arange(1.0, 1000.0)[:, None]  # 999 replicates: the (R + 1) p-th is a replicate
    value = np.array([400.0])
    percentile = intervals(value, drawn, "percentile", 0.95)
    assert (percentile.low[0], percentile.high[0]) == pytest.approx((25.0, 975.0))
    basic = intervals(value, drawn, "basic", 0.95)
    assert (basic.low[0], basic.high[0]) == pytest.approx((800 - 975.0, 800 - 25.0))
    normal = intervals(value, drawn, "normal", 0.95)
    error = np.arange(1, 1000).std(ddof=1)
    assert normal.low[0] == pytest.approx(400 - 100 - 1.959964 * error)
    assert normal.bias[0] == 100
    assert normal.std_error[0] == error


def test_bias_corrected_intervals_by_hand() -> None:
    from scipy.stats import norm

    drawn, faster = np.arange(1.0, 1000.0)[:, None], 0.05
    found = intervals(np.array([400.0]), drawn, "bca", 0.95, np.array([faster]))
    shift = norm.ppf(399.5 / 999)
    for tail, limit in ((0.025, found.low[0]), (0.975, found.high[0])):
        moved = shift + norm.ppf(tail)
        assert limit == pytest.approx(1000 * norm.cdf(shift + moved / (1 - faster * moved)), abs=0.01)


def test_studentised_intervals_by_hand() -> None:
    drawn, errors = np.array([[1.0], [2.0], [4.0], [7.0]]), np.array([[1.0], [0.5], [2.0], [0.0]])
    found = intervals(np.array([3.0]), drawn, "studentised", 0.5, None, (np.array([10.0]), errors))
    apart = np.array([-2.0, -2.0, 0.5])  # the one without an error is left out; a quarter of 4 is the first
    assert (found.low[0], found.high[0]) == (3 - 10 * apart[2], 3 - 10 * apart[0])
    assert found.std_error[0] == drawn.std(ddof=1)


def test_a_studentised_interval_of_a_mean_is_near_that_on_t() -> None:
    def mean(data: oc.SurvivalData) -> pd.DataFrame:
        x = np.asarray(data.exit)
        return pd.DataFrame({"estimate": [x.mean()], "std_error": [x.std(ddof=1) / np.sqrt(len(x))]})

    some = ROSSI.iloc[:60]
    found = oc.bootstrap(take(some), mean, kind="studentised", replicates=1500).to_frame().iloc[0]
    x = some["week"].to_numpy(float)
    error = x.std(ddof=1) / np.sqrt(60)
    assert found["std_error"] == pytest.approx(error, rel=0.1)
    assert (
        x.mean() - found["conf_low"]
    ) / error > 2.001  # weeks are skewed to the left: the lower limit is the farther one
    assert (found["conf_high"] - x.mean()) / error == pytest.approx(1.8, abs=0.25)


def test_studentised_intervals_need_errors_on_the_scale_of_the_estimate() -> None:
    with pytest.raises(oc.EstimationError, match="there are none"):
        oc.bootstrap(take(), share_arrested, kind="studentised", replicates=4)
    ratio = lambda d: oc.compare(oc.kaplan_meier(d), measure="risk_ratio", at=50)  # noqa: E731
    with pytest.raises(oc.EstimationError, match="those of risk_ratio are on another scale"):
        oc.bootstrap(take(), ratio, kind="studentised", replicates=4)


def test_a_group_that_cannot_be_left_out_is_said_and_passed_over() -> None:
    few = ROSSI.iloc[:40].assign(
        arrest=[1] + [0] * 39, fin=[0, 1] * 20
    )  # without its one event there is nothing to fit
    found = oc.bootstrap(take(few), lambda d: oc.cox(d, "age"), kind="bca", replicates=60)
    note = {n.code: n.text for n in found.notes}["groups_not_left_out"]
    assert note.startswith("1 of 40 groups could not be left out")


def test_a_number_that_no_replicate_goes_below_has_no_bca_limits_and_says_so() -> None:
    numbered = take(ROSSI.assign(number=range(len(ROSSI))))
    found = oc.bootstrap(numbered, lambda d: float(-d.frame["number"].nunique()), kind="bca", replicates=40)
    assert np.isnan(found.to_frame()["conf_low"].item())
    assert "no_limits" in {note.code for note in found.notes}


def test_the_acceleration_of_a_mean_is_a_sixth_of_its_skewness() -> None:
    x = np.random.default_rng(0).exponential(size=500)
    left_out = ((x.sum() - x) / (len(x) - 1))[:, None]
    centred = x - x.mean()
    skew = (centred**3).mean() / (centred**2).mean() ** 1.5
    assert acceleration(left_out)[0] == pytest.approx(skew / (6 * np.sqrt(len(x))))


def test_missing_numbers_are_left_out_number_by_number() -> None:
    drawn = np.array([[1.0, np.nan], [2.0, 5.0], [3.0, np.nan]])
    found = intervals(np.array([2.0, 5.0]), drawn, "normal", 0.95)
    assert found.used.tolist() == [3, 1]
    assert found.std_error[0] == 1
    assert np.isnan(found.std_error[1])
