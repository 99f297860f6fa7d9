"""The difference of arms whose sites vary each in their own way: against statsmodels, against the whole covariance, by coverage."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from outcomes.comparison.measures import quantile
from outcomes.comparison.site_models import ArmModel, Difference, differences, site_model
from outcomes.results import Array, IntArray

People = tuple[Array, Array, IntArray, IntArray]


def people(seed: int, sites: tuple[int, ...], sd: tuple[float, ...], size: int = 20) -> People:
    """Return y, x, arm and unit of people at sites of arms; risks of sites are normal about 0.35, whatever the arm."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(sum(sites)), size)
    arm = np.repeat(np.arange(len(sites)), sites)[unit]
    risk = 0.35 + (rng.normal(size=sum(sites)) * np.repeat(sd, sites))[unit]
    x = rng.normal(arm / 2, 1.0)
    y = (rng.random(len(unit)) < np.clip(risk + 0.05 * (x - arm / 2), 0, 1)).astype(float)
    return y, (x - x.mean())[:, None], arm, unit


def modelled(
    y: Array, x: Array, arm: IntArray, unit: IntArray
) -> tuple[list[ArmModel], list[tuple[Difference, Difference]]]:
    models = [site_model(y[arm == k], x[arm == k], unit[arm == k], 0.95) for k in range(int(arm.max()) + 1)]
    return models, differences(y, x, arm, unit, models)


def test_without_case_mix_it_is_that_of_two_mixed_models_of_statsmodels() -> None:
    from statsmodels.regression.mixed_linear_model import MixedLM

    y, _, arm, unit = people(3, (15, 7), (0.05, 0.2))
    _, [(_, varying)] = modelled(y, np.zeros((len(y), 0)), arm, unit)
    mean, square, free = [], [], np.array([14, 6])
    for k in (0, 1):
        mine = arm == k
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = MixedLM(y[mine], np.ones((mine.sum(), 1)), unit[mine]).fit(reml=True, method="bfgs")
        mean.append(theirs.fe_params[0])
        square.append(theirs.bse_fe[0] ** 2)
    own = np.array(square)
    assert varying.estimate == pytest.approx(mean[1] - mean[0], rel=1e-3)
    assert varying.std_error == pytest.approx(np.sqrt(own.sum()), rel=1e-3)
    assert varying.df == pytest.approx(own.sum() ** 2 / (own**2 / free).sum(), rel=1e-2)


def test_with_case_mix_it_is_generalised_least_squares_by_the_whole_covariance() -> None:
    y, x, arm, unit = people(4, (9, 6, 5), (0.05, 0.2, 0.1))
    models, found = modelled(y, x, arm, unit)
    fits = [model.fit for model in models]
    between = np.array([fit.between for fit in fits if fit is not None])[arm]
    within = np.array([fit.within for fit in fits if fit is not None])[arm]
    whole = np.diag(within) + (unit[:, None] == unit) * between
    columns = np.column_stack([arm == 0, arm == 1, arm == 2, x]).astype(float)
    covariance = np.linalg.inv(columns.T @ np.linalg.solve(whole, columns))
    beta = covariance @ columns.T @ np.linalg.solve(whole, y)
    for k, (_, varying) in enumerate(found, start=1):
        gap = np.eye(4)[k] - np.eye(4)[0]
        assert varying.estimate == pytest.approx(gap @ beta)
        assert varying.std_error == pytest.approx(np.sqrt(gap @ covariance @ gap))


def test_people_independent_are_least_squares() -> None:
    import statsmodels.api as sm

    y, x, arm, unit = people(5, (8, 8), (0.1, 0.1))
    _, [(alone, _)] = modelled(y, x, arm, unit)
    theirs = sm.OLS(y, np.column_stack([np.ones(len(y)), arm, x])).fit()
    assert (alone.estimate, alone.std_error) == pytest.approx((theirs.params[1], theirs.bse[1]))


def test_few_sites_that_differ_are_not_lent_the_likeness_of_many_others() -> None:
    covered = []
    for seed in range(100):
        _, [(_, found)] = modelled(*people(seed, (21, 3), (0.02, 0.12)))
        # risks are alike in the arms: the truth is no difference
        covered.append(abs(found.estimate) <= quantile(0.95, found.df) * found.std_error)
    assert np.mean(covered) >= 0.92


@pytest.mark.parametrize(("value", "why"), [(0.0, "no_events"), (1.0, "all_events")])
def test_an_arm_without_a_single_event_bears_no_model_and_no_difference(value: float, why: str) -> None:
    y, x, arm, unit = people(6, (5, 5, 5), (0.1, 0.1, 0.1))
    models, found = modelled(np.where(arm == 1, value, y), x, arm, unit)
    assert (models[1].fit, models[1].why) == (None, why)
    assert all(np.isnan(one.estimate) for one in found[0])
    assert np.isfinite(found[1][1].std_error), "other arms keep their difference"


def test_people_whose_covariates_say_everything_bear_no_model() -> None:
    y, x, arm, unit = people(7, (5, 5), (0.1, 0.1))
    models, found = modelled(y, np.column_stack([x, y - y.mean()]), arm, unit)
    assert [model.why for model in models] == ["no_residual", "no_residual"]
    assert np.isnan(found[0][0].estimate)


def test_one_site_in_an_arm_leaves_a_difference_without_a_standard_error() -> None:
    models, [(alone, varying)] = modelled(*people(8, (6, 1), (0.1, 0.1)))
    assert models[1].why == "one_unit"
    assert np.isfinite([alone.estimate, varying.estimate]).all()
    assert np.isnan([alone.std_error, varying.std_error]).all()
