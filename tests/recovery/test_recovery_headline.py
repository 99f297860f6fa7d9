"""The headline on cohorts of known truth: the naive interval misses it, the adjusted one covers it."""

from __future__ import annotations

import pandas as pd
import pytest
from two_year_risk import TABLE, many, one_seed, summary_rows


@pytest.mark.slow
def test_twenty_cohorts_the_adjusted_interval_covers_and_the_naive_one_misses() -> None:
    rows = many(range(1, 21))
    assert (~rows["adjusted_covers"]).sum() <= 4
    assert (~rows["naive_covers"]).sum() >= 12


def test_the_full_run_of_two_hundred_cohorts_holds_the_gates() -> None:
    rows = pd.read_csv(TABLE)
    assert rows["seed"].tolist() == list(range(1, 201))
    assert rows["adjusted_covers"].mean() >= 0.92
    assert (~rows["naive_covers"]).mean() >= 0.80
    naive, adjusted = summary_rows(rows).to_dict("records")
    assert adjusted["gate"] == "pass"
    assert abs(adjusted["bias"]) <= 0.1 * adjusted["empirical_sd"] + 3 * adjusted["bias_mcse"]
    assert naive["gate"] == "reported"


@pytest.mark.slow
def test_the_committed_table_is_what_the_code_gives_today() -> None:
    committed = pd.read_csv(TABLE).set_index("seed")
    for seed in (7, 150):
        for name, value in one_seed(seed).items():
            if name != "seed":
                assert value == pytest.approx(committed.loc[seed, name], rel=1e-4, abs=1e-6), name
