"""Clustered variances for few and unequal clusters against clubSandwich of R; ``data/roll_out/numbers.R`` made the numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from outcomes.comparison.bias_reduced import BiasReduced, bias_reduced

HERE = Path(__file__).parent / "data" / "roll_out"
NUMBERS = pd.read_csv(HERE / "numbers.csv").set_index("name")["value"]
PEOPLE = pd.read_csv(HERE / "people.csv")
LEADS = ("l3", "l2", "l1")


def fit(tested: list[bool]) -> BiasReduced:
    dummies = pd.get_dummies(PEOPLE[["area", "year"]].astype("category"), dtype=float).to_numpy()
    x = np.column_stack([PEOPLE[list(LEADS)].to_numpy(dtype=float), dummies])
    return bias_reduced(PEOPLE["y"].to_numpy(dtype=float), x, PEOPLE["area"].to_numpy(), 3, np.array(tested))


@pytest.mark.parametrize("what", ["estimate", "error", "df"])
def test_each_year_has_the_coefficient_error_and_degrees_of_freedom_of_clubsandwich(what: str) -> None:
    mine = {"error": "std_error"}.get(what, what)
    expected = [NUMBERS[f"{what}_{lead}"] for lead in LEADS]
    assert getattr(fit([True] * 3), mine) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(("tested", "which"), [([True] * 3, ""), ([False, True, True], "_two")])
def test_the_test_of_several_is_that_of_clubsandwich(tested: list[bool], which: str) -> None:
    test = fit(tested).test
    expected = [NUMBERS[f"{name}{which}"] for name in ("statistic", "df_residual", "p_value")]
    assert [test.statistic, test.df_residual, test.p_value] == pytest.approx(expected, rel=1e-6)
