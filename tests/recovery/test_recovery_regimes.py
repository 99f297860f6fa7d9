"""Regimes against what happens where one programme alone is on offer: both routes find it, and what was raw does not."""

from __future__ import annotations

import dataclasses

import pytest
from offered_worlds import AT, drawn, found_truths, study, truths_of

import outcomes as oc
from outcomes.synthetic import Biases, World

PEOPLE, AREAS = 40_000, 60
STANDARD_ERROR = 0.0126 * (8_000 / PEOPLE) ** 0.5
"""Of the difference by route A, from its spread over draws of 8,000 people in 40 areas."""


@pytest.mark.slow
def test_both_routes_find_the_difference_between_the_regimes_and_the_raw_one_does_not() -> None:
    truth = truths_of()
    found = oc.caseload(drawn(31, PEOPLE, AREAS), study(), horizon=AT, replicates=0)
    raw = found.to_frame().query("adjustment == 'raw' and quantity == 'difference'")["estimate"].iloc[0]
    for route in ("A", "B"):
        assert abs(found.of("difference", route=route) - truth["difference"].value) < 4 * STANDARD_ERROR
    assert abs(raw - truth["difference"].value) > 4 * STANDARD_ERROR
    for arm in ("bespoke", "manualised"):
        assert found.of("reach", arm) == pytest.approx(truth[f"reach_{arm}"].value, abs=0.025)
        assert found.of("effect", arm) == pytest.approx(truth[f"effect_{arm}"].value, abs=0.03)


@pytest.mark.slow
def test_the_committed_truths_are_what_the_worlds_give_today() -> None:
    committed, found = truths_of(), found_truths(Biases(), World(), people=20_000, draws=2)
    for name, truth in found.items():
        assert abs(truth.value - committed[name].value) < 0.02, name


@pytest.mark.slow
def test_a_programme_may_do_more_for_whom_it_admits_and_less_for_the_caseload() -> None:
    """The manualised programme is made the better one; it refuses some, is offered to fewer and takes fewer."""
    world, biases = World(bespoke=-0.75, manualised=-0.85), Biases()
    truth = found_truths(biases, world, people=40_000, draws=2)
    assert truth["effect_manualised"].value < 0
    assert truth["difference"].value < -0.005  # the caseload fares better where the bespoke one is on offer
    tables = drawn(32, PEOPLE, AREAS, biases=biases, world=world)
    found = oc.caseload(tables, study(), horizon=AT, replicates=0)
    assert found.of("difference", route="A") < 0
    assert found.of("from_reach") < 0  # fewer reoffend because more are reached
    assert abs(found.of("difference", route="A") - truth["difference"].value) < 4 * STANDARD_ERROR
    both = dataclasses.replace(study().eligibility, population="both")
    data = oc.build_cohort(tables, study().replace(eligibility=both)).outcome("any")
    adjusted = oc.adjusted_curves(
        data, outcome={"any": f"arm + wait_days + {_of_both()}", "death": None, "deportation": None}, estimand="ate",
        method="g-formula",
    )  # fmt: skip
    among_admitted = oc.compare(adjusted, measure="risk_difference", at=AT, cause="any").frame.iloc[0]
    assert among_admitted["estimate"] > 0  # among those whom both admit the manualised one leaves fewer reoffending


def _of_both() -> str:
    """Return the study's covariates that vary among those eligible for both: nobody there is in full denial or learning disabled."""
    adjust = study().adjust
    assert adjust is not None
    return adjust.formula.replace(" + learning_disability", "")
