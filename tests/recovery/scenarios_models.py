"""Parametric models of time, by either variance."""

from __future__ import annotations

import numpy as np
from drawn_times import SCALE, SHAPE, free
from scenario import Found, Key, Scenario, Truth, interval
from scenarios_cox import ARM, AT, RAISE, with_covariate
from scenarios_curves import as_data

import outcomes as oc

__all__ = ["OF_MODELS"]

NAMES = {
    ("location", "Intercept"): "log time of a at x = 0",
    ("location", "arm[b]"): "log time ratio of b",
    ("location", "x"): "log time ratio of x",
    ("log_scale", "Intercept"): "log scale",
}


def _weibull(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(with_covariate(rng, 300))
    found: dict[Key, Found] = {}
    for robust, said in ((False, "model"), (True, "robust")):
        model = oc.parametric(data, "arm + x", distribution="weibull", robust=robust)
        for row in model.to_frame().to_dict("records"):
            found[f"parametric, weibull, {said} variance", NAMES[row["parameter"], row["term"]]] = interval(row)
    new = with_covariate(rng, 2).assign(arm=["a", "b"], x=[-1.0, 1.0])[["arm", "x"]]
    for row in model.predict(new, AT).to_dict("records"):
        found["parametric, weibull, predict, robust", f"free at {row['time']:g}, row {row['profile']}"] = interval(row)
    return found


def _truths() -> dict[str, Truth]:
    # hazards times r are times scaled by r^(−1 / shape)
    found = {
        NAMES["location", "Intercept"]: Truth(float(np.log(SCALE))),
        NAMES["location", "arm[b]"]: Truth(-ARM / SHAPE),
        NAMES["location", "x"]: Truth(-RAISE / SHAPE),
        NAMES["log_scale", "Intercept"]: Truth(float(-np.log(SHAPE))),
    }
    for t in AT:
        for number, predictor in enumerate((-RAISE, ARM + RAISE)):
            found[f"free at {t:g}, row {number}"] = Truth(float(free(t, np.exp(predictor))))
    return found


OF_MODELS = (
    Scenario("weibull model", "300 people as for Cox, the model the one that drew them.", 300, _weibull, _truths()),
)
