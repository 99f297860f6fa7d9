"""What a design could have found: from its error and its degrees of freedom, and from its interval where the error is no error."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from outcomes.comparison.planning import detectable, people_needed, plan_of


def test_it_is_the_reach_of_the_test_and_of_its_power_times_the_error() -> None:
    assert detectable(0.02, np.inf) == pytest.approx(0.02 * (norm.ppf(0.975) + norm.ppf(0.8)))
    assert detectable(0.02, 11.0) == pytest.approx(0.02 * (t.ppf(0.975, 11) + t.ppf(0.8, 11)))


def test_an_interval_that_is_longer_than_its_error_counts() -> None:
    assert detectable(0.0, np.inf, 0.196, 0.95) == pytest.approx(detectable(0.1, np.inf), rel=1e-3)
    assert detectable(0.1, np.inf, 0.196, 0.95) == pytest.approx(detectable(0.1, np.inf), rel=1e-3)


def test_without_an_error_or_an_interval_nothing_is_known() -> None:
    assert np.isnan(detectable(np.nan, np.inf, np.nan))


def test_half_the_difference_takes_four_times_the_people() -> None:
    assert people_needed(1000, 0.06, 0.03) == 4000


def test_the_plan_of_a_row_is_per_hundred_and_its_target_is_the_margin() -> None:
    row = {"estimate": -0.02, "std_error": 0.02, "df": np.inf, "conf_low": -0.0592, "conf_high": 0.0192, "n": 500}
    plan = plan_of(row, 0.95, 5.0)
    assert plan["detectable"] == pytest.approx(5.603, abs=1e-3)
    assert (plan["target"], plan["people_needed"]) == (5.0, np.ceil(500 * (plan["detectable"] / 5) ** 2))
