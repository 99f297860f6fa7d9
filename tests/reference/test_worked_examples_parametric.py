"""Parametric models whose numbers are in print, typed in: they run everywhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc

close = np.testing.assert_allclose
ROSSI = "fin + age + race + wexp + mar + paro + prio"


def test_ovarian_weibull() -> None:
    """survreg(Surv(futime, fustat) ~ ecog.ps + rx, ovarian, dist = 'weibull'): the example of R's survival; Edmunson et al. (1979)."""
    frame = pd.DataFrame(
        {
            "day": [59, 115, 156, 421, 431, 448, 464, 475, 477, 563, 638, 744, 769, 770, 803, 855, 1040, 1106, 1129, 1206, 1227,
                    268, 329, 353, 365, 377],
            "died": [1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0],
            "rx": [1, 1, 1, 2, 1, 1, 2, 2, 1, 2, 1, 2, 2, 2, 1, 1, 1, 1, 2, 2, 2, 1, 1, 2, 2, 2],
            "ecog": [1, 1, 2, 1, 1, 2, 2, 2, 1, 2, 2, 1, 2, 1, 1, 2, 2, 1, 1, 1, 2, 2, 1, 2, 1, 1],
        }
    )  # fmt: skip
    data = oc.survival_data(frame, duration="day", event="died")
    fit = oc.parametric(data, "ecog + rx", distribution="weibull")
    close(fit.coefficients[:3], [6.896693, -0.3850425, 0.5286455], rtol=1e-6)
    close(np.exp(fit.coefficients[3]), 0.8838731, rtol=1e-6)
    close(fit.loglik, -97.08449, rtol=1e-7)


@pytest.mark.parametrize(
    ("distribution", "fin", "scale"),
    [("weibull", 0.2721634, 0.7124053), ("lognormal", 0.3428477, 1.29457), ("loglogistic", 0.2888761, 0.6471348)],
)
def test_rossi_accelerated_failure_times(distribution: str, fin: float, scale: float) -> None:
    data = oc.survival_data(load_rossi(), duration="week", event="arrest", unit="weeks")
    fit = oc.parametric(data, ROSSI, distribution=distribution)
    close(fit.coefficients[1], fin, rtol=1e-6)
    close(np.exp(fit.coefficients[-1]), scale, rtol=1e-6)
    if distribution == "weibull":
        close([fit.coefficients[0], fit.loglik], [3.990135, -679.9166], rtol=1e-6)
