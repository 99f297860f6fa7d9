"""What counts as a direct identifier by its form, and what does not: typed out, so that a reader sees both.

No number here belongs to anybody: they are published examples, numbers kept free for fiction, or made up to fit a form.
"""

from __future__ import annotations

import numpy as np
import pytest

from outcomes.loading.value_patterns import KINDS, identifier_hits
from outcomes.synthetic import make_cohort
from outcomes.synthetic.records_people import person_ids

HITS = {
    "PNC numbers": ["09/1234567G", "2009/1234567G", "85/123B", "1985/0000012f"],
    "CRO numbers": ["123456/09A", "1/85Z", "SF39/12345K"],
    "prison numbers": ["A1234BC", "a1234bc"],
    "case reference numbers of probation (CRN)": ["X123456", "d000001"],
    "NHS numbers": ["9434765919", "943 476 5919", "943-476-5919"],
    "National Insurance numbers": ["AB123456C", "AB 12 34 56 C", "ab123456c"],
    "e-mail addresses": ["some.one@example.org", "A_B+C@MAIL.EXAMPLE.CO.UK"],
    "telephone numbers": ["07700 900123", "07700900123", "+44 7700 900123", "(0161) 496 0123", "020 7946 0123", "01632 960123"],
    "full postcodes": ["SW1A 1AA", "M1 1AE", "cr2 6xh", "DN551PT"],
}  # fmt: skip

INNOCENT = [
    # areas, sites, courts, offences, versions, codes of statistics
    "A12", "A01", "B7", "SW1A", "M1", "019", "019/07", "B01AB00", "RT88001", "SX03001A", "E07000223", "E01012345", "2.1", "v1.0.2",
    "north", "sexual_contact", "community_order", "not in", "0-12 months", "12m", "24/7",
    # pseudonyms in common forms
    "p1", "P12345", "p0000123", "10001", "200001", "7f3a9c", "0b6e7c1e-50d4-4c1f-9a44-9d1f1c0c8a11", "ID-000123", "A1234B", "AB1234CD",
    # dates, times, ages, scores, money
    "2010-03-31", "2010-03-31 23:59:59", "31/03/2010", "03/2010", "2010/11", "20100331", "18-24", "65+", "0.1234567", "1e-7",
    "£1,200.50", "12.5%", "10:30",
    # nearly one of them
    "09/1234567A", "9434765918", "943 476 591", "BG123456C", "AB123456E", "A1234BCD", "AA1234BC", "X12345", "X1234567", "SW1A 1A",
    "QQ1 1AA", "not@home", "@", "0000000000", "1111111111", "12345678901234567890", "0800",
    "", " ", "a", "ü", "१२३४५६७८९०",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in HITS.items() for value in values])
def test_a_value_of_the_form_is_a_hit(kind: str, value: str) -> None:
    assert identifier_hits([(value, 1)]) == {kind: 1}


@pytest.mark.parametrize("value", INNOCENT)
def test_what_looks_a_little_like_one_is_none(value: str) -> None:
    assert identifier_hits([(value, 1)]) == {}


def test_every_kind_is_tried_by_hand() -> None:
    assert {kind.name for kind in KINDS} == set(HITS)


@pytest.mark.parametrize(
    "written",
    [
        "{} ",
        "no. {}",
        "moved to {}, then out",
        "({})",
        "was {}.",
        'said "{}"',
        "before;{};after",
        "line\n{}\nline",
        "a\tb\t{}",
    ],
)
@pytest.mark.parametrize("kind", HITS)
def test_one_inside_a_note_is_a_hit(kind: str, written: str) -> None:
    assert kind in identifier_hits([(written.format(HITS[kind][0]), 1)])


@pytest.mark.parametrize("written", ["{}7", "x{}", "{}_2", "site-{}", "{}-3", "/{}"])
def test_one_inside_a_longer_code_is_none(written: str) -> None:
    assert identifier_hits([(written.format("A1234BC"), 1)]) == {}


def test_rows_are_counted_by_kind_and_a_value_may_be_of_two() -> None:
    values = [("A1234BC", 3), ("A1234BD and X123456", 2), ("north", 900)]
    assert identifier_hits(values) == {"prison numbers": 5, "case reference numbers of probation (CRN)": 2}


def test_numbers_that_pass_a_check_digit_by_chance_are_no_hits() -> None:
    """One in eleven numbers of ten digits is a possible NHS number, one in 23 references a possible PNC number."""
    assert identifier_hits([(str(number), 1) for number in range(4_000_000_000, 4_000_001_000)]) == {}
    assert identifier_hits([(f"09/{number}A", 1) for number in range(1000, 1200)]).get("PNC numbers") is None


def test_numbers_of_which_most_pass_are_hits_among_whatever_else() -> None:
    values = [("9434765919", 1), ("9434765870", 1), ("9434765918", 1), *((f"code {n}", 10) for n in range(500))]
    assert identifier_hits(values) == {"NHS numbers": 2}


def test_the_end_of_one_value_and_the_start_of_the_next_make_no_identifier() -> None:
    assert identifier_hits([("M1", 1), ("1AE", 1), ("020 7946", 1), ("0123", 1)]) == {}


@pytest.mark.parametrize(
    ("pseudonym", "kind"),
    [("P000123", "case reference numbers of probation (CRN)"), ("A1234BC", "prison numbers"), ("P-000123", None), ("P0000123", None)],
)  # fmt: skip
def test_a_pseudonym_in_the_form_of_a_number_others_know_is_taken_for_one(pseudonym: str, kind: str | None) -> None:
    assert list(identifier_hits([(pseudonym, 1)])) == ([kind] if kind else [])


def test_nothing_in_an_invented_cohort_looks_like_an_identifier() -> None:
    for name, frame in make_cohort(200, replicates=0).tables.items():
        for column in frame.columns:
            values = [(str(value), 1) for value in frame[column].dropna().unique()]
            assert identifier_hits(values) == {}, f"{name}.{column}"
    assert person_ids(np.array([10_000_000]))[0] < 1_000_000_000  # of ten million people the last
