"""Who is trimmed: by bounds, by the common range, by percentiles and by least variance, of two arms and of several."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.adjust.trimming import inside_bounds

FORMULA = "age + race + mar + prio"


def rossi(arm: str) -> oc.SurvivalData:
    frame = load_rossi()
    frame = frame.assign(group=frame["paro"] + frame["wexp"])
    return oc.survival_data(frame, duration="week", event="arrest", arm=arm, reference=0, unit="weeks")


def scores(made: oc.PropensityWeights) -> np.ndarray:
    return np.column_stack([1 - made.score, made.score]) if made.score.ndim == 1 else np.asarray(made.score)


def test_bounds_hold_for_every_score_of_several_arms() -> None:
    made = oc.weight(rossi("group"), FORMULA, estimand="ate", trim=(0.1, 0.6))
    assert (made.kept == ((made.score >= 0.1) & (made.score <= 0.6)).all(axis=1)).all()
    assert ((made.values == 0) == ~made.kept).all()


@pytest.mark.parametrize("arm", ["wexp", "group"])
def test_the_common_range_is_that_of_every_score(arm: str) -> None:
    made = oc.weight(rossi(arm), FORMULA, estimand="ate", trim="common")
    kept = np.ones(432, dtype=bool)
    for column in scores(made).T:
        by_arm = [column[made.arm == a] for a in np.unique(made.arm)]
        kept &= (column >= max(v.min() for v in by_arm)) & (column <= min(v.max() for v in by_arm))
    assert 0 < kept.sum() < 432
    assert (made.kept == kept).all()


@pytest.mark.parametrize("arm", ["wexp", "group"])
def test_percentiles_are_those_of_each_arms_own_score_in_it(arm: str) -> None:
    """Of two arms: above the 5th percentile of the score in the arm, below the 95th of it in the reference (Stürmer 2010)."""
    made = oc.weight(rossi(arm), FORMULA, estimand="ate", trim=("percentile", 0.05))
    e = scores(made)
    kept = np.ones(432, dtype=bool)
    for a in np.unique(made.arm):
        kept &= e[:, a] >= np.quantile(e[made.arm == a, a], 0.05)
    assert (made.kept == kept).all()
    if arm == "wexp":
        low, high = np.quantile(made.score[made.arm == 1], 0.05), np.quantile(made.score[made.arm == 0], 0.95)
        assert (made.kept == ((made.score >= low) & (made.score <= high))).all()


@pytest.mark.parametrize("arm", ["wexp", "group"])
def test_crumps_set_solves_its_equation_and_no_wider_one_does(arm: str) -> None:
    """Among all cuts of the summed inverse scores: the largest at which the worst costs at most twice the mean of those kept."""
    made = oc.weight(rossi(arm), FORMULA, estimand="ate", trim="crump")
    cost = (1 / scores(made)).sum(axis=1)
    cuts = [c for c in np.sort(cost) if c <= 2 * cost[cost <= c].mean() + 1e-12]
    assert (made.kept == (cost <= cuts[-1])).all()
    assert 0 < made.kept.sum() < 432


def test_crumps_set_has_the_least_variance_of_all_cuts() -> None:
    """Of an average effect under equal variances: mean cost of those kept over their number (Crump et al. 2009, theorem 1)."""
    made = oc.weight(rossi("wexp"), FORMULA, estimand="ate", trim="crump")
    cost = np.sort((1 / scores(made)).sum(axis=1))
    variance = np.cumsum(cost) / np.arange(1, 433) ** 2
    best = int(np.argmin(variance)) + 1
    assert abs(int(made.kept.sum()) - best) <= 1


def test_equal_scores_are_not_trimmed() -> None:
    chances, arm = np.full((40, 2), 0.5), np.repeat([0, 1], 20)
    for trim in ("crump", "common", ("percentile", 0.05)):
        assert inside_bounds(chances, arm, ("a", "b"), trim).all()  # type: ignore[arg-type]


def test_percentiles_under_sampling_weights_are_those_of_the_people_stood_for() -> None:
    rng = np.random.default_rng(1)
    e = rng.uniform(0.2, 0.8, 60)
    chances, arm = np.column_stack([1 - e, e]), np.repeat([0, 1], 30)
    counts = rng.integers(1, 5, 60)
    found = inside_bounds(chances, arm, ("a", "b"), ("percentile", 0.1), sampling=counts.astype(float))
    repeated = np.repeat(np.arange(60), counts)
    low = [np.quantile(chances[repeated][arm[repeated] == a, a], 0.1, method="inverted_cdf") for a in (0, 1)]
    assert (found == ((chances[:, 0] >= low[0]) & (chances[:, 1] >= low[1]))).all()


def test_the_note_counts_by_arm_and_names_the_rule() -> None:
    made = oc.weight(rossi("group"), FORMULA, estimand="ate", trim=("percentile", 0.05))
    note = {n.code: n.text for n in made.notes}["trimmed"]
    gone = [int((~made.kept[made.arm == a]).sum()) for a in range(3)]
    assert note.startswith(f"{sum(gone)} people ({gone[0]} in 0, {gone[1]} in 1, {gone[2]} in 2)")
    assert "at least percentile 5 of those in the arm" in note
    assert list(made.summary()["n_trimmed"]) == gone


def test_trimming_that_empties_an_arm_names_it() -> None:
    with pytest.raises(
        oc.EstimationError, match=r"trimming leaves nobody of \d+ people in (the reference arm|arm [12])"
    ):
        oc.weight(rossi("group"), FORMULA, estimand="ate", trim=(0.34, 0.36))


@pytest.mark.parametrize(
    "trim", ["narrow", ("percentile", 0.6), ("percentile", 0), ("centile", 0.1), (0.1, 0.5, 0.9), 0.1]
)
def test_rules_that_are_none_are_refused(trim: object) -> None:
    with pytest.raises(oc.EstimationError, match="trim must be two scores"):
        oc.weight(rossi("wexp"), FORMULA, estimand="ate", trim=trim)  # type: ignore[arg-type]


def test_trimming_that_leaves_one_person_of_an_arm_is_an_error() -> None:
    made = oc.weight(rossi("wexp"), FORMULA, estimand="ate")
    lowest = np.sort(made.score[made.arm == 1])[:2]
    last = float(lowest.mean())
    assert (made.score[made.arm == 0] < last).sum() > 1
    with pytest.raises(oc.EstimationError, match=r"only one of the 247 people in arm '1' has any weight"):
        oc.weight(rossi("wexp"), FORMULA, estimand="ate", trim=(0.0, last))
