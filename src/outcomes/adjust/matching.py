"""Matching: comparison people like those asked about; the function people call and the result they get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from outcomes.adjust.arms_needed import must_have_two_arms
from outcomes.adjust.entry_rules import entry_rule_notes, must_have_comparison_people
from outcomes.adjust.match_request import METHODS, MatchRequest
from outcomes.adjust.pairing import pair
from outcomes.adjust.people_in_classes import alike_in, classes_of_score, cut, must_have
from outcomes.adjust.scored_weights import ScoredWeights
from outcomes.adjust.set_weights import MatchedSets, of_full, of_pairs, of_radius, of_strata
from outcomes.adjust.standing_people import StandingPeople
from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, NotSupportedError, must_be
from outcomes.results import IntArray, Note, in_capitals, read_only

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Matched", "match"]

_IN_PART = "matched_"  # of an estimand, where some of those asked about have no counterpart
_WHOM = {"att": "people of {arm}", "atc": "people of {reference}", "ate": "everyone compared"}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Matched(ScoredWeights):
    """People matched across arms, as weights: use it wherever `weights=` is taken; P people.

    Attributes
    ----------
    method, distance : str
    kept : ndarray of bool, shape (P,)
        Who is matched.
    classes : ndarray of int, shape (P,), or None
        Class of each person, where people are put into classes.
    pairs : ndarray of int, shape (N, 2), or None
        Rows of `baseline`: one asked about and one who stands for them; None where people are matched in classes or by radius. These
        are rows about people: they are not for release.
    limit : float
        Widest distance, in its own unit; infinite where there was none.
    """

    done: ClassVar[str] = "matching"

    method: str
    distance: str
    kept: npt.NDArray[np.bool_]
    classes: IntArray | None
    pairs: IntArray | None
    limit: float

    title: ClassVar[str] = "Matched people"

    def summary(self) -> pd.DataFrame:
        """Return one row an arm: arm, estimand, n, n_matched, n_unmatched, effective_sample_size, largest_weight."""
        frame = super().summary()
        kept = [int(self.kept[self.arm == a].sum()) for a in range(len(self.arms))]
        frame["n_matched"], frame["n_unmatched"] = kept, frame["n"].to_numpy() - np.array(kept)
        return frame[["arm", "estimand", "n", "n_matched", "n_unmatched", "effective_sample_size", "largest_weight"]]

    def describe(self) -> str:
        """Return who was matched to whom, and for whom the answer holds, in sentences."""
        rows = self.summary().to_dict("records")
        counted = ", ".join(f"{row['n_matched']:,} of {row['n']:,} people in {row['arm']}" for row in rows)
        sizes = ", ".join(f"{row['effective_sample_size']:,.0f} in {row['arm']}" for row in rows)
        asked = self.estimand.removeprefix(_IN_PART)
        whom = _WHOM[asked].format(reference=self.arms[0], arm=self.arms[1])
        answer = whom if asked == self.estimand else f"those {whom} who could be matched"
        return (
            f"Matched by {self.method} ({METHODS[self.method]}): {counted}. Effective sample size: {sizes}. "
            f"The answer is about {answer} ({in_capitals(self.estimand)})."
        )


def match(
    data: SurvivalData,
    formula: str,
    *,
    method: str = "nearest",
    estimand: str = "att",
    distance: str = "logit",
    ratio: int = 1,
    replace: bool = False,
    caliper: float | None = None,
    calipers: Mapping[str, float] | None = None,
    exact: Sequence[str] = (),
    antiexact: Sequence[str] = (),
    order: str | None = None,
    cutpoints: Mapping[str, int | Sequence[float]] | None = None,
    subclasses: int = 5,
    min_controls: float = 0.0,
    max_controls: float = float("inf"),
    missing: str = "error",
    seed: int | None = None,
) -> Matched:
    """Match people of one arm with people like them in the other.

    Use it where each person asked about should have named counterparts, as evaluations of the Ministry of Justice do; `weight`
    keeps more people and asks the same questions.

    Parameters
    ----------
    data : SurvivalData
        Two arms; people are matched on one row a person (``data.baseline``).
    formula : str
        Covariates at time zero, such as ``"age_at_time_zero + C(risk_band)"``. Not the arm.
    method : {"nearest", "optimal", "full", "radius", "subclass", "exact", "cem"}
        Nearest (greedy): each person in turn takes the nearest who is left. Optimal: pairs with the smallest sum of distances. Full:
        everyone in a set of one person and several others, or the reverse, with the smallest sum of distances between the one and the
        several. Radius: everyone within the caliper stands in for a person, in equal parts. Subclass: classes between quantiles of
        the score. Exact: alike in every column of the formula. Cem: the same, with numbers cut into classes.
    estimand : {"att", "atc", "ate"}
        Whose effect is asked: people of the arm that is not the reference, people of the reference, or (full and in classes only) everyone.
    distance : {"logit", "score", "odds", "mahalanobis"}
        What nearest, optimal, full and radius go by.
    ratio : int
        Comparison people a person; everyone gets one before anyone gets a second.
    replace : bool
        Whether one comparison person may stand for several (nearest only).
    caliper : float, optional
        Widest distance, in standard deviations of the distance over everyone compared (Mahalanobis distances are in such units
        already).
    calipers : mapping of column to width, optional
        Widest difference in columns of the baseline, in their own units.
    exact, antiexact : sequence of str
        Columns in which the people of a set agree, and differ. Missing is a value like others.
    order : {"largest", "smallest", "data", "random"}, optional
        Who takes first, by the distance. Default: those hardest to match (largest score for ATT, smallest for ATC); with
        Mahalanobis the order of the data.
    cutpoints : mapping, optional
        For cem: of a column the number of classes of equal width, or the numbers at which to cut (a class holds its lower bound). Default
        for numbers: as many classes as Sturges's rule says.
    subclasses : int
    missing : {"error", "indicator"}
        As in `weight`; exact and cem take missing as a value like others.
    min_controls, max_controls : float
        For full: comparison people for each person asked about in a set. 1/3 lets three people asked about share one comparison person
        and no more, 5 lets one have five. Where not all can then be in a set the fewest are left out.
    seed : int, optional
        With ``order="random"``.

    Returns
    -------
    Matched
        ``summary()``: arm, estimand, n, n_matched, n_unmatched, effective_sample_size, largest_weight. ``balance()`` and
        ``overlap()`` as of weights.

    Raises
    ------
    EstimationError
        An arm of fewer than two people, clones, missing covariates, constant or collinear columns (where a score is fitted), nobody
        matched, people asked about whom entry rules leave no comparison person (as in `weight`), exact on a column in which nearly
        everybody differs, optimal or full matching of more people than can be held.
    NotSupportedError
        One arm, or more than two, row counts; arguments the method does not look at.

    Notes
    -----
    The score is an unpenalised logistic regression, as in `weight`. People whose arm the covariates tell exactly have no score and
    stay unmatched. Of two comparison people at one distance the first in the data is taken, so that the same data give the same
    pairs. A person asked about weighs 1; comparison people share the weight of those they stand for, scaled to their own number. For
    the ATE people weigh what makes each arm's share of a set or class that of everyone.
    Whoever is not matched has weight 0: the answer is then about those who could be, the estimand says so (``matched_att``), and a
    note counts them.
    Sets made around a person are the clusters of every variance, unless the data or the call name others. Where comparison people
    are in several sets (replacement, radius) it is that by set plus that by person minus that by person in a set. In classes people
    are taken as independent. The distance, or the classes, are taken as known.

    References
    ----------
    Stuart (2010), Statistical Science 25:1; Iacus, King & Porro (2012), Political Analysis 20:1; Austin (2011), Pharmaceutical
    Statistics 10:150; Hansen (2004), Journal of the American Statistical Association 99:609; Austin & Small (2014), Statistics in
    Medicine 33:4306; Austin & Cafri (2020), Statistics in Medicine 39:1623.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="wexp", reference=1)
    >>> oc.match(data, "age + race + mar + paro + prio", caliper=0.2).summary()["n_matched"].tolist()
    [145, 145]
    """
    must_be_data(data, "match(data, formula)")
    must_be(formula, str, what="match(data, formula): formula", expected="text such as 'age + C(risk_band)'")
    must_have_two_arms(data, "match")
    request = MatchRequest(
        method=method,
        estimand=estimand,
        distance=distance,
        ratio=ratio,
        replace=replace,
        limit_in_sd=float("inf") if caliper is None else float(caliper),
        widths=dict(calipers or {}),
        alike=_columns(exact),
        unlike=_columns(antiexact),
        order=order or ("smallest" if estimand == "atc" else "largest"),
        cuts=dict(cutpoints or {}),
        subclasses=subclasses,
        min_controls=float(min_controls),
        max_controls=float(max_controls),
        seed=seed,
    )
    _check(data, request)
    by_column = method in ("exact", "cem")
    people = (
        StandingPeople.by_column(data, formula) if by_column else StandingPeople.scored(data, formula, request, missing)
    )
    limit = float("inf") if by_column else people.width(request)
    sets = _sets(request, people, data, limit)
    _refuse_nobody(data, sets, request)
    return Matched(
        values=read_only(sets.weights),
        estimand=estimand if _counterparts(data, request, sets).all() else f"{_IN_PART}{estimand}",
        arm=data.arm,
        arms=data.arms,
        sets=None if sets.sets is None else read_only(sets.sets, np.int64),
        overlapping=sets.overlapping,
        notes=(*_notes(data, request, people, sets), *people.notes),
        provenance=MappingProxyType(
            {"formula": formula, "method": method, "estimand": estimand, "distance": distance, "caliper": caliper}
        ),
        formula=formula,
        columns=people.columns,
        terms=people.terms,
        design=read_only(people.design),
        score=None if people.linear is None else read_only(1 / (1 + np.exp(-people.linear))),
        linear=None if people.linear is None else read_only(people.linear),
        baseline=data.baseline,
        method=method,
        distance="columns" if by_column else distance,
        kept=read_only(sets.weights > 0, bool),
        classes=None if sets.classes is None else read_only(sets.classes, np.int64),
        pairs=None if sets.pairs is None else read_only(sets.pairs, np.int64),
        limit=limit,
    )


def _check(data: SurvivalData, request: MatchRequest) -> None:
    """Raise where the data do not have the columns named, or cannot answer what is asked."""
    for argument, columns in {
        "exact": request.alike,
        "antiexact": request.unlike,
        "calipers": tuple(request.widths),
        "cutpoints": tuple(request.cuts),
    }.items():
        must_have(data.baseline, columns, argument)
    must_have_comparison_people(data, request.estimand, "match")
    if data.drawn_again and request.method == "nearest" and request.replace:
        raise NotSupportedError(
            "match: nearest-neighbour matching with replacement has no valid bootstrap (Abadie & Imbens 2008). Take the intervals of "
            "compare(), or match by radius, which a bootstrap may repeat."
        )


def _sets(request: MatchRequest, people: StandingPeople, data: SurvivalData, limit: float) -> MatchedSets:
    frame, asked_about = data.baseline, _asked_about(data.arm, request.estimand)
    stratum = alike_in(frame, request.alike, what="exact")
    if request.method in ("exact", "cem"):
        columns = list(people.terms)
        classes = cut(frame, columns, request.cuts) if request.method == "cem" else frame
        own = alike_in(classes, columns, what="the formula")
    elif request.method == "subclass":
        own = classes_of_score(people.points[:, 0], asked_about & people.usable, request.subclasses)
    elif request.method == "radius":
        return of_radius(people.points[:, 0], stratum, asked_about, people.usable, limit)
    else:
        one_side = data.arm == (0 if request.estimand == "atc" else 1)
        pairs = pair(request, people.points, limit, stratum, one_side, people.usable, frame)
        return of_full(pairs, data.arm, request.estimand) if request.method == "full" else of_pairs(pairs, one_side)
    together = np.unique(stratum * (own.max(initial=0) + 1) + own, return_inverse=True)[1]
    return of_strata(together.astype(np.int64), data.arm, people.usable, request.estimand)


def _asked_about(arm: IntArray, estimand: str) -> npt.NDArray[np.bool_]:
    """Return whom the question is about, shape (P,)."""
    return np.ones(len(arm), dtype=bool) if estimand == "ate" else arm == (1 if estimand == "att" else 0)


def _counterparts(data: SurvivalData, request: MatchRequest, sets: MatchedSets) -> npt.NDArray[np.bool_]:
    """Return which of those asked about are matched."""
    matched: npt.NDArray[np.bool_] = sets.weights[_asked_about(data.arm, request.estimand)] > 0
    return matched


def _columns(names: Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _refuse_nobody(data: SurvivalData, sets: MatchedSets, request: MatchRequest) -> None:
    if (sets.weights > 0).any():
        return
    people = ", ".join(f"{n:,} in {arm}" for arm, n in zip(data.arms, data.people_by_arm(), strict=True))
    asked = [
        name
        for name, given in (
            ("caliper", np.isfinite(request.limit_in_sd)),
            ("calipers", request.widths),
            ("exact", request.alike),
            ("antiexact", request.unlike),
        )
        if given
    ]
    raise EstimationError(
        f"match: nobody is matched ({people}). "
        + (f"Widen or leave out {', '.join(f'{name}=' for name in asked)}." if asked else "The arms have nobody alike.")
    )


def _notes(data: SurvivalData, request: MatchRequest, people: StandingPeople, sets: MatchedSets) -> tuple[Note, ...]:
    notes = list(entry_rule_notes(data))
    found = _counterparts(data, request, sets)
    lost = int((~found).sum())
    if lost:
        text = (
            f"{lost:,} of {len(found):,} people asked about have no counterpart and count for nothing: the answer is about the "
            "others."
        )
        notes.append(Note("unmatched", text))
    certain = int((~people.usable).sum())
    if certain:
        notes.append(
            Note(
                "one_arm_only",
                f"{certain:,} people have covariates that only their own arm has; nobody can be matched with them.",
            )
        )
    if request.method == "full":
        idle = int((sets.weights == 0).sum()) - lost
        if idle:
            notes.append(Note("idle", f"{idle:,} comparison people are in no set and count for nothing."))
    if sets.pairs is not None and request.ratio > 1:
        counts = np.bincount(np.bincount(sets.pairs[:, 0])[np.unique(sets.pairs[:, 0])], minlength=request.ratio + 1)
        short = int(counts[1 : request.ratio].sum())
        if short:
            notes.append(Note("incomplete_sets", f"{short:,} people have fewer than {request.ratio} counterparts."))
    if sets.overlapping is not None:
        text = (
            f"{int((sets.overlapping.total > 0).sum()):,} comparison people stand for {len(sets.overlapping.asked):,} people asked about: "
            "variances are by set and by person."
        )
        notes.append(Note("overlapping_sets", text))
    return tuple(notes)
