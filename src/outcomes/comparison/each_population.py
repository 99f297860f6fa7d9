"""The same comparison in three populations side by side: each programme's own clients, those eligible for both, and the caseload."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from outcomes.comparison.bounds import with_those_shut_out
from outcomes.comparison.outside import outside_of
from outcomes.comparison.populations_result import Populations
from outcomes.comparison.raw_and_adjusted import Asked, RawAndAdjusted, contrast_notes, raw_and_adjusted, rows_of
from outcomes.comparison.regimes import by_regime
from outcomes.comparison.study_questions import asked_of, margin_of, must_be_a_level, must_weigh
from outcomes.design.cohort import Cohort, build_cohort
from outcomes.design.some_people import in_arms
from outcomes.durations import in_words
from outcomes.errors import DesignError, EstimationError
from outcomes.results import Note

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData
    from outcomes.design.study import Study
    from outcomes.loading.tables import Tables

__all__ = ["populations"]

CASELOAD, BOTH = "the caseload", "eligible for both"


@dataclass(frozen=True)
class _Question:
    """One contrast in one population: whom it is about, between which arms, and whose effect it is."""

    whom: str
    population: str
    arm: str
    reference: str
    estimand: str


def populations(
    tables: Tables,
    study: Study,
    *,
    outcome: str | None = None,
    horizon: float | str | None = None,
    shut_out_risk: tuple[float, float] = (0.0, 1.0),
    conf_level: float = 0.95,
) -> Populations:
    """Give a study's comparison in each population in which it can be made, and say where it cannot and why.

    Use it before a headline is read: the effect in a programme's own clients, among those whom the rules of both would have taken,
    and in everybody sentenced where it ran are three answers, and whom one of them leaves out decides what it is worth.

    Parameters
    ----------
    tables : Tables
    study : Study
        Arms by start or referral. With an arm of people who started nothing (`Study.with_untreated`) every programme is compared
        with it too, from the same time zero.
    outcome : str, optional
        Default: that of the headline, else the only one.
    horizon : float or str, optional
        Days, or text such as ``"2y"``. Default: that of the headline, else the end of follow-up.
    shut_out_risk : tuple of float
        Between what risks own clients whom the other programme shuts out would have had in it. Default: anything from 0 to 1, which
        assumes nothing and gives wide limits in place of an answer; a range you can defend gives narrower ones.
    conf_level : float

    Returns
    -------
    Populations
        ``to_frame()``: whom, adjustment, identified, why, the columns of `compare`, and limits where there is no answer; ``counts()``:
        people by population and arm; ``outside``: who is in a programme's own clients and not eligible for both, and what they are like.

    Raises
    ------
    DesignError
        The study's arms are what was on offer, or not fixed at time zero.
    EstimationError
        Several outcomes and no headline; a range of risks that is none.
    NotSupportedError
        [adjust] names a method other than weighting.

    Notes
    -----
    Own clients of a programme: weights give the others the case mix of its clients (ATT). Where entry rules of the other programme
    shut out some of them and it took nobody like them, there is no comparison person and no answer. Eligible for both (for all, with
    more programmes): the study's own estimand. The caseload: everyone from release or sentence, by what their area had on offer
    then, standardised over years in which there were both regimes and clustered by area; it counts who was never reached.
    Terms of the study's formula that are the same for everybody in a population are left out there, and said.

    References
    ----------
    Hernán & Robins (2016), American Journal of Epidemiology 183:758 (eligibility and time zero); Li, Morgan & Zaslavsky (2018), Journal
    of the American Statistical Association 113:390 (weights and whom they are about).

    Examples
    --------
    >>> import outcomes as oc
    >>> tables, study = oc.load_tables("data/synthetic"), oc.read_study("notebooks/study.toml")  # doctest: +SKIP
    >>> oc.populations(tables, study).summary()  # doctest: +SKIP
    """
    name, length = asked_of(tables, study, outcome, horizon, "populations")
    must_be_a_level(conf_level)
    _supported(study)
    _check_range(shut_out_risk)
    margin = margin_of(study, name)
    asked = Asked(name, length, margin, conf_level)
    own = build_cohort(tables, study.replace(eligibility=replace(study.eligibility, population="own"), headline=None))
    both = own.with_population("both")
    rows: list[dict[str, Any]] = []
    contrasts: dict[str, RawAndAdjusted] = {}
    data = {"own": own.outcome(name), "both": both.outcome(name)}
    for question in _questions(own):
        found = _answered(question, data[question.population], study, asked, shut_out_risk)
        rows += found.rows
        contrasts[f"{question.whom}, {question.arm} against {question.reference}"] = found
    contrasts[CASELOAD], said = _caseload(tables, study, asked)
    rows += contrasts[CASELOAD].rows
    notes = [*said, *contrast_notes(contrasts)]
    if study.time_zero.landmark:
        text = (
            f"Own clients and those eligible are followed from {in_words(study.time_zero.landmark)} after release or sentence, and "
            "classed by what they had started by then, in the contrast of programmes too: it is another question than one of starters "
            "from their start, and the answers may differ. Who started later stays where they were. The caseload is followed from "
            "release or sentence."
        )
        notes.append(Note("clocks_differ", text))
    if study.arms.untreated is None:
        text = (
            "The study has no arm of people who started nothing: that one programme did better does not say that the other did harm, or "
            "that either did good. Ask populations(tables, study.with_untreated('6m')) too."
        )
        notes.append(Note("no_untreated", text))
    return Populations.build(
        rows,
        counts=_counts(own, both),
        outside=outside_of(own.baseline, own.arms, study.arms.treated),
        named=_named(study, name, length),
        labels={**data["both"].labels, "unit": "days"},
        shut_out_risk=(float(shut_out_risk[0]), float(shut_out_risk[1])),
        conf_level=conf_level,
        margin=margin,
        notes=tuple(dict.fromkeys(notes)),
        provenance=MappingProxyType(
            {"study": study.hash, "outcome": name, "horizon": length, "shut_out_risk": tuple(shut_out_risk)}
        ),
    )


def _supported(study: Study) -> None:
    if study.arms.assigned_by == "provision" or not study.arms_are_fixed:
        raise DesignError(
            "populations: the study's arms must be people who started (or were referred to) a programme; the caseload, by what was on "
            "offer, is added here."
        )
    must_weigh(study, "populations")


def _questions(cohort: Cohort) -> Iterator[_Question]:
    """Yield every contrast of every population: programmes with each other, and each with nothing."""
    arms = cohort.study.arms
    estimand = "none" if cohort.study.adjust is None else cohort.study.adjust.estimand
    pairs = [(b, a) for i, a in enumerate(arms.treated) for b in arms.treated[i + 1 :]]
    if arms.untreated is not None:
        pairs += [(arm, arms.untreated) for arm in arms.treated]
    for arm, reference in pairs:
        yield _Question(f"own clients of {arm}", "own", arm, reference, "att")
        if reference != arms.untreated:
            yield _Question(f"own clients of {reference}", "own", arm, reference, "atc")
        yield _Question(BOTH if len(arms.treated) == 2 else "eligible for all", "both", arm, reference, estimand)


def _answered(
    question: _Question, data: SurvivalData, study: Study, asked: Asked, risk: tuple[float, float]
) -> RawAndAdjusted:
    """Return the contrast as it was and adjusted; where it cannot be had, why not, and between what limits it lies."""
    pair = in_arms(data, question.reference, question.arm)
    found = raw_and_adjusted(pair, study, asked, question.estimand)
    bounds, rows = None, found.rows
    if not rows[-1]["identified"] and question.population == "own":
        bounds = with_those_shut_out(pair, study, asked, question.estimand, risk)
    if bounds is not None:
        rows[-1] |= {f"bound_{name}": getattr(bounds, name) for name in ("low", "high", "conf_low", "conf_high")}
    return replace(found, rows=[{"whom": question.whom, **row} for row in rows])


def _check_range(risk: tuple[float, float]) -> None:
    pair = isinstance(risk, tuple | list) and len(risk) == 2 and all(isinstance(end, int | float) for end in risk)
    if not (pair and 0 <= risk[0] <= risk[1] <= 1):
        raise EstimationError(
            "populations: shut_out_risk must be two risks, the smaller first, such as (0.2, 0.5); (0, 1) assumes nothing."
        )


def _caseload(tables: Tables, study: Study, asked: Asked) -> tuple[RawAndAdjusted, tuple[Note, ...]]:
    """Return the contrasts of the regimes on offer; none, with a note, where there are not two."""
    try:
        found = by_regime(tables, study, asked.outcome, conf_level=asked.conf_level)
    except (DesignError, EstimationError) as error:
        return RawAndAdjusted([]), (Note("no_caseload", f"The caseload cannot be compared. {error}"),)
    own = {"whom": CASELOAD, "identified": True, "why": ""}
    rows = [
        {**own, "adjustment": adjustment, **row}
        for adjustment, curves in (("raw", found.raw), ("adjusted", found.adjusted))
        for row in rows_of(curves, asked)
    ]
    return RawAndAdjusted(rows, found.left_out), found.notes


def _counts(own: Cohort, both: Cohort) -> dict[str, dict[str, int]]:
    """Return how many people of each arm are in each population."""
    found = {}
    for label, cohort in (("own", own), ("both", both)):
        there = cohort.baseline["arm"].value_counts()
        found[label] = {arm: int(there.get(arm, 0)) for arm in cohort.arms}
    return found


def _named(study: Study, outcome: str, horizon: float) -> tuple[str, str] | None:
    """Return population and adjustment of the row that was named in advance; None where it is none of these."""
    head = study.headline
    if head is None or head.outcome != outcome or head.horizon != horizon:
        return None
    return head.population, "raw" if study.adjust is None else "adjusted"
