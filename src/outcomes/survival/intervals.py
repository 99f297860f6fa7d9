"""Limits of a probability from its standard error, on the scale where they behave.

Kalbfleisch & Prentice (2002), section 1.4; Borgan & Liestøl (1990) for the arcsine. All keep within [0, 1].
"""

from __future__ import annotations

import numpy as np

from outcomes.errors import one_of
from outcomes.results import Array

__all__ = ["CONF_TYPES", "probability_limits"]

CONF_TYPES = ("log-log", "log", "plain", "logit", "arcsine")


def probability_limits(
    estimate: Array, std_error: Array, critical: float | Array, conf_type: str = "log-log"
) -> tuple[Array, Array]:
    """Return lower and upper limits of probabilities.

    Parameters
    ----------
    estimate, std_error : ndarray
        A probability and its standard error, of any one shape. Where the standard error is 0 the limits are the estimate
        at 1, and undefined at 0 except for ``plain`` and ``arcsine``.
    critical : float or ndarray of the same shape
        Normal quantile, 1.96 for 95 %, or that of t.
    conf_type : str
        ``log-log``, ``log``, ``plain``, ``logit`` or ``arcsine``.
    """
    one_of(conf_type, CONF_TYPES, what="conf_type")
    p, se = np.asarray(estimate, dtype=np.float64), np.asarray(std_error, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if conf_type == "plain":
            low, high = p - critical * se, p + critical * se
        elif conf_type == "log":
            reach = critical * se / p
            low, high = p * np.exp(-reach), p * np.exp(reach)
        elif conf_type == "log-log":
            reach = critical * se / (p * np.log(p))
            low, high = p ** np.exp(-reach), p ** np.exp(reach)
        elif conf_type == "logit":
            centre, reach = np.log(p / (1 - p)), critical * se / (p * (1 - p))
            low, high = 1 / (1 + np.exp(-(centre - reach))), 1 / (1 + np.exp(-(centre + reach)))
        else:
            angle, reach = np.arcsin(np.sqrt(p)), critical * se / (2 * np.sqrt(p * (1 - p)))
            low = np.sin(np.maximum(angle - reach, 0.0)) ** 2
            high = np.sin(np.minimum(angle + reach, np.pi / 2)) ** 2
    certain = (se == 0) & (p == 1)
    low, high = np.where(certain, 1.0, low), np.where(certain, 1.0, high)
    return np.clip(np.minimum(low, high), 0.0, 1.0), np.clip(np.maximum(low, high), 0.0, 1.0)
