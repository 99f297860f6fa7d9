"""Programmes that do nothing: completers seem helped where people at risk drop out; starters, and two arms that lose alike, do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from small_study import Reframed, after, day, held, small_study, starters

import outcomes as oc
from outcomes.design.study import Adjust

PEOPLE = 6000


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    """Return the contrasts where a hidden risk decides who drops out and who offends, and both programmes do nothing."""
    rng = np.random.default_rng(2010)
    base = held(starters(2))
    number = np.arange(1, PEOPLE + 1)
    risk, sanctions = rng.normal(size=PEOPLE), rng.poisson(2, PEOPLE)
    offends = np.ceil(rng.exponential(900 / np.exp(0.9 * risk + 0.1 * (sanctions - 2)))).astype(int)
    dropped = rng.random(PEOPLE) < 1 / (1 + np.exp(0.5 - 1.2 * risk))
    programme = np.where(number % 2, base.programme_ids["m1"], base.programme_ids["b1"])

    def table(name: str, who: np.ndarray, **cells: object) -> pd.DataFrame:
        like = base.frame(name).iloc[[0] * len(who)].reset_index(drop=True)
        return like.assign(person_id=who, **cells)

    hit = number[offends <= 1000]
    zero = day(after(0))
    offences = pd.DataFrame(dict.fromkeys(base.frame("reoffences")), index=range(len(hit))).assign(
        reoffence_id=hit, person_id=hit, offence_date=zero + offends[hit - 1], proven_date=zero + offends[hit - 1] + 10,
        offence_type="violent",
    )  # fmt: skip
    extract = Reframed(
        base,
        people=table("people", number),
        sentences=table("sentences", number, sentence_id=number, prior_sanctions=sanctions),
        assessments=base.frame("assessments").iloc[:0],
        participation=table(
            "participation", number, sentence_id=number, participation_id=number, programme_id=programme,
            status=np.where(dropped, "dropped_out", "completed"),
        ),
        reoffences=offences,
    )  # fmt: skip
    study = small_study(horizon=730).replace(adjust=Adjust("prior_sanctions", "ato"))
    frame = oc.starters_and_completers(extract, study).to_frame()
    return frame[frame["adjustment"] == "adjusted"].set_index(["people", "against"])


@pytest.mark.slow
def test_starters_of_programmes_that_do_nothing_do_not_differ_beyond_chance(found: pd.DataFrame) -> None:
    starters_row = found.loc[("starters", "starters")]
    assert abs(starters_row["estimate"]) <= 4 * starters_row["std_error"]
    assert starters_row["std_error"] < 0.02


@pytest.mark.slow
def test_completers_of_a_programme_that_does_nothing_would_seem_helped(found: pd.DataFrame) -> None:
    completers = found.loc[("completers", "starters")]
    assert completers["estimate"] < -0.05
    assert completers["would_say"] == "lower"
    assert completers["verdict"] == "not determined"


@pytest.mark.slow
def test_completers_against_completers_do_not_differ_where_both_arms_lose_people_alike(found: pd.DataFrame) -> None:
    both = found.loc[("completers", "completers")]
    assert abs(both["estimate"]) <= 4 * both["std_error"]
