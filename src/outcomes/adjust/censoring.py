"""Weights that undo censoring, of clones that departed from their strategy or of people who were lost: the function people call."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from outcomes.adjust.departures import weights_of_arm
from outcomes.adjust.weights_in_view import InViewWeights, weights_in_view
from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, NotSupportedError
from outcomes.results import Array, IntArray, Note, Weights, read_only
from outcomes.survival.design_matrix import design_matrix

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.cloning import Clones

__all__ = ["CensoringWeights", "censoring_weights"]

_LARGE = 20.0
_THIN = 50  # effective clones below which it is said


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CensoringWeights(Weights):
    """Weights of clones over time; N rows of the data, K months of the grace period.

    Attributes
    ----------
    within : ndarray, shape (N,)
        One over the chance of having kept to the strategy so long.
    after_grace : ndarray, shape (P,)
        What each clone weighs that kept to its strategy through the grace period; 0 for the others.
    departed : ndarray of int, shape (A, K + 1)
        Clones not made because of what was started by time zero, and clones that departed, by month.
    formula : str
    """

    after_grace: Array
    departed: IntArray
    formula: str

    title: ClassVar[str] = "Censoring weights"

    @property
    def effective_sample_size(self) -> dict[str, float]:
        """Kish's effective sample size by arm of the clones that kept to their strategy through the grace period."""
        sizes: dict[str, float] = {}
        for index, name in enumerate(self.arms):
            w = self.after_grace[self.arm == index]
            sizes[name] = float(w.sum() ** 2 / (w**2).sum()) if (w > 0).any() else 0.0
        return sizes

    def summary(self) -> pd.DataFrame:
        """Return one row an arm.

        Columns: arm, estimand, n (clones with time at risk), n_departed, n_kept (followed beyond the grace period as their strategy
        says), effective_sample_size (of those kept), largest_weight.
        """
        import pandas as pd

        sizes = self.effective_sample_size
        rows = []
        for index, name in enumerate(self.arms):
            mine = self.arm == index
            rows.append(
                {
                    "arm": name,
                    "estimand": self.estimand,
                    "n": int(mine.sum()),
                    "n_departed": int(self.departed[index, 1:].sum()),
                    "n_kept": int((self.after_grace[mine] > 0).sum()),
                    "effective_sample_size": sizes[name],
                    "largest_weight": float(self.after_grace[mine].max(initial=0.0)),
                }
            )
        return pd.DataFrame(rows)

    def describe(self) -> str:
        """Return how many clones kept to their strategy, and how many they count as, in sentences."""
        parts = [
            f"{row['arm']}: {row['n']:,} clones, of whom {row['n_departed']:,} departed; the {row['n_kept']:,} followed beyond the grace "
            f"period as it says count as {row['effective_sample_size']:,.0f}"
            for row in self.summary().to_dict("records")
        ]
        return f"Weights against the censoring of clones that departed from their strategy. {'; '.join(parts)}."


