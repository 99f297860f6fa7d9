"""Cumulative hazards by arm (Nelson–Aalen, and the tie-corrected form)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.durations import days
from outcomes.errors import NotSupportedError, one_of
from outcomes.results import Array, Note, Result
from outcomes.survival.curve_kernel import ArmCurve
from outcomes.survival.curves import kaplan_meier
from outcomes.survival.inputs import normal_quantile

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["NelsonAalen", "nelson_aalen"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class NelsonAalen(Result):
    """Cumulative hazard by arm at every event or censoring time."""

    frame: pd.DataFrame
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Nelson–Aalen"

    def to_frame(self) -> pd.DataFrame:
        """Return one row an arm and time: arm, time, estimate, std_error, conf_low, conf_high, n_at_risk, n_events."""
        return self.frame.copy()

    def at(self, times: float | str | Iterable[float | str]) -> pd.DataFrame:
        """Return the cumulative hazard at chosen times, one row an arm and time; missing beyond the last observation."""
        import pandas as pd

        moments = [times] if isinstance(times, (str, int, float)) else list(times)
        rows = []
        for arm, part in self.frame.groupby("arm", sort=False):
            at = part["time"].to_numpy()
            for moment in (days(t, what="time") for t in moments):
                upto = int(np.searchsorted(at, moment, side="right"))
                row: dict[str, Any] = {"arm": arm, "time": moment}
                for name in ("estimate", "std_error", "conf_low", "conf_high"):
                    known = moment <= at[-1]
                    row[name] = float("nan") if not known else 0.0 if upto == 0 else float(part[name].iloc[upto - 1])
                rows.append(row)
        return pd.DataFrame(rows)

    def summary(self) -> pd.DataFrame:
        """Return the last row of each arm."""
        return self.frame.groupby("arm", sort=False).tail(1).reset_index(drop=True)

    def describe(self) -> str:
        """Return the cumulative hazard at the end of each arm."""
        parts = [f"{r['arm']}: {r['estimate']:.3f} by {r['time']:g}" for r in self.summary().to_dict("records")]
        return "Cumulative hazard: " + "; ".join(parts) + "."


def nelson_aalen(
    data: SurvivalData, *, cause: str | None = None, ties: str = "nelson-aalen", conf_level: float = 0.95
) -> NelsonAalen:
    """Estimate the cumulative hazard by arm.

    Use it to see whether hazards are steady, or as a covariate in imputation.

    Parameters
    ----------
    data : SurvivalData
    cause : str, optional
        As in `kaplan_meier`.
    ties : {"nelson-aalen", "fleming-harrington"}
        The second spreads tied events over one another (tie-corrected).
    conf_level : float

    Returns
    -------
    NelsonAalen
        ``to_frame()``: arm, time, estimate, std_error, conf_low, conf_high (on the log scale), n_at_risk, n_events.

    Raises
    ------
    NotSupportedError
        Clustered data or several rows a person, whose variance this is not.

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

    one_of(ties, ("nelson-aalen", "fleming-harrington"), what="nelson_aalen: ties")
    if data.multi_row:
        raise NotSupportedError(
            "nelson_aalen: several rows a person are not supported yet; use kaplan_meier, whose variance knows them."
        )
    curves = kaplan_meier(data, cause=cause, variance="greenwood")
    critical = normal_quantile(conf_level)
    frames = []
    for arm, fit in zip(data.arms, curves.fits, strict=True):
        step, spread = _increments(fit, corrected=ties == "fleming-harrington")
        total, error = np.cumsum(step), np.sqrt(np.cumsum(spread))
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.exp(critical * error / total)
        frames.append(
            pd.DataFrame(
                {
                    "arm": arm,
                    "time": fit.times,
                    "estimate": total,
                    "std_error": error,
                    "conf_low": total / reach,
                    "conf_high": total * reach,
                    "n_at_risk": fit.n_at_risk.astype(np.int64),
                    "n_events": fit.n_events[0].astype(np.int64),
                }
            )
        )
    return NelsonAalen(frame=pd.concat(frames, ignore_index=True), notes=curves.notes)


def _increments(fit: ArmCurve, *, corrected: bool) -> tuple[Array, Array]:
    """Return the steps of the cumulative hazard and of its variance at each time, shape (T,)."""
    ended, at_risk = fit.ended, fit.at_risk
    if not corrected:
        step = np.divide(ended, at_risk, out=np.zeros(len(ended)), where=at_risk > 0)
        return step, np.divide(ended, at_risk**2, out=np.zeros(len(ended)), where=at_risk > 0)
    times = np.repeat(np.arange(len(ended)), ended.astype(np.int64))
    first = np.cumsum(ended) - ended
    left = at_risk[times] - (np.arange(len(times)) - first[times])
    size = len(ended)
    return (
        np.asarray(np.bincount(times, weights=1 / left, minlength=size), dtype=np.float64),
        np.asarray(np.bincount(times, weights=1 / left**2, minlength=size), dtype=np.float64),
    )
