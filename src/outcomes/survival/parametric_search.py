"""A search by lifelines, for likelihoods on which Newton steps lose their way.

lifelines' optimiser stops at about 1e-4 of a coefficient and its robust variance knows no clusters; it only has to come near.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from lifelines.exceptions import ConvergenceError
from lifelines.fitters import ParametricRegressionFitter

from outcomes.results import Array
from outcomes.survival.parametric_families import Family
from outcomes.survival.parametric_fit import FitRows

__all__ = ["by_lifelines"]


class _Fitter(ParametricRegressionFitter):
    """A family as a regression model of lifelines."""

    _scipy_fit_method = "L-BFGS-B"
    _scipy_fit_options: Mapping[str, Any] = {"maxiter": 100, "ftol": 1e-13, "gtol": 1e-8}

    def __init__(self, family: Family) -> None:
        super().__init__()
        self._family = family
        self._fitted_parameter_names = list(family.names)

    def _eta(self, params: Any, columns: Any) -> list[Any]:
        return [columns[name] @ params[name] for name in self._fitted_parameter_names]

    def _cumulative_hazard(self, params: Any, times: Any, columns: Any) -> Any:
        return self._family.cumulative_hazard(np.log(times), *self._eta(params, columns))

    def _log_hazard(self, params: Any, times: Any, columns: Any) -> Any:
        return self._family.log_hazard(np.log(times), *self._eta(params, columns))


def by_lifelines(family: Family, rows: FitRows, start: Array) -> Array | None:
    """Return the coefficients lifelines finds from `start`, shape (p,); None where it finds none."""
    import pandas as pd

    columns: dict[str, Array] = {}
    regressors: dict[str, list[str]] = {}
    for name, design in zip(family.names, rows.designs, strict=True):
        regressors[name] = [f"{name}:{j}" for j in range(design.shape[1])]
        columns |= dict(zip(regressors[name], design.T, strict=True))
    frame = pd.DataFrame(
        {"exit": np.exp(rows.log_exit), "event": rows.event, "weight": rows.weight}
        | {"entry": np.where(rows.late, np.exp(rows.log_entry), 0.0)}
        | columns
    )
    fitter = _Fitter(family)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # what they would say of variances and weights is not used
        try:
            fitter.fit(
                frame, "exit", "event", regressors=regressors, weights_col="weight", entry_col="entry", initial_point=start
            )  # fmt: skip
        except (ConvergenceError, ValueError, np.linalg.LinAlgError):
            return None
    found = fitter.params_.to_numpy(dtype=np.float64)
    return np.asarray(found) if np.isfinite(found).all() else None
