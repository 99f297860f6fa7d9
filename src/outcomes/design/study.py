"""A study as data: every section of the study file as a frozen spec, read and checked before anything is estimated."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from outcomes.design.report_items import FigureSpec, TableSpec
from outcomes.design.study_rules import refuse_contradictions
from outcomes.durations import days, in_words
from outcomes.errors import DesignError

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

    @property
    def untreated(self) -> str | None:
        """The arm of people who started nothing; None where there is none."""
        return next((name for name, arm in self.definitions.items() if arm.none), None)

    @property
    def treated(self) -> tuple[str, ...]:
        """Names of the arms with programmes, in the order of `names`."""
        return tuple(name for name in self.names if name != self.untreated)


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


@dataclass(frozen=True, repr=False)
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
        refuse_contradictions(self)

    def describe(self) -> str:
        """Return what is compared, from when, on what and how, a line each."""
        others = ", ".join(arm for arm in self.arms.names if arm != self.arms.reference)
        lines = [
            f"{self.title}: {others} against {self.arms.reference}, assigned by {self.arms.assigned_by}.",
            f"Population: {self.eligibility.population}. Time zero: {self.time_zero.event} (strategy: {self.time_zero.strategy}).",
            f"Followed for {in_words(self.follow_up.horizon)} at most, scale {self.follow_up.scale}.",
        ]
        lines += [
            f"Outcome {name}: competing with {', '.join(outcome.competing) or 'nothing'}"
            f"{f', proven within {in_words(outcome.proving_period)}' if outcome.proving_period else ''}."
            for name, outcome in self.outcomes.items()
        ]
        if self.adjust is not None:
            lines.append(
                f"Adjusted by {self.adjust.method} for {self.adjust.formula} (estimand {self.adjust.estimand.upper()})."
            )
        if self.headline is not None:
            lines.append(
                f"Headline: {self.headline.outcome} by {in_words(self.headline.horizon)}; all else is exploratory."
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Study: {self.describe()}"

    def _repr_html_(self) -> str:
        return f"<p>{'<br>'.join(map(html.escape, self.describe().splitlines()))}</p>"

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

    def with_untreated(self, grace: float | str = "6m", *, name: str = "untreated") -> Study:
        """Return the study with an arm of people who started nothing, everyone followed from one time zero.

        Without one, "worse than the other programme" reads as "does harm". Arms are then what people started by a landmark, `grace`
        after release or sentence, and everyone is followed from that day on; who reoffended before it is in no arm.

        Parameters
        ----------
        grace : float or str
            Days, or text such as ``"6m"``.
        name : str
            What the arm is called.

        Raises
        ------
        DesignError
            The study has such an arm already, has an arm of that name, or has a strategy of its own.
        """
        if self.arms.untreated is not None:
            raise DesignError(
                f"with_untreated: {self.arms.untreated!r} is the study's arm of people who started nothing."
            )
        if name in self.arms.definitions:
            raise DesignError(f"with_untreated: the study has an arm {name!r}; give another name=.")
        if self.time_zero.strategy != "none":
            raise DesignError(
                f"with_untreated: [time_zero] strategy = {self.time_zero.strategy!r}; write the arm {name} = {{ none = true }} into [arms]."
            )
        arms = dataclasses.replace(
            self.arms, definitions={**self.arms.definitions, name: ArmSpec(none=True)}, window=None, assigned_by="start"
        )
        landmark = TimeZero("auto", "landmark", days(grace, what="with_untreated: grace"))
        return self.replace(arms=arms, time_zero=landmark)

    def by_provision(self) -> Study:
        """Return the study that compares what was on offer: everyone from release or sentence, whoever was referred or started.

        Arms are those with programmes; a window, a strategy and the start as time zero are left out, which go by what people did.
        """
        names = self.arms.treated
        offered = {name: self.arms.definitions[name] for name in names}
        arms = dataclasses.replace(
            self.arms, reference=names[0], definitions=offered, assigned_by="provision", window=None, if_both="first"
        )
        caseload = dataclasses.replace(self.eligibility, population="caseload")
        event = "auto" if self.time_zero.event in ("start", "referral") else self.time_zero.event
        return self.replace(arms=arms, eligibility=caseload, time_zero=TimeZero(event), headline=None)

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
