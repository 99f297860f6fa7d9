"""Programmes that do nothing: completers seem helped where people at risk drop out; starters, and two arms that lose alike, do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from offending_starters import offending_starters
from small_study import small_study

import outcomes as oc
from outcomes.design.study import Adjust

PEOPLE = 6000


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    """Return the contrasts where a hidden risk decides who drops out and who offends, and both programmes do nothing."""
    rng = np.random.default_rng(2010)
    risk, sanctions = rng.normal(size=PEOPLE), rng.poisson(2, PEOPLE)
    offends = np.ceil(rng.exponential(900 / np.exp(0.9 * risk + 0.1 * (sanctions - 2)))).astype(int)
    dropped = rng.random(PEOPLE) < 1 / (1 + np.exp(0.5 - 1.2 * risk))
    extract = offending_starters(
        offends,
        sentences={"prior_sanctions": sanctions},
        participation={"status": np.where(dropped, "dropped_out", "completed")},
    )
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
