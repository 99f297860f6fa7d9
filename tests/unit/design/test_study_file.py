"""A study file: what it may say, what it means where it says nothing, and what is refused with the nearest name."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from small_study import SMALL_FILE as SMALL

import outcomes as oc
from outcomes.design.report_items import Options
from outcomes.design.study import Condition, FigureSpec, Outcome, TableSpec
from outcomes.design.study_file import parse_condition
from outcomes.errors import DesignError

FULL = """
[study]
title = "Two programmes, 2004 to 2012"
data = "../data/synthetic"
seed = 7
synthetic = true

[arms]
reference = "manualised"
assigned_by = "start"
window = "12m"
if_both = "exclude"
bespoke = { family = ["south_project"], strand = ["core", "adapted"] }
manualised = { programme = ["m1"] }
untreated = { none = true }

[eligibility]
population = "own"
include = ["age_at_time_zero >= 18", "sex == 'male'"]
covariate_window = "2y"
index = "all"

[time_zero]
event = "release"
strategy = "none"
grace = "6m"

[follow_up]
data_cut = 5000
horizon = 730
scale = "at_risk"
observed_from = 100

[outcomes.any]
types = ["violent", "other"]
proving_period = "6m"
competing = ["death"]
severity = 2
disposals = ["custody"]
negative_control = true

[outcomes.sexual]
types = ["sexual_contact", "sexual_image"]
proving_period = "18m"

[adjust]
formula = "age_at_time_zero + C(risk_band)"
estimand = "ato"
method = "entropy"
missing = "indicator"
cluster = "area"

[headline]
outcome = "any"
horizon = "2y"
population = "own"
subgroups = ["risk_band"]
margin = 3

[checks]
drop = ["event_after_exit"]

[codes]
"sentences.setting" = { prison = "custody" }
people.sex = { m = "male", f = "female" }

[columns]
people = { id = "person_id" }

[disclosure]
policy = "none"

[[figure]]
name = "fig1"
draws = "kaplan_meier"
outcome = "any"
alt = "Two curves"

[[table]]
name = "table1"
draws = "headline"

