"""What is missing, by arm."""

from __future__ import annotations

import pandas as pd
import pytest

import outcomes as oc

FRAME = pd.DataFrame(
    {
        "arm": ["a", "a", "a", "b", "b"],
        "day": [5.0, 6.0, 7.0, 8.0, 9.0],
        "event": [1, 0, 1, 1, 0],
        "x": [1.0, None, 2.0, None, None],
        "z": ["p", None, None, "q", "p"],
        "known": 1,
    }
)


def data_of(frame: pd.DataFrame = FRAME, **more: object) -> oc.SurvivalData:
    return oc.survival_data(frame, duration="day", event="event", arm="arm", reference="a", **more)  # type: ignore[arg-type]


def test_people_who_miss_each_column_are_counted_by_arm() -> None:
    found = oc.missingness(data_of()).to_frame().set_index(["column", "arm"])
    assert found["n_missing"].to_dict() == {
        ("x", "a"): 1, ("x", "b"): 2, ("z", "a"): 2, ("z", "b"): 0, ("any of them", "a"): 2, ("any of them", "b"): 2,
    }  # fmt: skip
    assert found.loc[("x", "b"), ["n", "share_missing"]].tolist() == [2, 1.0]


def test_the_outcome_of_those_who_miss_a_column_stands_beside_that_of_the_others() -> None:
    row = oc.missingness(data_of()).to_frame().set_index(["column", "arm"]).loc[("z", "a")]
    assert row[["event_missing", "event_known"]].tolist() == [0.5, 1.0]
    none = oc.missingness(data_of()).to_frame().set_index(["column", "arm"]).loc[("z", "b")]
    assert pd.isna(none["event_missing"])


def test_columns_can_be_named_and_complete_ones_are_zero() -> None:
    found = oc.missingness(data_of(), ["known"])
    assert found.summary()["n_missing"].tolist() == [0, 0]
    assert found.describe() == "Nothing is missing for 5 people."
    with pytest.raises(oc.EstimationError, match=r"missingness: no column 'knwon'\. Did you mean"):
        oc.missingness(data_of(), ["knwon"])


def test_it_is_said_in_words_and_can_be_released() -> None:
    found = oc.missingness(data_of())
    assert found.describe() == "Of 5 people 4 (80.0 %) miss something: x for 3 (60.0 %); z for 2 (40.0 %)."
    assert oc.release(found, "none").frame["n_missing"].tolist() == found.to_frame()["n_missing"].tolist()


def test_row_counts_count() -> None:
    found = oc.missingness(data_of(FRAME.assign(n=[1, 4, 1, 1, 1]), frequency="n"), ["x"])
    assert found.to_frame()["n_missing"].tolist()[:2] == [4, 2]


def test_data_without_gaps_say_so() -> None:
    assert oc.missingness(data_of(FRAME.drop(columns=["x", "z"]))).to_frame()["n_missing"].tolist() == [0, 0]
