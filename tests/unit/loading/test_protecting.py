"""Columns that could say who somebody is: refused, warned of, or declared; and everything innocent that must pass.

Most tests look at one column of sixty people; `_faults` are the refusals of the extract, `_rows` what the report of checks says.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_study import small_study, starters
from small_tables import small_tables

import outcomes as oc
from outcomes.design.study_file import read_study
from outcomes.errors import DataError
from outcomes.loading.profiling import MOST_VALUES, Profile
from outcomes.loading.protecting import judge_birth, judge_values
from outcomes.synthetic import make_cohort

N = 60
FOLDER = Path(__file__).resolve().parents[3]
ADVICE = "take it out of the extract, or list 'people.own' in [checks] declared if it identifies nobody."
PSEUDONYM = "put a pseudonym in its place or take it out of the extract; list '{}' in [checks] declared if these are pseudonyms already."


def _with(table: str = "people", /, **columns: Any) -> dict[str, pd.DataFrame]:
    """Return sixty people sentenced on 2009-12-01, with columns of a table set."""
    frames = starters(N)
    frames[table] = frames[table].assign(**columns)
    return frames


def _refusal(frames: Any, **options: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        oc.load_tables(frames, **options)
    return caught.value


def _faults(frames: Any, **options: Any) -> list[str]:
    said = str(_refusal(frames, **options)).splitlines()
    return [line.removeprefix("  - ") for line in said if line.startswith("  - ")]


def _rows(frames: Any, **options: Any) -> list[tuple[Any, ...]]:
    """Return rule, table, column, severity, n and of of what the protective checks found."""
    rules = ("direct_identifier", "date_of_birth", "year_of_birth", "free_text", "unique_per_row")
    return [row[:6] for row in oc.load_tables(frames, **options).checks.rows if row[0] in rules and row[4]]


def _cycle(*values: Any) -> list[Any]:
    return [values[i % len(values)] for i in range(N)]


# --- direct identifiers in values


IDENTIFIERS = {
    "prison numbers": "A1234BC",
    "case reference numbers of probation (CRN)": "X123456",
    "PNC numbers": "09/1234567G",
    "CRO numbers": "123456/09A",
    "NHS numbers": "943 476 5919",
    "National Insurance numbers": "AB123456C",
    "e-mail addresses": "some.one@example.org",
    "telephone numbers": "07700 900123",
    "full postcodes": "SW1A 1AA",
}


def test_a_column_of_which_a_twentieth_looks_like_an_identifier_is_refused() -> None:
    columns = {f"own_{i}": [value] * 3 + ["x"] * (N - 3) for i, value in enumerate(IDENTIFIERS.values())}
    assert _faults(_with(**columns)) == [
        f"people.own_{i}: 3 of 60 rows: looks like {kind}; {PSEUDONYM.format(f'people.own_{i}')}"
        for i, kind in enumerate(IDENTIFIERS)
    ]


def test_fewer_are_a_warning_with_the_count() -> None:
    frames = _with(own=["A1234BC"] * 2 + ["x"] * (N - 2))
    assert _rows(frames) == [("direct_identifier", "people", "own", "warning", 2, 60)]


def test_only_rows_that_say_something_count() -> None:
    frames = _with(own=["A1234BC", *["x"] * 19, *[None] * 40])
    assert _faults(frames)[0].startswith("people.own: 1 of 20 rows: looks like prison numbers")


def test_columns_of_the_schema_are_looked_at_too() -> None:
    places = [
        ("people", "ethnicity_group"),
        ("sentences", "sentence_type"),
        ("sentences", "area"),
        ("assessments", "band"),
    ]
    frames = starters(N)
    for table, column in places:
        frames[table][column] = _cycle("SW1A 1AA", "x")
    assert [fault.split(";")[0] for fault in _faults(frames)] == [
        f"{table}.{column}: 30 of 60 rows: looks like full postcodes" for table, column in places
    ]


def test_what_codes_map_away_is_gone() -> None:
    frames = _with("sentences", area=_cycle("SW1A 1AA", "north"))
    assert _rows(frames, codes={"sentences.area": {"SW1A 1AA": "south"}}) == []


def test_an_nhs_number_kept_as_a_number_is_found() -> None:
    frames = _with(own=_cycle(9434765919, 9434765870))
    assert _faults(frames)[0].startswith("people.own: 60 of 60 rows: looks like NHS numbers")


def test_the_report_says_of_every_table_that_it_was_looked_at() -> None:
    rows = [row for row in oc.load_tables(small_tables()).checks.rows if row[0] == "direct_identifier"]
    assert {row[1] for row in rows} == set(small_tables())
    assert all(row[3:5] == ("warning", 0) for row in rows)


# --- keys


def _keyed(form: Any) -> dict[str, pd.DataFrame]:
    """Return the sixty people under other ids of theirs, in every table."""
    names = {f"p{n}": form(n) for n in range(1, N + 1)}
    return {
        name: frame.assign(person_id=frame["person_id"].map(names)) if "person_id" in frame else frame
        for name, frame in starters(N).items()
    }


def _nhs(n: int) -> int:
    """Return the n-th number of ten digits from 9 990 000 000 on whose check digit is right."""
    found = 0
    for nine in range(999_000_000, 999_100_000):
        check = (11 - sum(int(d) * w for d, w in zip(str(nine), range(10, 1, -1), strict=True)) % 11) % 11
        found += check < 10
        if found == n:
            return 10 * nine + check
    raise AssertionError


KEYS = [
    (lambda n: f"A{1000 + n}BC", "prison numbers"),
    (lambda n: f"X{100_000 + n}", "case reference numbers of probation (CRN)"),
    (lambda n: str(_nhs(n)), "NHS numbers"),
    (_nhs, "NHS numbers"),
]


@pytest.mark.parametrize(("form", "kind"), KEYS)
def test_a_key_by_which_others_know_the_person_is_refused_once(form: Any, kind: str) -> None:
    advice = PSEUDONYM.format("people.person_id")
    assert _faults(_keyed(form)) == [f"people.person_id: 60 of 60 rows: looks like {kind}; {advice}"]


@pytest.mark.parametrize(("form", "kind"), KEYS)
def test_pseudonyms_of_that_form_are_declared_wherever_the_id_stands_and_noted(form: Any, kind: str) -> None:
    place = "people.person_id" if kind == "prison numbers" else "reoffences.person_id"
    checks = oc.load_tables(_keyed(form), declared=[place]).checks
    found = [row for row in checks.rows if row[0] == "direct_identifier" and row[4]]
    text = f"looks like {kind}; declared to identify nobody"
    assert found == [("direct_identifier", "people", "person_id", "note", 60, 60, text)]


@pytest.mark.parametrize(
    "form",
    [lambda n: n, lambda n: 4_000_000_000 + n, lambda n: f"p{n}", lambda n: f"P{10_000 + n}", lambda n: f"{n:012x}",
     lambda n: f"0b6e7c1e-50d4-4c1f-9a44-{n:012x}"],
)  # fmt: skip
def test_pseudonyms_in_common_forms_pass(form: Any) -> None:
    assert _rows(_keyed(form)) == []


def test_an_id_that_is_no_tables_key_is_looked_at() -> None:
    frames = _with("participation", group_id=_cycle("A1234BC", "A1235BC"))
    assert _faults(frames)[0].startswith("participation.group_id: 2 of 2 rows: looks like prison numbers")


# --- declared


def test_a_declared_column_passes_and_is_noted() -> None:
    frames = _with(own=[f"A{1000 + n}BC" for n in range(N)], other="x")
    assert [fault.split(": ")[0] for fault in _faults(frames)] == ["people.own", "people.own"]
    assert _rows(frames, declared=["people.own"]) == [
        ("direct_identifier", "people", "own", "note", 60, 60),
        ("unique_per_row", "people", "own", "note", 60, 60),
    ]


def test_a_declaration_is_of_one_column_in_one_table() -> None:
    frames = _with(own=_cycle("A1234BC", "x"))
    frames["exits"]["own"] = None
    assert _faults(frames, declared=["exits.own"])[0].startswith("people.own: ")
    frames = _with(site_id=_cycle("A1234BC", "x"))  # of the extract's own here, an id elsewhere
    frames["participation"]["site_id"] = "y"
    assert _faults(frames, declared=["participation.site_id"])[0].startswith("people.site_id: ")


def test_a_declared_column_that_is_not_there_is_a_fault_with_the_nearest_name() -> None:
    assert _faults(small_tables(), declared=["people.persn_id"]) == [
        "people.persn_id: [checks] declared names a column that is not there. Did you mean 'people.person_id'?"
    ]
    with pytest.raises(DataError, match=r"declared is a list of columns, such as \['people\.person_id'\]"):
        oc.load_tables(small_tables(), declared="people.person_id")


def test_a_name_that_says_a_direct_identifier_cannot_be_declared_away() -> None:
    assert _faults(_with(surname="x"), declared=["people.surname"])[0].startswith(
        "people.surname: the column's name says"
    )


STUDY = """
[study]
title = "Two programmes"
data = "tables"
[arms]
reference = "manualised"
bespoke = { family = ["south_project"] }
manualised = { family = ["core_manual"] }
[follow_up]
data_cut = 2015-12-31
horizon = "5y"
[outcomes.any]
types = ["violent", "other"]
[checks]
declared = ["people.person_id"]
"""


def test_a_study_file_declares_for_the_report_and_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from outcomes.cli import main
    from outcomes.report.analysis import load

    (tmp_path / "tables").mkdir()
    for name, frame in _keyed(lambda n: f"A{1000 + n}BC").items():
        frame.to_csv(tmp_path / "tables" / f"{name}.csv", index=False)
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    study = read_study(tmp_path / "study.toml")
    assert study.checks.declared == ("people.person_id",)
    assert load(study).counts["people"] == N
    assert main(["check", str(tmp_path / "tables"), "--study", str(tmp_path / "study.toml")]) == 0
    assert "note: direct_identifier (people.person_id): 60 of 60 rows" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "tables")]) == 2


# --- dates and years of birth


def _births(form: str) -> list[str]:
    return [f"{date:{form}}" for date in pd.date_range("1950-03-01", periods=N, freq="211D")]


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y"])
def test_dates_long_before_the_first_sentence_are_refused(form: str) -> None:
    frames = starters(N)
    tables = ("people", "sentences", "assessments", "participation")
    for table in tables:
        frames[table]["own"] = _births(form)
    said = "60 of 60 rows: dates 10 to 100 years before the person's first sentence, as dates of birth are"
    assert _faults(frames) == [
        f"{table}.own: {said}; {ADVICE.replace('people.own', f'{table}.own')}" for table in tables
    ]


def test_so_are_dates_that_came_as_such() -> None:
    frames = _with(own=pd.to_datetime(_births("%Y-%m-%d")))
    assert _faults(frames)[0].startswith("people.own: 60 of 60 rows: dates 10 to 100 years before")


def test_dates_near_the_sentence_or_after_it_pass() -> None:
    near = [f"{date:%Y-%m-%d}" for date in pd.date_range("2005-01-01", periods=N, freq="61D")]
    half = [*_births("%Y-%m-%d")[:30], *near[30:]]
    assert _rows(_with(own=near, other=half, last=["9999-12-31"] * N)) == []


def test_dates_of_birth_and_ages_of_nobody_are_not_asked_in_the_catalogue() -> None:
    frames = starters(N)
    frames["programmes"]["since"] = "1985-01-01"
    assert _rows(frames) == []


def test_where_days_count_from_an_undisclosed_origin_no_age_can_be_told() -> None:
    frames = _with(own=_births("%Y-%m-%d"))
    for frame in frames.values():
        for column in frame.columns:
            if column.endswith("date") or column.startswith("open_"):
                frame[column] = (pd.to_datetime(frame[column]) - pd.Timestamp("2001-05-05")).dt.days.astype("Int64")
    assert _rows(frames) == []


def test_years_of_birth_are_a_warning() -> None:
    kinds = {"whole": int, "measured": float, "written": str}
    frames = _with(**{name: [kind(1940 + n) for n in range(N)] for name, kind in kinds.items()})
    assert _rows(frames) == [("year_of_birth", "people", name, "warning", 60, 60) for name in kinds]


def test_other_whole_numbers_are_no_years_of_birth() -> None:
    assert _rows(_with(own=_cycle(2008, 2009, 2010), tariff=_cycle(1975, 12, 400), score=_cycle(19, 20))) == []


# --- free text


def test_long_text_is_refused() -> None:
    frames = _with(own=[f"Came late in week {n}; will be seen by the team" for n in range(N)])
    assert _faults(frames) == [f"people.own: 60 of 60 rows: free text, in which names hide; {ADVICE}"]


def test_so_are_short_notes_of_many_words_that_nearly_all_differ() -> None:
    assert _faults(_with(own=[f"seen {n} days on by me" for n in range(N)]))[0].startswith(
        "people.own: 60 of 60 rows: free text"
    )


def test_so_is_a_code_of_the_schema_that_is_used_for_notes() -> None:
    frames = _with("assessments", version=[f"see the letter to the court of week {n}" for n in range(N)])
    assert _faults(frames)[0].startswith("assessments.version: 60 of 60 rows: free text")


def test_a_few_long_labels_that_repeat_are_a_code() -> None:
    labels = (
        "White: English, Welsh, Scottish, Northern Irish or British",
        "Asian or Asian British: any other Asian background",
        "Mixed or multiple ethnic groups: White and Black Caribbean",
    )
    assert _rows(_with(ethnicity_group=_cycle(*labels), own=_cycle("a b c d e", "f g h i j"))) == []


def test_the_catalogue_may_name_its_programmes_and_list_its_values() -> None:
    frames = starters(N)
    frames["programmes"]["name"] = ["A programme of the core kind for groups and single people", "b", "c"]
    frames["eligibility"]["value"] = ["sexual_contact|sexual_noncontact|sexual_image|violent|other"] * len(
        frames["eligibility"]
    )
    assert _rows(frames) == []


# --- keys of the extract's own


OWN_KEYS: tuple[list[Any], ...] = (
    [f"case-{n * 7919}" for n in range(N)],
    [f"{n:04d}" for n in range(N)],
    [40_000 + 7 * n for n in range(N)],
    [float(40_000 + 7 * n) for n in range(N)],
    [str(40_000 + 7 * n) for n in range(N)],
    list(range(N)),
    ["unknown", "unknown", *(f"c{n}" for n in range(N - 2))],
)


def test_a_column_in_which_nearly_every_row_has_its_own_value_is_refused() -> None:
    said = "60 rows: nearly every row has a value of its own, as a key has"
    faults = _faults(_with(**{f"own_{i}": values for i, values in enumerate(OWN_KEYS)}))
    assert {fault.split(";")[0] for fault in faults} == {
        f"people.own_{i}: {len(set(values))} of {said}" for i, values in enumerate(OWN_KEYS)
    }


RNG = np.random.default_rng(1)
INNOCENT: tuple[list[Any], ...] = (
    RNG.normal(0, 1, N).tolist(),
    [f"{value:.6f}" for value in RNG.normal(0, 1, N)],
    ["n/a", *(f"{value:.6f}" for value in RNG.normal(0, 1, N - 1))],
    [int(value) for value in np.arange(N) ** 2],  # measures such as days served
    ["n/a", *(str(value * 13) for value in range(N - 1))],
    [f"{date:%Y-%m-%d}" for date in pd.date_range("2008-01-01", periods=N)],
    pd.date_range("2008-01-01", periods=N, freq="31h").tolist(),
    [f"c{n}" for n in range(49)] + [None] * 11,  # too few rows to tell
    [f"c{n // 2}" for n in range(N)],
    _cycle("A01", "A02", "019", "020", "true"),
    [True, False] * (N // 2),
    [None] * N,
)


def test_measures_dates_and_codes_that_repeat_pass() -> None:
    assert _rows(_with(**{f"own_{i}": values for i, values in enumerate(INNOCENT)})) == []


def test_codes_of_the_schema_may_differ_from_row_to_row() -> None:
    assert _rows(_with("assessments", version=[f"v{n}" for n in range(N)])) == []


# --- no value comes out


MARK = "CANARY7351"
PLANTED = {
    "direct_identifier": [f"A{1000 + n}BC {MARK}" for n in range(N)],
    "date_of_birth": ["1961-07-13"] * N,
    "free_text": [f"{MARK} has written a letter of thirty words {n}" for n in range(N)],
    "unique_per_row": [f"{MARK}{n}" for n in range(N)],
}


@pytest.mark.parametrize("rule", PLANTED)
def test_no_value_is_in_a_refusal_its_cause_or_its_context(rule: str, caplog: pytest.LogCaptureFixture) -> None:
    error = _refusal(_with(own=PLANTED[rule]))
    assert error.__cause__ is None
    assert error.__context__ is None
    said = "".join(traceback.format_exception(error)) + repr(error.args) + caplog.text
    assert not any(word in said for word in (MARK, "A1001BC", "1961-07-13", "1961"))


@pytest.mark.parametrize(("form", "kind"), KEYS)
def test_nor_is_a_key(form: Any, kind: str) -> None:
    error = _refusal(_keyed(form))
    said = "".join(traceback.format_exception(error)) + repr(error.args)
    assert not any(str(form(n)) in said for n in range(1, N + 1))


@pytest.mark.parametrize("rule", PLANTED)
def test_nor_is_it_in_the_report_where_it_is_declared(rule: str) -> None:
    tables = oc.load_tables(_with(own=PLANTED[rule]), declared=["people.own"])
    said = repr(tables.checks) + tables.checks.to_frame().to_string() + tables.checks._repr_html_()
    assert rule in tables.checks.to_frame()["rule"].tolist()
    assert not any(word in said for word in (MARK, "A1001BC", "1961"))


# --- large columns, rows left out, invented cohorts


def test_of_very_many_values_a_sample_is_looked_at_and_it_is_the_same_each_time() -> None:
    n = 3 * MOST_VALUES
    frames = small_tables()
    frames["assessments"] = pd.DataFrame(
        {"person_id": "p1", "date": "2008-02-01", "instrument": "static", "own": [f"c{i}" for i in range(n)]}
    )
    frames["assessments"].loc[::40, "own"] = [f"A{i % 10_000:04d}B{chr(65 + i // 10_000)}" for i in range(0, n, 40)]
    (first, *_), again = _faults(frames), _faults(frames)
    assert again[0] == first
    frames["assessments"].loc[::4, "own"] = [f"A{i % 10_000:04d}B{chr(65 + i // 10_000)}" for i in range(0, n, 4)]
    found = _faults(frames)
    assert [fault.rsplit(" rows: ")[1].split(";")[0] for fault in found] == [
        "looks like prison numbers",
        "nearly every row has a value of its own, as a key has",
    ]
    hits, looked_at = (
        int(part.replace(",", "")) for part in found[0].split(": ")[1].removesuffix(" rows").split(" of ")
    )
    assert looked_at == pytest.approx(MOST_VALUES, rel=0.05)
    assert hits / looked_at == pytest.approx(0.25, abs=0.02)


def test_warnings_stay_when_rows_are_left_out() -> None:
    frames = _with(own=["A1234BC", *["x"] * (N - 1)])
    frames["sentences"]["age_at_sentence"] = ["150", *["30"] * (N - 1)]
    checks = oc.load_tables(frames).require_clean(drop=["plausible_values"]).checks
    assert ("direct_identifier", "people", "own", "warning", 1, 60) in [row[:6] for row in checks.rows]


def test_invented_cohorts_pass_without_a_finding() -> None:
    assert _rows(FOLDER / "data" / "synthetic") == []
    assert _rows(make_cohort(400, replicates=0, seed=3).tables) == []
    assert _rows(small_tables()) == []


def test_a_column_is_judged_by_what_it_holds_alone() -> None:
    quiet = Profile("people", "own", True, 0, 60, 2, 1.0, 1.0, (("a", 30), ("b", 30)))
    assert judge_values(quiet) == []
    assert judge_birth(quiet, 30, 60, dates=True) == []
    assert [finding.refused for finding in judge_birth(quiet, 31, 60, dates=True)] == [True]
    assert [finding.refused for finding in judge_birth(quiet, 31, 60, dates=False)] == [False]


# --- quality of linkage


def test_low_linkage_quality_is_noted_with_its_rows() -> None:
    frames = _with("sentences", linkage_quality=["0.49", "0.5", None, *["0.9"] * (N - 3)])
    found = oc.load_tables(frames).checks.summary()
    assert found[["rule", "column", "severity", "n"]].to_numpy().tolist() == [
        ["low_linkage_quality", "linkage_quality", "note", 1]
    ]


def test_linkage_quality_is_a_covariate_of_the_cohort() -> None:
    frames = _with("sentences", linkage_quality=[f"{0.4 + n / 100:.2f}" for n in range(N)])
    baseline = oc.build_cohort(oc.load_tables(frames), small_study()).baseline
    assert sorted(baseline["linkage_quality"]) == pytest.approx([0.4 + n / 100 for n in range(N)])
