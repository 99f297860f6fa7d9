"""Time at risk on three scales. Everyone starts on day 0; the last usable day is 730.

On ``calendar`` nobody stops being at risk. On ``at_risk`` time away is a gap: a spell ``100..200`` takes out days 101 to 200. On
``community`` the clock stands still meanwhile, so that the day a person is back reads 100.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from small_lives import Life, lived
from small_study import Reframed, cohort, held, intervals, notes, outcome

import outcomes as oc

CUT = "2012-04-10"
Row = tuple[float, float, str]
WHOLE: Row = (0, 730, "")


@dataclass(frozen=True)
class Case:
    why: str
    life: Life
    at_risk: list[Row]
    community: list[Row]
    calendar: list[Row] = field(default_factory=lambda: [WHOLE])


CASES = [
    Case("never away", Life(),
         at_risk=[WHOLE], community=[WHOLE]),
    Case("one spell", Life(away="100..200 custody"),
         at_risk=[(0, 100, ""), (200, 730, "")], community=[(0, 630, "")]),
    Case("hospital is away too", Life(away="100..200 hospital"),
         at_risk=[(0, 100, ""), (200, 730, "")], community=[(0, 630, "")]),
    Case("abroad is away too", Life(away="100..200 abroad"),
         at_risk=[(0, 100, ""), (200, 730, "")], community=[(0, 630, "")]),
    Case("spells that overlap are one", Life(away="100..200 recall; 150..300 custody"),
         at_risk=[(0, 100, ""), (300, 730, "")], community=[(0, 530, "")]),
    Case("a spell within a spell adds nothing", Life(away="100..300 custody; 150..200 hospital"),
         at_risk=[(0, 100, ""), (300, 730, "")], community=[(0, 530, "")]),
    Case("nor does one that follows it within the first", Life(away="100..400 custody; 150..200 hospital; 250..300 recall"),
         at_risk=[(0, 100, ""), (400, 730, "")], community=[(0, 430, "")]),
    Case("two that start together are as long as the longer", Life(away="100..150 custody; 100..200 recall"),
         at_risk=[(0, 100, ""), (200, 730, "")], community=[(0, 630, "")]),
    Case("spells that touch are one", Life(away="100..200 recall; 200..300 custody"),
         at_risk=[(0, 100, ""), (300, 730, "")], community=[(0, 530, "")]),
    Case("a day apart they are two", Life(away="100..200 recall; 201..300 custody"),
         at_risk=[(0, 100, ""), (200, 201, ""), (300, 730, "")], community=[(0, 531, "")]),
    Case("not back yet", Life(away="100.. custody"),
         at_risk=[(0, 100, "")], community=[(0, 100, "")]),
    Case("one night away", Life(away="100..101 custody"),
         at_risk=[(0, 100, ""), (101, 730, "")], community=[(0, 729, "")]),
    Case("back on the same day: not away", Life(away="100..100 custody"),
         at_risk=[WHOLE], community=[WHOLE]),
    Case("away since before time zero", Life(away="-20..50 custody"),
         at_risk=[(50, 730, "")], community=[(0, 680, "")]),
    Case("back by time zero", Life(away="-20..0 custody"),
         at_risk=[WHOLE], community=[WHOLE]),
    Case("away from time zero", Life(away="0..50 custody"),
         at_risk=[(50, 730, "")], community=[(0, 680, "")]),
    Case("away on time zero, offended on that day", Life(away="0..50 custody", offends="0 violent"),
         at_risk=[(0, 0.5, "any")], community=[(0, 0.5, "any")], calendar=[(0, 0.5, "any")]),
    Case("offended before going away", Life(away="100..200 custody", offends="50 violent"),
         at_risk=[(0, 50, "any")], community=[(0, 50, "any")], calendar=[(0, 50, "any")]),
    Case("offended on the day of going away", Life(away="100..200 custody", offends="100 violent"),
         at_risk=[(0, 100, "any")], community=[(0, 100, "any")], calendar=[(0, 100, "any")]),
    Case("offended on the day back: half a day", Life(away="100..200 custody", offends="200 violent"),
         at_risk=[(0, 100, ""), (200, 200.5, "any")], community=[(0, 100.5, "any")], calendar=[(0, 200, "any")]),
    Case("offended the day after", Life(away="100..200 custody", offends="201 violent"),
         at_risk=[(0, 100, ""), (200, 201, "any")], community=[(0, 101, "any")], calendar=[(0, 201, "any")]),
    Case("offended between two spells", Life(away="100..200 custody; 400..500 recall", offends="300 violent"),
         at_risk=[(0, 100, ""), (200, 300, "any")], community=[(0, 200, "any")], calendar=[(0, 300, "any")]),
    Case("offended on the day one spell turned into the next", Life(away="100..200 custody; 200..300 recall", offends="200 violent"),
         at_risk=[(0, 100, ""), (300, 730, "")], community=[(0, 530, "")]),
    Case("an offence in custody does not count", Life(away="100..200 custody", offends="150 violent"),
         at_risk=[(0, 100, ""), (200, 730, "")], community=[(0, 630, "")]),
    Case("nor one on recall", Life(away="100..200 recall", offends="150 violent"),
         at_risk=[(0, 100, ""), (200, 730, "")], community=[(0, 630, "")]),
    Case("one in hospital counts only where hospital is time at risk", Life(away="100..200 hospital", offends="150 violent"),
         at_risk=[(0, 100, ""), (200, 730, "")], community=[(0, 630, "")], calendar=[(0, 150, "any")]),
    Case("so does one abroad", Life(away="100..200 abroad", offends="150 violent"),
         at_risk=[(0, 100, ""), (200, 730, "")], community=[(0, 630, "")], calendar=[(0, 150, "any")]),
    Case("in custody first, in the community later", Life(away="100..200 custody", offends="150 violent; 400 violent"),
         at_risk=[(0, 100, ""), (200, 400, "any")], community=[(0, 300, "any")], calendar=[(0, 400, "any")]),
    Case("died inside: not at risk then", Life(away="100..200 custody", leaves="150 death"),
         at_risk=[(0, 100, "")], community=[(0, 100, "")], calendar=[(0, 150, "death")]),
    Case("died on the day of going away", Life(away="100..200 custody", leaves="100 death"),
         at_risk=[(0, 100, "death")], community=[(0, 100, "death")], calendar=[(0, 100, "death")]),
    Case("died on the day back", Life(away="100..200 custody", leaves="200 death"),
         at_risk=[(0, 100, ""), (200, 200.5, "death")], community=[(0, 100.5, "death")], calendar=[(0, 200, "death")]),
    Case("deported from a spell that stays open", Life(away="100.. custody", leaves="150 deportation"),
         at_risk=[(0, 100, "")], community=[(0, 100, "")], calendar=[(0, 150, "deportation")]),
    Case("lost while away", Life(away="100..200 abroad", leaves="150 lost"),
         at_risk=[(0, 100, "")], community=[(0, 100, "")], calendar=[(0, 150, "")]),
    Case("the data end within a spell", Life(away="700..800 custody"),
         at_risk=[(0, 700, "")], community=[(0, 700, "")]),
    Case("the data end on the day back", Life(away="700..730 custody"),
         at_risk=[(0, 700, "")], community=[(0, 700, "")]),
    Case("away only after the data end", Life(away="730..800 custody"),
         at_risk=[WHOLE], community=[WHOLE]),
    Case("custody under a later sentence is away", Life(again="100..300"),
         at_risk=[(0, 100, ""), (300, 730, "")], community=[(0, 530, "")]),
    Case("and so is one not ended by release", Life(again="100.."),
         at_risk=[(0, 100, "")], community=[(0, 100, "")]),
    Case("remand, then the sentence", Life(away="50..100 custody", again="100..300"),
         at_risk=[(0, 50, ""), (300, 730, "")], community=[(0, 480, "")]),
    Case("an offence inside under a later sentence does not count", Life(again="100..300", offends="200 violent"),
         at_risk=[(0, 100, ""), (300, 730, "")], community=[(0, 530, "")]),
    Case("never in the community while followed", Life(away="-10..900 custody"),
         at_risk=[], community=[]),
]  # fmt: skip


@pytest.fixture(scope="module")
def people() -> Reframed:
    return held(lived(*(case.life for case in CASES)))


@pytest.fixture(scope="module")
def found(people: Reframed) -> dict[str, oc.Cohort]:
    return {scale: cohort(people, data_cut=CUT, scale=scale) for scale in ("calendar", "at_risk", "community")}


@pytest.fixture(scope="module")
def shown(found: dict[str, oc.Cohort]) -> dict[str, dict[str, list[Row]]]:
    return {scale: intervals(each) for scale, each in found.items()}


@pytest.mark.parametrize("scale", ["calendar", "at_risk", "community"])
@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.why for case in CASES])
def test_from_when_until_when_and_what_ended_it(
    shown: dict[str, dict[str, list[Row]]], number: int, scale: str
) -> None:
    assert shown[scale].get(f"p{number + 1}", []) == getattr(CASES[number], scale)


def test_who_died_while_away_or_was_never_at_risk_is_said(found: dict[str, oc.Cohort]) -> None:
    said = notes(found["at_risk"].outcome("any"))
    assert said["ended_away"].startswith(
        "any: for 2 people what ended follow-up, the event or one that competes, came while out"
    )
    assert said["never_at_risk"].startswith("any: 1 people had no day in the community while followed")
    assert said["offences_away"] == "any: 7 offences were committed out of the community and do not count."
    on_the_calendar = notes(found["calendar"].outcome("any"))
    assert (
        on_the_calendar["offences_away"] == "any: 5 offences were committed in custody or on recall and do not count."
    )
    assert not {"ended_away", "never_at_risk"} & set(on_the_calendar)


def test_whoever_was_never_at_risk_is_in_the_cohort_and_not_in_the_time_at_risk(found: dict[str, oc.Cohort]) -> None:
    each = found["at_risk"]
    assert (len(each.baseline), each.outcome("any").n) == (len(CASES), len(CASES) - 1)


HORIZONS = [
    # life, horizon, calendar, at_risk, community
    (Life(away="100..200 custody"), 300, [(0, 300, "")], [(0, 100, ""), (200, 300, "")], [(0, 300, "")]),
    (Life(away="100..200 custody", offends="350 violent"), 300,  # day 350 reads 250 on a clock that stood still for 100 days
     [(0, 300, "")], [(0, 100, ""), (200, 300, "")], [(0, 250, "any")]),
    (Life(away="100..200 custody", offends="400 violent"), 300,  # reads 300: the last day is inside
     [(0, 300, "")], [(0, 100, ""), (200, 300, "")], [(0, 300, "any")]),
    (Life(away="100..200 custody", offends="401 violent"), 300,  # reads 301
     [(0, 300, "")], [(0, 100, ""), (200, 300, "")], [(0, 300, "")]),
    (Life(away="100..200 custody"), 150, [(0, 150, "")], [(0, 100, "")], [(0, 150, "")]),  # ends within the spell
    (Life(away="100..200 custody"), 200, [(0, 200, "")], [(0, 100, "")], [(0, 200, "")]),  # on the day back
    (Life(away="100..200 custody"), 700, [(0, 700, "")], [(0, 100, ""), (200, 700, "")], [(0, 630, "")]),  # the data end first
    (Life(offends="300 violent"), 300, [(0, 300, "any")], [(0, 300, "any")], [(0, 300, "any")]),
    (Life(offends="301 violent"), 300, [(0, 300, "")], [(0, 300, "")], [(0, 300, "")]),
]  # fmt: skip


@pytest.fixture(scope="module")
def followed() -> Reframed:
    return held(lived(*(case[0] for case in HORIZONS)))


@pytest.mark.parametrize("horizon", sorted({case[1] for case in HORIZONS}))
def test_a_horizon_is_days_of_the_calendar_or_days_in_the_community(followed: Reframed, horizon: int) -> None:
    for place, scale in enumerate(("calendar", "at_risk", "community"), start=2):
        found = intervals(cohort(followed, data_cut=CUT, horizon=horizon, scale=scale))
        for number, case in enumerate(HORIZONS, start=1):
            if case[1] == horizon:
                assert found[f"p{number}"] == case[place], (scale, number)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("release", [(0, 530, "")]),  # free from day 200
        ("sentence", [(200, 730, "")]),  # inside until then
    ],
)
def test_custody_before_release_is_away_where_follow_up_starts_at_the_sentence(event: str, expected: list[Row]) -> None:
    tables = lived(Life(sentenced=0), Life(sentenced=0))
    tables["sentences"].loc[0, ["sentence_date", "setting", "release_date"]] = ["2010-01-01", "custody", "2010-07-20"]
    assert intervals(cohort(tables, data_cut=CUT, event=event, scale="at_risk"))["p1"] == expected


def test_an_outcome_that_is_leaving_the_community_cannot_be_on_a_clock_that_leaves_it_out(people: Reframed) -> None:
    for state in ("recall", "custody", "hospital", "abroad"):
        with pytest.raises(oc.OutcomesError, match=f"counts {state} as its event while .* takes time in {state}"):
            cohort(people, scale="at_risk", outcomes={"out": outcome(kind=state)})
