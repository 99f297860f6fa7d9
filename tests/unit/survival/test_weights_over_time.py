"""Weights that change within a person: one a row of the data.

A row that weighs on its own is the same as a row that is a person of its own, in the cluster of whom it belongs to: what is known to
be right for weights of people must give the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import outcomes as oc
from outcomes.errors import EstimationError


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Two rows a person, cut at 3, each with its own weight; ties, two causes, and an arm."""
    rng = np.random.default_rng(7)
    people = 60
    end = rng.integers(1, 12, people).astype(float)
    cause = rng.choice(["none", "any", "death"], people, p=[0.3, 0.5, 0.2])
    whole = pd.DataFrame(
        {"person": np.arange(people), "start": 0.0, "stop": end, "cause": cause, "arm": rng.integers(0, 2, people)}
    )
    whole["age"] = rng.normal(40, 10, people)
    early = whole.assign(stop=whole["stop"].clip(upper=3), cause=np.where(whole["stop"] > 3, "none", whole["cause"]))
    late = whole[whole["stop"] > 3].assign(start=3.0)
    both = pd.concat([early, late], ignore_index=True).sort_values(["person", "start"], ignore_index=True)
    return both.assign(row=np.arange(len(both)), weight=rng.uniform(0.2, 3, len(both)))


def by_person(rows: pd.DataFrame) -> oc.SurvivalData:
    return made(rows, id="person", cluster="person")


def by_row(rows: pd.DataFrame) -> oc.SurvivalData:
    return made(rows, id="row", cluster="person")


def made(rows: pd.DataFrame, **who: str) -> oc.SurvivalData:
    return oc.survival_data(
        rows,
        entry="start",
        exit="stop",
        event="cause",
        censored="none",
        causes=["any", "death"],
        arm="arm",
        reference=0,
        **who,
    )


NUMBERS: dict[str, Callable[..., Any]] = {
    "kaplan_meier": lambda d, w: oc.kaplan_meier(d, cause="any", weights=w).at([2, 3, 5, 9]),
    "cumulative_incidence": lambda d, w: oc.cumulative_incidence(d, weights=w).at([2, 3, 5, 9]),
    "nelson_aalen": lambda d, w: oc.nelson_aalen(d, cause="any", weights=w).to_frame(),
    "rmst": lambda d, w: oc.rmst(d, horizon=8, weights=w).to_frame(),
    "cox": lambda d, w: oc.cox(d, "arm + age", cause="any", weights=w).to_frame(),
    "breslow": lambda d, w: oc.cox(d, "arm + age", cause="any", weights=w, ties="breslow").to_frame(),
    "concordance": lambda d, w: pd.DataFrame([vars(oc.cox(d, "arm + age", cause="any", weights=w).concordance())]),
    "proportional_hazards": lambda d, w: (
        oc.cox(d, "arm + age", cause="any", weights=w).proportional_hazards().to_frame()
    ),
    "predict": lambda d, w: (
        oc.cox(d, "arm + age", cause="any", weights=w).predict(pd.DataFrame({"arm": ["1"], "age": [35]}), times=[3, 9])
    ).to_frame(),
    "logrank_test": lambda d, w: oc.logrank_test(d, cause="any", weights=w).to_frame(),
    "difference": lambda d, w: oc.compare(
        oc.cumulative_incidence(d, weights=w), measure="risk_difference", at=[5, 9]
    ).to_frame(),
    "hazard_ratio": lambda d, w: oc.compare(
        oc.cox(d, "arm", cause="any", weights=w), measure="hazard_ratio"
    ).to_frame(),
}


@pytest.mark.parametrize("what", NUMBERS)
def test_a_row_with_its_own_weight_is_a_person_of_its_own_in_the_cluster_of_whom_it_belongs_to(
    what: str, rows: pd.DataFrame
) -> None:
    found = NUMBERS[what](by_person(rows), rows["weight"].to_numpy())
    expected = NUMBERS[what](by_row(rows), "weight")
    numbers = ["estimate", "std_error", "statistic", "se"]
    shared = [name for name in numbers if name in found]
    assert shared
    wider = np.sqrt(60 / 59)  # of clusters, G / (G - 1); people who are each their own cluster are people
    if what in ("cox", "breslow", "difference", "hazard_ratio"):
        expected["statistic"] *= wider
    if what in ("difference", "hazard_ratio"):
        expected["std_error"] /= wider
    pd.testing.assert_frame_equal(found[shared], expected[shared], rtol=1e-10)


@pytest.mark.parametrize("what", NUMBERS)
def test_ten_times_the_weights_change_nothing(what: str, rows: pd.DataFrame) -> None:
    once, tenfold = (NUMBERS[what](by_person(rows), k * rows["weight"].to_numpy()) for k in (1, 10))
    if what == "concordance":  # its pairs are weighted sums
        once, tenfold = once[["estimate", "std_error"]], tenfold[["estimate", "std_error"]]
    pd.testing.assert_frame_equal(once, tenfold, rtol=1e-9)


