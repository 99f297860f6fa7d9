"""Random intercepts and pseudo-values against lme4, nlme and survival of R; ``data/random_intercepts/numbers.R`` made the numbers."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.comparison.random_intercepts import RandomIntercepts, random_intercepts
from outcomes.survival.pseudo_values import pseudo_values

HERE = Path(__file__).parent / "data" / "random_intercepts"
NUMBERS = pd.read_csv(HERE / "numbers.csv").set_index(["by", "name"])["value"]
PEOPLE = pd.read_csv(HERE / "people.csv")


def several(by: str, name: str, first: int, last: int) -> list[float]:
    return [float(NUMBERS[(by, f"{name}_{k}")]) for k in range(first, last + 1)]


def design() -> np.ndarray:
    return np.column_stack([np.ones(len(PEOPLE)), PEOPLE[["arm", "x1", "x2"]].to_numpy(dtype=float)])


@pytest.fixture(scope="module")
def fit() -> RandomIntercepts:
    return random_intercepts(PEOPLE["y"].to_numpy(), design(), PEOPLE["unit"].to_numpy(), 0.95)


@pytest.mark.parametrize("by", ["lme4", "nlme"])
def test_variances_and_coefficients_are_those_of_r(fit: RandomIntercepts, by: str) -> None:
    assert fit.between == pytest.approx(NUMBERS[(by, "between")], rel=1e-4)
    assert fit.within == pytest.approx(NUMBERS[(by, "within")], rel=1e-4)
    assert fit.beta == pytest.approx(several(by, "beta", 0, 3), rel=1e-4)


def test_standard_errors_and_shrunken_effects_are_those_of_lme4(fit: RandomIntercepts) -> None:
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(several("lme4", "error", 0, 3), rel=1e-4)
    assert fit.effect == pytest.approx(several("lme4", "effect", 0, 11), rel=1e-4, abs=1e-6)


def test_the_p_value_is_half_that_of_the_ratio_of_restricted_likelihoods(fit: RandomIntercepts) -> None:
    from scipy.stats import chi2

    assert fit.p_value == pytest.approx(0.5 * chi2.sf(NUMBERS[("nlme", "ratio_of_likelihoods")], 1), rel=1e-3)


def test_mixedlm_of_statsmodels_says_the_same_where_its_search_ends_well(fit: RandomIntercepts) -> None:
    from statsmodels.regression.mixed_linear_model import MixedLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = MixedLM(PEOPLE["y"].to_numpy(), design(), PEOPLE["unit"].to_numpy()).fit(reml=True, method="bfgs")
    assert fit.between == pytest.approx(float(np.asarray(theirs.cov_re).item()), rel=1e-4)
    assert fit.beta == pytest.approx(np.asarray(theirs.fe_params), rel=1e-4)
    own = [float(np.asarray(theirs.random_effects[unit]).item()) for unit in fit.units]
    error = [float(np.sqrt(np.asarray(theirs.random_effects_cov[unit]).item())) for unit in fit.units]
    assert (fit.effect, fit.error) == (pytest.approx(own, rel=1e-3, abs=1e-6), pytest.approx(error, rel=1e-4))


def test_pseudo_values_of_incidences_are_those_of_survival() -> None:
    rossi = load_rossi()
    cause = np.where((rossi["arrest"] == 1) & (rossi["age"] < 28), np.where(rossi["prio"] >= 4, 2, 1), 0)
    data = oc.survival_data(
        rossi.assign(cause=cause), duration="week", event="cause", causes={1: "few", 2: "many"}, censored=0, arm="fin", reference=0,
        unit="weeks",
    )  # fmt: skip
    found = pseudo_values(oc.cumulative_incidence(data), 40.0, "few")
    for arm in (0, 1):
        mine = found[data.arm == arm]
        assert mine[:10] == pytest.approx(several("survival", f"pseudo_{arm}", 0, 9), rel=1e-8, abs=1e-12)
        assert (mine**2).sum() == pytest.approx(NUMBERS[("survival", f"pseudo_{arm}_squares")], rel=1e-8)
