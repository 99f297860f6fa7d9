"""How risk goes with the fidelity of people's groups: the table, the curve, the thirds, the sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from outcomes.comparison.comparing import verdict
from outcomes.comparison.fidelity_models import THIRDS, Line
from outcomes.comparison.hazard_ratios import proportional_in_words
from outcomes.comparison.sentences import NO_RATIO, runs_away
from outcomes.durations import in_words
from outcomes.results import Array, Note, Result, p_in_words, read_only

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["FidelityEffect"]

_COLUMNS = ("outcome", "population", "analysis", "measure", "arm", "reference", "time", "estimate", "std_error", "df", "p_value", "p_wild",
            "p_proportional", "conf_low", "conf_high", "value_reference", "value_arm", "n", "n_events", "n_groups", "n_clusters",
            "verdict")  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class FidelityEffect(Result):
    """Hazard and risk by the score of people's groups, within one arm.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it.
    line : Line
        What `curve` gives.
    scores : ndarray, shape (G,)
        Mean score of each group.
    mean, spread : float
        Mean and standard deviation of the groups' scores.
    arm, scale, monitoring, clustered_by : str
        Within which arm; on which scale; which monitoring counts; what varies together.
    """

    frame: pd.DataFrame
    line: Line
    scores: Array
    mean: float
    spread: float
    arm: str
    scale: str
    monitoring: str
    clustered_by: str
    outcome: str
    horizon: float
    conf_level: float
    margin: float | None
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "fidelity"
    title: ClassVar[str] = "Reoffending by fidelity of delivery"

    @classmethod
    def build(
        cls,
        *,
        slope: list[dict[str, Any]],
        thirds: list[dict[str, Any]],
        scores: Array,
        of_person: Array,
        data: SurvivalData,
        outcome: str,
        horizon: float,
        margin: float | None,
        **rest: Any,
    ) -> Self:
        """Return the result of fitted models: counts of people and events beside each number, and its verdict."""
        import pandas as pd

        event = np.asarray(data.event) == 1 + data.causes.index(outcome)
        by_then = event & (np.asarray(data.exit) <= horizon)
        cuts = np.quantile(scores, [1 / 3, 2 / 3])
        own = np.array(THIRDS)[np.searchsorted(cuts, of_person, side="left")]
        group = np.array(THIRDS)[np.searchsorted(cuts, scores, side="left")]
        rows = []
        for row in [*slope, *thirds]:
            pair = (row["arm"], row.get("reference", ""))
            whole = row["analysis"] == "per_sd"
            mine = np.ones(len(own), dtype=bool) if whole else np.isin(own, pair)
            counted = {
                "n": int(mine.sum()), "n_events": int(((event if row["measure"] == "hazard_ratio" else by_then) & mine).sum()),
                "n_groups": len(scores) if whole else int(np.isin(group, pair).sum()),
                "n_clusters": int(data.baseline.loc[mine, data.cluster].nunique()),
            }  # fmt: skip
            labels = {"outcome": outcome, "population": data.labels.get("population", ""), "time": _time(row, horizon)}
            said = "" if row["measure"] == "risk" else verdict(row, row["measure"], margin if whole else None)
            rows.append({"reference": "", **row, **counted, **labels, "verdict": said})
        return cls(
            frame=pd.DataFrame(rows).reindex(columns=list(_COLUMNS)), scores=read_only(np.sort(scores)), mean=float(scores.mean()),
            spread=float(scores.std(ddof=1)), outcome=outcome, horizon=horizon, margin=margin, **rest,
        )  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """Return one row an analysis, measure and contrast; columns as `fidelity_effect` says.

        ``per_sd`` are of one standard deviation of the groups' scores, ``tertile`` of the middle and the highest third of groups against
        the lowest (and ``risk`` in each). Hazard ratios are over the whole follow-up (time missing), with all events; their std_error is of
        the logarithm. Beside risks n_events are those by the horizon.
        """
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return analysis, measure, arm, reference, estimate, conf_low, conf_high, p_value, verdict."""
        names = ["analysis", "measure", "arm", "reference", "estimate", "conf_low", "conf_high", "p_value", "verdict"]
        return self.frame.loc[self.frame["measure"] != "risk", names].reset_index(drop=True)

    def curve(self) -> pd.DataFrame:
        """Return the hazard ratio against the groups' mean score: score, estimate, conf_low, conf_high."""
        import pandas as pd

        line = self.line
        return pd.DataFrame({"score": line.score, "estimate": line.ratio, "conf_low": line.low, "conf_high": line.high})

    def thirds(self) -> pd.DataFrame:
        """Return each third of groups: third, score_low, score_high, n_groups, and its standardised risk (estimate, conf_low, conf_high).

        Risks are missing where thirds are not compared.
        """
        import pandas as pd

        cuts = np.quantile(self.scores, [1 / 3, 2 / 3])
        place = np.searchsorted(cuts, self.scores, side="left")
        rows = []
        for code, name in enumerate(THIRDS):
            mine = self.scores[place == code]
            ends = (float(mine.min()), float(mine.max())) if len(mine) else (np.nan, np.nan)
            risk = self._row("tertile", "risk", name)
            found = {key: np.nan if risk is None else float(risk[key]) for key in ("estimate", "conf_low", "conf_high")}
            rows.append({"third": name, "score_low": ends[0], "score_high": ends[1], "n_groups": len(mine), **found})
        return pd.DataFrame(rows)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Who is looked at, and what goes with a better score, absolute before relative, in plain sentences."""
        first = self.frame.iloc[0]
        which = "" if self.monitoring == "group" else ", from scores up to each person's time zero"
        lead = (
            f"Within {self.arm}, {first['n']:,} people in {first['n_groups']:,} monitored groups ({first['n_clusters']:,} "
            f"{'cluster' if first['n_clusters'] == 1 else 'clusters'} by {self.clustered_by}); "
            f"{self.scale.replace('_', ' ')}, mean {self.mean:.2f}, standard deviation between groups "
            f"{self.spread:.2f}{which}."
        )
        risk = self._row("per_sd", "risk_difference")
        parts = []
        if risk is not None:
            parts.append(
                f"With everybody in groups half a standard deviation above the mean, an estimated {100 * risk['value_arm']:.1f} of 100 "
                f"would have a reoffence ({self.outcome}) by {in_words(self.horizon)}, half of one below "
                f"{100 * risk['value_reference']:.1f}: "
                f"{_points(risk['estimate'])} per 100 a standard deviation{self._limits(risk)} ({_events(risk)} by then)."
            )
        parts.append(
            f"Hazard ratio a standard deviation: {self._ratio(first)}"
            f" over the whole follow-up ({_events(first)}; {proportional_in_words(first['p_proportional'])})."
        )
        said = (first if risk is None else risk)["verdict"]
        if said.startswith("no difference") and self.margin is not None:
            said = f"no difference larger than {self.margin:g} per 100"
        parts = [lead, " ".join([*parts, f"Verdict for better delivered groups: {said}."])]
        thirds = [(third, self._row("tertile", "risk_difference", third)) for third in THIRDS[1:]]
        told = [
            f"{third}, {_points(row['estimate'])} per 100{self._limits(row)}"
            for third, row in thirds
            if row is not None
        ]
        if told:
            parts.append(f"Thirds of groups, against the lowest: {'; '.join(told)}.")
        return tuple(parts)

    def _ratio(self, row: Any) -> str:
        if runs_away(row):
            return NO_RATIO
        if not np.isfinite(row["conf_low"]):
            return f"{row['estimate']:.2f} (no interval; {p_in_words(row['p_value'])})"
        return f"{row['estimate']:.2f}{_between(row, self.conf_level)}"

    def describe(self) -> str:
        """Return the sentences together."""
        return " ".join(self.sentences)

    def _row(self, analysis: str, measure: str, arm: str | None = None) -> Any:
        mine = self.frame[(self.frame["analysis"] == analysis) & (self.frame["measure"] == measure)]
        mine = mine if arm is None else mine[mine["arm"] == arm]
        return None if mine.empty else mine.iloc[0]

    def _limits(self, row: Any) -> str:
        if not np.isfinite(row["conf_low"]):
            return " (no interval can be given)"
        low, high = _points(row["conf_low"]), _points(row["conf_high"])
        return f" ({100 * self.conf_level:g} % interval {low} to {high})"


def _time(row: Mapping[str, Any], horizon: float) -> float:
    return np.nan if row["measure"] == "hazard_ratio" else horizon


def _between(row: Any, conf_level: float) -> str:
    return f" ({100 * conf_level:g} % interval {row['conf_low']:.2f} to {row['conf_high']:.2f})"


def _events(row: Any) -> str:
    return f"{row['n_events']:,} {'event' if row['n_events'] == 1 else 'events'}"


def _points(value: float) -> str:
    return f"{100 * abs(value):.1f} {'fewer' if value < 0 else 'more'}"
