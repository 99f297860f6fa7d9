"""The risk table people can look at, and rows counted where they lie."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import outcomes as oc

FRAME = pd.DataFrame(
    {
        "start": [0, 0, 1, 0, 4, 0, 0],
        "stop": [2, 2, 3, 3, 6, 6, 5],
        "end": ["sexual", "none", "death", "sexual", "none", "sexual", "none"],
        "arm": ["a", "a", "a", "a", "a", "a", "b"],
        "w": [1.0, 2.0, 1.0, 3.0, 1.0, 2.0, 1.0],
    }
)


def take(frame: pd.DataFrame = FRAME, **more: Any) -> oc.SurvivalData:
    asked = {"entry": "start", "exit": "stop", "event": "end", "censored": "none", "causes": ["sexual", "death"]}
    return oc.survival_data(frame, **{**asked, "arm": "arm", "reference": "a", "unit": "months", **more})


def test_who_is_at_risk_enters_leaves_and_has_an_event() -> None:
    found = oc.risk_sets(take()).to_frame()
    assert found.columns.tolist() == [
        "arm", "time", "n_at_risk", "n_entered", "n_censored", "n_sexual", "n_death",
    ]  # fmt: skip
    assert found[found["arm"] == "a"].drop(columns="arm").values.tolist() == [
        [2, 5, 5, 1, 1, 0],
        [3, 3, 0, 0, 1, 1],
        [6, 2, 1, 1, 1, 0],
    ]
    assert found[found["arm"] == "b"].drop(columns="arm").values.tolist() == [[5, 1, 1, 1, 0, 0]]


def test_weights_and_their_squares_stand_beside_the_counts() -> None:
    found = oc.risk_sets(take(), weights="w").to_frame().set_index(["arm", "time"])
    first = found.loc[("a", 2.0)]
    assert [first["n_at_risk"], first["w_at_risk"], first["w2_at_risk"]] == [5, 9, 19]
    assert [first["w_sexual"], first["w_censored"], first["w_entered"]] == [1, 2, 9]
    assert found.loc[("a", 6.0), "w2_at_risk"] == 5


def test_weights_of_rows_are_taken_row_by_row() -> None:
    split = pd.DataFrame({"id": [1, 1, 2], "start": [0, 2, 0], "stop": [2, 4, 4], "end": ["none", "sexual", "none"]})
    data = take(split, id="id", arm=None, reference=None)
    found = oc.risk_sets(data, weights=np.array([1.0, 3.0, 2.0])).to_frame()
    assert found[["n_at_risk", "w_at_risk", "w2_at_risk", "n_censored"]].values.tolist() == [
        [2, 3, 5, 0],
        [2, 5, 13, 1],
    ]


def test_a_row_of_several_people_is_their_rows() -> None:
    several = FRAME.assign(f=[2, 1, 1, 3, 1, 1, 2])
    rows = several.loc[several.index.repeat(several["f"])].drop(columns="f")
    one, each = oc.risk_sets(take(several, frequency="f"), weights="w"), oc.risk_sets(take(rows), weights="w")
    pd.testing.assert_frame_equal(one.to_frame(), each.to_frame())


def test_the_table_in_words_and_by_arm() -> None:
    found = oc.risk_sets(take())
    assert found.describe() == "Risk table. a: 6 at risk over 3 times; b: 1 at risk over 1 times."
    assert found.summary()["n_sexual"].tolist() == [3, 0]
    with pytest.raises(oc.EstimationError, match="every weight in arm 'b' is 0"):
        oc.risk_sets(take(), weights=[1, 1, 1, 1, 1, 1, 0])


def test_a_cause_called_like_a_count_has_a_column_of_its_own() -> None:
    named = FRAME.replace({"end": {"sexual": "censored", "death": "at_risk"}})
    found = oc.risk_sets(take(named, causes=["censored", "at_risk"]), weights="w")
    plain = oc.risk_sets(take(), weights="w")
    called = {
        f"{prefix}_{old}": f"{prefix}_{new}"
        for prefix in "nw" for old, new in (("sexual", "censored_event"), ("death", "at_risk_event"))
    }  # fmt: skip
    pd.testing.assert_frame_equal(found.to_frame(), plain.to_frame().rename(columns=called))
    pd.testing.assert_frame_equal(found.summary(), plain.summary().rename(columns=called))
    assert found.describe() == plain.describe()


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    return pd.DataFrame(
        {
            "stop": rng.integers(1, 9, 400),
            "end": rng.choice(["none", "sexual", "death"], 400),
            "arm": rng.choice(["a", "b"], 400),
            "start": rng.choice([0, 0, 0.5], 400),
        }
    )


KEYS = ["arm", "start", "stop", "end"]


@pytest.mark.parametrize("kind", ["pandas", "polars", "lazy", "arrow", "duckdb"])
def test_every_engine_counts_the_same(kind: str, many: pd.DataFrame) -> None:
    connection = duckdb.connect()
    frame = {
        "pandas": lambda: many,
        "polars": lambda: pl.from_pandas(many),
        "lazy": lambda: pl.from_pandas(many).lazy(),
        "arrow": lambda: pl.from_pandas(many).to_arrow(),
        "duckdb": lambda: connection.from_df(many),
    }[kind]()
    found = oc.count_rows(frame, KEYS)
    expected = many.groupby(KEYS, as_index=False).size().rename(columns={"size": "people"})
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    again = oc.count_rows(found, ["arm"], frequency="people")
    assert again["people"].sum() == len(many)


def test_counted_rows_give_what_the_rows_give(many: pd.DataFrame) -> None:
    rows, counted = take(many), take(oc.count_rows(many, KEYS), frequency="people")
    for made in (
        lambda d: oc.kaplan_meier(d, cause="any").to_frame(),
        lambda d: oc.cumulative_incidence(d).to_frame(),
        lambda d: oc.cumulative_incidence(d, variance="aalen").to_frame(),
        lambda d: oc.nelson_aalen(d, cause="sexual").to_frame(),
        lambda d: oc.logrank_test(d, cause="sexual", gamma=1).to_frame(),
        lambda d: oc.gray_test(d, cause="sexual").to_frame(),
        lambda d: oc.max_combo_test(d, cause="sexual").to_frame(),
        lambda d: oc.rmst(d, horizon=5).to_frame(),
        lambda d: oc.risk_sets(d).to_frame(),
    ):
        pd.testing.assert_frame_equal(made(rows), made(counted), rtol=1e-9)


@pytest.mark.parametrize("kind", ["pandas", "polars", "lazy", "arrow", "duckdb"])
def test_a_frequency_that_is_no_number_of_people_is_counted_and_not_shown(kind: str) -> None:
    frame = pl.DataFrame({"stop": [1, 1, 1, 2, 2, 2], "f": [1.0, None, -3.0, 0.75431, 0.0, float("inf")]})
    given: Any = {
        "pandas": frame.to_pandas,
        "polars": lambda: frame,
        "lazy": frame.lazy,
        "arrow": frame.to_arrow,
        "duckdb": lambda: duckdb.connect().from_arrow(frame.to_arrow()),
    }[kind]()
    with pytest.raises(
        oc.DataError, match=r"'f' \(frequency\) must hold whole numbers of 1 or more; 5 rows do not"
    ) as caught:
        oc.count_rows(given, ["stop"], frequency="f")
    assert "0.75431" not in str(caught.value)


def test_a_frequency_that_is_text_is_refused() -> None:
    with pytest.raises(oc.DataError, match=r"'f' \(frequency\) must hold numbers"):
        oc.count_rows(pd.DataFrame({"stop": [1], "f": ["2"]}), ["stop"], frequency="f")


def test_what_cannot_be_counted_is_named_without_a_value(many: pd.DataFrame) -> None:
    with pytest.raises(oc.DataError, match="Did you mean 'stop'"):
        oc.count_rows(many, ["stp"])
    with pytest.raises(oc.DataError, match="none of them 'people'"):
        oc.count_rows(many.assign(people=1), ["people"])
    text = duckdb.connect().sql("select 'SECRET' as stop, 1 as f")
    with pytest.raises(oc.DataError, match="could not count its rows") as caught:
        oc.count_rows(text.project("cast(stop as integer) as stop, f"), ["stop"])
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
