"""Cause-specific Cox regressions of every cause at once: the function people call and the result they get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Note, Result
from outcomes.survival.cox_model import Cox, fit_cox
from outcomes.survival.inputs import ClusterLike, WeightsLike

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CauseSpecific", "cause_specific"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CauseSpecific(Result):
    """One fitted Cox model a cause, the other causes taken as censoring.

    Attributes
    ----------
    models : mapping of str to Cox
        In the order of the causes of the data; causes nobody had are not among them.
    """

    models: Mapping[str, Cox]
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    tabled: ClassVar[bool] = True
    drawing: ClassVar[str | None] = "intervals"
    title: ClassVar[str] = "Cause-specific Cox regressions"

    def __getitem__(self, cause: str) -> Cox:
        """Return the model of one cause."""
        if cause not in self.models:
            raise EstimationError(f"cause_specific: no model of {cause!r}. {did_you_mean(cause, self.models)}")
        return self.models[cause]

    def to_frame(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row a cause and term, columns as those of `cox`: log hazard ratios, or hazard ratios with ``exponentiate=True``."""
        import pandas as pd

        return pd.concat([m.to_frame(exponentiate=exponentiate) for m in self.models.values()], ignore_index=True)

    def summary(self) -> pd.DataFrame:
        """Return hazard ratios with limits, one row a cause and term."""
        import pandas as pd

        return pd.concat([m.summary().assign(cause=cause) for cause, m in self.models.items()], ignore_index=True)[
            ["cause", "term", "hazard_ratio", "conf_low", "conf_high", "p_value"]
        ]

    def tests(self) -> pd.DataFrame:
        """Return the tests of all terms at once, by cause: cause, test, statistic, df, df_residual, p_value.

        The row ``all`` asks whether any term matters for any cause: the likelihood of all causes is the product of their own, so
        their Wald statistics add up. It is not given where the variance is robust.
        """
        import pandas as pd
        from scipy.special import chdtrc

        frame = pd.concat([m.tests().assign(cause=cause) for cause, m in self.models.items()], ignore_index=True)[
            ["cause", "test", "statistic", "df", "df_residual", "p_value"]
        ]
        if any(m.asked.variance != "model" for m in self.models.values()):
            return frame
        wald = frame[frame["test"] == "wald"]
        statistic, df = float(wald["statistic"].sum()), int(wald["df"].sum())
        whole = {
            "cause": "all",
            "test": "wald",
            "statistic": statistic,
            "df": df,
            "df_residual": float("inf"),
            "p_value": float(chdtrc(df, statistic)),
        }
        return pd.concat([frame, pd.DataFrame([whole])], ignore_index=True)

    def describe(self) -> str:
        """Return the hazard ratios of every cause in plain sentences."""
        each = " ".join(model.describe() for model in self.models.values())
        return (
            f"{each} Each is about the rate among people who have had none of the causes; no one of them alone says how many people "
            "will have the event."
        )


def cause_specific(
    data: SurvivalData,
    formula: str,
    *,
    weights: WeightsLike = None,
    strata: str | Sequence[str] | None = None,
    cluster: ClusterLike = None,
    ties: str = "efron",
    robust: bool | None = None,
    conf_level: float = 0.95,
) -> CauseSpecific:
    """Fit a Cox model to the hazard of every cause, the other causes taken as censoring.

    Use it beside `fine_gray`: what a term does to the rate of each cause explains what it does to the incidence of one.

    Parameters
    ----------
    data : SurvivalData
    formula : str
        The same terms for every cause, as in `cox`.
    weights, strata, cluster, ties, robust, conf_level
        As in `cox`.

    Returns
    -------
    CauseSpecific
        ``to_frame()`` has one row a cause and term, with the columns of `cox`; ``result["sexual"]`` is one cause's model.

    Raises
    ------
    EstimationError
        As `cox`; nobody had any of the causes.

    Notes
    -----
    A cause nobody had is left out, with a note. Late entry, several rows a person, ties, weights and clusters are as in `cox`.

    References
    ----------
    Prentice et al. (1978), Biometrics 34:541; Latouche et al. (2013), Journal of Clinical Epidemiology 66:648.

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"week": [1, 2, 3, 4, 5, 6, 7, 8], "end": [1, 2, 1, 0, 1, 2, 1, 0], "x": [1, 0, 0, 1, 1, 1, 0, 1]})
    >>> data = oc.survival_data(frame, duration="week", event="end", causes={1: "arrest", 2: "death"}, unit="weeks")
    >>> oc.cause_specific(data, "x").to_frame()[["cause", "term", "estimate"]].round(3)
        cause term  estimate
    0  arrest    x    -0.577
    1   death    x    -0.490
    """
    must_be_data(data, "cause_specific(data, formula)")
    event = np.asarray(data.event)
    present = [cause for k, cause in enumerate(data.causes, start=1) if (event == k).any()]
    if not present:
        raise EstimationError("cause_specific: nobody had any of the causes; there is nothing to fit.")
    models = {
        cause: fit_cox(
            data, formula, cause=cause, weights=weights, strata=strata, cluster=cluster, ties=ties, robust=robust,
            conf_level=conf_level, what="cause_specific",
        )
        for cause in present
    }  # fmt: skip
    own = [
        Note(note.code, f"{cause}: {note.text}")
        for cause, model in models.items()
        for note in model.notes[len(data.notes) :]
    ]
    absent = [cause for cause in data.causes if cause not in present]
    if absent:
        own.append(Note("no_events_of_cause", f"Nobody had {', '.join(absent)}; there is no model of it."))
    return CauseSpecific(models=MappingProxyType(models), notes=(*data.notes, *own))
