"""Each bias of the invented cohort moves the naive answer and not the right one: the committed table, and a few cohorts drawn again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from switched_biases import COHORTS, PAGE, TABLE, one_cohort, read, written_page
from switched_summary import summarised
from switches import OFF, SWITCHES

from outcomes.synthetic import Biases


def test_every_switch_of_the_invented_cohort_is_on_the_page_once() -> None:
    names = [field.name for field in dataclasses.fields(Biases)]
    assert [switch.bias for switch in SWITCHES] == names
    switched = read(TABLE).query("part == 'switched'")
    assert switched["question"].tolist() == names


def test_the_committed_page_is_that_of_the_committed_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == written_page(read(TABLE))


def test_the_committed_table_is_that_of_the_committed_cohorts() -> None:
    found, committed = summarised(read(COHORTS)), read(TABLE)
    pd.testing.assert_frame_equal(found, committed, rtol=1e-4, atol=1e-6, check_dtype=False)


def test_the_committed_table_holds_the_gates_and_a_row_that_fails_says_why() -> None:
    switched = read(TABLE).query("part == 'switched'")
    explained = {switch.bias for switch in SWITCHES if switch.explained}
    assert set(switched.loc[switched["gate"] == "FAIL", "question"]) <= explained
    assert (switched["cohorts"] >= 20).all()


def test_what_no_table_holds_is_shown_and_never_passes() -> None:
    row = read(TABLE).query("part == 'switched' and question == 'unmeasured'").iloc[0]
    assert row["gate"] == "shown, not mended"
    assert abs(row["right_error"]) > 3 * row["right_mcse"]


def answers(bias: str, *, right: float = 0.0, naive: float = 0.05) -> pd.DataFrame:
    """Return made-up answers of 40 cohorts, each as far off on average as is said."""
    noise = np.random.default_rng(1).normal(0, 0.01, 40)
    noise = noise - noise.mean()
    return pd.DataFrame(
        {"on": bias, "question": bias, "seed": range(40), "naive": naive + noise, "right": right + noise, "truth": 0.0,
         "naive_truth": np.nan, "truth_error": 0.0}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "gate"),
    [
        (answers("selection"), "pass"),
        (answers("selection", naive=0.0), "FAIL"),
        (answers("selection", right=0.02), "FAIL"),
        (answers("unmeasured", right=0.02), "shown, not mended"),
        (answers("unmeasured"), "FAIL"),
        (answers(OFF, naive=0.0), "pass"),
        (answers(OFF).assign(right=lambda rows: rows["right"] + np.linspace(-0.01, 0.01, 40)), "FAIL"),
    ],
    ids=["moved, held", "not moved", "not held", "control moved", "control not moved", "agree", "do not agree"],
)
def test_the_gates_tell_one_from_another(rows: pd.DataFrame, gate: str) -> None:
    assert summarised(rows)["gate"].tolist() == [gate]


@pytest.mark.slow
@pytest.mark.parametrize(("bias", "sign"), [("selection", 1), ("custody_delivery", -1), ("non_referral", 1)])
def test_a_few_cohorts_drawn_again_say_the_same(bias: str, sign: int) -> None:
    """Three cohorts, other than those of the page: the right answer lies within 4 spreads of a mean of three, the naive one beyond."""
    found = pd.DataFrame([row for seed in range(9001, 9004) for row in one_cohort(bias, seed)])
    spread = float(read(TABLE).query("part == 'switched'").set_index("question").loc[bias, "right_sd"]) / np.sqrt(3)
    own = found["naive_truth"].fillna(found["truth"])
    assert abs((found["right"] - found["truth"]).mean()) <= 4 * spread
    assert sign * (found["naive"] - own).mean() > 4 * spread
