"""Wild score tests: whether arms differ, where clusters are few and need not lie in one arm; the function people call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.adjust.adjusted_results import AdjustedCurves
from outcomes.comparison.hazard_ratios import arm_term
from outcomes.comparison.null_scores import NullScore, as_estimated, of_coefficient, of_difference
from outcomes.comparison.wild_score_kernel import MULTIPLIERS, wild_score
from outcomes.design.data import must_name_cause
from outcomes.errors import EstimationError, NotSupportedError, must_be, one_of
from outcomes.results import IntArray, Note, Result, p_in_words
from outcomes.survival.cox_result import Cox
from outcomes.survival.cox_standardised import StandardisedCurves
from outcomes.survival.curves import CumulativeIncidence, KaplanMeier
from outcomes.survival.few_clusters import CLUSTER_NOTES
from outcomes.survival.inputs import Asked
from outcomes.survival.mean_counts import MeanCount
from outcomes.survival.restricted_mean import Rmst

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["WildScoreTest", "wild_score_test"]

_SIX_POINTS_BELOW = 8  # clusters: two points then give too few different statistics
_TOO_FEW = 3  # clusters of an arm, below which the test seldom finds anything (MacKinnon & Webb 2017)
_LEVEL = 0.05


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class WildScoreTest(Result):
    """Tests of no difference, their p-values from signs given to the clusters' scores by chance.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row a hypothesis.
    multipliers : str
        ``rademacher`` or ``webb``.
    """

    frame: pd.DataFrame
    multipliers: str
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Wild score test"
    tabled: ClassVar[bool] = True
    instead: ClassVar[str] = "What was tested has a picture: result.plot(), or compare(result, …).plot()."

    def to_frame(self) -> pd.DataFrame:
        """Return one row a hypothesis: outcome, estimand, term or arm and reference, cause, time, measure, estimate, statistic, p_value.

        Beside them smallest_p (the smallest p-value there could have been), n_clusters and n_draws.
        """
        return self.frame.copy()

    def describe(self) -> str:
        """Return each hypothesis with its p-value."""
        parts = []
        for row in self.frame.to_dict("records"):
            when = "" if np.isnan(row["time"]) else f" by {row['time']:g}"
            whom = row["term"] if row["term"] else f"{row['arm']} against {row['reference']}"
            parts.append(
                f"{whom}, {row['measure'].replace('_', ' ')}{when} {row['estimate']:.4g}: {p_in_words(row['p_value'])}"
            )
        signs = {"rademacher": "two points", "webb": "six points"}[self.multipliers]
        return f"Wild score test ({signs}, {self.frame['n_clusters'].max():,} clusters): {'; '.join(parts)}."


def wild_score_test(
    result: KaplanMeier | CumulativeIncidence | MeanCount | Rmst | Cox,
    *,
    at: float | str | Iterable[float | str] | None = None,
    cause: str | None = None,
    term: str | None = None,
    multipliers: str | None = None,
    draws: int = 10_000,
    seed: int = 2010,
) -> WildScoreTest:
    """Test that arms do not differ, with a wild bootstrap of the clusters' scores.

    Use it beside an interval that few clusters make too narrow, where `randomisation_test` does not apply: clusters hold people of both
    arms, or arms are weighted or adjusted by regression.

    Parameters
    ----------
    result : KaplanMeier, CumulativeIncidence, MeanCount, Rmst or Cox
        Made with clusters.
    at : time or list of times
        Required for curves.
    cause : str, optional
        Which cause's risk (cumulative incidence); default the outcome.
    term : str, optional
        Term of a Cox model whose coefficient is tested; default those of the arm.
    multipliers : {"rademacher", "webb"}, optional
        What clusters' scores are multiplied by: plus or minus 1, or one of six values. Default: six where fewer than 8 clusters count.
    draws : int
        All combinations are taken where there are no more than this; else one fewer are drawn, to which the observed one is added.
    seed : int

    Returns
    -------
    WildScoreTest
        ``to_frame()``: one row an arm (or term) and time with outcome, estimand, arm, reference, term, cause, time, measure, estimate,
        statistic (the score over its standard deviation, both under the hypothesis), p_value (two-sided), smallest_p, n_clusters,
        n_draws. Estimates are differences; of a Cox model log hazard ratios.

    Raises
    ------
    EstimationError
        No clusters, one arm, no time, a time beyond the follow-up of an arm, a term that is not there.
    NotSupportedError
        Exact ties, penalties, a model without a term for each arm; standardised and adjusted curves.

    Notes
    -----
    The score is that of the hypothesis: a coefficient held at 0 and the others estimated again, or a common value of the two arms. What
    was estimated on the way is accounted for: the score of the arm by its influences, other coefficients, the baseline hazard and the
    common value by one step with every draw (up to 200 clusters; with more it does not matter). Nothing is fitted again. Clusters must
    be independent. With few clusters the level holds where they are alike in what they hold (Canay, Santos & Shaikh 2021). In invented
    data without an effect, areas wholly in one arm, p was 0.05 or less in 4 to 6 %, and in 7 % for Cox models with 5 areas
    an arm, where t does as well (4 and 4 areas, 5 and 5, 9 and 9, 5 and 9 of unequal size, 3 and 10; limits on t: 6 to 12 %). With 2
    areas against 10 it was 1 % (t: 20 %): where an arm has two clusters the test seldom finds anything, and with one there is none.

    References
    ----------
    Kline & Santos (2012), Journal of Econometric Methods 1:23; Cameron, Gelbach & Miller (2008), Review of Economics and Statistics
    90:414; Webb (2014); MacKinnon & Webb (2017), Journal of Applied Econometrics 32:233; Canay, Santos & Shaikh (2021), Review of
    Economics and Statistics 103:346.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> frame = load_rossi().assign(town=lambda f: f.index % 9)
    >>> data = oc.survival_data(frame, duration="week", event="arrest", arm="fin", reference=0, cluster="town", unit="weeks")
    >>> oc.wild_score_test(oc.cox(data, "fin + age")).to_frame()["n_draws"].item()
    512
    """
    if isinstance(result, (StandardisedCurves, AdjustedCurves)):
        raise NotSupportedError(
            "wild_score_test: averages over people in every arm do not say what clusters would be were the arms alike; a test would be no "
            "better than their interval. Test the arm in a Cox model, or take randomisation_test(data, …)."
        )
    must_be(
        result, (Cox, Rmst, KaplanMeier, CumulativeIncidence, MeanCount), what="wild_score_test(result): result",
        expected="what kaplan_meier(…), cumulative_incidence(…), mean_count(…), rmst(…) or cox(…) gives",
    )  # fmt: skip
    if multipliers is not None:
        one_of(multipliers, MULTIPLIERS, what="wild_score_test: multipliers")
    if draws < 20:
        raise EstimationError(f"wild_score_test: draws must be 20 or more; got {draws}.")
    if isinstance(result, Cox):
        data, asked, hypotheses = result.data, result.asked, _of_model(result, at, cause, term)
    else:
        if term is not None:
            raise EstimationError("wild_score_test: term= is for a Cox model; leave it out here.")
        curves = result.curves if isinstance(result, Rmst) else result
        data, asked, hypotheses = curves.data, curves.asked, _of_arms(result, curves, at, cause)
    chosen = multipliers or _default(hypotheses)
    rows, alone = [], _alone(data, asked)
    for place, (labels, score) in enumerate(hypotheses):
        found = wild_score(score.parts, score.answer, chosen, draws, seed + place)
        untold = bool(alone & {labels["arm"], labels["reference"]})
        rows.append(
            {
                **labels,
                "estimate": score.estimate,
                "statistic": np.nan if untold else found.statistic,
                "p_value": np.nan if untold else found.p_value,
                "smallest_p": np.nan if untold else found.smallest_p,
                "n_clusters": found.n_clusters,
                "n_draws": found.n_draws,
            }
        )
    import pandas as pd

    frame = pd.DataFrame(rows)
    about = [note for note in result.notes if note.code not in ("weights_as_known", "nested_clusters", *CLUSTER_NOTES)]
    return WildScoreTest(
        frame=frame,
        multipliers=chosen,
        notes=(*about, *_notes(data, asked, frame, alone)),
        provenance=MappingProxyType({"multipliers": chosen, "draws": draws, "seed": seed}),
    )


_Hypothesis = tuple[dict[str, Any], NullScore]


def _of_model(
    model: Cox, at: float | str | Iterable[float | str] | None, cause: str | None, term: str | None
) -> list[_Hypothesis]:
    """Return the coefficients that are tested at 0."""
    for name, value in (("at", at), ("cause", cause)):
        if value is not None:
            raise EstimationError(
                f"wild_score_test: a Cox model was made for one cause and all times; leave {name}= out here."
            )
    model.refuse("wild_score_test", exact=True, penalised=True)
    _must_be_clustered(model.asked)
    if term is not None:
        which = [(term, "", "")]
    elif len(model.data.arms) < 2:
        raise NotSupportedError("wild_score_test: there is only one arm; name the term that is tested (term=).")
    else:
        arms = model.data.arms
        which = [(model.terms[arm_term(model, arm)[0]], arms[arm], arms[0]) for arm in range(1, len(arms))]
    spoken = _spoken(model.data, model.asked, model.cause)
    return [
        (
            {**spoken, "arm": arm, "reference": reference, "term": name, "time": np.nan, "measure": "log_hazard_ratio"},
            of_coefficient(model, name),
        )
        for name, arm, reference in which
    ]


def _of_arms(
    result: Any, curves: Any, at: float | str | Iterable[float | str] | None, cause: str | None
) -> list[_Hypothesis]:
    """Return the differences between arms that are tested at 0."""
    data = curves.data
    if len(data.arms) < 2:
        raise EstimationError(f"wild_score_test: there is only one arm; nothing to compare.{data.instead_of_arms}")
    _must_be_clustered(curves.asked)
    asked = as_estimated(data, curves.asked)
    if isinstance(result, Rmst):
        if at is not None or cause is not None:
            raise EstimationError("wild_score_test: a restricted mean has its horizon; leave at= and cause= out here.")
        influence, times = result.influence(variance=asked.variance), [result.horizon]
        measure, label = "rmst_difference", "event-free time"
    else:
        if at is None:
            raise EstimationError("wild_score_test: say at which time (at=730, at='2y').")
        if len(curves.causes) > 1:
            must_name_cause(data, cause, "wild_score_test")
        variance = asked.variance
        times = curves.arm_estimates(at, cause=cause, variance=variance).times.tolist()
        influence = curves.influence(at, cause=cause, variance=variance)
        measure = "count_difference" if isinstance(result, MeanCount) else "risk_difference"
        label = cause if cause is not None else curves.causes[0]
    weight, member = asked.at_start(data), np.asarray(data.arm)
    spoken, found = _spoken(data, asked, label), []
    for t, time in enumerate(times):
        for arm in range(1, len(data.arms)):
            labels = {
                **spoken,
                "arm": data.arms[arm],
                "reference": data.arms[0],
                "term": "",
                "time": time,
                "measure": measure,
            }
            found.append((labels, of_difference(influence, weight, member, asked, (0, arm), t)))
    return found


def _spoken(data: SurvivalData, asked: Asked, cause: str) -> dict[str, Any]:
    return {"outcome": data.labels.get("outcome", ""), "estimand": asked.estimand, "cause": cause}


def _must_be_clustered(asked: Asked) -> None:
    if asked.overlapping is not None:
        raise NotSupportedError(
            "wild_score_test: matched sets that share people are no clusters whose signs could turn. Name clusters (cluster=), or match "
            "without replacement."
        )
    if asked.cluster is None:
        raise EstimationError(
            "wild_score_test: there are no clusters here; it is for few clusters. Name them: survival_data(cluster=), "
            "data.with_cluster(column), or cluster= where the result is made."
        )


def _default(hypotheses: list[_Hypothesis]) -> str:
    fewest = min(int((score.parts != 0).sum()) for _, score in hypotheses)
    return "webb" if fewest < _SIX_POINTS_BELOW else "rademacher"


def _counts(data: SurvivalData, asked: Asked) -> IntArray:
    return np.array(asked.clusters_by_arm(data) or ())


def _alone(data: SurvivalData, asked: Asked) -> set[str]:
    """Return the arms with one cluster, where there are several arms."""
    if len(data.arms) < 2:
        return set()
    return {arm for arm, count in zip(data.arms, _counts(data, asked), strict=True) if count < 2}


def _notes(data: SurvivalData, asked: Asked, frame: pd.DataFrame, alone: set[str]) -> tuple[Note, ...]:
    notes = []
    few = [f"{n} in {arm}" for arm, n in zip(data.arms, _counts(data, asked), strict=True) if 2 <= n < _TOO_FEW]
    if alone:
        text = f"With one cluster, arm {' and arm '.join(sorted(alone))} and its cluster cannot be told apart: there is no test."
        notes.append(Note("one_cluster", text))
    if few and len(data.arms) > 1:
        text = (
            f"Only {' and '.join(few)}: with two clusters in an arm the test seldom finds what is there. Where arms were given to "
            "clusters, read randomisation_test(data, …)."
        )
        notes.append(Note("few_clusters", text))
    smallest = frame["smallest_p"].max()
    if smallest > _LEVEL:
        text = f"No p-value below {smallest:.2g} was possible with so few clusters. That this test finds nothing says nothing."
        notes.append(Note("coarse_test", text))
    return tuple(notes)
