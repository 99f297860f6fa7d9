"""Tables of the questions as a reader sees them: each cell from the raw tables, or from the numbers of the result."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import outcomes as oc
from outcomes.report.display import display

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def tables() -> oc.Tables:
    return oc.load_tables(ROOT / "data/synthetic")


@pytest.fixture(scope="module")
def study() -> oc.Study:
    return oc.read_study(ROOT / "notebooks/study.toml")


@pytest.fixture(scope="module")
def populations(tables: oc.Tables, study: oc.Study) -> oc.Populations:
    return oc.populations(tables, study)


def per_100(value: float) -> str:
    return f"{100 * value:.1f}".replace("-", "−")


def shown(name: str, result: object) -> pd.DataFrame:
    return display(name, oc.release(result, "none"))


def test_populations_have_a_row_a_contrast_and_what_has_no_answer_says_why(populations: oc.Populations) -> None:
    table, frame = shown("populations", populations), populations.frame
    assert table["Population"].tolist() == frame["whom"].tolist()
    assert table["Contrast"].tolist() == [f"bespoke against manualised, {how}" for how in frame["adjustment"]]
    assert table["People"].tolist() == [f"{n:,.0f}" for n in frame["n"]]
    answered = frame["identified"].to_numpy()
    for cell, row in zip(table[answered].to_dict("records"), frame[answered].to_dict("records"), strict=True):
        assert cell["Difference per 100"] == per_100(row["estimate"])
        assert cell["95 % interval"] == f"{per_100(row['conf_low'])} to {per_100(row['conf_high'])}"
        assert cell["Verdict"] == row["verdict"]
    (none,) = table[~answered].to_dict("records")
    assert (none["Difference per 100"], none["95 % interval"]) == ("–", "–")
    assert none["Verdict"].startswith("no answer: entry rules leave nobody to compare them with")


def test_who_is_outside_is_counted_beside_who_is_not(
    populations: oc.Populations, tables: oc.Tables, study: oc.Study
) -> None:
    table = shown("outside", populations.outside).set_index(["Own clients of", "Characteristic"])
    own = oc.build_cohort(tables, study).with_population("own").baseline
    mine = own[own["arm"] == "bespoke"]
    out = mine["eligible_manualised"] == "no"
    for said, here in (
        ("denial: full", mine["denial"] == "full"),
        ("denial: none", mine["denial"] == "none"),
        ("learning disability: yes", mine["learning_disability"].astype(bool)),
        ("setting: custody", mine["setting"] == "custody"),
    ):
        cells = [
            f"{(here & side).sum()} ({100 * here[side].mean():.0f} %)" if (here & side).any() else "0"
            for side in (~out, out)
        ]
        assert table.loc[("bespoke", said)].tolist() == cells
    assert (table.loc["manualised", "Not"] == "0").all(), "the bespoke programme takes everybody"


def test_the_caseload_has_both_routes_each_quantity_and_its_regime(tables: oc.Tables, study: oc.Study) -> None:
    found = oc.caseload(tables, study, replicates=2, progress=False)
    table = shown("caseload", found).set_index(["Quantity", "Regime", "Route"])
    risk, reach, effect = "Risk, per 100 people", "Reached, of 100 people", "Effect among those reached, per 100"
    for arm in ("manualised", "bespoke"):
        assert table.loc[(risk, arm, "A"), "Estimate"] == per_100(found.of("risk", arm, "A"))
        for said, quantity in ((risk, "risk"), (reach, "reach"), (effect, "effect")):
            assert table.loc[(said, arm, "B"), "Estimate"] == per_100(found.of(quantity, arm))
    for said, quantity in (
        ("Difference, per 100", "difference"),
        ("of it from whom each reaches", "from_reach"),
        ("of it from what it does", "from_effect"),
    ):
        assert table.loc[(said, "–", "B"), "Estimate"] == per_100(found.of(quantity))
    adjusted = found.route_a.frame.iloc[0]
    interval = f"{per_100(adjusted['conf_low'])} to {per_100(adjusted['conf_high'])}"
    assert table.loc[("Difference, per 100", "–", "A")].tolist() == [
        per_100(adjusted["estimate"]), interval, adjusted["verdict"]
    ]  # fmt: skip
    raw = found.frame.query("adjustment == 'raw' and quantity == 'difference'")["estimate"].iloc[0]
    assert raw > adjusted["estimate"]
    assert table.loc[("Difference, per 100", "–", "A, as it was"), "Estimate"] == per_100(raw)
    assert (table.loc[[risk], "Verdict"] == "–").all(), "a risk is compared with nothing"


def test_programmes_have_a_row_each_as_it_was_and_adjusted(tables: oc.Tables, study: oc.Study) -> None:
    found = oc.programmes_against_nothing(tables, study, grace="1d")
    table, frame = shown("programmes", found), found.frame
    assert table["Programme"].tolist() == [name.replace("_", " ") for name in frame["programme"]]
    answered = (frame["why"] == "").to_numpy()
    assert 0 < answered.sum() < len(answered)
    for cell, row in zip(table[answered].to_dict("records"), frame[answered].to_dict("records"), strict=True):
        assert cell["Contrast"] == f"{cell['Programme']} against nothing, {row['adjustment']}"
        assert cell["Difference per 100"] == per_100(row["estimate"])
        assert cell["Verdict"] == row["verdict"]
    for cell, why in zip(table[~answered].to_dict("records"), frame.loc[~answered, "why"], strict=True):
        assert cell["Verdict"] == f"no answer: {why}"
        assert (cell["Difference per 100"], cell["95 % interval"], cell["People"]) == ("–", "–", "–")
        assert cell["Contrast"] == f"{cell['Programme']} against nothing, raw"
