"""Wild score tests: signs for clusters' scores, every one of them; scores and their answers by loops and by the jackknife."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.comparison.null_scores import NullScore, of_coefficient, of_difference
from outcomes.comparison.wild_score_kernel import MULTIPLIERS, wild_score

ROSSI = load_rossi().assign(town=lambda f: f.index % 9)


def take(frame: pd.DataFrame = ROSSI, **given: Any) -> oc.SurvivalData:
    return oc.survival_data(
        frame, **{"duration": "week", "event": "arrest", "arm": "fin", "reference": 0, "cluster": "town", **given}
    )


def p_of(result: Any, **given: Any) -> float:
    return float(oc.wild_score_test(result, **given).to_frame()["p_value"].iloc[0])


def of_risks(curves: oc.KaplanMeier, at: float = 40) -> NullScore:
    asked, data = curves.asked, curves.data
    return of_difference(curves.influence(at), asked.at_start(data), np.asarray(data.arm), asked, (0, 1), 0)


# the bootstrap itself


@pytest.mark.parametrize("multipliers", ["rademacher", "webb"])
@pytest.mark.parametrize("answered", [False, True])
def test_all_signs_by_brute_force(multipliers: str, answered: bool) -> None:
    rng = np.random.default_rng(3)
    parts = rng.standard_normal(5) + 0.6
    answer = 0.1 * rng.standard_normal((5, 5)) if answered else None
    if answer is not None:
        answer = answer - answer.mean(axis=0) - answer.mean(axis=1)[:, None] + answer.mean()
    found = wild_score(parts, answer, multipliers, 10_000, 0)
    brute = []
    for signs in product(MULTIPLIERS[multipliers], repeat=5):
        again = np.array(signs) * parts - (0 if answer is None else answer @ np.array(signs))
        brute.append(abs(again.sum()) / np.sqrt((again**2).sum()))
    observed = parts.sum() / np.sqrt((parts**2).sum())
    assert found.statistic == pytest.approx(observed)
    assert found.p_value == pytest.approx(np.mean(np.array(brute) >= observed - 1e-9))
    assert found.smallest_p == pytest.approx(np.mean(np.array(brute) >= max(brute) - 1e-9))
    assert (found.n_draws, found.everything) == (len(MULTIPLIERS[multipliers]) ** 5, True)


def test_signs_at_random_come_near_all_of_them() -> None:
    parts = np.random.default_rng(5).standard_normal(12) + 0.4
    every, some = wild_score(parts, None, "rademacher", 4096, 0), wild_score(parts, None, "rademacher", 4000, 0)
    assert (every.everything, some.everything, some.n_draws) == (True, False, 4000)
    assert some.p_value == pytest.approx(every.p_value, abs=4 * np.sqrt(every.p_value * (1 - every.p_value) / 4000))
    assert round(some.p_value * 4000) == pytest.approx(some.p_value * 4000)  # (1 + how many) / (1 + 3,999)


def test_clusters_that_nothing_comes_from_do_not_count() -> None:
    parts, answer = np.array([1.0, 0.0, 2.0, -0.5, 1.5]), np.zeros((5, 5))
    answer[np.ix_([0, 2], [0, 2])] = [[0.1, -0.1], [-0.1, 0.1]]
    whole, fewer = (
        wild_score(parts, answer, "rademacher", 100, 0),
        wild_score(np.delete(parts, 1), np.delete(np.delete(answer, 1, 0), 1, 1), "rademacher", 100, 0),
    )
    assert whole == fewer
    assert (whole.n_draws, whole.n_clusters) == (16, 4)


def test_six_points_have_mean_0_and_variance_1() -> None:
    points = np.array(MULTIPLIERS["webb"])
    assert points.mean() == pytest.approx(0)
    assert (points**2).mean() == pytest.approx(1)


def test_no_score_no_test() -> None:
    found = wild_score(np.zeros(4), None, "rademacher", 100, 0)
    assert np.isnan([found.statistic, found.p_value, found.smallest_p]).all()


# scores of curves


def test_without_censoring_they_are_those_of_a_restricted_regression_of_shares() -> None:
    frame = ROSSI.assign(arrest=1)
    score = of_risks(oc.kaplan_meier(take(frame)))
    happened, arm, town = (frame["week"] <= 40).to_numpy(float), frame["fin"].to_numpy(), frame["town"].to_numpy()
    sign = np.where(arm == 1, 1 / (arm == 1).sum(), -1 / (arm == 0).sum())
    rest = happened - happened.mean()
    assert score.parts == pytest.approx(np.bincount(town, weights=sign * rest))
    signs = np.random.default_rng(0).choice([-1.0, 1.0], 9)
    again = signs[town] * rest
    again = again - again.mean()  # the common mean, estimated again
    assert signs * score.parts - score.answer @ signs == pytest.approx(np.bincount(town, weights=sign * again))


def test_they_add_up_to_the_difference_and_their_answers_to_nothing() -> None:
    data = take(
        ROSSI.assign(start=ROSSI["prio"].clip(upper=3), week=ROSSI["week"] + 3),
        duration=None,
        entry="start",
        exit="week",
    )
    weights = oc.weight(data, "age + prio", estimand="att")
    for curves in (oc.kaplan_meier(data), oc.kaplan_meier(data, weights=weights)):
        score = of_risks(curves)
        assert score.parts.sum() == pytest.approx(score.estimate)
        assert score.estimate == pytest.approx(
            oc.compare(curves, measure="risk_difference", at=40).to_frame()["estimate"].item()
        )
        assert score.answer.sum(axis=0) == pytest.approx(0)
        assert score.answer.sum(axis=1) == pytest.approx(0)


def test_means_counts_and_incidences_are_taken() -> None:
    frame = ROSSI.assign(cause=ROSSI["arrest"] * (1 + ROSSI["mar"]))
    causes = take(frame, event="cause", causes={1: "theft", 2: "other"})
    found = oc.wild_score_test(oc.cumulative_incidence(causes), at=[20, 40], cause="other").to_frame()
    assert found[["cause", "time", "measure"]].values.tolist() == [["other", t, "risk_difference"] for t in (20, 40)]
    mean = oc.rmst(take(), horizon=40)
    row = oc.wild_score_test(mean).to_frame().iloc[0]
    assert row["estimate"] == pytest.approx(oc.compare(mean, measure="rmst_difference").to_frame()["estimate"].item())
    rows = ROSSI.assign(who=ROSSI.index, zero=0.0)
    counts = oc.mean_count(take(rows, duration=None, entry="zero", exit="week", id="who", repeated=True))
    assert oc.wild_score_test(counts, at=40).to_frame()["measure"].item() == "count_difference"


# scores of a Cox model


def test_the_squared_statistic_of_an_arm_alone_is_the_robust_log_rank_test() -> None:
    found = oc.wild_score_test(oc.cox(take(), "fin", ties="breslow")).to_frame()["statistic"].item()
    assert found**2 == pytest.approx(oc.logrank_test(take()).statistic)


def test_a_persons_part_moves_as_the_jackknife_says() -> None:
    distinct = ROSSI.assign(week=ROSSI["week"] + np.random.default_rng(2).random(len(ROSSI)) * 0.9)

    def parts(town: int | None = None, step: float = 1e-5) -> np.ndarray:
        weight = np.ones(len(distinct)) + step * (distinct["town"] == town)
        model = oc.cox(take(distinct), "fin", weights=weight.to_numpy())
        return of_coefficient(model, "fin").parts / model.scale[0]  # per unit of the arm

    base, whole = parts(), of_coefficient(oc.cox(take(distinct), "fin"), "fin")
    answer = whole.answer / oc.cox(take(distinct), "fin").scale[0]
    for town in (0, 4):
        moved = (parts(town) - parts(town, -1e-5)) / 2e-5
        own = base * (np.arange(9) == town)
        # the baseline hazard moves with the others' events, and the mean at risk with their covariates
        assert moved == pytest.approx(own - answer[:, town] - answer[town, :], abs=2e-4)


def test_parts_and_answers_of_an_adjusted_model_by_loops() -> None:
    frame = ROSSI.iloc[:120].assign(week=lambda f: f["week"] + np.arange(len(f)) / 1000)
    model = oc.cox(take(frame), "fin + age + prio", ties="breslow")
    score = of_coefficient(model, "fin")
    time, died, town = frame["week"].to_numpy(), frame["arrest"].to_numpy(), frame["town"].to_numpy()
    x = (frame[["fin", "age", "prio"]].to_numpy(float) - model.centre) / model.scale
    beta = oc.cox(take(frame), "age + prio", ties="breslow").coefficients * model.scale[1:]  # the arm held at 0
    risk = np.exp(x[:, 1:] @ beta)
    size, apart, surplus = len(frame), [], []
    residual, spread = np.zeros((size, 3)), np.zeros((3, 3))
    shared = np.zeros((9, 3, 3))
    for i in np.flatnonzero(died):
        there = time >= time[i]
        load = risk * there
        mean = load @ x / load.sum()
        step = -load / load.sum() + (np.arange(size) == i)
        residual += (x - mean) * step[:, None]
        centred = (x - mean) * np.sqrt(load / load.sum())[:, None]
        spread += centred.T @ centred
        for g in range(9):
            mine = (town == g)[:, None] * (x - mean)
            shared[g] += (mine * (load / load.sum())[:, None]).T @ (x - mean)
        apart.append([((x - mean) * (load / load.sum() * (town == g))[:, None]).sum(axis=0) for g in range(9)])
        surplus.append([(step * (town == g)).sum() for g in range(9)])
    taken = np.linalg.solve(spread[1:, 1:], spread[1:, 0])
    across = np.array([1.0, *-taken])
    by_town = np.array([residual[town == g].sum(axis=0) for g in range(9)])
    assert score.parts == pytest.approx(by_town @ across)
    answer = np.einsum("kgp,p,kh->gh", np.array(apart), across, np.array(surplus))
    # centred on the mean of all at risk, the sum over a town of (own - mean)(other - mean)
    answer += np.einsum("gpq,p->gq", shared, across)[:, 1:] @ np.linalg.solve(spread[1:, 1:], by_town[:, 1:].T)
    assert score.answer == pytest.approx(answer, abs=1e-6)  # coefficients stop that far from the top


def test_the_scale_of_covariates_and_weights_does_not_matter() -> None:
    weight = 1 + ROSSI["age"].to_numpy() / 40
    one = p_of(oc.cox(take(), "fin + age", weights=weight))
    other = p_of(oc.cox(take(ROSSI.assign(age=ROSSI["age"] * 1000)), "fin + age", weights=weight * 7))
    assert one == other


def test_any_term_can_be_tested() -> None:
    found = oc.wild_score_test(oc.cox(take(), "fin + prio"), term="prio").to_frame()
    assert found[["term", "arm"]].values.tolist() == [["prio", ""]]
    assert found["estimate"].item() == oc.cox(take(), "fin + prio").coefficients[1]


def test_each_arm_is_tested_with_the_other_arms_free() -> None:
    frame = ROSSI.assign(fin=ROSSI.index % 3, town=ROSSI.index % 10)
    found = oc.wild_score_test(oc.cox(take(frame), "arm + age")).to_frame()
    assert found["arm"].tolist() == ["1", "2"]
    assert found["term"].tolist() == ["arm[1]", "arm[2]"]


def test_a_term_that_separates_is_tested_all_the_same() -> None:
    frame = ROSSI.assign(arrest=ROSSI["arrest"] * ROSSI["fin"])  # nobody in the reference had the event
    model = oc.cox(take(frame), "fin")
    assert "separation" in {note.code for note in model.notes}
    assert p_of(model) == pytest.approx(2 / 2**9)


# defaults, notes, refusals


def test_few_clusters_get_six_points_and_more_get_two() -> None:
    five, nine = (oc.wild_score_test(oc.cox(take(ROSSI.assign(town=ROSSI.index % n)), "fin")) for n in (5, 9))
    assert (five.multipliers, five.to_frame()["n_draws"].item()) == ("webb", 6**5)
    assert (nine.multipliers, nine.to_frame()["n_draws"].item()) == ("rademacher", 2**9)


def test_stacked_weights_count_as_estimated() -> None:
    data = take()
    weights = oc.weight(data, "age + prio", estimand="ate")
    known = oc.Weights(values=weights.values, estimand="ate", arm=weights.arm, arms=weights.arms)
    one, other = (oc.wild_score_test(oc.kaplan_meier(data, weights=w), at=40).to_frame() for w in (weights, known))
    assert one["estimate"].item() == other["estimate"].item()
    assert one["statistic"].item() != other["statistic"].item()


def test_matched_sets_are_clusters_too() -> None:
    data = take(cluster=None)
    matched = oc.match(data, "age + prio", caliper=0.2)
    found = oc.wild_score_test(oc.cox(data, "fin", weights=matched), draws=2000).to_frame().iloc[0]
    model = oc.cox(data, "fin", weights=matched).to_frame().iloc[0]
    assert found["n_clusters"] == len(np.unique(np.asarray(matched.sets)[matched.values > 0]))
    assert found["p_value"] == pytest.approx(model["p_value"], abs=0.05)  # with so many sets the two tests are one


def test_one_cluster_in_an_arm_is_no_test() -> None:
    frame = ROSSI.assign(town=np.where(ROSSI["fin"] == 1, 9, ROSSI.index % 9))
    for result, given in ((oc.cox(take(frame), "fin"), {}), (oc.kaplan_meier(take(frame)), {"at": 40})):
        found = oc.wild_score_test(result, **given)
        assert np.isnan(found.to_frame()["p_value"].item())
        assert "one_cluster" in {note.code for note in found.notes}


def test_two_clusters_in_an_arm_are_said() -> None:
    frame = ROSSI.assign(town=np.where(ROSSI["fin"] == 1, ROSSI.index % 2, 2 + ROSSI.index % 8))
    found = oc.wild_score_test(oc.kaplan_meier(take(frame)), at=40)
    assert {n.code: n.text for n in found.notes}["few_clusters"].startswith(
        "Only 2 in 1: with two clusters in an arm the test"
    )


def test_what_cannot_be_found_is_said() -> None:
    found = oc.wild_score_test(oc.cox(take(ROSSI.assign(town=ROSSI.index % 3)), "fin"), multipliers="rademacher")
    assert {n.code: n.text for n in found.notes}["coarse_test"].startswith("No p-value below 0.25 was possible")
    assert found.describe().startswith("Wild score test (two points, 3 clusters): fin, log hazard ratio -0.3")


def test_notes_of_few_mixed_clusters_name_it() -> None:
    model = oc.cox(take(), "fin")
    for found in (model, oc.compare(model, measure="hazard_ratio")):
        assert "wild_score_test(…)" in {n.code: n.text for n in found.notes}["few_clusters"]


@pytest.mark.parametrize(
    ("result", "given", "said"),
    [
        (lambda: oc.kaplan_meier(take(cluster=None)), {"at": 40}, "there are no clusters here"),
        (lambda: oc.kaplan_meier(take(arm=None, reference=None)), {"at": 40}, "only one arm"),
        (lambda: oc.kaplan_meier(take()), {}, "say at which time"),
        (lambda: oc.kaplan_meier(take()), {"at": 400}, "beyond the follow-up of arm '0'"),
        (lambda: oc.kaplan_meier(take()), {"at": 40, "term": "fin"}, "term= is for a Cox model"),
        (lambda: oc.rmst(take(), horizon=40), {"at": 40}, "has its horizon"),
        (lambda: oc.cox(take(), "fin"), {"at": 40}, "leave at= out"),
        (lambda: oc.cox(take(), "fin"), {"term": "fim"}, "no term 'fim'. Did you mean 'fin'"),
        (lambda: oc.cox(take(), "fin"), {"multipliers": "mammen"}, "multipliers must be one of"),
        (lambda: oc.cox(take(), "fin"), {"draws": 3}, "draws must be 20 or more; got 3"),
        (lambda: oc.cox(take(), "age"), {}, "no term for each arm"),
        (lambda: oc.cox(take(), "fin", penalty=1.0), {}, "not from a penalised fit"),
        (lambda: oc.cox(take(), "fin + age").standardised(), {"at": 40}, "Test the arm in a Cox model"),
        (take, {}, "result must be what kaplan_meier"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(result: Any, given: dict[str, Any], said: str) -> None:
    with pytest.raises(oc.EstimationError, match=said):
        oc.wild_score_test(result(), **given)


def test_order_of_rows_names_of_clusters_unit_of_time_and_reference_do_not_matter() -> None:
    mixed = ROSSI.sample(frac=1, random_state=1).assign(week=lambda f: f["week"] * 7, town=lambda f: 20 - f["town"])
    other = take(mixed.reset_index(drop=True), reference=1)
    assert p_of(oc.kaplan_meier(other), at=280) == p_of(oc.kaplan_meier(take()), at=40)
    assert p_of(oc.cox(other, "arm + age")) == p_of(oc.cox(take(), "arm + age"))


def test_matched_sets_that_share_people_are_refused() -> None:
    data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="wexp", reference=0, unit="weeks")
    weights = oc.match(data, "age + prio", replace=True)
    assert weights.overlapping is not None
    with pytest.raises(oc.NotSupportedError, match="matched sets that share people are no clusters"):
        oc.wild_score_test(oc.kaplan_meier(data, weights=weights), at=50)
