"""The questions behind the headline as chapters of the report: what they are asked with, what is refused when, and what stands there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from report_studies import DATA, STUDY, small_study

import outcomes as oc
from outcomes.cli import main
from outcomes.errors import DesignError, EstimationError, NotSupportedError
from outcomes.report.building import build_report
from outcomes.report.chapters import CHAPTERS
from outcomes.report.contents import FIGURES, ORDER, TABLES, check_contents
from outcomes.report.questions import QUESTIONS

LESS = "less_detected = { learning_disability = true }"


def _built(folder: Path, holds: str, *changes: tuple[str, str]) -> tuple[str, list[str]]:
    """Return the page of a small study, and what was said on the way."""
    said: list[str] = []
    build_report(small_study(folder, holds, *changes), folder / "report", say=said.append)
    return (folder / "report" / "index.html").read_text(encoding="utf-8"), said


def test_the_example_asks_every_question_as_a_figure_and_as_a_table() -> None:
    study = oc.read_study(STUDY)
    drawn = {name for name, item in QUESTIONS.items() if item.drawing}
    assert drawn <= {spec.draws for spec in study.figures}
    assert set(QUESTIONS) == {spec.draws for spec in study.tables} - {"target_trial", "table1", "headline", "flow"}


def test_whatever_there_is_has_a_chapter_and_a_place_in_it_and_every_chapter_an_introduction() -> None:
    assert {item.chapter for item in [*FIGURES.values(), *TABLES.values()]} == set(CHAPTERS)
    assert set(ORDER) == {*FIGURES, *TABLES}
    assert all(len(chapter.lead) > 40 for chapter in CHAPTERS.values())
    for chapter in CHAPTERS:
        held = [item for item in QUESTIONS.values() if item.chapter == chapter]
        assert len(held) <= 1 or all(item.heading for item in held)


REFUSED = [
    ("figure shut_out; landmrk = '6m'", r"\[figure\] landmrk: is not a key of this section\. Did you mean 'landmark'\?"),
    ("figure shut_out; landmark = '6m'", r"\[\[figure\]\] figure1: landmark is not a key of shut_out\. It takes none"),
    ("table immortal_time; landmark = '6m'", r"\[\[table\]\] table1: landmark is not a key of immortal_time\. It takes arm, grace"),
    ("figure kaplan_meier; arm = 'bespoke'", r"arm is not a key of kaplan_meier"),
    ("figure detection_sensitivity", r"detection_sensitivity needs less_detected, such as \{ learning_disability = true \}"),
    ("table detection_sensitivity; less_detected = {}", r"less_detected: expected a table such as"),
    ("figure detection_sensitivity; less_detected = { sex = { a = 1 } }", r"less_detected: expected a table such as"),
    ("figure maintenance_effect; arm = 'bespok'", r"figure1: arm = 'bespok'\. Did you mean 'bespoke'\?"),
    ("figure maintenance_effect; landmark = '6 moons'", r"landmark"),
    ("figure course_states; by = 'bespoke'", r"by = 'bespoke'\. Valid: 'all', 'offered'"),
    ("figure site_variation; by = ['site', 'facilitator']", r"by is one of site, facilitator"),
    ("figure fidelity_effect; monitoring = 'befor'", r"monitoring = 'befor'\. Did you mean 'before'\?"),
    ("figure attendance_effect; high = 80", r"high: expected a share above 0 and at most 1, such as 0\.8"),
    ("figure caseload; replicates = 1", r"replicates: expected a whole number, at least 2"),
    ("figure outside", r"there is nothing called 'outside'"),
]  # fmt: skip


@pytest.mark.parametrize(("holds", "message"), REFUSED, ids=[case[0] for case in REFUSED])
def test_keys_are_checked_before_anything_is_loaded(tmp_path: Path, holds: str, message: str) -> None:
    with pytest.raises(DesignError, match=message):
        check_contents(oc.read_study(small_study(tmp_path, holds)))


def test_keys_reach_the_question(tmp_path: Path) -> None:
    study = oc.read_study(
        small_study(tmp_path, f"figure detection_sensitivity; {LESS}\ntable who_benefits; by = 'era'")
    )
    assert study.figures[0].options.given == {"less_detected": (("learning_disability", (True,)),)}
    assert study.tables[0].options.given == {"by": ("era",)}
    check_contents(study)


def _without(folder: Path, table: str, keep: str | None = None) -> Path:
    """Return the example tables without one of them, or without the rows for which `keep` does not hold."""
    data = folder / "data"
    shutil.copytree(DATA, data)
    path = data / f"{table}.csv"
    if keep is None:
        path.unlink()
    else:
        pd.read_csv(path, dtype=str, keep_default_na=False).query(keep).to_csv(path, index=False)
    return data


NOT_THERE = [
    ("fidelity_effect", "fidelity", None, "table fidelity is not there, or has no rows"),
    ("shut_out", "eligibility", "programme_id == 'none'", "table eligibility is not there, or has no rows"),
    ("replaced_area_by_area", "provision", "programme_id == 'none'", "table provision is not there, or has no rows"),
]


@pytest.mark.parametrize(("draws", "table", "keep", "why"), NOT_THERE, ids=[case[0] for case in NOT_THERE])
def test_what_the_tables_cannot_answer_is_one_error_before_anything_is_estimated(
    tmp_path: Path, draws: str, table: str, keep: str | None, why: str
) -> None:
    study = small_study(tmp_path, f"table headline\nfigure {draws}", data=_without(tmp_path, table, keep))
    said: list[str] = []
    with pytest.raises(NotSupportedError, match=rf"\[\[figure\]\] figure2: {draws} cannot be answered: {why}"):
        build_report(study, tmp_path / "report", say=said.append)
    assert said == ["loading and checking the tables"]
    assert not (tmp_path / "report").exists()


def test_the_command_line_says_it_when_it_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, data = small_study(tmp_path, "figure fidelity_effect"), _without(tmp_path, "fidelity")
    assert main(["check", str(DATA), "--study", str(study)]) == 0
    assert main(["check", str(data), "--study", str(study)]) == 2
    assert "figure1: fidelity_effect cannot be answered: table fidelity" in capsys.readouterr().err


UNFIT = [
    ("starters_and_completers", ('assigned_by = "start"', 'assigned_by = "referral"'), "people who started a programme"),
    ("site_variation", ('assigned_by = "start"', 'assigned_by = "referral"'), "people who started a programme"),
    ("caseload", ("# observed_from", "observed_from"), "lets people enter late"),
    (f"detection_sensitivity; {LESS}", ("# observed_from", "observed_from"), "lets people enter late"),
]  # fmt: skip


@pytest.mark.parametrize(("draws", "change", "why"), UNFIT, ids=[case[0] for case in UNFIT])
def test_what_the_study_cannot_ask_is_one_error_too(
    tmp_path: Path, draws: str, change: tuple[str, str], why: str
) -> None:
    with pytest.raises(NotSupportedError, match=rf"\[\[table\]\] table1: .*{why}"):
        build_report(small_study(tmp_path, f"table {draws}", change), tmp_path / "report")


def test_a_catalogue_without_maintenance_is_said(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(DATA, data)
    frame = pd.read_csv(data / "programmes.csv", dtype=str, keep_default_na=False)
    frame.assign(strand=frame["strand"].replace("maintenance", "core")).to_csv(data / "programmes.csv", index=False)
    with pytest.raises(NotSupportedError, match=r"figure1: .*no programme of the catalogue .* is maintenance"):
        build_report(small_study(tmp_path, "figure maintenance_effect", data=data), tmp_path / "report")


def test_what_fails_on_the_way_names_who_asked_and_fails_before_what_takes_minutes(tmp_path: Path) -> None:
    holds = "figure caseload\nfigure detection_sensitivity; less_detected = { risk_band = 'purple' }"
    said: list[str] = []
    with pytest.raises(EstimationError, match=r"\[\[figure\]\] figure2: detection_sensitivity: less_detected: none of"):
        build_report(small_study(tmp_path, holds), tmp_path / "report", say=said.append)
    assert "answering caseload" not in said
    assert not (tmp_path / "report").exists()


@pytest.fixture(scope="module")
def courses(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, list[str]]:
    """A report of courses: one question as figure and table, once more by what was on offer; another as a table alone."""
    folder = tmp_path_factory.mktemp("courses")
    holds = "table site_variation\nfigure course_states\ntable course_states\ntable course_states; by = 'offered'"
    return (folder / "report", *_built(folder, holds))


def test_a_figure_and_its_table_are_answered_once_and_another_question_again(
    courses: tuple[Path, str, list[str]],
) -> None:
    said = courses[2]
    assert said.count("answering course_states") == 2
    assert said.count("answering site_variation") == 1


def test_chapters_come_in_their_order_with_title_introduction_and_the_words_of_the_answer(
    courses: tuple[Path, str, list[str]],
) -> None:
    page = courses[1]
    titles = re.findall(r"<h2 id=\"(\w+)\"", page)
    assert titles == ["in_words", "courses", "delivery", "limits", "notes", "origin"]
    chapter = page.split('<h2 id="courses">')[1].split("</section>")[0]
    assert chapter.index(CHAPTERS["courses"].lead) < chapter.index("people followed from release or sentence")
    assert (
        chapter.index("people followed from release or sentence") < chapter.index("<figure>") < chapter.index("<table")
    )
    assert (
        "any by 2 years: " in page.split('<h2 id="delivery">')[1].split("</section>")[0]
    )  # a table alone has its words too


def test_the_table_of_courses_holds_everybody_at_every_time(courses: tuple[Path, str, list[str]]) -> None:
    rows = pd.read_csv(courses[0] / "tables" / "table3.csv")
    assert rows.groupby("time")["estimate"].sum().to_numpy() == pytest.approx(1, abs=1e-4)
    shown = courses[1].split('id="table-table3"')[1].split("</table>")[0]
    assert [f"{years} year" + "s" * (years > 1) in shown for years in range(1, 6)] == [True] * 5
    reoffended = rows[(rows["state"] == "reoffended") & (rows["time"] == 1826)]["estimate"].item()
    assert f"{100 * reoffended:.1f} %" in shown


def test_notes_stand_under_what_they_are_about_each_once(courses: tuple[Path, str, list[str]]) -> None:
    notes = courses[1].split('<h2 id="notes">')[1].split("</section>")[0]
    assert re.findall("<h3>(.*?)</h3>", notes) == [
        "The study as a whole", "From referral to any reoffence", "Any reoffence within 2 years, site by site",
    ]  # fmt: skip
    texts = re.findall("<li>(.*?)</li>", notes)
    assert len(set(texts)) == len(texts)
    of_courses = notes.split("<h3>From referral")[1].split("<h3>")[0]
    assert "go on beside a course and change no state" in of_courses