def test_one_weight_a_person_repeated_in_each_of_the_rows_is_the_weight_of_the_person(rows: pd.DataFrame) -> None:
    data = by_person(rows)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(data.baseline))
    mine, again = (oc.cumulative_incidence(data, weights=w).at([3, 9]) for w in (weight, weight[data.person]))
    pd.testing.assert_frame_equal(mine, again)


def test_a_row_that_weighs_nothing_is_not_there(rows: pd.DataFrame) -> None:
    late = (rows["start"] > 0).to_numpy()
    whole = oc.kaplan_meier(by_person(rows), cause="any", weights=np.where(late, 0.0, 1.0)).at([1, 2, 3])
    cut = oc.kaplan_meier(by_person(rows[~late]), cause="any", weights=np.ones((~late).sum())).at([1, 2, 3])
    numbers = ["estimate", "std_error", "conf_low", "conf_high", "n_events"]
    pd.testing.assert_frame_equal(whole[numbers], cut[numbers])


def test_a_contrast_says_that_weights_change_over_time(rows: pd.DataFrame) -> None:
    found = oc.compare(
        oc.cumulative_incidence(by_person(rows), weights=rows["weight"].to_numpy()), measure="risk_difference", at=5
    )
    assert "weights_over_time" in {note.code for note in found.notes}


def test_weights_that_are_neither_of_people_nor_of_rows_are_refused_with_both_numbers(rows: pd.DataFrame) -> None:
    with pytest.raises(
        EstimationError, match=rf"one number a person \(60\) or a row \({len(rows)}\); got shape \(7,\)"
    ):
        oc.kaplan_meier(by_person(rows), cause="any", weights=np.ones(7))


def test_missing_weights_of_rows_are_counted(rows: pd.DataFrame) -> None:
    weight = rows["weight"].to_numpy().copy()
    weight[[1, 4]] = np.nan
    with pytest.raises(EstimationError, match=rf"2 of {len(rows)} weights are missing, infinite or negative"):
        oc.cox(by_person(rows), "arm", cause="any", weights=weight)


def test_who_weighs_nothing_in_every_row_is_not_counted(rows: pd.DataFrame) -> None:
    weight = np.where(rows["person"] == 0, 0.0, 1.0)
    curve = oc.kaplan_meier(by_person(rows), cause="any", weights=weight)
    assert int(curve.asked.people_by_arm(curve.data).sum()) == rows["person"].nunique() - 1
    assert int(curve.asked.used.sum()) == rows["person"].nunique() - 1


def test_effects_within_levels_weigh_rows_too(rows: pd.DataFrame) -> None:
    data = by_person(rows.assign(band=np.where(rows["age"] > 40, "old", "young")))
    given = oc.Weights(
        values=np.ones(len(data.baseline)),
        estimand="ate",
        arm=data.arm,
        arms=data.arms,
        within=rows["weight"].to_numpy(),
    )
    effects = oc.subgroup_effects(data, "band", at=5, cause="any", weights=given).to_frame()
    old = data.frame["band"] == "old"
    alone = by_person(rows[old.to_numpy()])
    by_hand = oc.compare(
        oc.cumulative_incidence(alone, weights=rows["weight"].to_numpy()[old]), measure="risk_difference", at=5
    )
    mine = effects[(effects["level"] == "old") & (effects["estimand"] == "ate")]
    np.testing.assert_allclose(mine["estimate"], by_hand.to_frame()["estimate"])


def test_people_are_described_as_they_weigh_in_their_first_row(rows: pd.DataFrame) -> None:
    data = by_person(rows)
    given = oc.Weights(
        values=np.ones(len(data.baseline)),
        estimand="ate",
        arm=data.arm,
        arms=data.arms,
        within=rows["weight"].to_numpy(),
    )
    first = rows.groupby("person")["weight"].first().to_numpy()
    plain = oc.Weights(values=first, estimand="ate", arm=data.arm, arms=data.arms)
    pd.testing.assert_frame_equal(
        oc.characteristics(data, ["age"], weights=given).to_frame(),
        oc.characteristics(data, ["age"], weights=plain).to_frame(),
    )


def test_a_model_of_time_averages_over_people_by_what_they_weigh_at_their_start(rows: pd.DataFrame) -> None:
    weight, first = rows["weight"].to_numpy(), ~rows["person"].duplicated().to_numpy()
    fit = oc.parametric(by_person(rows), "arm + age", distribution="weibull", cause="any", weights=weight)
    for arm, found in zip(["0", "1"], fit.at(5)["estimate"], strict=True):
        each = fit.predict(rows.loc[first, ["age"]].assign(arm=arm), 5)["estimate"]
        assert found == pytest.approx(np.average(each, weights=weight[first]), rel=1e-12)


def test_where_nobody_weighs_anything_at_the_start_there_is_no_average(rows: pd.DataFrame) -> None:
    late = np.where(rows["start"] > 0, 1.0, 0.0)
    fit = oc.parametric(by_person(rows), "arm", distribution="exponential", cause="any", weights=late)
    with pytest.raises(EstimationError, match="at: every weight is 0 at the start of people"):
        fit.at(5)
