"""What a cell may say and what becomes of it: dates, numbers, flags, ids, codes, and nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_tables import rows, small_tables

import outcomes as oc
from outcomes.errors import DataError


def _column(table: str, column: str, values: list[Any], **options: Any) -> list[Any]:
    """Return what becomes of `values` in a column of the small tables (as many as the table has rows)."""
    frames = small_tables()
    frames[table] = frames[table].assign(**{column: values})
    frame = oc.load_tables(frames, **options).frame(table)
    return [None if value is pd.NA else value for value in frame[column].tolist()]


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2010-03-31", 14699),
        (" 2010-03-31 ", 14699),
        ("2010-03-31 23:59:59", 14699),
        ("2010-03-31T23:59", 14699),
        ("2010-03-31T23:59:59.123Z", 14699),
        ("2010-03-31 00:30:00+01:00", 14699),
        ("1969-12-31", -1),
        ("2012-02-29", 15399),
    ],
)
def test_a_date_becomes_days_since_1970_at_the_precision_of_a_day(said: str, day: int) -> None:
    assert _column("exits", "exit_date", [said]) == [day]


@pytest.mark.parametrize(
    "said",
    ["31/03/2010", "2010-02-30", "2010-3-1", "March 2010", "2010", "2010-03", "2010-03-31 noon", "1.5", "0000-00-00"],
)
def test_what_is_no_iso_date_is_refused(said: str) -> None:
    with pytest.raises(DataError, match=r"exits\.exit_date: (1 of 1 rows: not a date|.*day numbers, where the rest)"):
        _column("exits", "exit_date", [said])


def _in_days(origin: str) -> dict[str, pd.DataFrame]:
    frames = small_tables()
    for frame in frames.values():
        for column in frame.columns:
            if column.endswith("date") or column.startswith("open_"):
                days = (pd.to_datetime(frame[column]) - pd.Timestamp(origin)).dt.days
                frame[column] = days.astype("Int64")
    return frames


def test_day_numbers_from_an_undisclosed_origin_stay_as_they_are() -> None:
    tables = oc.load_tables(_in_days("2001-05-05"))
    assert tables.origin == "undisclosed"
    assert tables.frame("exits")["exit_date"].tolist() == [
        (pd.Timestamp("2012-03-01") - pd.Timestamp("2001-05-05")).days
    ]
    assert tables.checks.passed
    as_text = {name: frame.astype("string") for name, frame in _in_days("2001-05-05").items()}
    pd.testing.assert_frame_equal(oc.load_tables(as_text).frame("sentences"), tables.frame("sentences"))
    with_missing_as_float = {
        n: f.astype({c: float for c in f if f[c].dtype == "Int64"}) for n, f in _in_days("2001-05-05").items()
    }
    pd.testing.assert_frame_equal(oc.load_tables(with_missing_as_float).frame("sentences"), tables.frame("sentences"))


def test_day_numbers_among_iso_dates_are_refused_in_every_column_that_has_them() -> None:
    frames = small_tables(exits=rows("person_id exit_date reason", "p4 4000 death"))
    with pytest.raises(
        DataError, match=r"exits\.exit_date: 1 of 1 rows: day numbers, where the rest of the extract has dates"
    ):
        oc.load_tables(frames)


def test_a_date_written_without_hyphens_is_not_taken_for_a_day_number() -> None:
    with pytest.raises(DataError, match=r"exits\.exit_date: 1 of 1 rows: a whole number too large for a day"):
        oc.load_tables(small_tables(exits=rows("person_id exit_date reason", "p4 20120301 death")))


@pytest.mark.parametrize(
    ("said", "flags"),
    [
        (["true", "False", "TRUE", "f"], [True, False, True, False]),
        (["Yes", "no", "Y", "n"], [True, False, True, False]),
        (["1", "0", "1.0", "0.0"], [True, False, True, False]),
        ([1, 0, 1, 0], [True, False, True, False]),
        ([1.0, 0.0, np.nan, None], [True, False, None, None]),
        ([True, None, "NA", ""], [True, None, None, None]),
    ],
)
def test_a_flag_is_said_in_many_ways(said: list[Any], flags: list[Any]) -> None:
    assert _column("assessments", "learning_disability", said) == flags


def test_numbers_are_numbers_and_nothing_is_missing() -> None:
    assert _column("assessments", "score", ["1.5", " 2 ", "-3e1", "NA"])[:3] == [1.5, 2.0, -30.0]
    assert _column("sentences", "prior_sanctions", ["2", "3.0", 4, 5.0]) == [2, 3, 4, 5]
    assert np.isnan(_column("assessments", "score", [1.0, np.nan, 2.0, 3.0])[1])


@pytest.mark.parametrize("said", ["two", "2.5", "1,000", "inf"])
def test_what_is_no_whole_number_is_refused(said: str) -> None:
    with pytest.raises(DataError, match=r"sentences\.prior_sanctions: 1 of 4 rows: not a whole number"):
        _column("sentences", "prior_sanctions", ["1", said, "2", "1"])


def test_ids_that_are_numbers_stay_as_they_are() -> None:
    frames = {n: f.replace({"p1": "100", "p2": "20", "p3": "3", "p4": "4.0"}) for n, f in small_tables().items()}
    tables = oc.load_tables(frames)
    assert tables.frame("people")["person_id"].tolist() == [100, 20, 3, 4]
    assert tables.frame("reoffences")["person_id"].tolist() == [100, 3]


def test_numbers_too_large_to_be_exact_where_cells_are_empty_are_numbered_in_their_order() -> None:
    far = {"p1": f"{9 * 10**15 + 1}", "p2": f"{9 * 10**15}", "p3": "3", "p4": "4"}
    frames = {n: f.replace(far) for n, f in small_tables().items()}
    assert oc.load_tables(frames).frame("people")["person_id"].tolist() == [4, 3, 1, 2]


def test_ids_that_are_text_are_numbered_in_the_order_of_text_after_numbers() -> None:
    frames = {n: f.replace({"p1": "b", "p2": "a", "p3": "10", "p4": "9"}) for n, f in small_tables().items()}
    assert oc.load_tables(frames).frame("people")["person_id"].tolist() == [4, 3, 2, 1]


def test_the_order_of_the_rows_does_not_change_an_id() -> None:
    frames = small_tables()
    shuffled = {name: frame.iloc[::-1].reset_index(drop=True) for name, frame in frames.items()}
    a, b = oc.load_tables(frames), oc.load_tables(shuffled)
    for name in a.names:
        there = b.frame(name).iloc[::-1].reset_index(drop=True)
        pd.testing.assert_frame_equal(a.frame(name), there)


def test_an_id_is_one_id_as_text_as_integer_and_as_float() -> None:
    frames = {n: f.replace({"r1": "1", "r2": "2", "r3": "3", "r4": "4"}) for n, f in small_tables().items()}
    frames["referrals"]["referral_id"] = [1, 2, 3, 4]
    frames["participation"]["referral_id"] = [1.0, np.nan, 3.0, 4.0]
    assert [*oc.load_tables(frames).frame("participation")["referral_id"].dropna()] == [1, 3, 4]


def test_the_catalogue_keeps_its_own_programme_ids() -> None:
    tables = oc.load_tables(small_tables())
    assert tables.programme_ids == {"b1": 1, "b2": 2, "m1": 3}
    assert tables.frame("programmes")["programme_id"].tolist() == [3, 1, 2]


def test_text_is_trimmed_and_an_empty_cell_is_missing() -> None:
    assert _column("people", "ethnicity_group", [" white\t", "", "  ", "NA"]) == ["white", None, None, None]
    assert _column("assessments", "denial", ["none", "none ", "partial", "full"]) == ["none", "none", "partial", "full"]


def test_codes_are_mapped_before_they_are_checked_and_may_map_to_nothing() -> None:
    codes = {"people.sex": {"1": "male", "2": "female"}, "people.ethnicity_group": {"W1": "white", "NS": ""}}
    frames = small_tables()
    frames["people"] = frames["people"].assign(sex=[1, 1, 1, 2], ethnicity_group=["W1", "NS", "black", None])
    people = oc.load_tables(frames, codes=codes).frame("people")
    assert people["sex"].tolist() == ["male", "male", "male", "female"]
    assert people["ethnicity_group"].tolist() == ["white", None, "black", None]


def test_codes_may_map_flags_dates_and_ids_as_well() -> None:
    codes = {
        "assessments.learning_disability": {"LD": "true", "none": "false"},
        "exits.exit_date": {"unknown": "2012-03-01"},
        "reoffences.person_id": {"p-1": "p1"},
    }
    frames = small_tables(exits=rows("person_id exit_date reason", "p4 unknown death"))
    frames["assessments"]["learning_disability"] = ["LD", "none", "none", "none"]
    frames["reoffences"]["person_id"] = ["p-1", "p3"]
    tables = oc.load_tables(frames, codes=codes)
    assert tables.frame("assessments")["learning_disability"].tolist() == [True, False, False, False]
    assert tables.frame("exits")["exit_date"].tolist() == [15400]
    assert tables.frame("reoffences")["person_id"].tolist() == [1, 3]


def test_columns_are_renamed_before_anything_else() -> None:
    frames = small_tables()
    frames["people"] = frames["people"].rename(columns={"person_id": "CRN", "sex": "Gender"})
    tables = oc.load_tables(
        frames, columns={"people": {"CRN": "person_id", "Gender": "sex"}}, codes={"people.sex": {"male": "male"}}
    )
    assert tables.frame("people").columns.tolist() == ["person_id", "sex", "ethnicity_group"]


def test_columns_of_the_extract_follow_those_of_the_schema() -> None:
    frames = small_tables()
    frames["people"].insert(0, "deprivation", ["1", "10", "", "5"])
    frames["people"].insert(1, "region code", ["01", "02", "NA", "03"])
    people = oc.load_tables(frames).frame("people")
    assert people.columns.tolist() == ["person_id", "sex", "ethnicity_group", "deprivation", "region code"]
    assert people["deprivation"].tolist()[:2] == [1.0, 10.0]
    assert people["region code"].tolist() == ["01", "02", None, "03"]


def test_a_nameless_column_is_left_out() -> None:
    frames = small_tables()
    frames["people"].insert(0, "", range(4))  # row names, as R writes them
    assert oc.load_tables(frames).frame("people").columns.tolist() == ["person_id", "sex", "ethnicity_group"]


def test_tables_of_other_names_are_ignored_and_said() -> None:
    tables = oc.load_tables({**small_tables(), "lookups": pd.DataFrame({"a": [1]})})
    assert tables.ignored == ("lookups",)
    assert any("lookups" in note.text for note in tables.checks.notes)


def test_tables_do_not_pickle() -> None:
    import pickle

    with pytest.raises(oc.DisclosureError, match="do not pickle"):
        pickle.dumps(oc.load_tables(small_tables()))


def test_a_table_that_is_none_is_an_error_with_the_nearest_name() -> None:
    tables = oc.load_tables(small_tables())
    for ask in (tables.frame, tables.lazy):
        with pytest.raises(DataError, match="Did you mean 'reoffences'"):
            ask("reofences")


def test_the_tables_show_counts_and_nothing_of_a_row() -> None:
    tables = oc.load_tables(small_tables())
    assert repr(tables).splitlines()[0].startswith("Tables: people 4, sentences 4")
    assert "<td>people</td><td>4</td>" in tables._repr_html_()
    assert len(repr(tables.checks).splitlines()) <= 12
