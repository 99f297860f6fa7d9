"""Rows left out on request: counted under their rule, with what hung on them; the tables they came from stay whole."""

from __future__ import annotations

import pandas as pd
import pytest
from small_tables import rows, small_tables

import outcomes as oc
from outcomes.errors import DataError


def _dropped(tables: oc.Tables) -> list[tuple[str, str, int, str]]:
    return list(tables.dropped.itertuples(index=False, name=None))


def _late_offence() -> dict[str, pd.DataFrame]:
    """p1 was deported before the offence o1; the spell that followed names it."""
    return small_tables(
        exits=rows("person_id exit_date reason", "p1 2010-12-31 deportation"),
        spells=rows(
            "person_id start_date end_date state reason reoffence_id", "p1 2011-02-01 2011-03-01 custody remand o1"
        ),
    )


def test_clean_tables_come_back_as_they_are() -> None:
    tables = oc.load_tables(small_tables())
    assert tables.require_clean() is tables
    assert tables.require_clean(drop=["event_after_exit"]) is tables
    assert tables.dropped.empty
    assert tables.dropped.columns.tolist() == ["rule", "table", "n", "why"]


def test_a_dropped_row_goes_and_optional_references_to_it_are_emptied() -> None:
    tables = oc.load_tables(_late_offence())
    clean = tables.require_clean(drop=["event_after_exit"])
    assert _dropped(clean) == [
        ("event_after_exit", "reoffences", 1, "breaks the rule"),
        ("event_after_exit", "spells", 1, "reference emptied"),
    ]
    assert clean.counts["reoffences"] == 1
    assert clean.frame("spells")["reoffence_id"].isna().all()
    assert clean.checks.passed


def test_the_tables_dropped_from_stay_whole() -> None:
    tables = oc.load_tables(_late_offence())
    clean = tables.require_clean(drop=["event_after_exit"])
    assert tables.counts["reoffences"] == 2
    assert len(tables.frame("reoffences")) == 2
    assert tables.frame("spells")["reoffence_id"].notna().all()
    assert tables.lazy("reoffences").collect().shape[0] == 2
    assert clean.lazy("reoffences").collect().shape[0] == 1
    assert clean.engine.ask(f"SELECT count(*) FROM {clean.engine.place('reoffences')}") == [(1,)]
    assert not tables.checks.passed


def test_rows_whose_required_reference_goes_are_dropped_with_it() -> None:
    frames = small_tables()
    frames["sentences"]["age_at_sentence"] = ["30", "40", "150", "25"]  # p3
    clean = oc.load_tables(frames).require_clean(drop=["plausible_values"])
    assert _dropped(clean) == [
        ("plausible_values", "sentences", 1, "breaks the rule"),
        ("plausible_values", "referrals", 1, "refers to a dropped row"),
        ("plausible_values", "participation", 1, "refers to a dropped row"),
    ]
    assert dict(clean.counts) | {"sentences": 3, "referrals": 3, "participation": 3} == dict(clean.counts)
    assert clean.frame("participation")["sentence_id"].tolist() == [1, 2, 4]


def test_a_rule_may_be_dropped_in_one_table_only() -> None:
    frames = small_tables(
        spells=rows("person_id start_date end_date state reason", "p1 2011-03-01 2011-02-01 custody sentence")
    )
    frames["participation"]["end_date"] = ["2009-01-01", "2009-01-01", "2010-09-01", "2009-05-01"]
    tables = oc.load_tables(frames)
    with pytest.raises(DataError, match=r"end_before_start \(participation\.end_date\): 1 of 4 rows"):
        tables.require_clean(drop=["spells.end_before_start"])
    clean = tables.require_clean(drop=["end_before_start"])
    assert [entry[:3] for entry in _dropped(clean)] == [
        ("end_before_start", "participation", 1),
        ("end_before_start", "spells", 1),
    ]


def test_a_row_that_breaks_two_rules_is_counted_once() -> None:
    frames = small_tables(exits=rows("person_id exit_date reason", "p1 2010-12-31 death"))
    frames["reoffences"]["proven_date"] = ["2010-12-31", "2010-12-01"]
    clean = oc.load_tables(frames).require_clean(drop=["event_after_exit", "proven_before_offence"])
    assert [entry[:3] for entry in _dropped(clean)] == [("proven_before_offence", "reoffences", 1)]
    assert clean.counts["reoffences"] == 1


def test_copies_may_be_dropped_and_the_first_stays() -> None:
    frames = small_tables()
    frames["assessments"] = pd.concat([frames["assessments"]] * 3)
    clean = oc.load_tables(frames).require_clean(drop=["duplicate_rows"])
    assert _dropped(clean) == [("duplicate_rows", "assessments", 8, "breaks the rule")]
    assert clean.frame("assessments")["person_id"].tolist() == [1, 2, 3, 4]


def test_what_was_dropped_before_stays_counted() -> None:
    frames = _late_offence()
    frames["assessments"] = pd.concat([frames["assessments"]] * 2)
    clean = oc.load_tables(frames).require_clean(drop=["event_after_exit"]).require_clean(drop=["duplicate_rows"])
    assert [entry[:3] for entry in _dropped(clean)] == [
        ("event_after_exit", "reoffences", 1),
        ("event_after_exit", "spells", 1),
        ("duplicate_rows", "assessments", 4),
    ]


def test_rows_may_be_dropped_at_load_and_other_errors_stay_in_the_report() -> None:
    frames = _late_offence()
    frames["sentences"]["age_at_sentence"] = ["30", "40", "150", "25"]
    tables = oc.load_tables(frames, drop=["event_after_exit"])
    assert tables.counts["reoffences"] == 1
    assert tables.checks.failed == ("plausible_values",)


def test_a_rule_that_is_none_is_refused_with_the_nearest_name() -> None:
    tables = oc.load_tables(small_tables())
    with pytest.raises(DataError, match=r"there is no rule 'event_after_exits'\. Did you mean 'event_after_exit'"):
        tables.require_clean(drop=["event_after_exits"])
    with pytest.raises(DataError, match="is a list of names"):
        tables.require_clean(drop="event_after_exit")
    with pytest.raises(DataError, match=r"there is no rule 'zzz'"):
        oc.load_tables(small_tables(), drop=["zzz"])
