"""A study as data: every section of the study file as a frozen spec, read and checked before anything is estimated."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from outcomes.design.strategy_rules import refuse_what_looks_ahead
from outcomes.design.time_away import AWAY
from outcomes.errors import DesignError, did_you_mean

__all__ = [
    "Adjust",
    "ArmSpec",
    "Arms",
    "Checks",
    "Condition",
    "Disclosure",
    "Eligibility",
    "FigureSpec",
    "FollowUp",
    "Headline",
    "Outcome",
    "Study",
    "TableSpec",
    "TimeZero",
]


@dataclass(frozen=True)
class ArmSpec:
    """Who is in an arm: people who start a programme of these families, programmes or strands; or nobody's programme."""

    family: tuple[str, ...] = ()
    programme: tuple[str, ...] = ()
    strand: tuple[str, ...] = ()
    none: bool = False


@dataclass(frozen=True)
class Arms:
    """The arms, which of them is the reference, and how people come into one.

    Attributes
    ----------
    window : float or None
        Days after release (custody) or sentence within which a start or referral counts. Refused with a landmark, where the grace
        says so, and with ``assigned_by = "provision"``, which goes by neither.
    """

    reference: str
    definitions: Mapping[str, ArmSpec]
    assigned_by: str = "start"
    window: float | None = None
    if_both: str = "first"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arms, the reference first."""
        return (self.reference, *(name for name in self.definitions if name != self.reference))


@dataclass(frozen=True)
class Condition:
    """One condition of eligibility: a column of the baseline, an operator, a value."""

    column: str
    operator: str
    value: Any

    def __str__(self) -> str:
        return f"{self.column} {self.operator} {self.value!r}"


@dataclass(frozen=True)
class Eligibility:
    """Who may be compared."""

    population: str = "both"
    include: tuple[Condition, ...] = ()
    covariate_window: float | None = None
    index: str = "first"

    @property
    def unit(self) -> str:
        """What is compared and counted: people, or each of their index sentences."""
        return "people" if self.index == "first" else "index sentences"


@dataclass(frozen=True)
class TimeZero:
    """From when follow-up counts, and how starts that are still to come are taken."""

    event: str = "auto"
    strategy: str = "none"
    grace: float | None = None

    @property
    def landmark(self) -> int:
        """Days from release or sentence to the landmark; 0 where there is none."""
        return int(self.grace or 0) if self.strategy == "landmark" else 0


@dataclass(frozen=True)
class FollowUp:
    """Until when, on which clock, and from which day the data speak (whose time zero came before enters late)."""

    data_cut: int
    horizon: float
    scale: str = "calendar"
    observed_from: int | None = None


MOJ_FOLLOW_UP, MOJ_PROVING = 365.0, 182.0
"""Days in which an offence counts under ``moj_window``, and days after them in which it may be proven."""


@dataclass(frozen=True)
class Outcome:
    """What counts as the outcome, how long a proof may take, and what competes.

    Attributes
    ----------
    types : tuple of str
        Offence types; empty where `kind` is not ``reoffence``.
    proving_period : float
        Days; 0 where nothing has to be proven.
    kind : str
        ``reoffence``, ``drop_out`` (of the person's own programme), or the first ``recall``, ``custody``, ``hospital``, ``abroad``.
    severity : int or None
        Least severe tier that counts (1 is the most severe); None: all.
    disposals : tuple of str
        Disposals that count, such as those to custody; empty: all.
    rule : str
        ``proving_period``: proven within the period of the offence. ``moj_window``: committed within a year of time zero and proven
        within that year or six months after it.
    negative_control : bool
        The programme cannot plausibly change it; an effect on it betrays what the adjustment has missed.
    """

    name: str
    types: tuple[str, ...]
    proving_period: float
    competing: tuple[str, ...] = ("death", "deportation")
    kind: str = "reoffence"
    severity: int | None = None
    disposals: tuple[str, ...] = ()
    rule: str = "proving_period"
    negative_control: bool = False


@dataclass(frozen=True)
class Adjust:
    """How the arms are made comparable."""

    formula: str
    estimand: str
    method: str = "logistic"
    missing: str = "error"
    cluster: str | None = None


@dataclass(frozen=True)
class Headline:
    """What was named in advance; everything else is exploratory."""

    outcome: str
    horizon: float
    population: str = "both"
    subgroups: tuple[str, ...] = ()
    margin: float | None = None


@dataclass(frozen=True)
class Checks:
    """Rules whose rows are dropped and counted, and columns declared to identify nobody."""

    drop: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()


@dataclass(frozen=True)
class Disclosure:
    """The policy every output passes."""

    policy: str = "sensitive"


@dataclass(frozen=True)
class FigureSpec:
    """One figure of the report."""

    name: str
    draws: str
    outcome: str | None = None
    alt: str = "auto"


@dataclass(frozen=True)
class TableSpec:
    """One table of the report."""

    name: str
    draws: str
    outcome: str | None = None


@dataclass(frozen=True)
class Study:
    """A comparison specified before it is estimated: the target trial and its emulation.

    Attributes
    ----------
    data : Path
        Folder of tables, as the study file gives it (relative to the file).
    path : Path or None
        The file it was read from; not part of the hash.
    """

    title: str
    data: Path
    arms: Arms
    follow_up: FollowUp
    outcomes: Mapping[str, Outcome]
    seed: int = 2010
    synthetic: bool = False
    eligibility: Eligibility = field(default_factory=Eligibility)
    time_zero: TimeZero = field(default_factory=TimeZero)
    adjust: Adjust | None = None
    headline: Headline | None = None
    checks: Checks = field(default_factory=Checks)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    disclosure: Disclosure = field(default_factory=Disclosure)
    figures: tuple[FigureSpec, ...] = ()
    tables: tuple[TableSpec, ...] = ()
    path: Path | None = None

    def __post_init__(self) -> None:
        _consistent(self)

    @property
    def data_path(self) -> Path:
        """Where the tables are: `data` seen from the study file's folder."""
        return self.data if self.path is None or self.data.is_absolute() else self.path.parent / self.data

    @property
    def arms_are_fixed(self) -> bool:
        """Whether people are in an arm from time zero on; not so where exposure changes with time, or each stands in several arms."""
        return self.time_zero.strategy not in ("time_varying", "clone_censor_weight")

    @property
    def arms_compared(self) -> tuple[str, ...]:
        """Arms people are in from time zero on, the reference first; ``("all",)`` where arms are not fixed then."""
        return self.arms.names if self.arms_are_fixed else ("all",)

    @property
    def hash(self) -> str:
        """The sha256 of everything the study says, whatever order or spacing its file has."""
        return _hash({f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "path"})

    @property
    def headline_hash(self) -> str | None:
        """The sha256 of the headline named in advance, and of the outcome it names."""
        if self.headline is None:
            return None
        return _hash({"headline": self.headline, "outcome": self.outcomes[self.headline.outcome], "arms": self.arms})

    def replace(self, **changes: Any) -> Study:
        """Return the study with some fields changed, checked again."""
        return dataclasses.replace(self, **changes)


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(_plain(value), sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return value.as_posix()
    return value.isoformat() if isinstance(value, datetime.date) else value


def _consistent(study: Study) -> None:
    """Refuse a study whose parts contradict each other."""
    arms = study.arms
    if arms.reference not in arms.definitions:
        raise DesignError(
            f"[arms] reference {arms.reference!r} is no arm. {did_you_mean(arms.reference, arms.definitions)}"
        )
    if len(arms.definitions) < 2:
        raise DesignError("[arms] needs at least two arms, one table each: bespoke = { family = ['…'] }.")
    for name in ("all", "no arm"):
        if name in arms.definitions:
            raise DesignError(f"[arms] an arm cannot be called {name!r}: the flow counts people under that name.")
    if sum(arm.none for arm in arms.definitions.values()) > 1:
        raise DesignError("[arms] one arm at most can be made of people who started nothing (none = true).")
    for name, arm in arms.definitions.items():
        if arm.none == bool(arm.family or arm.programme or arm.strand):
            raise DesignError(
                f"[arms] {name}: give family, programme or strand; or none = true for people who started nothing."
            )
    if not study.outcomes:
        raise DesignError("[outcomes] names no outcome; write [outcomes.any] with its types.")
    for outcome in study.outcomes.values():
        _consistent_outcome(outcome)
    _consistent_clock(study)
    _consistent_strategy(study)
    if not study.arms_are_fixed:
        refuse_what_looks_ahead(study)
    if study.headline is not None:
        if study.headline.outcome not in study.outcomes:
            raise DesignError(
                f"[headline] outcome {study.headline.outcome!r}. {did_you_mean(study.headline.outcome, study.outcomes)}"
            )
        if study.headline.horizon > study.follow_up.horizon:
            raise DesignError("[headline] horizon lies beyond the horizon of [follow_up].")
    if study.disclosure.policy == "none" and not study.synthetic:
        raise DesignError(
            "[disclosure] policy = 'none' is for invented data only; say synthetic = true in [study] if they are."
        )
    specs: tuple[FigureSpec | TableSpec, ...] = (*study.figures, *study.tables)
    for spec in specs:
        if spec.outcome is not None and spec.outcome not in study.outcomes:
            raise DesignError(f"{spec.name}: outcome {spec.outcome!r}. {did_you_mean(spec.outcome, study.outcomes)}")


def _consistent_outcome(outcome: Outcome) -> None:
    """Refuse an outcome that competes with itself, and a severity that no tier has."""
    where, name = f"[outcomes.{outcome.name}]", outcome.name
    if name == "censored":
        raise DesignError(f"{where} an outcome cannot be called censored.")
    if name in outcome.competing:
        raise DesignError(f"{where} competing: an outcome cannot be called like a competing event ({name!r}).")
    if outcome.kind in outcome.competing:
        raise DesignError(f"{where} competing: {outcome.kind!r} is the outcome itself; it cannot compete with it.")
    if outcome.severity is not None and outcome.severity < 1:
        raise DesignError(f"{where} severity: 1 is the most severe tier; got {outcome.severity}.")


def _consistent_clock(study: Study) -> None:
    """Refuse a clock without time, and an outcome that counts leaving the community while the clock leaves that time out."""
    scale, seen_from = study.follow_up.scale, study.follow_up.observed_from
    if seen_from is not None and seen_from >= study.follow_up.data_cut:
        raise DesignError("[follow_up] observed_from lies on or after data_cut: nobody would be followed.")
    for outcome in study.outcomes.values():
        away = [state for state in AWAY if state in outcome.competing or outcome.kind == state]
        if away and scale != "calendar":
            what = "its event" if outcome.kind == away[0] else "a competing event"
            raise DesignError(
                f"[outcomes.{outcome.name}] counts {away[0]} as {what} while [follow_up] scale = {scale!r} takes time in {away[0]} "
                "out of the clock. One analysis may do one of the two."
            )
        if outcome.rule == "moj_window" and (scale != "calendar" or study.time_zero.strategy != "none"):
            raise DesignError(
                f"[outcomes.{outcome.name}] rule = 'moj_window' counts a year of the calendar from time zero: it goes with [follow_up] "
                "scale = 'calendar' and no [time_zero] strategy."
            )


def _consistent_strategy(study: Study) -> None:
    """Refuse a strategy against immortal time that has nothing to do, or not what it needs."""
    strategy, event = study.time_zero.strategy, study.time_zero.event
    if strategy in ("landmark", "clone_censor_weight") and study.time_zero.grace is None:
        raise DesignError(f"[time_zero] strategy = {strategy!r} needs grace, such as grace = '6m'.")
    _consistent_window(study)
    if strategy != "none" and study.arms.assigned_by != "start":
        raise DesignError(
            f"[time_zero] strategy = {strategy!r} is for arms of people who started; [arms] assigned_by = "
            f"{study.arms.assigned_by!r} classes nobody by a start."
        )
    if strategy != "none" and event in ("start", "referral"):
        raise DesignError(
            f"[time_zero] event = {event!r} starts follow-up with the programme, which leaves strategy = {strategy!r} nothing to do. "
            "Take event = 'release' or 'auto', or no strategy."
        )
    population, by = study.eligibility.population, study.arms.assigned_by
    if by == "provision" and event in ("start", "referral"):
        raise DesignError(
            f"[time_zero] event = {event!r} keeps only people who came to a programme, while [arms] assigned_by = 'provision' compares "
            "everyone where it was on offer. Take event = 'auto', 'release' or 'sentence'."
        )
    if population == "caseload" and by != "provision":
        raise DesignError(
            "[eligibility] population = 'caseload' is everyone with a sentence where and while a programme was on offer, referred or not: "
            f"it needs [arms] assigned_by = 'provision', not {by!r}."
        )
    if population == "own" and by == "provision":
        raise DesignError(
            "[arms] assigned_by = 'provision' has no clients of its own: take [eligibility] population = 'caseload' (everyone) or 'both' "
            "(those whom the entry rules of both arms admit)."
        )


def _consistent_window(study: Study) -> None:
    """Refuse a window for starts where something else says which starts count."""
    if study.arms.window is None:
        return
    if study.time_zero.strategy == "landmark":
        raise DesignError(
            "[arms] window goes without [time_zero] strategy = 'landmark': what was started by the landmark decides the arm, and a shorter "
            "window would take people for untreated who had started by then. Leave window out and let grace say how soon a start counts."
        )
    if study.arms.assigned_by == "provision":
        raise DesignError(
            "[arms] window counts starts or referrals, and assigned_by = 'provision' goes by neither. Leave window out."
        )
