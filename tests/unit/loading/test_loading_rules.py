"""What tables must not say of each other: one change to sound tables, and the one rule it breaks."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from small_tables import rows, small_tables

import outcomes as oc
from outcomes.errors import DataError
from outcomes.loading.duckdb_engine import quoted
from outcomes.loading.rules import rules_of
from outcomes.loading.schema import SCHEMA, columns_of

SUPERVISION = "person_id start_date end_date type"
SPELLS = "person_id start_date end_date state reason"
DELIVERY = "group_id facilitator_id from to"


def _changed(table: str, **cells: Any) -> dict[str, pd.DataFrame]:
    """Return the small tables with cells of one table changed: ``column=(row, value)``."""
    frames = small_tables()
    frame = frames[table].copy()
    for column, (row, value) in cells.items():
        if column not in frame:
            frame[column] = None
        frame.loc[row, column] = value
    frames[table] = frame
    return frames


def _broken(frames: dict[str, pd.DataFrame]) -> list[tuple[str, str, str, int]]:
    found = oc.load_tables(frames).checks.summary()
    return list(found[["rule", "table", "severity", "n"]].itertuples(index=False, name=None))


def _spells(*lines: str) -> dict[str, pd.DataFrame]:
    return small_tables(spells=rows(SPELLS, *lines))


CASES = [
    # sentences: p1 sentenced to custody 2008-01-01 and released 2010-01-01, p2 and p3 in the community, p4 died 2012-03-01
    ("release_before_sentence", "sentences", "error", _changed("sentences", release_date=(0, "2007-12-31"))),
    ("release_in_community", "sentences", "error", _changed("sentences", release_date=(1, "2010-01-01"))),
    ("custody_without_release", "sentences", "note", _changed("sentences", release_date=(0, None))),
    ("prior_sexual_exceeds_prior", "sentences", "error", _changed("sentences", prior_sexual_sanctions=(0, "3"))),
    ("plausible_values", "sentences", "error", _changed("sentences", age_at_sentence=(0, "9.9"))),
    ("plausible_values", "sentences", "error", _changed("sentences", age_at_sentence=(0, "130"))),
    ("plausible_dates", "provision", "error", _changed("provision", open_to=(0, "9999-12-31"))),
    ("release_after_death", "sentences", "error", _changed("sentences", release_date=(3, "2012-03-02"))),
    ("assessment_after_death", "assessments", "warning", _changed("assessments", date=(3, "2012-03-02"))),
    # referrals and participation
    ("decision_before_referral", "referrals", "error", _changed("referrals", decision_date=(0, "2008-02-29"))),
    ("referral_before_sentence", "referrals", "note", _changed("referrals", referral_date=(1, "2009-12-31"))),
    ("referral_after_death", "referrals", "warning",
     _changed("referrals", referral_date=(3, "2012-03-02")) | {"participation": small_tables()["participation"].iloc[:3]}),
    ("start_before_referral", "participation", "error",
     _changed("participation", start_date=(1, "2010-01-09"))),
    ("end_before_start", "participation", "error", _changed("participation", end_date=(1, "2010-01-31"))),
    ("participation_after_death", "participation", "error",
     _changed("participation", start_date=(3, "2012-03-02"), end_date=(3, None))),
    ("referral_to_another_programme", "participation", "warning", _changed("participation", programme_id=(2, "b2"))),
    ("start_before_sentence", "participation", "warning",
     _changed("participation", start_date=(1, "2009-12-31"), referral_id=(1, None))),
    ("programme_not_open", "participation", "warning",
     _changed("provision", open_from=(0, "2008-06-02"))),
    ("site_not_listed", "participation", "warning",
     _changed("participation", site_id=(0, "z")) | {"provision": small_tables()["provision"].assign(site_id=["a", "b", "c"])}),
    ("sessions_attended_exceeds_planned", "participation", "warning",
     _changed("participation", sessions_planned=(0, "20"), sessions_attended=(0, "21"))),
    ("ongoing_with_end", "participation", "warning", _changed("participation", status=(0, "ongoing"))),
    ("plausible_values", "participation", "error", _changed("participation", sessions_planned=(0, "-1"))),
    # reoffences
    ("proven_before_offence", "reoffences", "error", _changed("reoffences", proven_date=(0, "2010-12-31"))),
    ("offence_before_sentence", "reoffences", "note", _changed("reoffences", offence_date=(0, "2007-12-31"))),
    ("event_after_exit", "reoffences", "error",
     small_tables(exits=rows("person_id exit_date reason", "p1 2010-12-31 deportation"))),
    ("event_after_exit", "reoffences", "error",
     small_tables(exits=rows("person_id exit_date reason", "p1 2010-12-31 death"))),
    # spells: p1 is free from 2010-01-01, p3 from 2010-02-01
    ("end_before_start", "spells", "error", _spells("p1 2011-03-01 2011-02-28 custody sentence")),
    ("spell_before_release", "spells", "error", _spells("p1 2009-12-31 2010-02-01 recall recall")),
    ("spell_after_death", "spells", "error", _spells("p4 2012-03-02 - custody sentence")),
    ("spells_overlap", "spells", "error",
     _spells("p1 2011-03-01 2011-06-01 custody sentence", "p1 2011-05-31 2011-07-01 custody sentence")),
    ("spells_overlap", "spells", "error",
     _spells("p1 2011-03-01 - custody sentence", "p1 2012-01-01 2012-02-01 custody sentence")),
    ("spells_overlap", "spells", "error",
     _spells("p1 2011-03-01 2012-01-01 custody sentence", "p3 2011-04-01 2011-05-01 custody sentence",
             "p1 2011-04-01 2011-05-01 hospital -")),
    ("reoffence_of_another_person", "spells", "error",
     small_tables(spells=rows(SPELLS + " reoffence_id", "p1 2011-03-01 2011-04-01 custody sentence o3"))),
    # the rest
    ("one_exit_per_person", "exits", "error",
     small_tables(exits=rows("person_id exit_date reason", "p4 2012-03-01 death", "p4 2013-03-01 lost"))),
    ("end_before_start", "provision", "error", _changed("provision", open_to=(2, "1999-12-31"))),
    ("end_before_start", "eligibility", "error", _changed("eligibility", valid_from=(0, "2010-01-02"), valid_to=(0, "2010-01-01"))),
    ("end_before_start", "supervision", "error",
     small_tables(supervision=rows(SUPERVISION, "p1 2010-01-01 2009-01-01 licence"))),
    ("supervision_after_death", "supervision", "warning",
     small_tables(supervision=rows(SUPERVISION, "p4 2012-03-02 - notification"))),
    ("end_before_start", "delivery", "error", small_tables(delivery=rows(DELIVERY, "g1 f1 2010-02-01 2010-01-01"))),
    ("duplicate_rows", "assessments", "warning",
     small_tables(assessments=pd.concat([small_tables()["assessments"], small_tables()["assessments"].iloc[:1]]))),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "table", "severity", "frames"), CASES, ids=[f"{c[1]}-{c[0]}" for c in CASES])
def test_one_change_breaks_one_rule_in_one_row(
    rule: str, table: str, severity: str, frames: dict[str, pd.DataFrame]
) -> None:
    assert _broken(frames) == [(rule, table, severity, 1)]


def test_sound_tables_break_no_rule() -> None:
    checks = oc.load_tables(small_tables()).checks
    assert checks.passed
    assert checks.failed == ()
    assert (checks.to_frame()["n"] == 0).all()
    assert checks.describe() == "Of 76 rules, rows break none. Nothing stands in the way of a cohort."


def test_what_a_sentence_of_another_person_breaks_is_said_of_both_tables() -> None:
    frames = _changed("referrals", sentence_id=(1, "s1"))
    frames["participation"] = frames["participation"].assign(sentence_id=["s1", "s1", "s3", "s4"])
    assert _broken(frames) == [
        ("sentence_of_another_person", "referrals", "error", 1),
        ("sentence_of_another_person", "participation", "error", 1),
    ]


def test_a_referral_of_another_person() -> None:
    frames = _changed("participation", referral_id=(1, "r1"))
    assert _broken(frames) == [("referral_of_another_person", "participation", "error", 1)]


def test_a_person_sentenced_twice_and_one_never_sentenced_are_notes() -> None:
    frames = small_tables()
    again = (
        frames["sentences"].iloc[[0]].assign(sentence_id="s5", sentence_date="2012-01-01", release_date="2013-01-01")
    )
    frames["sentences"] = pd.concat([frames["sentences"], again])
    frames["people"] = pd.concat([frames["people"], rows("person_id sex ethnicity_group", "p5 male white")])
    assert _broken(frames) == [
        ("person_without_sentence", "people", "note", 1),
        ("several_sentences", "sentences", "note", 1),
    ]


def test_a_sentence_after_death() -> None:
    frames = small_tables(exits=rows("person_id exit_date reason", "p2 2009-12-31 death"))
    frames["referrals"], frames["participation"] = frames["referrals"].drop(1), frames["participation"].drop(1)
    frames["assessments"] = frames["assessments"].drop(1)
    assert _broken(frames) == [("sentence_after_death", "sentences", "error", 1)]


def test_what_happens_on_the_day_itself_is_allowed() -> None:
    frames = _spells(
        "p1 2010-01-01 2010-02-01 recall recall",  # on the day of release
        "p1 2010-02-01 2010-02-01 custody sentence",  # touching, and of no length
        "p4 2012-03-01 - hospital -",  # on the day of death
    )
    frames["reoffences"] = rows(
        "reoffence_id person_id offence_date proven_date offence_type", "o1 p4 2012-03-01 2012-03-01 other"
    )
    frames["participation"] = frames["participation"].assign(
        start_date=["2008-03-01", "2010-02-01", "2010-03-01", "2008-10-01"],  # the first on the day of referral
        end_date=["2008-03-01", "2010-08-01", "2010-09-01", "2009-05-01"],  # and of no length
    )
    assert _broken(frames) == []


def test_spells_of_different_people_do_not_overlap() -> None:
    assert _broken(_spells("p1 2011-03-01 - custody sentence", "p3 2011-03-01 - custody sentence")) == []


def test_rows_that_differ_in_a_column_of_the_extract_are_no_copies() -> None:
    frames = small_tables()
    twice = pd.concat([frames["assessments"], frames["assessments"].iloc[:1]])
    frames["assessments"] = twice.assign(assessor=["a", "b", "c", "d", "e"])
    assert _broken(frames) == []


def test_no_calendar_date_is_implausible_where_the_origin_is_not_disclosed() -> None:
    names = {rule.name for rule in rules_of("exits", "undisclosed", quoted)}
    assert "plausible_dates" not in names
    assert "plausible_dates" in {rule.name for rule in rules_of("exits", "1970-01-01", quoted)}


def test_the_report_has_one_row_a_rule_and_table() -> None:
    tables = oc.load_tables(_changed("sentences", age_at_sentence=(0, "130")))
    frame = tables.checks.to_frame()
    assert frame.columns.tolist() == ["rule", "table", "column", "severity", "n", "of", "text"]
    assert not frame.duplicated(["rule", "table", "column"]).any()
    assert set(frame["severity"]) == {"error", "warning", "note"}
    assert (frame["of"] == frame["table"].map(dict(tables.counts))).all()
    assert tables.checks.failed == ("plausible_values",)
    assert tables.checks.describe() == (
        "Of 76 rules, rows break 1 (1 error). A cohort is refused until the errors are fixed at source or listed in [checks] drop."
    )
    assert "plausible_values" in repr(tables.checks)


def test_every_rule_is_asked_of_a_column_of_its_table_and_said_in_a_sentence() -> None:
    for name in SCHEMA:
        for rule in rules_of(name, "1970-01-01", quoted):
            assert rule.table == name
            assert rule.column in (*columns_of(name), "")
            assert rule.text
            assert not rule.text.endswith(".")


def test_broken_rules_stop_a_cohort_with_their_counts() -> None:
    tables = oc.load_tables(_changed("sentences", age_at_sentence=(0, "130"), release_date=(3, "2000-01-01")))
    with pytest.raises(DataError) as caught:
        tables.require_clean()
    assert str(caught.value).splitlines() == [
        "The tables break 2 rules that must hold.",
        "  - release_before_sentence (sentences.release_date): 1 of 4 rows: a release is dated before its sentence.",
        "  - plausible_values (sentences.age_at_sentence): 1 of 4 rows: age_at_sentence is below 10 or above 105.",
        "Fix them at source, or list the rules in [checks] drop: their rows are then left out and counted.",
    ]