def censoring_weights(
    data: SurvivalData, formula: str, *, weights: Weights | None = None, truncate: float | None = None
) -> CensoringWeights | InViewWeights:
    """Weight those who stay in view so that they stand for those like them who do not.

    Use it where people are lost who are not like those who stay, and with ``[time_zero] strategy = "clone_censor_weight"``: without these
    weights the curves of clones are biased, because who starts a programme soon is not like who never does.

    Parameters
    ----------
    data : SurvivalData
        Follow-up cut by `split_follow_up`, so that weights can change over time; or a cohort of clones: ``cohort.outcome(name)``.
    formula : str
        Columns of ``data.frame`` that decide who is censored, the arm among them where it does; they may change over time. Of clones:
        covariates at time zero that decide who starts what. All of them that matter for the outcome.
    weights : Weights, optional
        What `weight` gives: the product is returned, for the same estimand. Not for clones.
    truncate : float, optional
        Share of the rows, such as 0.99, above whose weight no weight may lie; the number cut down is noted.

    Returns
    -------
    InViewWeights or, of clones, CensoringWeights
        To be given to an estimator as ``weights=``. ``summary()``: arm, estimand, n, n_censored, effective_sample_size, largest_weight;
        of clones n_departed and n_kept in place of n_censored.

    Raises
    ------
    EstimationError
        Everybody has one row; nobody was censored; covariates that are missing, constant or collinear; a model that does not converge; of
        clones: nobody started in the last month of the grace period, the covariates tell exactly who had started something else by
        time zero.
    NotSupportedError
        Data of every event of a person, of states or with row counts.

    Notes
    -----
    A row weighs one over the chance that its person was still in view just before the event times in it (their mean on the log scale),
    by a Cox model of censoring; cut at ``"events"`` that is exact. With `weights` the variance ``"stacked"`` knows that the score was
    estimated, and takes the chance of being in view as known, which errs to the safe side. `adjusted_curves` with ``method="iptw"`` knows
    both, for risks; these weights are for every other estimator.

    Of clones, a row weighs one over the chance that its clone had kept to the strategy so long. Departing is a hazard by covariates and
    month of the grace period (Poisson regression of departures on clone-months); rows are cut at months, and weigh what is right in the
    middle of theirs. Who complies can no longer depart. Who has not started by the end of the grace period departs there, all at once,
    so from then on those who started in its last month stand for all who had not started before it. The strategy described starts
    people as they started, and whoever was left by the last month as if on the last day of the grace period: with a grace period of a
    month or two this reads a little nearer to no effect than starting them within it would.
    Who had started something on or before time zero has one clone; the others' clones in the other arms stand for that person's by a
    logistic regression. A hazard that is the same within a month fits starts that come on any day; where groups open on a few days that
    all arms share, it does not.
    Assumes that all that decides both about starting and about the outcome was known at time zero, and stands in the formula.
    Variances sum clones by person, and take the weights as known. Weights are not stabilised: it would change who stands for whom.

    References
    ----------
    Robins & Finkelstein (2000), Biometrics 56:779. Clones: Hernán (2018), BMJ 360:k182; Maringe et al. (2020), International Journal of
    Epidemiology 49:1719.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> lost = load_rossi().assign(seen=lambda f: f[["week", "age"]].min(axis=1), arrest=lambda f: f["arrest"] * (f["week"] <= f["age"]))
    >>> data = oc.survival_data(lost, duration="seen", event="arrest", unit="weeks")
    >>> cut = oc.split_follow_up(data, "events")
    >>> curve = oc.kaplan_meier(cut, weights=oc.censoring_weights(cut, "prio"))
    >>> curve.at(30)["estimate"].round(3).tolist()
    [0.853]

    Of clones:

    >>> cohort = oc.build_cohort(oc.load_tables("data"), oc.read_study("study.toml"))  # doctest: +SKIP
    >>> data = cohort.outcome("any")  # doctest: +SKIP
    >>> w = oc.censoring_weights(data, "age_at_time_zero + C(risk_band)")  # doctest: +SKIP
    >>> oc.compare(oc.cumulative_incidence(data, weights=w), measure="risk_difference", at="2y")  # doctest: +SKIP
    """
    must_be_data(data, "censoring_weights(data, formula)")
    if truncate is not None and not 0.5 <= truncate < 1:
        raise EstimationError(f"censoring_weights: truncate is a share of the rows, such as 0.99; got {truncate}.")
    if data.clones is None:
        return weights_in_view(data, formula, weights, truncate)
    if weights is not None:
        raise NotSupportedError(
            "censoring_weights: clones stand in every arm, so that there is no score to weigh them by beside."
        )
    clones = data.clones
    matrix = design_matrix(formula, data.baseline, arm=None, what="censoring_weights")
    shape = (len(data.baseline), len(clones.edges))
    weight, inside = np.ones(shape), np.ones(shape)
    departed = np.zeros((len(data.arms), shape[1]), dtype=np.int64)
    plain: list[str] = []
    for index, arm in enumerate(data.arms):
        mine = np.flatnonzero(data.arm == index)
        treated = index != clones.untreated
        kept = weights_of_arm(clones, mine, matrix.values, matrix.columns, treated=treated, arm=arm)
        weight[mine], inside[mine], departed[index] = kept.weight, kept.inside, kept.departed
        plain += kept.plain
    month = np.searchsorted(clones.edges[1:], data.entry, side="right")
    within, cut = (weight * inside)[data.person, month], 0
    if truncate is not None:
        most = float(np.quantile(within, truncate))
        cut = int((within > most).sum())
        within, weight = np.minimum(within, most), np.minimum(weight, most)
    beyond = np.zeros(len(data.baseline), dtype=bool)
    beyond[data.person[data.entry >= clones.edges[-1]]] = True
    after = np.where(beyond, weight[:, -1], 0.0)
    return CensoringWeights(
        values=read_only(np.ones(len(data.baseline))),
        estimand="ate",
        arm=data.arm,
        arms=data.arms,
        within=read_only(within),
        after_grace=read_only(after),
        departed=read_only(departed, np.int64),
        formula=formula,
        notes=_notes(data, clones, after, plain, departed, cut),
        provenance=MappingProxyType({"formula": formula, "truncate": truncate}),
    )


def _notes(
    data: SurvivalData, clones: Clones, after: Array, plain: list[str], departed: IntArray, cut: int
) -> tuple[Note, ...]:
    notes = []
    if before := int(departed[:, 0].sum()):
        text = (
            f"{before:,} clones were not made, because the person had started something else on or before time zero; those of the same "
            "covariates stand for them."
        )
        notes.append(Note("started_before", text))
    if plain:
        text = f"Too few to ask covariates about {', '.join(plain)}; there all weigh the same."
        notes.append(Note("few_departures", text))
    for index, arm in enumerate(data.arms):
        largest = float(after[data.arm == index].max(initial=0.0))
        if largest > _LARGE:
            text = (
                f"In arm {arm} one clone stands for {largest:.0f}: few like it kept to this strategy. Look at the summary, and consider a "
                "longer grace period or truncate=."
            )
            notes.append(Note("large_weight", text))
        kept = after[data.arm == index]
        size = float(kept.sum() ** 2 / (kept**2).sum()) if (kept > 0).any() else 0.0
        if size < max(_THIN, 0.1 * int((kept > 0).sum())):
            text = (
                f"In arm {arm} the {int((kept > 0).sum()):,} clones that kept to their strategy count as {size:.0f}: curves and intervals "
                "after the grace period stand on that many."
            )
            notes.append(Note("few_effective", text))
    if cut:
        notes.append(Note("truncated", f"{cut:,} of {len(data.exit):,} rows had their weight cut down."))
    return tuple(notes)
