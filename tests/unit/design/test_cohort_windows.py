"""What happened within 200 days of time zero: offended or not, and days in the community. Everyone starts on day 0 unless it says so.

Offences have until day 730; what needs no proof has until day 830, the data cut.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from small_lives import Life, lived
from small_study import Reframed, cohort, held

import outcomes as oc
from outcomes.design.study import Outcome
from outcomes.errors import DesignError

CUT = "2012-04-10"
UNKNOWN = None


@dataclass(frozen=True)
class Case:
    why: str
    life: Life
    within: int | None
    days: int | None


CASES = [
    Case("nothing happened", Life(), 0, 200),
    Case("offended on the last day of the window", Life(offends="200 violent"), 1, 200),
    Case("offended the day after", Life(offends="201 violent"), 0, 200),
    Case("offended on time zero", Life(offends="0 violent"), 1, 200),
    Case("offended, proven late", Life(offends="50..151 violent"), 0, 200),
    Case("died: kept from offending", Life(leaves="100 death"), 0, 100),
    Case("offended and died", Life(offends="50 violent", leaves="100 death"), 1, 100),
    Case("offended on the day of death", Life(offends="100 violent", leaves="100 death"), 1, 100),
    Case("deported", Life(leaves="100 deportation"), 0, 100),
    Case("emigrated, which does not compete with the outcome", Life(leaves="100 emigration"), UNKNOWN, 100),
    Case("lost", Life(leaves="100 lost"), UNKNOWN, UNKNOWN),
    Case("lost on the last day of the window", Life(leaves="200 lost"), 0, 200),
    Case("offended before being lost", Life(offends="50 violent", leaves="100 lost"), 1, UNKNOWN),
    Case("away for a time", Life(away="100..150 custody"), 0, 150),
    Case("away twice at once", Life(away="50..100 recall; 80..150 custody"), 0, 100),
    Case("away from the last day on", Life(away="200..300 custody"), 0, 200),
    Case("away and not back", Life(away="150.. abroad"), 0, 150),
    Case("away since before time zero", Life(away="-20..50 hospital"), 0, 150),
    Case("never there", Life(away="0..500 custody"), 0, 0),
    Case("sentenced to custody again", Life(again="100..150"), 0, 150),
    Case("died while away", Life(away="50.. custody", leaves="100 death"), 0, 50),
    Case("offended while away", Life(away="50..150 custody", offends="100 violent"), 0, 100),
    Case("followed for just 200 days", Life(started=530), 0, 200),
    Case("a day short", Life(started=531), UNKNOWN, 200),
    Case("a day short, whatever happened", Life(started=531, offends="600 violent"), UNKNOWN, 200),
    Case("a day short, and died", Life(started=531, leaves="600 death"), UNKNOWN, 69),
    Case("observed for just 200 days", Life(started=630), UNKNOWN, 200),
    Case("observed for 199", Life(started=631), UNKNOWN, UNKNOWN),
    Case("observed for 199, and died", Life(started=631, leaves="700 death"), UNKNOWN, UNKNOWN),
]


@pytest.fixture(scope="module")
def people() -> Reframed:
    return held(lived(*(case.life for case in CASES)))


@pytest.fixture(scope="module")
def found(people: Reframed) -> oc.Cohort:
    return cohort(people, data_cut=CUT)


@pytest.fixture(scope="module")
def answers(found: oc.Cohort) -> dict[str, dict[str, float | None]]:
    asked = {"within": found.within("any", 200), "days": found.days_in_community(200)}
    columns = {"within": "within", "days": "days_in_community"}
    return {
        name: {
            f"p{person}": None if math.isnan(value) else value
            for person, value in zip(result.people["person_id"], result.people[columns[name]], strict=True)
        }
        for name, result in asked.items()
    }


@pytest.mark.parametrize("what", ["within", "days"])
@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.why for case in CASES])
def test_what_is_known_of_everyone(answers: dict[str, dict[str, float | None]], number: int, what: str) -> None:
    assert answers[what][f"p{number + 1}"] == getattr(CASES[number], what)


def test_no_scale_changes_what_happened_within_a_window(people: Reframed, found: oc.Cohort) -> None:
    for scale in ("at_risk", "community"):
        other = cohort(people, data_cut=CUT, scale=scale)
        assert other.within("any", 200).people["within"].equals(found.within("any", 200).people["within"])
        days = other.days_in_community(200).people["days_in_community"]
        assert days.equals(found.days_in_community(200).people["days_in_community"])


@pytest.fixture(scope="module")
def few() -> oc.Cohort:
    lives = [
        Life(programme="m1", offends="50 violent"),
        Life(programme="m1", away="100..150 custody"),
        Life(programme="m1", leaves="100 death"),
        Life(programme="m1", leaves="100 lost"),
        Life(programme="b1", offends="50 violent"),
    ]
    return cohort(lived(*lives), data_cut=CUT)


def test_shares_are_of_those_whose_window_is_known(few: oc.Cohort) -> None:
    columns = ["arm", "n", "n_events", "n_competing", "n_unknown", "estimate"]
    assert few.within("any", 200).to_frame()[columns].to_numpy().tolist() == [
        ["manualised", 3, 1, 1, 1, 1 / 3],
        ["bespoke", 1, 1, 0, 0, 1.0],
    ]
    assert few.within("any", "4w").horizon == 28
    assert "manualised: 33.3 per 100 (1 of 3 whose window is known; of 1 more it is not)." in (
        few.within("any", 200).describe()
    )


def test_days_are_averaged_over_those_followed_through(few: oc.Cohort) -> None:
    columns = ["arm", "n", "n_unknown", "n_ever_away", "estimate"]
    frame = few.days_in_community(200).to_frame()
    assert frame[columns].to_numpy().tolist() == [
        ["manualised", 3, 1, 1, 150.0],  # 200, 150 and 100 days
        ["bespoke", 1, 0, 0, 200.0],
    ]
    assert frame["std_error"].tolist()[0] == pytest.approx(50 / math.sqrt(3))
    assert math.isnan(frame["std_error"].tolist()[1])  # one person


def test_a_window_longer_than_the_study_follows_is_refused(few: oc.Cohort) -> None:
    for asked in (lambda: few.within("any", "6y"), lambda: few.days_in_community("6y")):
        with pytest.raises(DesignError, match="the study follows people for 5 years, not longer"):
            asked()
    with pytest.raises(DesignError, match=r"no outcome 'anny'\. Did you mean 'any'\?"):
        few.within("anny", 200)


def test_under_the_window_rule_nothing_is_known_beyond_its_year() -> None:
    moj = {"moj": Outcome("", ("violent",), 182.0, rule="moj_window")}
    found = cohort(lived(Life(offends="50 violent"), Life()), data_cut=CUT, outcomes=moj)
    assert found.within("moj", 365).to_frame()["n"].tolist() == [1, 1]
    assert found.within("moj", 366).to_frame()["n"].tolist() == [0, 0]
