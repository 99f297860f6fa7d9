"""Every event of a person is no first event: what estimates the first refuses such data by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from small_study import cohort, offences, starters

import outcomes as oc
from outcomes.errors import NotSupportedError


@pytest.fixture(scope="module")
def every() -> oc.SurvivalData:
    committed = (
        "p1 2010-03-01 2010-04-01",
        "p1 2010-06-01 2010-07-01",
        "p2 2010-05-01 2010-06-01",
        "p3 2011-01-01 2011-02-01",
    )
    return cohort(starters(4, reoffences=offences(*(f"{line} violent" for line in committed)))).every_event("any")


@pytest.mark.parametrize(
    "estimate",
    [
        lambda data: oc.kaplan_meier(data, cause="any"),
        oc.cumulative_incidence,
        lambda data: oc.nelson_aalen(data, cause="any"),
        lambda data: oc.rmst(data, horizon=365),
        lambda data: oc.logrank_test(data, cause="any"),
    ],
    ids=["kaplan_meier", "cumulative_incidence", "nelson_aalen", "rmst", "logrank_test"],
)
def test_what_is_about_the_first_event_refuses_every_event(
    every: oc.SurvivalData, estimate: Callable[..., Any]
) -> None:
    assert every.summary()["n_any"].tolist() == [3, 1]
    with pytest.raises(NotSupportedError, match=r"hold every event of a person .* is about the first"):
        estimate(every)


def test_cox_takes_every_event_with_a_robust_variance(every: oc.SurvivalData) -> None:
    assert oc.cox(every, "arm", cause="any").asked.variance == "robust"


@pytest.mark.parametrize("estimate", [oc.mean_count, oc.event_rate], ids=["mean_count", "event_rate"])
def test_an_arm_without_people_is_named(every: oc.SurvivalData, estimate: Callable[..., Any]) -> None:
    with pytest.raises(oc.EstimationError, match="arm 'nobody' has nobody at risk"):
        estimate(replace(every, arms=(*every.arms, "nobody")))


def test_states_of_an_arm_without_people_are_refused() -> None:
    first = oc.survival_data(pd.DataFrame({"t": [3, 4], "e": [1, 0]}), duration="t", event="e")
    with pytest.raises(oc.EstimationError, match="arm 'nobody' has nobody at risk"):
        oc.state_probabilities(replace(first, arms=(*first.arms, "nobody")))


def test_one_event_among_four_people() -> None:
    rows = pd.DataFrame(
        {"id": [1, 1, 2, 3, 4], "start": [0, 3, 0, 0, 0], "stop": [3, 9, 9, 9, 9], "e": [1, 0, 0, 0, 0]}
    )
    data = oc.survival_data(rows, entry="start", exit="stop", event="e", id="id", repeated=True)
    expected = (3 / 16) ** 0.5 / 2  # of a share of one in four
    for found in (oc.mean_count(data).at(9), oc.event_rate(data, per=9).to_frame()):
        assert found[["estimate", "std_error"]].values.tolist() == [pytest.approx([0.25, expected])]
