"""What a difference would be were only a share of some people's events recorded: the function people call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.comparison.clustering import Clustered, clustered
from outcomes.comparison.comparing import about_weights, verdict
from outcomes.comparison.contrasts import arm_contrast, curve_row
from outcomes.comparison.detection_kernel import TwoGroups, detected_risk, two_groups
from outcomes.comparison.detection_result import DetectionSensitivity, Tipping
from outcomes.comparison.less_detected import LessDetected, less_detected_of
from outcomes.design.data import must_be_data, must_name_cause
from outcomes.durations import moments_of
from outcomes.errors import EstimationError, NotSupportedError
from outcomes.results import Note
from outcomes.survival.curves import CumulativeIncidence, cumulative_incidence
from outcomes.survival.estimates import ArmEstimates, by_person, covariance_of, stack
from outcomes.survival.few_clusters import CLUSTER_NOTES
from outcomes.survival.inputs import Asked, ClusterLike, WeightsLike

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData

__all__ = ["detection_sensitivity"]

_SHARES = tuple(round(1 - 0.05 * step, 2) for step in range(17))  # from all to one in five
_EXACT = 1e-6  # how well a share is found

Row = dict[str, Any]


def detection_sensitivity(
    data: SurvivalData,
    *,
    less_detected: Mapping[str, Any],
    at: float | str,
    cause: str | None = None,
    weights: WeightsLike = None,
    shares: float | Sequence[float] | None = None,
    cluster: ClusterLike = None,
    conf_level: float = 0.95,
    margin: float | None = None,
) -> DetectionSensitivity:
    """Say what a difference in risk becomes if only a share of some people's events are recorded.

    Use it where an outcome is what was proven and not what was done, and some people's offences are proven less often: people with
    a learning disability whose cases are not taken to court, or one arm that is watched less closely than the other. Where one arm
    holds more of them, the recorded difference is partly one of detection.

    Parameters
    ----------
    data : SurvivalData
        Of two arms.
    less_detected : mapping
        Columns of ``data.baseline`` and the value (or list of values) they have for these people, such as
        ``{"learning_disability": True}``; ``"arm"`` with the name of an arm. Who meets all of it is recorded in part, everybody else in
        full; who has a missing value there does not meet it.
    at : float or str
        Time of the risks: 730, or ``"2y"``.
    cause : str, optional
        The cause that is recorded in part. Default: the outcome. Others are taken to be recorded in full.
    weights : Weights, str or array of shape (P,) or (N,), optional
    shares : float or sequence of float, optional
        Shares of these people's events that are recorded, above 0 and at most 1. Default: 1, 0.95, …, 0.2. 1 is always among them.
    cluster : str or array of shape (P,), optional
        Default: the cluster of the data.
    conf_level : float
    margin : float, optional
        Difference that would not matter, in percentage points.

    Returns
    -------
    DetectionSensitivity
        ``to_frame()``: one row a share, from 1 downwards: share, risk_reference, risk_arm and the columns of `compare` that are no
        test. ``tipping``: the share at which the difference vanishes, and that at which the verdict changes.

    Raises
    ------
    EstimationError
        Not two arms; no such column; nobody meets `less_detected`; a share outside (0, 1]; a time beyond follow-up.
    NotSupportedError
        People who enter late, or whose time at risk has gaps: for how long unrecorded events had been possible is then not known.

    Notes
    -----
    Each event of these people, whatever came before, is taken to be recorded with chance s: an unrecorded one leaves them at risk of a
    recorded one, so the hazard that is seen is s times the true one. Where nothing competes the true risk of a group of them is
    1 - (1 - R)^(1/s), with R the risk that is seen. At each time the share of those at risk, and without another end then, who are seen
    to stay free of the outcome is raised to 1/s, which no increment can make negative; competing hazards are left as they are. Both
    groups of an arm then make one Aalen–Johansen curve, in which each of the less detected counts for the share that would still be
    at risk: without censoring it is the mixture of the two groups' risks. With everything recorded (share 1) estimate and interval are
    those of `compare` of the arms' cumulative incidences. Variances are sums of people's or clusters' influences; s is not estimated,
    and the band has no doubt about it. Were people, and not events, missed altogether, the true risk would be R/s, which is more.

    References
    ----------
    Magder & Hughes (1997), American Journal of Epidemiology 146:195 (outcomes found with known sensitivity); Fox, MacLehose & Lash
    (2021), Applying Quantitative Bias Analysis to Epidemiologic Data (how a bias that is not measured is reckoned with).

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    >>> found = oc.detection_sensitivity(data, less_detected={"arm": "1"}, at=52, shares=[1, 0.5])
    >>> found.to_frame()[["share", "risk_reference", "risk_arm", "estimate"]].round(3).values.tolist()
    [[1.0, 0.306, 0.222, -0.083], [0.5, 0.306, 0.395, 0.09]]
    """
    must_be_data(data, "detection_sensitivity(data)")
    must_name_cause(data, cause, "detection_sensitivity")
    tried = _shares(shares)
    _supported(data)
    if margin is not None and not margin > 0:
        raise EstimationError(f"detection_sensitivity: margin must be above 0; got {margin}.")
    times = moments_of(at, data.unit)
    if len(times) != 1:
        raise EstimationError("detection_sensitivity: at is one time, such as '2y'.")
    whom = less_detected_of(data, less_detected)
    curves = cumulative_incidence(data, weights=weights, cluster=cluster, conf_level=conf_level)
    label = cause if cause is not None else data.causes[0]
    source = curves.asked.source
    stacked = source is not None and source.influence is not None and source.gradient is not None
    observed = curves.arm_estimates(times, cause=label, variance="stacked" if stacked else None)
    asked = curves.asked_as("stacked" if stacked else None)
    people = np.where(asked.used, data.arm, -1)
    groups = clustered(asked.cluster, people, data.arms, (0, 1))
    counted = tuple(_arm(curves, arm, whom, label, float(times[0])) for arm in (0, 1))
    notes: list[Note] = []

    def row(share: float) -> Row:
        found = _estimates(observed, asked, curves, counted, share)
        made, said = _row(curves, asked, found, label, groups, share, conf_level, margin)
        notes.extend(said)
        return made

    rows = [row(share) for share in tried]
    events = _events_of(curves, counted)
    return DetectionSensitivity.build(
        rows,
        tipping=_tipping(rows, row, lambda share: _difference(counted, share)),
        whom=whom.said,
        people=whom.by_arm(data, asked.used),
        events=dict(zip(data.arms, events, strict=True)),
        conf_level=conf_level,
        margin=margin,
        labels={**data.labels, "unit": data.unit},
        notes=tuple(dict.fromkeys([*_notes(curves, asked, whom, sum(events), label), *groups.notes, *notes])),
        provenance=MappingProxyType({"less_detected": whom.said, "at": float(times[0]), "cause": label}),
    )


def _shares(shares: float | Sequence[float] | None) -> list[float]:
    """Return the shares from 1 downwards, 1 among them."""
    asked = _SHARES if shares is None else (shares,) if isinstance(shares, int | float) else shares
    given = [float(share) for share in asked]
    wrong = sum(not 0 < share <= 1 for share in given)
    if wrong:
        raise EstimationError(
            f"detection_sensitivity: shares are of the events that are recorded, above 0 and at most 1; {wrong} of {len(given)} are not."
        )
    if not any(share < 1 for share in given):
        raise EstimationError("detection_sensitivity: shares must hold one below 1; at 1 everything is recorded.")
    return sorted({1.0, *given}, reverse=True)


def _supported(data: SurvivalData) -> None:
    if len(data.arms) != 2:
        raise EstimationError(
            f"detection_sensitivity: a difference is between two arms; these data have {len(data.arms)}. Take a study, or a frame, "
            f"with two of them.{data.instead_of_arms}"
        )
    new = np.append(True, data.person[1:] != data.person[:-1])
    before = np.where(new, 0.0, np.append(0.0, data.exit[:-1]))
    late = len(np.unique(data.person[data.entry > before]))
    if late:
        raise NotSupportedError(
            f"detection_sensitivity: {late:,} people enter after time 0 or have gaps in their time at risk, and what was not recorded of "
            "them before is not known. Take follow-up from time zero on the scale 'calendar'."
        )


def _arm(curves: CumulativeIncidence, arm: int, whom: LessDetected, cause: str, time: float) -> TwoGroups:
    """Return the two groups of one arm."""
    data, rows, fit = curves.data, curves.rows[arm], curves.fits[arm]
    return two_groups(
        fit.entry, fit.exit, fit.event, fit.weight, fit.count, whom.people[data.person[rows]],
        cause=1 + data.causes.index(cause), horizon=time,
    )  # fmt: skip


def _estimates(
    observed: ArmEstimates, asked: Asked, curves: CumulativeIncidence, arms: tuple[TwoGroups, ...], share: float
) -> ArmEstimates:
    """Return the arms' risks at one share with their joint covariance."""
    data = curves.data
    risks, influence = [], []
    for groups, rows in zip(arms, curves.rows, strict=True):
        found = detected_risk(groups, share)
        risks.append(found.risk)
        each = by_person((found.derivative * asked.beside(rows))[:, None], data.person[rows], len(data.baseline))
        influence.append(stack(asked, each)[:, 0])
    covariance = covariance_of(asked, np.stack(influence, axis=1))
    return replace(observed, estimate=np.array([risks]), covariance=covariance[None], variance=asked.variance)