[[table]]
name = "table2"
draws = "maintenance_effect"
arm = "bespoke"
by = "site"
landmark = "6m"
grace = 30
scheduled = "9m"
high = 0.8
monitoring = "before"
replicates = 50
less_detected = { sex = ["male", "female"], area = 3 }
"""
ASKED = Options(
    arm="bespoke", by=("site",), landmark=182.0, grace=30.0, scheduled=273.0, high=0.8, monitoring="before", replicates=50,
    less_detected=(("area", (3,)), ("sex", ("male", "female"))),
)  # fmt: skip


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read_text(text: str) -> oc.Study:
        file = tmp_path / "study.toml"
        file.write_text(text, encoding="utf-8")
        return oc.read_study(file)

    return read_text


def _instead(old: str, new: str, text: str = SMALL) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)


def test_the_smallest_study_and_its_defaults(read: Any) -> None:
    study = read(SMALL)
    assert (study.title, study.data, study.seed, study.synthetic) == ("Two programmes", Path("tables"), 2010, False)
    assert study.arms.names == ("manualised", "bespoke")
    assert (study.arms.assigned_by, study.arms.window, study.arms.if_both) == ("start", None, "first")
    assert study.arms.definitions["bespoke"].family == ("south_project",)
    assert not study.arms.definitions["bespoke"].none
    assert dataclasses.astuple(study.eligibility) == ("both", (), None, "first")
    assert dataclasses.astuple(study.time_zero) == ("auto", "none", None)
    assert dataclasses.astuple(study.follow_up) == (16800, 1826.0, "calendar", None)  # 16,800 days after 1970-01-01
    assert study.outcomes["any"] == Outcome("any", ("violent", "other"), 182.0, ("death", "deportation"))
    assert dataclasses.astuple(study.outcomes["any"])[4:] == ("reoffence", None, (), "proving_period", False)
    assert (study.adjust, study.headline, study.figures, study.tables) == (None, None, (), ())
    assert (study.checks.drop, study.disclosure.policy) == ((), "sensitive")
    assert (dict(study.codes), dict(study.columns)) == ({}, {})


def test_every_key_has_its_place(read: Any) -> None:
    study = read(FULL)
    assert (study.seed, study.synthetic) == (7, True)
    assert study.arms.names == ("manualised", "bespoke", "untreated")
    assert (study.arms.window, study.arms.if_both) == (365.0, "exclude")  # twelve months of 30.4375 days, rounded down
    assert study.arms.definitions["bespoke"].strand == ("core", "adapted")
    assert study.arms.definitions["manualised"].programme == ("m1",)
    assert study.arms.definitions["untreated"].none
    assert study.eligibility.include == (
        Condition("age_at_time_zero", ">=", 18),
        Condition("sex", "==", "male"),
    )
    assert (study.eligibility.population, study.eligibility.covariate_window) == ("own", 730.0)
    assert dataclasses.astuple(study.time_zero) == ("release", "none", 182.0)
    assert study.eligibility.index == "all"
    assert dataclasses.astuple(study.follow_up) == (5000, 730.0, "at_risk", 100)
    assert list(study.outcomes) == ["any", "sexual"]
    assert study.outcomes["any"].competing == ("death",)
    assert (study.outcomes["any"].severity, study.outcomes["any"].disposals) == (2, ("custody",))
    assert (study.outcomes["any"].negative_control, study.outcomes["sexual"].negative_control) == (True, False)
    assert study.outcomes["sexual"].proving_period == 547.0
    assert dataclasses.astuple(study.adjust) == (
        "age_at_time_zero + C(risk_band)", "ato", "entropy", "indicator", "area",
    )  # fmt: skip
    assert dataclasses.astuple(study.headline) == ("any", 730.0, "own", ("risk_band",), 3.0)
    assert study.checks.drop == ("event_after_exit",)
    assert study.codes == {"sentences.setting": {"prison": "custody"}, "people.sex": {"m": "male", "f": "female"}}
    assert study.columns == {"people": {"id": "person_id"}}
    assert study.disclosure.policy == "none"
    assert study.figures == (FigureSpec("fig1", "kaplan_meier", "any", "Two curves"),)
    assert study.tables == (TableSpec("table1", "headline"), TableSpec("table2", "maintenance_effect", options=ASKED))


def test_the_example_study_reads() -> None:
    study = oc.read_study(Path(__file__).parents[3] / "notebooks" / "study.toml")
    assert study.arms.names == ("manualised", "bespoke")
    assert study.data_path.resolve() == Path(__file__).parents[3] / "data" / "synthetic"


MISSPELT = [
    ('title = "Two programmes"', 'titel = "Two programmes"', r"\[study\] title: is required \(text\)\. There is 'titel'"),
    ('data = "tables"', 'data = "tables"\nsede = 3', r"\[study\] sede: is not a key of this section\. Did you mean 'seed'\?"),
    ("[follow_up]", "[follow-up]", r"follow_up: is required .* There is 'follow-up'"),
    ("[outcomes.any]", "[chekcs]\n[outcomes.any]", r"chekcs: is not a key of this section\. Did you mean 'checks'\?"),
    ('reference = "manualised"', 'reference = "manualised"\nif_bth = "first"', r"\[arms\] if_bth: .*no arm\. Did you mean 'if_both'\?"),
    ('{ family = ["core_manual"] }', '{ familiy = ["core_manual"] }',
     r"\[arms\.manualised\] familiy: is not a key of this section\. Did you mean 'family'\?"),
    ('{ family = ["core_manual"] }', '{ strand = ["cor"] }', r"\[arms\.manualised\] strand: 'cor' is not known\. Did you mean 'core'\?"),
    ('horizon = "5y"', 'horizon = "5y"\nscale = "calender"', r"\[follow_up\] scale: 'calender' is not known\. Did you mean 'calendar'\?"),
    ("[follow_up]", '[eligibility]\npopulation = "bth"\n[follow_up]', r"\[eligibility\] population: 'bth' .* Did you mean 'both'\?"),
    ("[follow_up]", '[time_zero]\nevent = "relaese"\n[follow_up]', r"\[time_zero\] event: 'relaese' .* Did you mean 'release'\?"),
    ('["violent", "other"]', '["violence"]', r"\[outcomes\.any\] types: 'violence' is not known\. Did you mean 'violent'\?"),
    ('["violent", "other"]', '["violent"]\ncompeting = ["deth"]', r"competing: 'deth' is not known\. Did you mean 'death'\?"),
    ('["violent", "other"]', '["violent"]\nproving = "6m"', r"\[outcomes\.any\] proving: .* Did you mean 'proving_period'\?"),
    ('reference = "manualised"', 'reference = "manualized"', r"reference 'manualized' is no arm\. Did you mean 'manualised'\?"),
    ("[follow_up]", '[headline]\noutcome = "anny"\nhorizon = "2y"\n[follow_up]',
     r"\[headline\] outcome 'anny'\. Did you mean 'any'\?"),
    ("[follow_up]", '[adjust]\nformula = "age"\nestimand = "atoo"\n[follow_up]', r"\[adjust\] estimand: 'atoo' .* Did you mean 'ato'\?"),
    ("[follow_up]", '[disclosure]\npolicy = "opensafley"\n[follow_up]', r"policy: 'opensafley' .* Did you mean 'opensafely'\?"),
    ("[follow_up]", '[[figure]]\nname = "fig1"\ndraws = "flow"\noutcome = "anny"\n[follow_up]',
     r"fig1: outcome 'anny'\. Did you mean 'any'\?"),
    ("[follow_up]", '[[table]]\nname = "t"\ndraw = "flow"\n[follow_up]', r"\[table\] draws: is required .* There is 'draw'"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), MISSPELT, ids=[case[1].split("\n")[-1][:40] for case in MISSPELT])
def test_what_is_misspelt_is_refused_with_the_nearest_name(read: Any, old: str, new: str, message: str) -> None:
    with pytest.raises(DesignError, match=message) as caught:
        read(_instead(old, new))
    assert str(caught.value).startswith("study.toml: ")


MISSING = [
    ('title = "Two programmes"', "title"),
    ('data = "tables"', "data"),
    ('reference = "manualised"', "reference"),
    ("data_cut = 2015-12-31", "data_cut"),
    ('horizon = "5y"', "horizon"),
    ('types = ["violent", "other"]', "types"),
]


@pytest.mark.parametrize(("line", "key"), MISSING, ids=[key for _, key in MISSING])
def test_what_must_be_there_is_named(read: Any, line: str, key: str) -> None:
    with pytest.raises(DesignError, match=rf"{key}: is required"):
        read(_instead(line, ""))


@pytest.mark.parametrize("section", ["study", "arms", "follow_up", "outcomes"])
def test_a_section_that_must_be_there_is_named(read: Any, section: str) -> None:
    parts = SMALL.split("\n\n")
    with pytest.raises(DesignError, match=rf"{section}: is required"):
        read("\n\n".join(part for part in parts if f"[{section}" not in part))


def test_an_estimand_has_no_default(read: Any) -> None:
    with pytest.raises(DesignError, match=r"\[adjust\] estimand: is required"):
        read(SMALL + '[adjust]\nformula = "age"\n')


WRONG_KIND = [
    ('title = "Two programmes"', 'title = ""', r"\[study\] title: expected text; got ''"),
    ('title = "Two programmes"', "title = 3", r"\[study\] title: expected text; got 3"),
    ('data = "tables"', 'data = "tables"\nseed = 1.5', r"\[study\] seed: expected a whole number; got 1\.5"),
    ('data = "tables"', 'data = "tables"\nseed = true', r"\[study\] seed: expected a whole number; got True"),
    ('data = "tables"', 'data = "tables"\nsynthetic = "yes"', r"\[study\] synthetic: expected true or false; got 'yes'"),
    ("data_cut = 2015-12-31", 'data_cut = "2015-12-31"', r"\[follow_up\] data_cut: expected a date such as"),
    ("data_cut = 2015-12-31", "data_cut = 2015-12-31T12:00:00", r"\[follow_up\] data_cut: expected a date such as"),
    ("data_cut = 2015-12-31", "data_cut = 16800.5", r"\[follow_up\] data_cut: expected a date such as"),
    ('horizon = "5y"', 'horizon = "five"', r"\[follow_up\] horizon: expected days as a number or text like .*got 'five'"),
    ('horizon = "5y"', "horizon = 0", r"\[follow_up\] horizon must be positive and finite; got 0"),
    ('horizon = "5y"', "horizon = [730]", r"\[follow_up\] horizon"),
    ('horizon = "5y"', "horizon = 2015-12-31", r"\[follow_up\] horizon"),
    ('horizon = "5y"', "horizon = true", r"\[follow_up\] horizon"),
    ('["violent", "other"]', '"violent"', r"\[outcomes\.any\] types: expected a list of names; got 'violent'"),
    ('["violent", "other"]', "[1]", r"\[outcomes\.any\] types: expected a list of names; got \[1\]"),
    ('["violent", "other"]', "[]\nproving_period = 100", r"\[outcomes\.any\] types: names no offence type"),
    ('["violent", "other"]', '["violent"]\nproving_period = "soon"', r"\[outcomes\.any\] proving_period: expected days"),
    ('["violent", "other"]', '["violent"]\nproving_period = ["6m"]', r"\[outcomes\.any\] proving_period"),
    ("[outcomes.any]", "[outcomes]\nany = 3\n[outcomes.other]", r"\[outcomes\.any\] must be a table"),
    ('{ family = ["core_manual"] }', '"core_manual"', r"\[arms\] manualised: is not a key of this section, and no arm"),
    ("[follow_up]", '[eligibility]\ninclude = "sex == 1"\n[follow_up]', r"\[eligibility\] include: expected a list of names"),
    ("[follow_up]", '[eligibility]\ninclude = ["sex = 1"]\n[follow_up]', r"\[eligibility\] include: expected 'column operator value'"),
    ("[follow_up]", '[headline]\noutcome = "any"\nhorizon = "2y"\nmargin = 0\n[follow_up]',
     r"\[headline\] margin: expected a number of percentage points; got 0"),
    ("[follow_up]", '[[figure]]\nname = "../fig"\ndraws = "flow"\n[follow_up]', r"\[figure\] name: expected letters, digits and _"),
    ("[follow_up]", '[codes]\npeople = "male"\n[follow_up]', r"\[codes\] people: expected \{ theirs = ours \}"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), WRONG_KIND, ids=[case[1].split("\n[fo")[0] for case in WRONG_KIND])
def test_what_is_of_the_wrong_kind_is_refused_and_says_what_was_expected(
    read: Any, old: str, new: str, message: str
) -> None:
    with pytest.raises(DesignError, match=message):
        read(_instead(old, new))


CONTRADICTIONS = [
    ("[follow_up]", '[disclosure]\npolicy = "none"\n[follow_up]', r"policy = 'none' is for invented data only; say synthetic = true"),
    ('["violent", "other"]', '["violent"]\ncompeting = ["recall"]\n[eligibility]', None),  # on the calendar: allowed
    ("[follow_up]", '[headline]\noutcome = "any"\nhorizon = "6y"\n[follow_up]',
     r"\[headline\] horizon lies beyond the horizon of \[follow_up\]"),
    ("[follow_up]", '[headline]\noutcome = "any"\nhorizon = "5y"\n[follow_up]', None),
    ("[follow_up]", '[time_zero]\nstrategy = "landmark"\n[follow_up]', r"strategy = 'landmark' needs grace"),
    ("[follow_up]", '[time_zero]\nstrategy = "clone_censor_weight"\n[follow_up]', r"strategy = 'clone_censor_weight' needs grace"),
    ("[follow_up]", '[time_zero]\nstrategy = "time_varying"\n[follow_up]', None),
    ('["violent", "other"]', '["sexual_contact"]', r"\[outcomes\.any\] proving_period: is required .*sexual offences.*12m to 24m"),
    ('["violent", "other"]', '["sexual_contact", "sexual_image"]', r"\[outcomes\.any\] proving_period: is required"),
    ('["violent", "other"]', '["sexual_contact", "violent"]', None),  # any offence: six months
    ("[outcomes.any]", "[outcomes.death]", r"\[outcomes\.death\] competing: an outcome cannot be called like a competing event"),
    ("[outcomes.any]", "[outcomes.censored]", r"censored"),
    ('{ family = ["core_manual"] }', '{ family = ["core_manual"], none = true }', r"\[arms\] manualised: give family, programme or strand"),
    ('{ family = ["core_manual"] }', "{ }", r"\[arms\] manualised: give family, programme or strand"),
    ('bespoke = { family = ["south_project"] }', "", r"\[arms\] needs at least two arms"),
    ('bespoke = {', '"no arm" = {', r"\[arms\] an arm cannot be called 'no arm'"),
    ('bespoke = { family = ["south_project"] }', "one = { none = true }\ntwo = { none = true }", r"\[arms\] one arm at most can be"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), CONTRADICTIONS, ids=[f"{n}" for n in range(len(CONTRADICTIONS))])
def test_parts_that_contradict_each_other_are_refused(read: Any, old: str, new: str, message: str | None) -> None:
    if message is None:
        assert read(_instead(old, new)).title == "Two programmes"
        return
    with pytest.raises(DesignError, match=message):
        read(_instead(old, new))


@pytest.mark.parametrize("scale", ["at_risk", "community"])
def test_recall_takes_time_out_of_the_clock_or_competes_never_both(read: Any, scale: str) -> None:
    text = _instead('["violent", "other"]', '["violent"]\ncompeting = ["death", "recall"]')
    with pytest.raises(DesignError, match=rf"\[outcomes\.any\] counts recall as a competing event while .*'{scale}'"):
        read(_instead('horizon = "5y"', f'horizon = "5y"\nscale = "{scale}"', text))


def test_a_study_without_an_outcome_is_refused(read: Any) -> None:
    with pytest.raises(DesignError, match=r"\[outcomes\] names no outcome"):
        read(_instead('[outcomes.any]\ntypes = ["violent", "other"]', "[outcomes]"))


def test_what_is_no_study_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=r"there is no file 'study\.toml'"):
        oc.read_study(tmp_path / "study.toml")
    (tmp_path / "broken.toml").write_text("[study\n", encoding="utf-8")
    with pytest.raises(DesignError, match=r"broken\.toml is no TOML: .*line 1"):
        oc.read_study(tmp_path / "broken.toml")
    (tmp_path / "latin.toml").write_bytes('[study]\ntitle = "é"\n'.encode("latin-1"))
    with pytest.raises(DesignError, match=r"latin\.toml is no TOML: it is not UTF-8"):
        oc.read_study(tmp_path / "latin.toml")


def test_a_folder_is_no_study_file(tmp_path: Path) -> None:
    with pytest.raises(DesignError):
        oc.read_study(tmp_path)


def test_tables_are_looked_for_beside_the_study_file(read: Any, tmp_path: Path) -> None:
    assert read(SMALL).data_path == tmp_path / "tables"
    elsewhere = tmp_path / "far" / "tables"
    assert read(_instead('"tables"', f"'{elsewhere}'")).data_path == elsewhere


def test_a_study_is_frozen_and_a_changed_copy_is_checked_again(read: Any) -> None:
    study = read(SMALL)
    with pytest.raises(dataclasses.FrozenInstanceError):
        study.seed = 1
    with pytest.raises(TypeError):
        study.outcomes["other"] = study.outcomes["any"]
    assert study.replace(seed=1).seed == 1
    assert study.seed == 2010
    with pytest.raises(DesignError, match=r"\[outcomes\] names no outcome"):
        study.replace(outcomes={})


@pytest.mark.parametrize(
    ("text", "column", "operator", "value"),
    [
        ("age_at_time_zero >= 18", "age_at_time_zero", ">=", 18),
        ("risk_score < 2.5", "risk_score", "<", 2.5),
        ("prior_sanctions != 0", "prior_sanctions", "!=", 0),
        ("sex == 'male'", "sex", "==", "male"),
        ('sex == "male"', "sex", "==", "male"),
        ("learning_disability == false", "learning_disability", "==", False),
        ("risk_band in ['high', 'very_high']", "risk_band", "in", ("high", "very_high")),
        ("risk_band not in ['low']", "risk_band", "not in", ("low",)),
        ("area in ['a == b']", "area", "in", ("a == b",)),
        ("  sex ==  'male' ", "sex", "==", "male"),
    ],
)
def test_a_condition_is_a_column_an_operator_and_a_value(text: str, column: str, operator: str, value: Any) -> None:
    found = parse_condition(text)
    assert found == Condition(column, operator, value)
    assert type(found.value) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sex",
        "sex == male",
        "sex = 'male'",
        "age_at_time_zero>=18",
        "age at time zero >= 18",
        "age >= ",
        "sex in 'male'",
        "sex == ['male']",
        ">= 18",
        "sex == 'male' and age > 3",
        "sex == {a = 1}",
    ],
)
def test_what_is_no_condition_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(DesignError, match=r"here: expected 'column operator value', such as 'age_at_time_zero >= 18'"):
        parse_condition(text, where="here")
