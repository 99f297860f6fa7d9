"""People whom the rules of one programme shut out, in the programme that takes them, against people shut out likewise who got nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from outcomes.adjust.entry_rules import excluded_from
from outcomes.comparison.raw_and_adjusted import (
    Asked,
    RawAndAdjusted,
    contrast_notes,
    first_sentence,
    no_numbers,
    raw_and_adjusted,
)
from outcomes.comparison.shut_out_result import ALL, ShutOut
from outcomes.comparison.study_questions import asked_of, margin_of, must_be_a_level, must_weigh
from outcomes.design.cohort import build_cohort
from outcomes.design.some_people import some_people
from outcomes.durations import in_words
from outcomes.errors import DesignError, EstimationError
from outcomes.results import Note

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData
    from outcomes.design.study import Study
    from outcomes.loading.tables import Tables

__all__ = ["shut_out"]

FEWEST = 10
"""With fewer people in an arm there is no answer."""
_GRACE = "6m"


@dataclass(frozen=True)
class _Group:
    """People of a programme, and of nothing, whom a rule of another programme shuts out."""

    programme: str
    closed: str
    reason: str
    people: npt.NDArray[np.bool_]


def shut_out(
    tables: Tables,
    study: Study,
    *,
    outcome: str | None = None,
    horizon: float | str | None = None,
    conf_level: float = 0.95,
) -> ShutOut:
    """Compare people whom one programme's entry rules shut out, in the programme that takes them, with such people who got nothing.

    Use it for those of whom no comparison of the two programmes can speak: the programme that shuts them out has nobody like them.
    What can be asked is whether the programme that takes them left them with fewer events than nothing did.

    Parameters
    ----------
    tables : Tables
    study : Study
        Arms by start. Where none of them is people who started nothing, one is added (`Study.with_untreated`) and said.
    outcome : str, optional
        Default: that of the headline, else the only one.
    horizon : float or str, optional
        Days, or text such as ``"2y"``. Default: that of the headline, else the end of follow-up.
    conf_level : float

    Returns
    -------
    ShutOut
        ``to_frame()``: programme, closed (which shuts them out), reason (``"all"``, then each rule's), adjustment, identified, why,
        n_programme, n_nothing, the columns of `compare`, detectable. ``group(reason)`` gives the people of a row to other questions.

    Raises
    ------
    DesignError
        The study's arms are what was on offer, or not fixed at time zero; no rule shuts out anybody whom another programme took.
    EstimationError
        Several outcomes and no headline.
    NotSupportedError
        [adjust] names a method other than weighting.

    Notes
    -----
    Both sides are people whom the rules of the one programme exclude and those of the other admit; a person two rules exclude
    counts under the first of them. Weights give those who got nothing the case mix of the programme's people (ATT), by the study's
    formula; terms that are the same for everybody in a group are left out. With fewer than 10 people in an arm, or people who count
    as fewer once weighted, or a score that fails, there is no answer, and why is said. Whoever officers did not refer because they
    knew the rule is on either side.

    References
    ----------
    Hernán & Robins (2016), American Journal of Epidemiology 183:758 (one time zero for those treated and not); Kahan, Hindley, Edwards,
    Cro & Morris (2024), BMJ 384:e076316 (whom an estimand is about).

    Examples
    --------
    >>> import outcomes as oc
    >>> tables, study = oc.load_tables("data/synthetic"), oc.read_study("notebooks/study.toml")  # doctest: +SKIP
    >>> oc.shut_out(tables, study).summary()  # doctest: +SKIP
    """
    name, length = asked_of(tables, study, outcome, horizon, "shut_out")
    must_be_a_level(conf_level)
    if study.arms.assigned_by == "provision" or not study.arms_are_fixed:
        raise DesignError(
            "shut_out: the study's arms must be people who started (or were referred to) a programme, known at time zero."
        )
    must_weigh(study, "shut_out")
    asked_study, notes = _with_nothing(study)
    own = build_cohort(
        tables, asked_study.replace(eligibility=replace(study.eligibility, population="own"), headline=None)
    )
    asked = Asked(name, length, margin_of(study, name), conf_level, FEWEST)
    data = own.outcome(name)
    nothing = str(asked_study.arms.untreated)
    rows: list[dict[str, Any]] = []
    groups: dict[tuple[str, str, str], SurvivalData] = {}
    contrasts: dict[str, RawAndAdjusted] = {}
    for group in _groups(data, asked_study.arms.treated, nothing):
        pair = _pair(group, data, nothing)
        found = _answered(group, pair, asked_study, asked)
        rows += found.rows
        groups[group.programme, group.closed, group.reason] = pair
        contrasts[_named(group)] = found
    if not rows:
        raise DesignError("shut_out: no entry rule of a programme shuts out anybody whom another programme took.")
    return ShutOut.build(
        rows,
        nothing=nothing,
        groups=MappingProxyType(groups),
        weighted=MappingProxyType({key: found.weights for key, found in zip(groups, contrasts.values(), strict=True)}),
        labels={**data.labels, "unit": data.unit},
        conf_level=conf_level,
        margin=asked.margin,
        notes=tuple(
            dict.fromkeys([*notes, *_scores_failed(rows), *_under_counted(data, rows), *contrast_notes(contrasts)])
        ),
        provenance=MappingProxyType({"study": study.hash, "outcome": name, "horizon": length}),
    )


def _with_nothing(study: Study) -> tuple[Study, list[Note]]:
    """Return the study with people who started nothing, and what must be said of them."""
    added = study.arms.untreated is None
    found = study.with_untreated(_GRACE) if added else study
    if not found.time_zero.landmark:
        return found, []
    lead = (
        f"The study has no arm of people who started nothing; it was added ({found.arms.untreated}). " if added else ""
    )
    text = (
        f"{lead}Everyone is followed from {in_words(found.time_zero.landmark)} after release or sentence and classed by what they had "
        "started by then; who reoffended before is in no arm."
    )
    return found, [Note("landmark", text)]


def _groups(data: SurvivalData, programmes: tuple[str, ...], nothing: str) -> Iterator[_Group]:
    """Yield the people each programme took although another shuts them out: all of them, then by the reason of the rule."""
    untreated = data.arm == data.arms.index(nothing)
    for programme in programmes:
        taken = data.arm == data.arms.index(programme)
        admitted = np.asarray(data.baseline[f"eligible_{programme}"].astype(str) == "yes", dtype=bool)
        for closed in programmes:
            people = excluded_from(data.baseline, closed) & admitted & (taken | untreated)
            if closed == programme or not (people & taken).any():
                continue
            yield _Group(programme, closed, ALL, people)
            reasons = data.baseline[f"excluded_by_{closed}"].astype(object)
            told = np.asarray(reasons.where(reasons.notna(), "no reason recorded").astype(str), dtype=object)
            for reason in sorted(set(told[people])):
                yield _Group(programme, closed, reason, people & (told == reason))


def _pair(group: _Group, data: SurvivalData, nothing: str) -> SurvivalData:
    """Return the data of a group, in two arms."""
    kept = np.flatnonzero(group.people)
    taken = (data.arm[kept] == data.arms.index(group.programme)).astype(np.int64)
    return some_people(data, kept, taken, (nothing, group.programme))


def _answered(group: _Group, pair: SurvivalData, study: Study, asked: Asked) -> RawAndAdjusted:
    """Return the contrast raw and adjusted; where there is none, one row that says why."""
    sizes = dict(zip(pair.arms, map(int, pair.people_by_arm()), strict=True))
    own = {
        "programme": group.programme,
        "closed": group.closed,
        "reason": group.reason,
        "n_programme": sizes[group.programme],
        "n_nothing": sizes[pair.reference],
    }
    few = [arm for arm, size in sizes.items() if size < asked.fewest]
    if few:
        why = f"fewer than {asked.fewest} people in {' and '.join(few)}"
        return RawAndAdjusted([{**own, **_no_answer(group.closed, pair, study, asked, why)}])
    try:
        found = raw_and_adjusted(pair, study, asked, "att")
    except EstimationError as error:
        why = str(error).removeprefix("compare: ")
        return RawAndAdjusted([{**own, **_no_answer(group.closed, pair, study, asked, why)}])
    said = f"shut out by {group.closed}"
    rows = [{**own, **row, "population": said, "why": first_sentence(row["why"])} for row in found.rows]
    return replace(found, rows=rows)


def _no_answer(closed: str, pair: SurvivalData, study: Study, asked: Asked, why: str) -> dict[str, Any]:
    """Return the row of a group without an answer."""
    hit = (pair.event == 1) & (pair.exit <= asked.horizon)
    return no_numbers(
        {
            **{name: pair.labels.get(name, "") for name in ("outcome", "scale")},
            "population": f"shut out by {closed}",
            "arm": pair.arms[1],
            "reference": pair.arms[0],
            "cause": asked.outcome,
            "time": asked.horizon,
            "measure": "risk_difference",
            "n": pair.n,
            "n_events": int(hit.sum()),
            "adjustment": "raw" if study.adjust is None else "adjusted",
            "identified": False,
            "why": why,
        },
        "none" if study.adjust is None else "att",
    )


def _named(group: _Group) -> str:
    of = "all" if group.reason == ALL else group.reason.replace("_", " ")
    return f"those shut out by {group.closed} ({of})"


def _scores_failed(rows: list[dict[str, Any]]) -> tuple[Note, ...]:
    """Return what may help where people are enough for an answer and the score is not."""
    failed = sum(bool(row["why"]) and min(row["n_programme"], row["n_nothing"]) >= FEWEST for row in rows)
    if not failed:
        return ()
    text = f"In {failed} of the groups the score fails; a study whose [adjust] formula has fewer terms may have an answer there."
    return (Note("score_failed", text),)


def _under_counted(data: SurvivalData, rows: list[dict[str, Any]]) -> tuple[Note, ...]:
    """Return what to ask next where people with a learning disability are among those shut out."""
    name = "learning_disability"
    if name not in data.baseline or not any(name in str(row["reason"]) for row in rows):
        return ()
    text = (
        "Convictions may under-count what people with a learning disability did. detection_sensitivity(found.group('all'), "
        f"weights=found.weights('all'), less_detected={{'{name}': True}}, at=…) of this result (found) says what the difference becomes if "
        "only a share of it was recorded."
    )
    return (Note("under_counted", text),)
