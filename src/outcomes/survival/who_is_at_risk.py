"""The risk table as people see it: who enters, leaves, is at risk and has an event at each time, by arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.design.event_codes import count_columns
from outcomes.results import Array, Note, Result
from outcomes.survival.arm_curves import fit_arms
from outcomes.survival.inputs import Asked, WeightsLike, resolve
from outcomes.survival.risk_table import RiskTable, risk_table

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.survival.curve_kernel import ArmCurve

__all__ = ["RiskSets", "risk_sets"]

_COUNTED = ("at_risk", "entered", "censored")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class RiskSets(Result):
    """Risk tables of all arms: what curves, hazards and tests are computed from."""

    frame: pd.DataFrame
    causes: tuple[str, ...]
    weighted: bool
    unit: str = "days"
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Risk table"
    instead: ClassVar[str] = "kaplan_meier(data).plot() draws the curves with people at risk under them."

    def to_frame(self) -> pd.DataFrame:
        """Return one row an arm and distinct time; columns as in `risk_sets`."""
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return one row an arm: arm, times, n_entered, n_censored and events by cause over all times."""
        counts = ["n_entered", "n_censored", *(f"n_{name}" for name in count_columns(self.causes, _COUNTED))]
        by_arm = self.frame.groupby("arm", sort=False)
        return by_arm[counts].sum().assign(times=by_arm.size()).reset_index()[["arm", "times", *counts]]

    def describe(self) -> str:
        """Return the size of each arm's table in words."""
        parts = [
            f"{row['arm']}: {row['n_entered']:,} at risk over {row['times']:,} times"
            for row in self.summary().to_dict("records")
        ]
        return "Risk table. " + "; ".join(parts) + "."


def risk_sets(data: SurvivalData, *, weights: WeightsLike = None) -> RiskSets:
    """Return the risk table of each arm: the counts that every curve, hazard and test here is computed from.

    Use it to see what an estimate stands on, or to compute one by hand.

    Parameters
    ----------
    data : SurvivalData
    weights : Weights, str or array of shape (P,) or (N,), optional
        Sampling weights, one a person, or one a row where they change over time. Rows that weigh nothing are left out.

    Returns
    -------
    RiskSets
        ``to_frame()``: one row an arm and distinct time somebody's row ended at, with arm, time, n_at_risk (on (entry, exit], just
        before the time), n_entered (since the time before), n_censored, and ``n_<cause>`` for each cause (``n_<cause>_event`` where a cause
        is called at_risk, entered or censored). With weights also
        the sums of weights ``w_at_risk``, ``w_entered``, ``w_censored``, ``w_<cause>``, and ``w2_at_risk``, the sum of
        squared weights: w_at_risk² / w2_at_risk people would be as good. A person with several rows enters with each.

    Raises
    ------
    EstimationError
        An arm without people; weights that are negative, missing or all 0.

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"week": [5, 8, 8, 12], "arrest": [1, 0, 1, 0]})
    >>> oc.risk_sets(oc.survival_data(frame, duration="week", event="arrest")).to_frame()[["time", "n_at_risk", "n_arrest"]].values.tolist()
    [[5.0, 4.0, 1.0], [8.0, 3.0, 1.0], [12.0, 1.0, 0.0]]
    """
    import pandas as pd

    must_be_data(data, "risk_sets(data)")
    asked = resolve(data, weights, None, None, what="risk_sets")
    fits, _, notes = fit_arms(data, asked, np.asarray(data.event), len(data.causes), "risk_sets")
    frames = [
        pd.DataFrame({"arm": arm, "time": fit.times, **_counts(data, fit.table), **_weights(data, asked, fit)})
        for arm, fit in zip(data.arms, fits, strict=True)
    ]
    return RiskSets(
        frame=pd.concat(frames, ignore_index=True),
        causes=data.causes,
        weighted=asked.weighted,
        unit=data.unit,
        notes=(*data.notes, *notes),
    )


def _counts(data: SurvivalData, table: RiskTable) -> dict[str, Array]:
    """Return the columns that count people."""
    causes = {f"n_{name}": table.n_events[k] for k, name in enumerate(count_columns(data.causes, _COUNTED))}
    columns = {
        "n_at_risk": table.n_at_risk,
        "n_entered": table.n_entered,
        "n_censored": table.n_censored,
        **causes,
    }
    return {name: values.astype(np.int64) for name, values in columns.items()}


def _weights(data: SurvivalData, asked: Asked, fit: ArmCurve) -> dict[str, Array]:
    """Return the columns that sum weights; none where there are none."""
    if not asked.weighted:
        return {}
    table = fit.table
    # a row of f people weighs f times its weight, and its squares add up to f times its square
    square = fit.weight**2 / fit.count
    squared = risk_table(fit.entry, fit.exit, fit.event, square, fit.count, len(data.causes), times=fit.times)
    return {
        "w_at_risk": table.at_risk,
        "w2_at_risk": squared.at_risk,
        "w_entered": table.entered,
        "w_censored": table.censored,
        **{f"w_{name}": table.events[k] for k, name in enumerate(count_columns(data.causes, _COUNTED))},
    }