def _difference(arms: tuple[TwoGroups, ...], share: float) -> float:
    reference, arm = (detected_risk(groups, share).risk for groups in arms)
    return arm - reference


def _row(
    curves: CumulativeIncidence,
    asked: Asked,
    found: ArmEstimates,
    cause: str,
    groups: Clustered,
    share: float,
    conf_level: float,
    margin: float | None,
) -> tuple[Row, tuple[Note, ...]]:
    """Return the contrast at one share, with its verdict, and what must be said where an arm has no events."""
    one, notes = arm_contrast(curves, found, "risk_difference", cause, 0, (0, 1), groups, conf_level)
    row = {"share": share, **curve_row(curves.data, asked, found, "risk_difference", cause, 0, (0, 1), one)}
    return {**row, "verdict": verdict(row, "risk_difference", margin)}, notes


def _tipping(rows: list[Row], row: Callable[[float], Row], difference: Callable[[float], float]) -> Tipping:
    """Return where, from everything recorded downwards, the difference first vanishes and the verdict first changes."""
    vanishes = changes = float("nan")
    then = ""
    for above, below in pairwise(rows):
        if np.isnan(vanishes) and above["estimate"] * below["estimate"] <= 0 and above["estimate"] != 0:
            from scipy.optimize import brentq

            vanishes = float(brentq(difference, below["share"], above["share"], xtol=_EXACT))
        if np.isnan(changes) and below["verdict"] != rows[0]["verdict"]:
            changes, then = _first_change(row, above["share"], below, rows[0]["verdict"])
    return Tipping(vanishes, changes, then)


