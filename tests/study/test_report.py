"""A report built twice is the same, bytes and all; a bad study or a bad place leaves nothing behind."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from report_studies import DATA, ROOT, STUDY, changed_study, small_study

from outcomes.cli import main
from outcomes.disclosure.writing import sha256
from outcomes.errors import DataError, DesignError, DisclosureError, NotSupportedError, OutcomesError
from outcomes.report.building import build_report
from outcomes.report.differences import differences


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("reports") / "first"
    build_report(STUDY, out)
    return out


def _files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.slow
def test_two_runs_give_the_same_bytes_and_no_differences(built: Path) -> None:
    again = built.with_name("second")
    build_report(STUDY, again)
    assert _files(again) == _files(built)
    assert differences(built, again) == []


def test_every_figure_has_its_picture_numbers_and_words_and_every_table_its_numbers(built: Path) -> None:
    names = set(_files(built))
    assert {"index.html", "manifest.json"} <= names
    for kind in ("png", "svg", "csv", "txt"):
        assert len([n for n in names if n.startswith("figures/") and n.endswith(kind)]) == 20
    assert len([n for n in names if n.startswith("tables/")]) == 19


def test_the_manifest_names_every_file_by_its_hash_and_no_machine(built: Path) -> None:
    manifest = json.loads((built / "manifest.json").read_text(encoding="utf-8"))
    files = _files(built)
    assert manifest["outputs"] == {n: sha256(c) for n, c in sorted(files.items()) if n != "manifest.json"}
    assert set(manifest) == {"study", "tables", "code", "versions", "policy", "outputs"}
    assert str(ROOT) not in json.dumps(manifest)
    assert not any(str(ROOT).encode() in content for content in files.values())


def test_raw_adjusted_and_truth_stand_side_by_side(built: Path) -> None:
    rows = pd.read_csv(built / "tables" / "table2_headline.csv")
    risks = rows[rows["measure"] == "risk_difference"].set_index("analysis")
    assert set(risks.index) == {"adjusted", "unadjusted", "truth"}
    truth = json.loads((DATA / "truth.json").read_text(encoding="utf-8"))
    wanted = {"population": "both_overlap", "outcome": "any", "version": "proven", "horizon": "2y", "scale": "calendar"}
    (row,) = [r for r in truth["results"] if all(r[k] == v for k, v in wanted.items())]
    assert risks.loc["truth", "estimate"] == pytest.approx(row["risk_difference"], rel=1e-4)
    text = (built / "index.html").read_text(encoding="utf-8")
    assert "The data are invented, so the truth is known" in text


def test_the_page_needs_no_network_and_no_script(built: Path) -> None:
    text = (built / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=\"(https?:)?//", text)
    assert "<script" not in text
    assert text.count("<caption>") == text.count("<table") == 19
    assert all(len(alt) > 80 for alt in re.findall(r"<img[^>]* alt=\"([^\"]*)\"", text))


def test_a_report_that_is_up_to_date_is_left_alone(built: Path) -> None:
    before = (built / "index.html").stat().st_mtime_ns
    made = build_report(STUDY, built, overwrite=True)
    assert not made.fresh
    assert (built / "index.html").stat().st_mtime_ns == before


def test_what_changed_between_two_reports_is_said_in_numbers(built: Path) -> None:
    other = built.with_name("other")
    shutil.copytree(built, other)
    table = other / "tables" / "table2_headline.csv"
    frame = pd.read_csv(table)
    frame.loc[0, "estimate"] += 0.5
    frame.to_csv(table, index=False)
    manifest = json.loads((other / "manifest.json").read_text(encoding="utf-8"))
    manifest["study"]["seed"] = 7
    manifest["outputs"]["tables/table2_headline.csv"] = "other"
    (other / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert differences(built, other) == [
        "study seed: 2010 became 7",
        "tables/table2_headline.csv: estimate: 1 of 8 values differ, by at most 0.5",
    ]


def test_indicators_change_nothing_where_nothing_is_missing(built: Path, tmp_path: Path) -> None:
    study = small_study(tmp_path, "table headline", ('missing = "error"', 'missing = "indicator"'))
    build_report(study, tmp_path / "report")
    made = (tmp_path / "report" / "tables" / "table1.csv").read_bytes()
    assert made == (built / "tables" / "table2_headline.csv").read_bytes()


BAD = [
    ("misspelt key", [('horizon = "5y"\nscale', 'horizn = "5y"\nscale')], r"horizon: is required .*There is 'horizn'", DesignError),
    ("unknown figure", [('draws = "love_plot"', 'draws = "lov_plot"')], "Did you mean 'love_plot'", DesignError),
    ("empty arm", [('"sex == \'male\'"', '"age_at_time_zero >= 104"')], "arm 'manualised' is empty", DesignError),
    ("no such policy yet", [('policy = "none"', 'policy = "sensitive"')], "'sensitive' is not there yet", NotSupportedError),
    ("missing method", [('missing = "error"', 'missing = "impute"')], "'impute' is not there yet", NotSupportedError),
    ("no such data", [("data = ", "data = '../nowhere' #")], "nowhere", DataError),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message", "kind"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_study_is_one_clear_error_and_leaves_nothing(
    tmp_path: Path, changes: list[tuple[str, str]], message: str, kind: type[OutcomesError]
) -> None:
    study = changed_study(tmp_path, *changes)
    with pytest.raises(kind, match=message):
        build_report(study, tmp_path / "report")
    assert [p.name for p in tmp_path.iterdir()] == ["study.toml"]


def _broken(folder: Path, table: str, change: str) -> Path:
    """Return a copy of the example tables with one of them broken."""
    data = folder / "data"
    shutil.copytree(DATA, data)
    path = data / f"{table}.csv"
    if change == "missing table":
        path.unlink()
        return data
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    if change == "missing column":
        frame = frame.drop(columns="sex")
    elif change == "unknown code":
        frame.loc[3, "setting"] = "CANARY"
    elif change == "duplicated person":
        frame = pd.concat([frame, frame.head(1)])
    elif change == "implausible age":
        frame.loc[3, "age_at_sentence"] = "190"
    elif change == "after death":
        frame.loc[0, "exit_date"] = "2003-01-02"
        frame.loc[0, "reason"] = "death"
    frame.to_csv(path, index=False)
    return data


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("people", "missing table", "people"),
        ("people", "missing column", "sex"),
        ("sentences", "unknown code", r"setting.*1"),
        ("people", "duplicated person", r"people.*person_id"),
        ("sentences", "implausible age", r"age_at_sentence.*1"),
        ("exits", "after death", r"after"),
    ],
)
def test_bad_tables_are_one_clear_error_and_leave_nothing(
    tmp_path: Path, table: str, change: str, message: str
) -> None:
    study = changed_study(tmp_path, data=_broken(tmp_path, table, change))
    with pytest.raises(DataError, match=f"(?s){message}") as caught:
        build_report(study, tmp_path / "report")
    assert "CANARY" not in str(caught.value)
    assert {p.name for p in tmp_path.iterdir()} == {"study.toml", "data"}


def test_a_folder_that_is_not_ours_is_never_replaced(tmp_path: Path) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "letter.txt").write_text("keep me", encoding="utf-8")
    for overwrite in (False, True):
        with pytest.raises(DisclosureError, match=r"is not empty and holds no manifest\.json of ours"):
            build_report(STUDY, out, overwrite=overwrite)
    assert (out / "letter.txt").read_text(encoding="utf-8") == "keep me"


def test_our_own_folder_is_replaced_only_when_asked(built: Path) -> None:
    with pytest.raises(DisclosureError, match="--overwrite"):
        build_report(STUDY, built)


def test_the_command_line_checks_tables_and_says_errors_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(DATA)]) == 0
    assert "Nothing stands in the way of a cohort" in capsys.readouterr().out
    assert main(["report", str(tmp_path / "none.toml"), "--out", str(tmp_path / "r")]) == 2
    assert "there is no file 'none.toml'" in capsys.readouterr().err
    assert main(["synth", "--out", str(tmp_path / "made"), "--people", "60", "--areas", "2"]) == 0
    assert (tmp_path / "made" / "truth.json").is_file()
    again = ["synth", "--out", str(tmp_path / "made"), "--people", "60", "--areas", "2"]
    assert main(again) == 2
    assert main([*again, "--overwrite"]) == 0
    (tmp_path / "made" / "study.toml").write_text("mine", encoding="utf-8")
    assert main([*again, "--overwrite"]) == 2
    assert (tmp_path / "made" / "study.toml").read_text(encoding="utf-8") == "mine"


@pytest.mark.browser
@pytest.mark.filterwarnings("default")
def test_the_page_is_accessible_and_fits_the_window(built: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("chromium is not here")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        window = player.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = window.new_page(viewport={"width": 1180, "height": 900})
        page.goto((built / "index.html").as_uri())
        wide = page.evaluate("document.documentElement.scrollWidth")
        found = axe.Axe().run(page)
        window.close()
    assert wide <= 1180
    assert found.violations_count == 0, found.generate_report()


def _truth_of(study: Path, people: dict[str, int] | None = None) -> dict[str, float] | None:
    """Return the truth the example would be shown beside a study of it."""
    from outcomes.design.study_file import read_study
    from outcomes.loading.truth_file import read_truth
    from outcomes.report.truth import true_answer

    spec = read_study(study)
    hashes = {path.name: sha256(path.read_bytes()) for path in DATA.glob("*.csv")}
    people = {"manualised": 920, "bespoke": 935} if people is None else people
    return true_answer(read_truth(DATA), spec, "any", spec.headline.horizon, people=people, tables=hashes)


def test_the_truth_is_shown_beside_the_question_it_answers(tmp_path: Path) -> None:
    found = _truth_of(changed_study(tmp_path))
    assert found is not None
    assert found["arm_risk"] - found["reference_risk"] == pytest.approx(-0.051, abs=5e-4)


@pytest.mark.parametrize("estimand", ["att", "atc"])
def test_the_truth_of_an_arms_own_people_is_shown_to_a_study_of_them(tmp_path: Path, estimand: str) -> None:
    own = [
        ('population = "both"', 'population = "own"'),
        ('include = ["age_at_time_zero >= 18", "sex == \'male\'"]', "include = []"),
    ]
    study = changed_study(tmp_path, *own, ('estimand = "ato"', f'estimand = "{estimand}"'))
    assert _truth_of(study, {"manualised": 920, "bespoke": 1083}) is not None
    assert _truth_of(study, {"manualised": 919, "bespoke": 1082}) is None


@pytest.mark.parametrize(
    "change",
    [
        ('"age_at_time_zero >= 18"', '"age_at_time_zero >= 40"'),
        ('"violent", ', ""),
        ('estimand = "ato"', 'estimand = "att"'),
        ('population = "both"', 'population = "own"'),
        ('horizon = "2y"', 'horizon = "18m"'),
        ('if_both = "first"', 'if_both = "exclude"'),
        ('if_both = "first"', 'if_both = "first"\nwindow = "3m"'),
        ('assigned_by = "start"', 'assigned_by = "referral"'),
        ('{ family = ["south_project"] }', '{ strand = ["core"] }'),
        ('event = "auto"', 'event = "release"'),
        ("data_cut = 2015-12-31", "data_cut = 2016-01-01"),
        ('proving_period = "6m"', 'proving_period = "12m"'),
        ('competing = ["death", "deportation"]\n', 'competing = ["death"]\n'),
        ("[disclosure]", '[codes]\n"reoffences.offence_type" = { violent = "motoring" }\n[disclosure]'),
        ("[disclosure]", '[checks]\ndrop = ["offence_before_sentence"]\n[disclosure]'),
    ],
    ids=lambda change: change[1].replace("\n", " ") or "without violence",
)
def test_no_truth_is_shown_beside_another_question(tmp_path: Path, change: tuple[str, str]) -> None:
    assert _truth_of(changed_study(tmp_path, change)) is None


def test_no_truth_is_shown_beside_other_people_or_other_tables(tmp_path: Path) -> None:
    from outcomes.design.study_file import read_study
    from outcomes.loading.truth_file import read_truth
    from outcomes.report.truth import true_answer

    assert _truth_of(changed_study(tmp_path), {"manualised": 920, "bespoke": 934}) is None
    spec, people = read_study(changed_study(tmp_path)), {"manualised": 920, "bespoke": 935}
    assert true_answer(read_truth(DATA), spec, "any", 730.0, people=people, tables={"people.csv": "other"}) is None


def test_a_report_somebody_added_to_is_never_replaced(built: Path) -> None:
    mine = built.with_name("mine")
    shutil.copytree(built, mine)
    other = changed_study(mine.parent, ("seed = 2010", "seed = 2011"))
    (mine / "figures" / "letter.txt").write_text("keep me", encoding="utf-8")
    with pytest.raises(DisclosureError, match="files beside it that we did not write"):
        build_report(other, mine, overwrite=True)
    assert (mine / "figures" / "letter.txt").read_text(encoding="utf-8") == "keep me"
    (mine / "figures" / "letter.txt").unlink()
    (mine / "index.html").write_text("my comments", encoding="utf-8")
    with pytest.raises(DisclosureError, match="or that were changed since"):
        build_report(other, mine, overwrite=True)
    (mine / "index.html").unlink()
    (mine / "tables" / "link").symlink_to(built)
    with pytest.raises(DisclosureError, match="of ours"):
        build_report(other, mine, overwrite=True)


def test_a_manifest_of_somebody_else_opens_nothing(tmp_path: Path) -> None:
    for content in ("{}", "[]", "not json"):
        (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
        with pytest.raises(DisclosureError, match="of ours"):
            build_report(STUDY, tmp_path, overwrite=True)


def test_people_of_no_weight_are_said_beside_the_subgroups(built: Path) -> None:
    text = (built / "index.html").read_text(encoding="utf-8")
    assert (
        "risk_band very_high: 29 people count for nothing" in text or "very high: 29 people count for nothing" in text
    )


def test_what_cannot_be_settled_names_who_is_compared_across_areas_and_years(built: Path) -> None:
    text = (built / "index.html").read_text(encoding="utf-8")
    said = text.split("What this cannot settle</h2>")[1].split("</section>")[0]
    assert "432 of 1,855 people started where and when programmes of both arms were open" in said
    assert text.count("432 of 1,855") == 1


def test_a_picture_that_differs_while_its_numbers_do_not_is_said(built: Path) -> None:
    other = built.with_name("repainted")
    shutil.copytree(built, other)
    manifest = json.loads((other / "manifest.json").read_text(encoding="utf-8"))
    manifest["outputs"]["figures/fig2_overlap.png"] = "other"
    (other / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert differences(built, other) == ["figures/fig2_overlap.png: differs"]


@pytest.mark.slow
def test_a_data_cut_far_beyond_the_records_is_the_first_thing_said(tmp_path: Path) -> None:
    far = ("data_cut = 2015-12-31", "data_cut = 2035-12-31")
    made = build_report(small_study(tmp_path, "table headline", far), tmp_path / "report")
    assert made.sentences[0].startswith("The data cut lies more than 6 months after")
    assert not any("the truth is known" in sentence for sentence in made.sentences)
