"""The one description of the tables: columns, types, codes, keys and the privacy role of each column.

The readers, the checks, the dictionary and the generator of example data all read the shape of the data here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["SCHEMA", "Column", "Reference", "Table", "columns_of", "dictionary_markdown"]

Kind = Literal["id", "date", "int", "float", "bool", "code", "text"]
Role = Literal["key", "quasi", "sensitive", "plain"]


@dataclass(frozen=True)
class Reference:
    """A column whose values must exist in another table's key."""

    table: str
    column: str


@dataclass(frozen=True)
class Column:
    """One column: its name, what it holds, and how it may be used.

    Attributes
    ----------
    kind : str
        ``id`` (any text or integer, becomes an integer at load), ``date`` (ISO date, datetime or integer day),
        ``int``, ``float``, ``bool``, ``code`` (one of `codes`, or any short code where `codes` is empty), ``text``.
    optional : bool
        The column may be absent. A column that is not optional must be there; `nullable` says whether it may be empty.
    role : str
        ``key``, ``quasi`` (quasi-identifier), ``sensitive`` or ``plain``: what disclosure control needs to know.
    low, high : float or None
        Plausible limits of a number; outside is an error of the check ``plausible_values``.
    """

    name: str
    kind: Kind
    text: str
    optional: bool = False
    nullable: bool = False
    codes: tuple[str, ...] = ()
    refers: Reference | None = None
    role: Role = "plain"
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Table:
    """One table: what a row is, its key, its columns."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    optional: bool = False

    def column(self, name: str) -> Column:
        """Return the column called `name` (KeyError where there is none)."""
        return {column.name: column for column in self.columns}[name]


OFFENCE_TYPES = (
    "sexual_contact",
    "sexual_noncontact",
    "sexual_image",
    "violent",
    "acquisitive",
    "motoring",
    "drugs",
    "breach_order",
    "breach_notification",
    "other",
)
STRANDS = ("core", "maintenance", "adapted", "individual", "partner", "circle", "residential", "youth")
PEOPLE = Reference("people", "person_id")
SENTENCES = Reference("sentences", "sentence_id")
PROGRAMMES = Reference("programmes", "programme_id")

_TABLES = (
    Table(
        "people",
        "person",
        ("person_id",),
        (
            Column("person_id", "id", "pseudonym of the person", role="key"),
            Column("sex", "code", "recorded sex", codes=("male", "female"), role="quasi"),
            Column("ethnicity_group", "code", "ethnic group, broad", nullable=True, role="quasi"),
        ),
    ),
    Table(
        "sentences",
        "index sentence",
        ("sentence_id",),
        (
            Column("sentence_id", "id", "pseudonym of the sentence", role="key"),
            Column("person_id", "id", "whose sentence", refers=PEOPLE, role="key"),
            Column("sentence_date", "date", "day of sentence"),
            Column("sentence_type", "code", "determinate, extended, community_order, …"),
            Column("setting", "code", "where it is served", codes=("custody", "community")),
            Column("index_offence", "code", "offence sentenced for", codes=OFFENCE_TYPES, role="sensitive"),
            Column("release_date", "date", "first release, custody only", nullable=True),
            Column("age_at_sentence", "float", "age in years", role="quasi", low=10, high=105),
            Column("prior_sanctions", "int", "sanctions before this sentence", low=0, high=500),
            Column("prior_sexual_sanctions", "int", "of these, for sexual offences", role="sensitive", low=0, high=500),
            Column("area", "code", "probation area", role="quasi"),
            Column(
                "linkage_quality",
                "float",
                "match weight of the record linkage, 0 to 1",
                optional=True,
                nullable=True,
                low=0,
                high=1,
            ),
        ),
    ),
    Table(
        "assessments",
        "assessment",
        (),
        (
            Column("person_id", "id", "who was assessed", refers=PEOPLE, role="key"),
            Column("date", "date", "day of assessment"),
            Column("instrument", "code", "name of the instrument"),
            Column("version", "code", "its version", optional=True, nullable=True),
            Column("score", "float", "score", optional=True, nullable=True, role="sensitive"),
            Column("band", "code", "band of the score", optional=True, nullable=True, role="sensitive"),
            Column(
                "denial",
                "code",
                "denial of the offence",
                optional=True,
                nullable=True,
                codes=("none", "partial", "full"),
                role="sensitive",
            ),
            Column(
                "learning_disability",
                "bool",
                "learning disability recorded",
                optional=True,
                nullable=True,
                role="sensitive",
            ),
        ),
    ),
    Table(
        "programmes",
        "programme (catalogue)",
        ("programme_id",),
        (
            Column("programme_id", "id", "programme", role="key"),
            Column("family_id", "code", "a project and its strands"),
            Column("name", "text", "name as printed"),
            Column("design", "code", "how it is designed", codes=("bespoke", "manualised")),
            Column("strand", "code", "strand", codes=STRANDS),
            Column("format", "code", "how it is delivered", codes=("group", "individual", "mixed")),
            Column("setting", "code", "where it is delivered", codes=("custody", "community", "both")),
            Column("accredited", "bool", "accredited manual"),
            Column("recorded", "bool", "sessions are recorded"),
        ),
    ),
    Table(
        "provision",
        "where and when a programme ran",
        (),
        (
            Column("programme_id", "id", "programme", refers=PROGRAMMES, role="key"),
            Column("area", "code", "probation area", role="quasi"),
            Column("site_id", "id", "site", optional=True, nullable=True),
            Column("open_from", "date", "first day on offer"),
            Column("open_to", "date", "last day on offer; empty = still open", optional=True, nullable=True),
            Column("capacity", "int", "places a year", optional=True, nullable=True, low=0, high=100000),
        ),
    ),
    Table(
        "eligibility",
        "exclusion rule of a programme",
        (),
        (
            Column("programme_id", "id", "programme", refers=PROGRAMMES, role="key"),
            Column("column", "code", "column the rule looks at"),
            Column("operator", "code", "comparison", codes=("==", "!=", "<", "<=", ">", ">=", "in", "not in")),
            Column("value", "text", "value compared with; a list is separated by |"),
            Column("valid_from", "date", "first day in force; empty = always", optional=True, nullable=True),
            Column("valid_to", "date", "last day in force; empty = still", optional=True, nullable=True),
            Column("reason", "code", "reason counted in the flow"),
        ),
    ),
    Table(
        "referrals",
        "referral",
        ("referral_id",),
        (
            Column("referral_id", "id", "referral", role="key"),
            Column("person_id", "id", "who was referred", refers=PEOPLE, role="key"),
            Column("sentence_id", "id", "under which sentence", refers=SENTENCES, role="key"),
            Column("programme_id", "id", "to which programme", refers=PROGRAMMES),
            Column("referral_date", "date", "day of referral"),
            Column(
                "stage", "code", "stage of the sentence", codes=("psr", "order", "custody", "licence", "post_order")
            ),
            Column(
                "decision",
                "code",
                "what was decided",
                codes=("accepted", "not_eligible", "not_suitable", "no_place", "declined", "withdrawn", "pending"),
            ),
            Column("decision_date", "date", "day of decision", optional=True, nullable=True),
            Column("reason", "code", "reason of a refusal", optional=True, nullable=True),
            Column("site_id", "id", "site", optional=True, nullable=True),
        ),
    ),
    Table(
        "participation",
        "started spell in a programme",
        ("participation_id",),
        (
            Column("participation_id", "id", "participation", role="key"),
            Column(
                "referral_id",
                "id",
                "the referral it came from",
                optional=True,
                nullable=True,
                refers=Reference("referrals", "referral_id"),
            ),
            Column("person_id", "id", "who took part", refers=PEOPLE, role="key"),
            Column("sentence_id", "id", "under which sentence", refers=SENTENCES, role="key"),
            Column("programme_id", "id", "in which programme", refers=PROGRAMMES),
            Column("start_date", "date", "first session"),
            Column("end_date", "date", "last session; empty = ongoing", optional=True, nullable=True),
            Column(
                "status",
                "code",
                "how it ended",
                codes=("completed", "dropped_out", "removed", "transferred", "ended_recall", "ended_order", "ongoing"),
            ),
            Column("voluntary", "bool", "attended voluntarily"),
            Column("sessions_planned", "int", "sessions planned", optional=True, nullable=True, low=0, high=2000),
            Column("sessions_attended", "int", "sessions attended", optional=True, nullable=True, low=0, high=2000),
            Column("site_id", "id", "site", optional=True, nullable=True),
            Column("group_id", "id", "group", optional=True, nullable=True),
        ),
    ),
    Table(
        "delivery",
        "who ran a group",
        (),
        (
            Column("group_id", "id", "group"),
            Column("facilitator_id", "id", "pseudonym of the facilitator", role="key"),
            Column("role", "code", "role", optional=True, nullable=True),
            Column("grade", "code", "grade", optional=True, nullable=True),
            Column("from", "date", "first day", optional=True, nullable=True),
            Column("to", "date", "last day", optional=True, nullable=True),
        ),
        optional=True,
    ),
    Table(
        "fidelity",
        "monitoring of a group",
        (),
        (
            Column("group_id", "id", "group"),
            Column("date", "date", "day of monitoring"),
            Column("score", "float", "score"),
            Column("scale", "code", "scale of the score"),
            Column("sessions_monitored", "int", "sessions looked at", optional=True, nullable=True, low=0, high=2000),
        ),
        optional=True,
    ),
    Table(
        "supervision",
        "supervision period",
        (),
        (
            Column("person_id", "id", "who was supervised", refers=PEOPLE, role="key"),
            Column("start_date", "date", "first day"),
            Column("end_date", "date", "last day; empty = open", optional=True, nullable=True),
            Column("type", "code", "kind", codes=("licence", "community_order", "prevention_order", "notification")),
            Column("level", "code", "level of management", optional=True, nullable=True),
        ),
        optional=True,
    ),
    Table(
        "spells",
        "period out of the community after release",
        (),
        (
            Column("person_id", "id", "who was away", refers=PEOPLE, role="key"),
            Column("start_date", "date", "first day out of the community"),
            Column("end_date", "date", "day back in the community; empty = open", optional=True, nullable=True),
            Column("state", "code", "where", codes=("custody", "recall", "hospital", "abroad")),
            Column(
                "reason",
                "code",
                "why",
                optional=True,
                nullable=True,
                codes=("sentence", "remand", "recall", "new_sentence"),
            ),
            Column(
                "reoffence_id",
                "id",
                "the reoffence that led to it",
                optional=True,
                nullable=True,
                refers=Reference("reoffences", "reoffence_id"),
            ),
        ),
    ),
    Table(
        "reoffences",
        "proven reoffence",
        ("reoffence_id",),
        (
            Column("reoffence_id", "id", "reoffence", role="key"),
            Column("person_id", "id", "who", refers=PEOPLE, role="key"),
            Column("offence_date", "date", "day of the offence", role="sensitive"),
            Column("proven_date", "date", "day of conviction or caution", role="sensitive"),
            Column("offence_type", "code", "type", codes=OFFENCE_TYPES, role="sensitive"),
            Column("severity", "int", "severity tier, 1 most severe", optional=True, nullable=True, low=1, high=99),
            Column("disposal", "code", "disposal", optional=True, nullable=True),
        ),
    ),
    Table(
        "exits",
        "leaving observation for good",
        (),
        (
            Column("person_id", "id", "who left", refers=PEOPLE, role="key"),
            Column("exit_date", "date", "day of leaving", role="sensitive"),
            Column("reason", "code", "why", codes=("death", "deportation", "emigration", "lost"), role="sensitive"),
        ),
    ),
)

SCHEMA: Mapping[str, Table] = MappingProxyType({table.name: table for table in _TABLES})


def columns_of(table: str) -> tuple[str, ...]:
    """Return the names of a table's columns in order.

    Examples
    --------
    >>> columns_of("exits")
    ('person_id', 'exit_date', 'reason')
    """
    return tuple(column.name for column in SCHEMA[table].columns)


def dictionary_markdown() -> str:
    """Return the data dictionary as Markdown, one section a table."""
    lines = [
        "# Dictionary of the tables",
        "",
        "Written from `outcomes.loading.schema`. – marks a column that may be absent.",
        "",
    ]
    for table in SCHEMA.values():
        optional = " (may be absent)" if table.optional else ""
        lines += [f"## {table.name}{optional}", "", f"One row per {table.row}.", ""]
        lines += ["| column | kind | what it holds | may be empty | codes |", "|---|---|---|---|---|"]
        for column in table.columns:
            name = f"–{column.name}" if column.optional else column.name
            codes = ", ".join(column.codes) if column.codes else ""
            lines.append(f"| {name} | {column.kind} | {column.text} | {'yes' if column.nullable else 'no'} | {codes} |")
        lines.append("")
    return "\n".join(lines)
