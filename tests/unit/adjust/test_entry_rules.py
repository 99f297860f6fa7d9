"""Whom entry rules leave no comparison person: refused by name, in counts safe to show, with what can be answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import outcomes as oc

Ask = Callable[..., Any]
PEOPLE = 200


def people(
    *, deniers: int = 30, slow: int = 0, deniers_against_the_rule: int = 0, says_why: bool = True
) -> oc.SurvivalData:
    """A bespoke project that takes everybody, and a manual that excludes those in denial and slow learners."""
    rng = np.random.default_rng(2010)
    arm = np.repeat(["manualised", "bespoke"], PEOPLE)
    frame = pd.DataFrame(
        {
            "days": rng.exponential(900, 2 * PEOPLE).round() + 1,
            "event": rng.integers(0, 2, 2 * PEOPLE),
            "programme": arm,
            "age": rng.normal(40, 10, 2 * PEOPLE),
            "eligible_bespoke": "yes",
            "eligible_manualised": "yes",
        }
    )
    reason = np.full(2 * PEOPLE, None, dtype=object)
    reason[PEOPLE : PEOPLE + deniers] = "full_denial"
    reason[PEOPLE + deniers : PEOPLE + deniers + slow] = "learning_disability"
    reason[:deniers_against_the_rule] = "full_denial"
    frame.loc[pd.Series(reason).notna(), "eligible_manualised"] = "no"
    if says_why:
        frame["excluded_by_manualised"] = reason
    return oc.survival_data(frame, duration="days", event="event", arm="programme", reference="manualised")


@pytest.fixture(params=[oc.weight, oc.match], ids=["weight", "match"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Every way to make arms alike."""
    made: Ask = request.param
    return made


def test_the_effect_in_people_whom_the_rules_of_the_other_arm_exclude_is_refused(ask: Ask) -> None:
    with pytest.raises(
        oc.EstimationError, match=r"30 people of bespoke \(manualised: full_denial\)\. No model"
    ) as found:
        ask(people(), "age", estimand="att")
    assert "asks for the effect in people of bespoke" in str(found.value)


def test_every_cell_is_named_and_counts_under_ten_are_not_told(ask: Ask) -> None:
    with pytest.raises(oc.EstimationError) as found:
        ask(people(slow=9), "age", estimand="att")
    text = str(found.value)
    assert (
        "30 people of bespoke (manualised: full_denial); fewer than 10 people of bespoke (manualised: learning_disability)"
        in text
    )
    assert " 9 " not in text


def test_the_refusal_offers_what_can_be_answered(ask: Ask) -> None:
    with pytest.raises(oc.EstimationError) as found:
        ask(people(), "age", estimand="att")
    offered = str(found.value).split("What can be answered: ")[1]
    assert offered.startswith(
        "estimand='atc' (people of manualised); any estimand among the 370 people whom no rule excludes"
    )
    assert "population = 'both'" in offered
    assert "'ate'" not in offered


def test_the_effect_in_everyone_is_refused_too() -> None:
    with pytest.raises(oc.EstimationError, match="estimand='ate' asks for the effect in everyone compared"):
        oc.weight(people(), "age", estimand="ate")
    with pytest.raises(oc.EstimationError, match="30 people of bespoke"):
        oc.match(people(), "age", estimand="ate", method="subclass")


def test_the_effect_in_people_whom_every_rule_admits_is_answered_with_a_note(ask: Ask) -> None:
    note = {n.code: n.text for n in ask(people(), "age", estimand="atc").notes}["excluded_by_rule"]
    assert note.startswith("The entry rules of manualised exclude 30 people of those compared who were not in it. ")


@pytest.mark.parametrize("estimand", ["ato", "atm"])
def test_weights_for_people_who_might_have_been_in_either_arm_are_not_refused(estimand: str) -> None:
    assert "excluded_by_rule" in {n.code for n in oc.weight(people(), "age", estimand=estimand).notes}


def test_a_rule_bent_leaves_comparison_people_and_is_told(ask: Ask) -> None:
    found = ask(people(deniers_against_the_rule=12), "age", estimand="att")
    note = {n.code: n.text for n in found.notes}["excluded_by_rule"]
    assert (
        "exclude 30 people of those compared who were not in it; 12 people whom they exclude were in it all the same"
        in note
    )


@pytest.mark.parametrize("against", [2, 9])
def test_a_rule_bent_for_a_handful_leaves_nobody_to_be_compared_with(ask: Ask, against: int) -> None:
    with pytest.raises(oc.EstimationError) as found:
        ask(people(deniers_against_the_rule=against), "age", estimand="att")
    assert "30 people of bespoke (manualised: full_denial; fewer than 10 people there against the rule)" in str(
        found.value
    )


def test_ten_do_not_stand_in_for_more_than_a_hundred(ask: Ask) -> None:
    with pytest.raises(
        oc.EstimationError, match=r"130 people of bespoke \(manualised: full_denial; 12 people there against the rule"
    ):
        ask(people(deniers=130, deniers_against_the_rule=12), "age", estimand="att")


def test_a_rule_bent_for_one_reason_does_not_answer_for_another(ask: Ask) -> None:
    with pytest.raises(oc.EstimationError) as found:
        ask(people(slow=20, deniers_against_the_rule=12), "age", estimand="att")
    assert "20 people of bespoke (manualised: learning_disability)" in str(found.value)
    assert "full_denial" not in str(found.value)


def test_without_reasons_the_verdict_is_enough(ask: Ask) -> None:
    with pytest.raises(oc.EstimationError, match=r"30 people of bespoke \(manualised: not eligible\)"):
        ask(people(says_why=False), "age", estimand="att")


def test_verdicts_may_be_flags_and_unknown_is_not_excluded(ask: Ask) -> None:
    data = people()
    frame = data.baseline.assign(eligible_manualised=data.baseline["eligible_manualised"].eq("yes"))
    flagged = oc.survival_data(frame, duration="days", event="event", arm="programme", reference="manualised")
    with pytest.raises(oc.EstimationError, match="30 people of bespoke"):
        ask(flagged, "age", estimand="att")
    frame = data.baseline.assign(eligible_manualised=data.baseline["eligible_manualised"].replace("no", "unknown"))
    unknown = oc.survival_data(frame, duration="days", event="event", arm="programme", reference="manualised")
    assert "excluded_by_rule" not in {n.code for n in ask(unknown, "age", estimand="att").notes}


def test_nobody_excluded_says_nothing(ask: Ask) -> None:
    assert "excluded_by_rule" not in {n.code for n in ask(people(deniers=0), "age", estimand="att").notes}


def test_cells_empty_by_rule_are_told_from_cells_empty_by_chance() -> None:
    data = people()
    denial = np.where(data.baseline["excluded_by_manualised"].notna(), "full", "none")
    town = np.where(np.arange(2 * PEOPLE) == 3, "small town", "city")  # one person of the manualised arm
    frame = data.baseline.assign(denial=denial, town=town)
    both = oc.survival_data(frame, duration="days", event="event", arm="programme", reference="manualised")
    found = oc.weight(both, "age", estimand="atc").overlap(by=["denial", "town"])
    cells = found.cells.set_index(["denial", "town"])["by_rule"]
    assert cells.to_dict() == {("full", "city"): True, ("none", "city"): False, ("none", "small town"): False}
    notes = {n.code: n.text for n in found.notes}
    assert notes["cells_empty_by_rule"].startswith(
        "In 1 of 3 cells of denial by town entry rules exclude everybody (30 people)"
    )
    assert notes["cells_without_an_arm"].startswith("1 of 3 cells of denial by town lack an arm (1 people)")
