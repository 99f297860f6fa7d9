"""Lengths of time as a study writes them; errors that point to the nearest name."""

from __future__ import annotations

import pytest

from outcomes.durations import days, in_words
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
