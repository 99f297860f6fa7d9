"""Cumulative hazards by arm (Nelson–Aalen, and the tie-corrected form)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.durations import in_words, moments_of
from outcomes.errors import NotSupportedError, one_of
from outcomes.results import Array, Note, Result
from outcomes.survival.curve_results import fit_arms
from outcomes.survival.curves import event_of
from outcomes.survival.estimates import variance_over_time
from outcomes.survival.few_clusters import about_clusters_of_arms, reach_of_arm
from outcomes.survival.inputs import ClusterLike, WeightsLike, known_weights, normal_quantile, resolve
from outcomes.survival.risk_table import RiskTable

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["NelsonAalen", "nelson_aalen"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class NelsonAalen(Result):
    """Cumulative hazard by arm at every event or censoring time."""

    frame: pd.DataFrame
    unit: str = "days"
    conf_level: float = 0.95
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "predicted_curves"
    title: ClassVar[str] = "Nelson–Aalen"

    def to_frame(self) -> pd.DataFrame:
        """Return one row an arm and time: arm, time, estimate, std_error, conf_low, conf_high, n_at_risk, n_events."""
        return self.frame.copy()

    def at(self, times: float | str | Iterable[float | str]) -> pd.DataFrame:
        """Return the cumulative hazard at chosen times, one row an arm and time; missing beyond the last observation."""
        import pandas as pd

        moments = moments_of(times, self.unit).tolist()
        rows = []
        for arm, part in self.frame.groupby("arm", sort=False):
            at = part["time"].to_numpy()
            for moment in moments:
                upto = int(np.searchsorted(at, moment, side="right"))
                row: dict[str, Any] = {"arm": arm, "time": moment}
                for name in ("estimate", "std_error", "conf_low", "conf_high"):
                    known = moment <= at[-1]
                    row[name] = float("nan") if not known else 0.0 if upto == 0 else float(part[name].iloc[upto - 1])
                rows.append(row)
        return pd.DataFrame(rows)

    def summary(self) -> pd.DataFrame:
        """Return the last row of each arm, n_events being all of the arm's."""
        by_arm = self.frame.groupby("arm", sort=False)
        return by_arm.tail(1).assign(n_events=by_arm["n_events"].sum().to_numpy()).reset_index(drop=True)

    def describe(self) -> str:
        """Return the cumulative hazard at the end of each arm."""
        parts = [
            f"{r['arm']}: {r['estimate']:.3f} by {in_words(r['time'], self.unit)} "
            f"({r['conf_low']:.3f} to {r['conf_high']:.3f})"
            for r in self.summary().to_dict("records")
        ]
        return "Cumulative hazard (events expected of one person always at risk): " + "; ".join(parts) + "."


def nelson_aalen(
    data: SurvivalData,
    *,
    weights: WeightsLike = None,
    cause: str | None = None,
    ties: str = "nelson-aalen",
    conf_level: float = 0.95,
    cluster: ClusterLike = None,
    variance: str | None = None,
) -> NelsonAalen:
    """Estimate the cumulative hazard by arm.

    Use it to see whether hazards are steady, or as a covariate in imputation.

    Parameters
    ----------
    data : SurvivalData
    weights : Weights, str or array of shape (P,) or (N,), optional
        Sampling weights, one a person, or one a row where they change over time.
    cause : str, optional
        As in `kaplan_meier`: a cause's hazard with the others censored, or ``"any"``.
    ties : {"nelson-aalen", "fleming-harrington"}
        The second lets tied events happen one after another (tie-corrected).
    conf_level : float
    cluster : str or array of shape (P,), optional
        Column of ``data.baseline`` (or codes) whose groups vary together. Default: the cluster of the data.
    variance : {"model", "robust", "stacked"}, optional
        Default: the sum of events over squared numbers at risk (or its tie-corrected form) for plain data; the infinitesimal
        jackknife by person or cluster where there are weights, clusters or several rows a person.

    Returns
    -------
    NelsonAalen
        ``to_frame()``: arm, time, estimate, std_error, conf_low, conf_high (on the log scale), n_at_risk, n_events (at the time).

    Raises
    ------
    NotSupportedError
        The tie-corrected form with weights, clusters or several rows a person.

    References
    ----------
    Nelson (1972), Technometrics 14:945; Aalen (1978), Annals of Statistics 6:701; Fleming & Harrington (1984),
    Communications in Statistics 13:2469.

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"week": [5, 8, 9, 12], "arrest": [1, 0, 1, 0]})
    >>> oc.nelson_aalen(oc.survival_data(frame, duration="week", event="arrest")).at(9)["estimate"].tolist()
    [0.75]
    """
    import pandas as pd

    must_be_data(data, "nelson_aalen(data)")
    one_of(ties, ("nelson-aalen", "fleming-harrington"), what="nelson_aalen: ties")
    normal_quantile(conf_level)
    event, _, notes = event_of(data, cause, what="nelson_aalen")
    asked = resolve(data, weights, cluster, variance, what="nelson_aalen")
    corrected = ties == "fleming-harrington"
    if corrected and asked.variance != "model":
        raise NotSupportedError(
            "nelson_aalen: the tie-corrected hazard has no variance here for weights, clusters or several rows a person; "
            "use ties='nelson-aalen'."
        )
    fits, rows, more = fit_arms(data, asked, event, 1, "nelson_aalen")
    frames = []
    for index, (arm, fit, inside) in enumerate(zip(data.arms, fits, rows, strict=True)):
        step, spread = _increments(fit.table, corrected=corrected)
        total, error = np.cumsum(step), np.sqrt(np.cumsum(spread))
        if asked.variance != "model":
            error = np.sqrt(variance_over_time(asked, fit.hazard_path(), data, inside))[1:]
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.exp(reach_of_arm(data, asked, index, conf_level) * error / total)
        frames.append(
            pd.DataFrame(
                {
                    "arm": arm,
                    "time": fit.times,
                    "estimate": total,
                    "std_error": error,
                    "conf_low": np.where(total > 0, total / reach, np.nan),
                    "conf_high": np.where(total > 0, total * reach, np.nan),
                    "n_at_risk": fit.table.n_at_risk.astype(np.int64),
                    "n_events": fit.table.n_events[0].astype(np.int64),
                }
            )
        )
    return NelsonAalen(
        frame=pd.concat(frames, ignore_index=True),
        unit=data.unit,
        conf_level=conf_level,
        notes=(*data.notes, *notes, *more, *about_clusters_of_arms(data, asked), *known_weights(asked)),
    )


def _increments(table: RiskTable, *, corrected: bool) -> tuple[Array, Array]:
    """Return the steps of the cumulative hazard and of its variance at each time, shape (T,)."""
    ended, at_risk = table.ended, table.at_risk
    if not corrected:
        step = table.per_at_risk(ended)
        return step, table.per_at_risk(step)
    times = np.repeat(np.arange(len(ended)), ended.astype(np.int64))
    first = np.cumsum(ended) - ended
    left = at_risk[times] - (np.arange(len(times)) - first[times])
    size = len(ended)
    return (
        np.asarray(np.bincount(times, weights=1 / left, minlength=size), dtype=np.float64),
        np.asarray(np.bincount(times, weights=1 / left**2, minlength=size), dtype=np.float64),
    )
