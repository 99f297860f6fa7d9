"""Observed less expected events of the arm, unit by unit: what the log-rank test says however the arms are given to the units."""

from __future__ import annotations

import numpy as np

from outcomes.comparison.replicated_numbers import Numbers
from outcomes.design.data import SurvivalData, must_name_cause
from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array, IntArray
from outcomes.survival.inputs import resolve
from outcomes.survival.risk_table import risk_table

__all__ = ["logrank_by_unit"]


def logrank_by_unit(data: SurvivalData, cause: str | None, unit: IntArray) -> tuple[Numbers, Array]:
    """Return the observed less expected events of the arm, and those of each unit had it been in the arm, shape (U,).

    With the hazard of everybody together a person's part (a martingale residual) does not depend on the arms.
    """
    import pandas as pd

    what = "randomisation_test"
    if len(data.arms) > 2:
        raise EstimationError(
            f"{what}: with more than two arms say what is compared: statistic=lambda d: oc.compare(…)."
        )
    must_name_cause(data, cause, what)
    if cause is not None and cause not in data.causes:
        raise EstimationError(f"{what}: no cause {cause!r}. {did_you_mean(cause, data.causes)}")
    asked = resolve(data, None, None, "model", what=what)
    code = 1 if cause is None else 1 + data.causes.index(cause)
    died, count = (np.asarray(data.event) == code).astype(np.int64), asked.count[data.person]
    if not died.any():
        raise EstimationError(f"{what}: nobody had the event; there is nothing to test.")
    table = risk_table(np.asarray(data.entry), np.asarray(data.exit), died, count, count, 1)
    spent = np.append(0.0, np.cumsum(table.per_at_risk(table.ended)))
    residual = count * (died - (spent[table.last + 1] - spent[table.first]))
    each = np.bincount(unit[data.person], weights=residual).astype(np.float64)
    labels = pd.DataFrame(
        [
            {
                "outcome": data.labels.get("outcome", ""),
                "arm": data.arms[1],
                "reference": data.arms[0],
                "cause": data.causes[code - 1],
                "measure": "observed_less_expected",
            }
        ]
    )
    return Numbers(labels, np.array([residual[data.row_arm == 1].sum()]), what=what), each