def _first_change(row: Callable[[float], Row], high: float, below: Row, verdict: str) -> tuple[float, str]:
    """Return the largest share below `high` with another verdict than this, by halving, and which that is."""
    low, then = float(below["share"]), str(below["verdict"])
    while high - low > _EXACT:
        middle = (high + low) / 2
        said = str(row(middle)["verdict"])
        if said == verdict:
            high = middle
        else:
            low, then = middle, said
    return low, then


def _events_of(curves: CumulativeIncidence, arms: tuple[TwoGroups, ...]) -> list[int]:
    """Return how many events by the time the less detected of each arm have."""
    return [int(fit.count[groups.less & groups.hit].sum()) for fit, groups in zip(curves.fits, arms, strict=True)]


def _notes(curves: CumulativeIncidence, asked: Asked, whom: LessDetected, events: int, cause: str) -> list[Note]:
    notes = [note for note in curves.notes if note.code not in ("weights_as_known", *CLUSTER_NOTES)]
    notes += about_weights(asked)
    if asked.weighted and asked.score is None:
        notes.append(Note("weights_as_known", "The intervals take the weights as known."))
    text = (
        "Each event of these people is taken to be recorded with the same chance, whatever came before: one that is not recorded leaves "
        "them at risk of one that is. Were people, and not events, missed altogether, more would have to be added."
    )
    notes.append(Note("events_not_people", text))
    if not events:
        text = f"The less detected have no event {cause} on record: from none, no share brings any back."
        notes.append(Note("nothing_recorded", text))
    if whom.unknown:
        text = f"Of {whom.unknown:,} people it is not known whether they are among the less detected; they count as detected in full."
        notes.append(Note("detection_unknown", text))
    return notes
