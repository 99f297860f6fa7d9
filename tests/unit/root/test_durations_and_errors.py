"""Lengths of time as a study writes them; errors that point to the nearest name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import outcomes as oc
from outcomes.durations import days, in_words, moments_of
from outcomes.errors import DesignError, did_you_mean, one_of


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1y", 365),
        ("2y", 730),
        ("5y", 1826),
        ("6m", 182),
        ("18m", 547),
        ("12m", 365),
        ("7w", 49),
        ("30d", 30),
        (365, 365),
    ],
)
def test_lengths_are_whole_days_rounded_down(written: str | int, expected: float) -> None:
    assert days(written) == expected


@pytest.mark.parametrize("written", ["2 years", "", "y2", "-1y", 0, -5, float("nan"), float("inf")])
def test_what_is_no_length_is_refused(written: str | float) -> None:
    with pytest.raises(DesignError):
        days(written)


@pytest.mark.parametrize("number", [np.int64(6), np.float32(6), 6, 6.0])
def test_a_number_of_numpy_is_a_time_like_any_other(number: float) -> None:
    assert moments_of(number, "weeks").tolist() == [6.0]
    frame = pd.DataFrame({"week": [5, 8, 9, 12], "arrest": [1, 0, 1, 0]})
    data = oc.survival_data(frame, duration="week", event="arrest", unit="weeks")
    assert oc.kaplan_meier(data).at(number)["estimate"].tolist() == [0.75]
    assert oc.nelson_aalen(data).at(number)["estimate"].tolist() == [0.25]
    assert len(oc.split_follow_up(data, number).exit) == 7


def test_lengths_are_said_in_the_largest_whole_unit() -> None:
    assert [in_words(days(x)) for x in ("2y", "1y", "18m", "6m", "90d")] == [
        "2 years",
        "1 year",
        "18 months",
        "6 months",
        "90 days",
    ]


def test_a_hint_names_the_nearest_valid_name() -> None:
    assert did_you_mean("horizn", ["horizon", "scale"]) == "Did you mean 'horizon'?"


def test_an_option_outside_its_list_is_refused_with_the_list() -> None:
    with pytest.raises(DesignError, match="ties must be one of 'efron', 'breslow'; got 'erfon'"):
        one_of("erfon", ("efron", "breslow"), what="ties", error=DesignError)
