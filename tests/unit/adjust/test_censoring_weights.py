"""Weights of clones over time: counted by hand where few depart, and refused where they mean nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cloned_lives import Lives, as_clones, lived

import outcomes as oc
from outcomes.design.cloning import Starts, clone_rows
from outcomes.errors import EstimationError

NEVER = np.inf


def clones_of(*people: tuple[float, int]) -> oc.SurvivalData:
    """Return clones of people (day of the first start, its arm: 0 = A, 1 = B, -1 = none), all of them followed for two years."""
    day, arm = (np.array(column) for column in zip(*people, strict=True))
    size = len(day)
    return as_clones(
        Lives(np.linspace(-1, 1, size), day.astype(float), arm, np.full(size, 730.0), np.zeros(size, dtype=int))
    )


def by_clone(data: oc.SurvivalData, arm: str, weights: oc.CensoringWeights) -> dict[int, list[float]]:
    """Return, by person, the weights of the rows of its clone in an arm."""
    assert weights.within is not None
    found = {}
    for clone in np.flatnonzero(data.arm == data.arms.index(arm)):
        found[int(data.baseline["person_id"][clone])] = weights.within[data.person == clone].tolist()
    return found


@pytest.fixture(scope="module")
def few() -> tuple[oc.SurvivalData, oc.CensoringWeights]:
    """Two start A and two B, of each one in the last of six months; two nothing: too few for covariates, so shares by hand."""
    data = clones_of((40, 0), (160, 0), (70, 1), (NEVER, -1), (NEVER, -1), (165, 1))
    return data, oc.censoring_weights(data, "x")


def test_nobody_weighs_anything_else_before_somebody_departs(few: tuple[oc.SurvivalData, oc.CensoringWeights]) -> None:
    data, weights = few
    assert by_clone(data, "A", weights)[3][:2] == [1, 1]


def test_in_the_month_of_a_departure_those_asked_weigh_what_is_right_in_its_middle_and_after_it_the_whole(
    few: tuple[oc.SurvivalData, oc.CensoringWeights],
) -> None:
    data, weights = few
    # of the clones in A that could still start the other programme, days of the third month (60 to 91): one left on day 70
    rate = 1 / (10 + 4 * 31)
    weighs = by_clone(data, "A", weights)[3]
    np.testing.assert_allclose(weighs[2:4], [np.exp(rate * 31 / 2), np.exp(rate * 31)])


def test_who_complied_before_can_no_longer_depart(few: tuple[oc.SurvivalData, oc.CensoringWeights]) -> None:
    data, weights = few
    assert by_clone(data, "A", weights)[0] == [1, 1, 1, 1, 1, 1, 1]


def test_who_starts_in_the_last_month_stands_for_all_who_had_not_started_before_it(
    few: tuple[oc.SurvivalData, oc.CensoringWeights],
) -> None:
    data, weights = few
    # in the last month (151 to 182) one of four started A on its ninth day, and one B on its fourteenth
    days = 9 + 14 + 31 + 31
    last = np.exp(31 / (10 + 4 * 31) + 9 / days) / (1 - np.exp(-31 / days))
    np.testing.assert_allclose(by_clone(data, "A", weights)[1][-1], last)
    np.testing.assert_allclose(weights.after_grace[(data.arm == 0) & (data.baseline["person_id"] == 1)], last)


def test_the_clone_that_departs_has_no_row_after_it(few: tuple[oc.SurvivalData, oc.CensoringWeights]) -> None:
    data, weights = few
    assert len(by_clone(data, "A", weights)[2]) == 3


def test_the_summary_counts_departures_and_those_kept(few: tuple[oc.SurvivalData, oc.CensoringWeights]) -> None:
    shown = few[1].summary().set_index("arm")
    assert shown["n"].tolist() == [6, 6, 6]
    assert shown["n_departed"].tolist() == [4, 4, 4]
    assert shown["n_kept"].tolist() == [2, 2, 2]


def test_too_few_departures_for_covariates_are_said(few: tuple[oc.SurvivalData, oc.CensoringWeights]) -> None:
    said = {note.code: note.text for note in few[1].notes}
    assert "leaving A" in said["few_departures"]


def test_a_person_who_had_started_by_time_zero_is_stood_for_in_the_other_arms() -> None:
    data = clones_of((-5, 0), (160, 0), (160, 1), (NEVER, -1))
    weights = oc.censoring_weights(data, "x")
    assert by_clone(data, "B", weights)[3][0] == pytest.approx(4 / 3)
    assert by_clone(data, "A", weights)[0][0] == 1
    assert "started_before" in {note.code for note in weights.notes}


def test_nobody_to_stand_for_those_left_at_the_end_of_the_grace_period_is_an_error() -> None:
    with pytest.raises(
        EstimationError,
        match=r"of 2 clones of arm 'A' that had not started before the last month .* nobody started in it",
    ):
        oc.censoring_weights(clones_of((10, 0), (160, 1), (NEVER, -1)), "x")


def test_clones_have_no_score_beside(few: tuple[oc.SurvivalData, oc.CensoringWeights]) -> None:
    with pytest.raises(oc.NotSupportedError, match=r"no score to weigh them by beside"):
        oc.censoring_weights(few[0], "x", weights=few[1])


@pytest.mark.parametrize("share", [0.3, 1.0, 99])
def test_truncating_takes_a_share_of_the_rows(few: tuple[oc.SurvivalData, oc.CensoringWeights], share: float) -> None:
    with pytest.raises(EstimationError, match=r"truncate is a share of the rows"):
        oc.censoring_weights(few[0], "x", truncate=share)


@pytest.fixture(scope="module")
def many() -> oc.SurvivalData:
    return as_clones(lived(1500, np.random.default_rng(2), (1.0, 1.0)))


def test_truncating_cuts_down_the_largest_and_says_how_many(many: oc.SurvivalData) -> None:
    whole, cut = oc.censoring_weights(many, "x"), oc.censoring_weights(many, "x", truncate=0.95)
    assert whole.within is not None
    assert cut.within is not None
    most = np.quantile(whole.within, 0.95)
    np.testing.assert_allclose(cut.within, np.minimum(whole.within, most))
    assert any(note.code == "truncated" for note in cut.notes)


def test_weights_do_not_depend_on_which_way_a_covariate_counts(many: oc.SurvivalData) -> None:
    mirrored = many.baseline.assign(x=-many.baseline["x"])
    there, again = oc.censoring_weights(many, "x"), oc.censoring_weights(replace(many, baseline=mirrored), "x")
    np.testing.assert_allclose(there.within, again.within, rtol=1e-6)


def test_an_estimate_takes_them_and_counts_people_once_in_its_variance(many: oc.SurvivalData) -> None:
    weights = oc.censoring_weights(many, "x")
    curve = oc.kaplan_meier(many, weights=weights)
    assert curve.asked.n_clusters == 1500
    assert curve.at(730)["std_error"].between(0.005, 0.2).all()


def test_the_sentence_speaks_of_clones(many: oc.SurvivalData) -> None:
    said = oc.censoring_weights(many, "x").describe()
    assert "1,500 clones" in said
    assert "departed" in said


def test_rows_cut_on_one_day_for_everyone_are_no_time_without_people(many: oc.SurvivalData) -> None:
    curve = oc.kaplan_meier(many, weights=oc.censoring_weights(many, "x"))
    assert "risk_set_gap" not in {note.code for note in curve.notes}


def test_intervals_say_that_they_take_the_weights_as_known_and_promise_nothing_more(many: oc.SurvivalData) -> None:
    curve = oc.kaplan_meier(many, weights=oc.censoring_weights(many, "x"))
    assert [note.text for note in curve.notes if note.code == "weights_as_known"] == [
        "The intervals take the weights as known."
    ]


def test_who_is_away_at_time_zero_had_started_nothing_by_then() -> None:
    starts = Starts(np.array([10.0, 160, 165, NEVER]), np.array([0, 0, 1, -1]), np.full(4, NEVER))
    back = np.array([20.0, 0, 0, 0])  # the first departs from B and nothing while away
    made = clone_rows(
        starts, np.arange(4), back, np.full(4, 730.0), np.zeros(4, dtype=int), arms=3, untreated=2, grace=182.0
    )
    baseline = pd.DataFrame({"x": np.linspace(-1, 1, 4)[made.clones.person], "person_id": made.clones.person})
    data = replace(
        as_clones(Lives(np.zeros(1), np.array([NEVER]), np.array([-1]), np.array([730.0]), np.array([0]))),
        entry=made.rows.entry, exit=made.rows.exit, event=made.rows.event, person=made.rows.row, arm=made.arm,
        baseline=baseline, frame=baseline.iloc[made.rows.row].reset_index(drop=True), clones=made.clones,
    )  # fmt: skip
    weights = oc.censoring_weights(data, "x")
    assert weights.departed[:, 0].tolist() == [0, 0, 0]
    assert "started_before" not in {note.code for note in weights.notes}
