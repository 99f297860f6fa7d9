"""Scores, weights, balance and weighted outcomes of three arms against R (nnet, survival, sandwich) and statsmodels.

Rossi's people, the arms being how many of parole and work experience they had. R 4.2.2, nnet 7.3-18 (reltol = 1e-14), survival 3.5-3:

    f$g <- f$paro + f$wexp; m <- multinom(g ~ age + race + mar + prio, f); e <- fitted(m); own <- e[cbind(1:432, f$g + 1)]
    w <- h / own with h = 1, e[, 3], e[, 1], 1 / rowSums(1 / e), apply(e, 1, min)
    survfit(Surv(week, arrest) ~ g, weights = w, robust = TRUE); coxph(Surv(week, arrest) ~ factor(g), weights = w, robust = TRUE)
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc

FORMULA = "age + race + mar + prio"
COEFFICIENTS = [
    [-0.6039269330, 0.08003028837, 0.06420769116, 0.3936959668, -0.1024832300],
    [-0.7600419058, 0.09486858823, -0.11751482070, 1.8716400205, -0.2909882307],
]
ERRORS = [
    [0.8068939394, 0.03061876234, 0.4186947867, 0.6769412850, 0.04030163589],
    [0.8603324059, 0.03174593170, 0.4511964378, 0.6562093973, 0.05909808283],
]
FIRST_SCORES = [
    [0.1434777403, 0.5336972643, 0.32282499544],
    [0.4332862697, 0.4698242786, 0.09688945178],
    [0.5798891307, 0.3826816673, 0.03742920202],
]
# effective sample size, risk-free at 52 weeks, its robust error, log hazard ratio and its robust error
WEIGHTED = {
    "ate": (
        [58.20471097, 184.8342217, 98.22391561],
        [0.6910367528, 0.7335677041, 0.7208499143],
        [0.05818025447, 0.03200083664, 0.05687933337],
        [[-0.1826634667, 0.2676211178], [-0.1515376758, 0.3320328655]],
    ),
    "att": (
        [35.23204366, 117.1296602, 158],
        [0.71172438, 0.7748314559, 0.7911392405],
        [0.07206721035, 0.03560902887, 0.0323389821],
        [[-0.2938898502, 0.3435002850], [-0.3974370232, 0.3404674679]],
    ),
    "atc": (
        [76, 146.5521802, 21.00547999],
        [0.6447368421, 0.6646886714, 0.5728468788],
        [0.05489838059, 0.04111712274, 0.1224123589],
        [[-0.06985772438, 0.2484680309], [0.19850603554, 0.4274436022]],
    ),
    "ato": (
        [64.30349925, 182.7337757, 110.531656],
        [0.6845441817, 0.7183387957, 0.7317296424],
        [0.05675582685, 0.03351450935, 0.04580101284],
        [[-0.1483716204, 0.2618809601], [-0.2367807546, 0.2952868505]],
    ),
    "atm": (
        [65.20684992, 165.542958, 97.91861863],
        [0.6789251797, 0.7063215988, 0.7294779736],
        [0.05709405405, 0.03600075612, 0.04747163278],
        [[-0.1245445905, 0.2640117389], [-0.2524196984, 0.2982973151]],
    ),
}
# differences of means over the root of the mean of the three variances: 1 - 0, 2 - 0, 2 - 1; before, and with the ATE's weights
BALANCE = {
    "age": ([0.403235368848, 0.617351742147, 0.214116373299], [0.224418041637, 0.198395831207, -0.02602221043]),
    "race": (
        [0.0464679582967, 0.0150599995789, -0.0314079587178],
        [-0.0294248878054, -0.160578743628, -0.131153855822],
    ),
    "mar": ([0.0856182108123, 0.636681947922, 0.55106373711], [0.119252183254, 0.125169802468, 0.00591761921438]),
    "prio": (
        [-0.418324803504, -0.745563846796, -0.327239043292],
        [-0.0756924512434, -0.0573487967871, 0.0183436544562],
    ),
}
# multinom(…, weights = s) and glm(wexp ~ …, quasibinomial, weights = s) with sandwich(), s = 1 + (0:431) %% 3
SAMPLED = [
    [-0.789398306009, 0.0862483207354, 0.1543015433946, 0.493903189787, -0.121017194639],
    [-0.836456471497, 0.0942701337561, -0.0783861473524, 1.886333492127, -0.270393641959],
]
SAMPLED_TWO = [-2.522196901847, 0.148468861212, -0.428558024010, 2.017965153467, -0.173839905716]
SAMPLED_TWO_ERRORS = [0.8228415391130, 0.0326486167626, 0.3467845785695, 0.5573240829230, 0.0522208362349]


def rossi(arm: str = "group") -> oc.SurvivalData:
    frame = load_rossi()
    frame = frame.assign(group=frame["paro"] + frame["wexp"], stands_for=1 + np.arange(432) % 3)
    return oc.survival_data(frame, duration="week", event="arrest", arm=arm, reference=0, unit="weeks")


def weights(estimand: str, **more: object) -> oc.PropensityWeights:
    return oc.weight(rossi(), FORMULA, estimand=estimand, focal="2" if estimand == "att" else None, **more)  # type: ignore[arg-type]


def test_the_score_is_the_multinomial_regression_of_nnet() -> None:
    made = weights("ate")
    np.testing.assert_allclose(made.coefficients, COEFFICIENTS, rtol=1e-6)
    np.testing.assert_allclose(made.std_errors, ERRORS, rtol=1e-6)
    np.testing.assert_allclose(made.score[:3], FIRST_SCORES, rtol=1e-6)
    assert made.loglik == pytest.approx(-409.1752956, abs=5e-8)
    model = made.score_model()
    assert list(model["arm"]) == ["1"] * 5 + ["2"] * 5
    assert list(model["term"]) == ["Intercept", "age", "race", "mar", "prio"] * 2


def test_the_score_is_the_multinomial_regression_of_statsmodels() -> None:
    import statsmodels.api as sm

    frame = rossi().baseline
    design = sm.add_constant(frame[["age", "race", "mar", "prio"]])
    fit = sm.MNLogit(frame["group"], design).fit(method="newton", tol=1e-12, disp=0)
    made = weights("ate")
    np.testing.assert_allclose(made.coefficients, np.asarray(fit.params).T, rtol=1e-9)
    np.testing.assert_allclose(made.std_errors, np.asarray(fit.bse).T, rtol=1e-9)


@pytest.mark.parametrize("estimand", WEIGHTED)
def test_weighted_curves_and_hazard_ratios_are_those_of_r(estimand: str) -> None:
    sizes, risk_free, errors, model = WEIGHTED[estimand]
    made, data = weights(estimand), rossi()
    np.testing.assert_allclose(list(made.effective_sample_size.values()), sizes, rtol=1e-6)
    curve = oc.kaplan_meier(data, weights=made).at([52])
    np.testing.assert_allclose(curve["estimate"], risk_free, rtol=1e-6)
    np.testing.assert_allclose(curve["std_error"], errors, rtol=1e-6)
    fit = oc.cox(data, "arm", weights=made).to_frame()
    np.testing.assert_allclose(fit[["estimate", "std_error"]], model, rtol=1e-6)


def test_balance_of_every_two_arms_is_that_of_r() -> None:
    frame = weights("ate").balance().to_frame()
    for term, (before, after) in BALANCE.items():
        rows = frame[frame["term"] == term]
        assert list(zip(rows["reference"], rows["arm"], strict=True)) == [("0", "1"), ("0", "2"), ("1", "2")]
        np.testing.assert_allclose(rows["smd_before"], before, rtol=1e-9)
        np.testing.assert_allclose(rows["smd_after"], after, rtol=1e-6)


def test_sampling_weights_in_the_score_are_those_of_r() -> None:
    np.testing.assert_allclose(weights("ate", sampling="stands_for").coefficients, SAMPLED, rtol=1e-6)
    two = oc.weight(rossi("wexp"), FORMULA, estimand="ate", sampling="stands_for")
    np.testing.assert_allclose(two.coefficients, SAMPLED_TWO, rtol=1e-6)
    np.testing.assert_allclose(two.std_errors, SAMPLED_TWO_ERRORS, rtol=1e-6)


def test_the_c_statistic_of_several_arms_is_the_mean_of_those_of_every_two() -> None:
    """Hand and Till's M, from scipy's Mann–Whitney statistics."""
    from scipy.stats import mannwhitneyu

    made = weights("ate")
    found = []
    for a, b in ((0, 1), (0, 2), (1, 2)):
        for one, other in ((a, b), (b, a)):
            x, y = made.score[made.arm == one, one], made.score[made.arm == other, one]
            found.append(mannwhitneyu(x, y).statistic / (len(x) * len(y)))
    assert made.c_statistic == pytest.approx(np.mean(found))


def test_a_multinomial_score_of_two_arms_is_the_logistic_one() -> None:
    from outcomes.adjust.arm_scores import fit_arm_scores
    from outcomes.adjust.propensity import fit_propensity

    frame = pd.DataFrame(load_rossi())
    names = ("age", "race", "mar", "paro", "prio")
    x, arm = frame[list(names)].to_numpy(dtype=float), frame["wexp"].to_numpy()
    one, other = fit_arm_scores(x, arm, names, ("0", "1")), fit_propensity(x, arm.astype(float), names)
    np.testing.assert_allclose(one.coefficients[0], other.coefficients, rtol=1e-9)
    np.testing.assert_allclose(one.influence, other.influence, rtol=1e-6, atol=1e-12)
