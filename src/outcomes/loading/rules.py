"""What the tables must not say of each other: one rule, one condition, one sentence.

The conditions of a table are asked over one view of it, `VIEWS`, which holds beside each row what other tables say of the same
person, sentence or programme, and the how many-th of equal rows it is; so all rules of a table cost one query. Days are
integers; a null makes no condition hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from outcomes.loading.schema import SCHEMA, Column

__all__ = ["VIEWS", "Rule", "rules_of"]

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Rule:
    """One rule of one table.

    Attributes
    ----------
    name : str
        What the report and [checks] drop call it; several tables may share a name.
    table, column : str
        Where the offending rows are, and the column to look at first.
    severity : str
        ``error`` (a cohort is refused until it is fixed or listed in [checks] drop), ``warning`` or ``note``.
    text : str
        What the offending rows say.
    when : str
        SQL condition over the view of the table.
    """

    name: str
    table: str
    column: str
    severity: Severity
    text: str
    when: str


# Dates of death, and of death or deportation; who was sentenced when, and free from when.
_GONE = (
    "(SELECT person_id, min(exit_date) FILTER (WHERE reason = 'death') AS died, "
    "min(exit_date) FILTER (WHERE reason IN ('death', 'deportation')) AS gone FROM {exits} GROUP BY person_id)"
)
_SENTENCED = (
    "(SELECT person_id, min(sentence_date) AS sentenced, min(coalesce(release_date, sentence_date)) AS free "
    "FROM {sentences} GROUP BY person_id)"
)
# Of each programme and area: when provision lists it as open, without overlaps; how many sites it lists, and which.
_LASTING = (
    "(SELECT programme_id, area, open_from, coalesce(open_to, 9000000000000000) AS closes, _row FROM {provision} "
    "WHERE open_from <= coalesce(open_to, open_from))"
)
_IN_ORDER = "OVER (PARTITION BY programme_id, area ORDER BY open_from, _row"
_OPEN = (
    "(SELECT programme_id, area, min(open_from) AS opens, max(closes) AS closes FROM ("
    f"SELECT *, sum(CASE WHEN open_from <= before THEN 0 ELSE 1 END) {_IN_ORDER}) AS nth_time FROM ("
    f"SELECT *, max(closes) {_IN_ORDER} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM {_LASTING}"
    ")) GROUP BY programme_id, area, nth_time)"
)
_SITES = "(SELECT programme_id, area, count(site_id) AS sites FROM {provision} GROUP BY programme_id, area)"
_LISTED = "(SELECT DISTINCT programme_id, area, site_id FROM {provision} WHERE site_id IS NOT NULL)"
_DIED = f"LEFT JOIN {_GONE} g ON g.person_id = t.person_id"
_COPIES = "LEFT JOIN {copies} c ON c.copy_row = t._row"
_ALONE = "SELECT t.*, c.nth_copy FROM {%s} t " + _COPIES

VIEWS: Mapping[str, str] = MappingProxyType(
    {
        "people": f"SELECT t.*, s.sentenced FROM {{people}} t LEFT JOIN {_SENTENCED} s ON s.person_id = t.person_id",
        "sentences": "SELECT t.*, g.died FROM (SELECT *, row_number() OVER (PARTITION BY person_id ORDER BY sentence_date, _row) AS nth "
        f"FROM {{sentences}}) t {_DIED}",
        "assessments": f"SELECT t.*, g.died, c.nth_copy FROM {{assessments}} t {_DIED} {_COPIES}",
        "provision": _ALONE % "provision",
        "eligibility": _ALONE % "eligibility",
        "referrals": "SELECT t.*, g.died, s.person_id AS sentence_person, s.sentence_date FROM {referrals} t "
        f"{_DIED} LEFT JOIN {{sentences}} s ON s.sentence_id = t.sentence_id",
        "participation": "SELECT t.*, g.died, s.person_id AS sentence_person, s.sentence_date, r.person_id AS referral_person, "
        "r.referral_date, r.programme_id AS referral_programme, o.opens, n.sites, l.site_id AS listed "
        f"FROM {{participation}} t {_DIED} LEFT JOIN {{sentences}} s ON s.sentence_id = t.sentence_id "
        "LEFT JOIN {referrals} r ON r.referral_id = t.referral_id "
        f"LEFT JOIN {_OPEN} o ON o.programme_id = t.programme_id AND o.area = s.area "
        "AND t.start_date BETWEEN o.opens AND o.closes "
        f"LEFT JOIN {_SITES} n ON n.programme_id = t.programme_id AND n.area = s.area "
        f"LEFT JOIN {_LISTED} l ON l.programme_id = t.programme_id AND l.area = s.area AND l.site_id = t.site_id",
        "delivery": _ALONE % "delivery",
        "fidelity": _ALONE % "fidelity",
        "supervision": f"SELECT t.*, g.died, c.nth_copy FROM {{supervision}} t {_DIED} {_COPIES}",
        "spells": "SELECT t.*, g.died, s.free, o.person_id AS reoffence_person, c.nth_copy FROM ("
        "SELECT *, max(coalesce(end_date, 9000000000000000)) OVER (PARTITION BY person_id ORDER BY start_date, _row "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS away_until "
        f"FROM {{spells}}) t {_DIED} LEFT JOIN {_SENTENCED} s ON s.person_id = t.person_id "
        f"LEFT JOIN {{reoffences}} o ON o.reoffence_id = t.reoffence_id {_COPIES}",
        "reoffences": f"SELECT t.*, g.gone, s.sentenced FROM {{reoffences}} t {_DIED} "
        f"LEFT JOIN {_SENTENCED} s ON s.person_id = t.person_id",
        "exits": "SELECT t.*, c.nth_copy, row_number() OVER (PARTITION BY t.person_id ORDER BY t.exit_date, t._row) AS nth "
        f"FROM {{exits}} t {_COPIES}",
    }
)

_LOW_LINKAGE = 0.5  # of a match weight from 0 to 1: more likely wrong than right

_RULES: tuple[Rule, ...] = (
    Rule("person_without_sentence", "people", "person_id", "note", "a person has no index sentence", "sentenced IS NULL"),
    Rule("release_before_sentence", "sentences", "release_date", "error", "a release is dated before its sentence",
         "release_date < sentence_date"),
    Rule("release_in_community", "sentences", "release_date", "error", "a sentence served in the community has a release date",
         "setting = 'community' AND release_date IS NOT NULL"),
    Rule("custody_without_release", "sentences", "release_date", "note", "a sentence served in custody has no release yet",
         "setting = 'custody' AND release_date IS NULL"),
    Rule("sentence_after_death", "sentences", "sentence_date", "error", "a sentence is dated after the person's death",
         "sentence_date > died"),
    Rule("release_after_death", "sentences", "release_date", "error", "a release is dated after the person's death",
         "release_date > died"),
    Rule("prior_sexual_exceeds_prior", "sentences", "prior_sexual_sanctions", "error",
         "more earlier sanctions for sexual offences than earlier sanctions", "prior_sexual_sanctions > prior_sanctions"),
    Rule("low_linkage_quality", "sentences", "linkage_quality", "note",
         f"a sentence was linked with a match weight below {_LOW_LINKAGE:g}, so offences may be missed or another's",
         f"linkage_quality < {_LOW_LINKAGE:g}"),
    Rule("several_sentences", "sentences", "person_id", "note", "a further index sentence of the same person", "nth > 1"),
    Rule("assessment_after_death", "assessments", "date", "warning", "an assessment is dated after the person's death",
         "date > died"),
    Rule("decision_before_referral", "referrals", "decision_date", "error", "a decision is dated before its referral",
         "decision_date < referral_date"),
    Rule("sentence_of_another_person", "referrals", "sentence_id", "error", "a referral names another person's sentence",
         "sentence_person <> person_id"),
    Rule("referral_after_death", "referrals", "referral_date", "warning", "a referral is dated after the person's death",
         "referral_date > died"),
    Rule("referral_before_sentence", "referrals", "referral_date", "note",
         "a referral is dated before its sentence, as at the pre-sentence stage", "referral_date < sentence_date"),
    Rule("start_before_referral", "participation", "start_date", "error", "a programme starts before the referral to it",
         "start_date < referral_date"),
    Rule("participation_after_death", "participation", "start_date", "error", "a programme starts after the person's death",
         "start_date > died"),
    Rule("sentence_of_another_person", "participation", "sentence_id", "error", "a participation names another person's sentence",
         "sentence_person <> person_id"),
    Rule("referral_of_another_person", "participation", "referral_id", "error", "a participation names another person's referral",
         "referral_person <> person_id"),
    Rule("referral_to_another_programme", "participation", "programme_id", "warning",
         "a participation is in another programme than its referral", "referral_programme <> programme_id"),
    Rule("start_before_sentence", "participation", "start_date", "warning", "a programme starts before the sentence it is under",
         "start_date < sentence_date"),
    Rule("programme_not_open", "participation", "start_date", "warning",
         "a programme starts where or when provision does not list it", "opens IS NULL"),
    Rule("site_not_listed", "participation", "site_id", "warning",
         "a site is not among those provision lists for the programme in the area", "site_id IS NOT NULL AND sites > 0 AND listed IS NULL"),
    Rule("sessions_attended_exceeds_planned", "participation", "sessions_attended", "warning",
         "more sessions attended than planned", "sessions_attended > sessions_planned"),
    Rule("ongoing_with_end", "participation", "end_date", "warning", "a participation that is ongoing has an end",
         "status = 'ongoing' AND end_date IS NOT NULL"),
    Rule("supervision_after_death", "supervision", "start_date", "warning", "supervision starts after the person's death",
         "start_date > died"),
    Rule("spell_after_death", "spells", "start_date", "error", "a spell starts after the person's death", "start_date > died"),
    Rule("spells_overlap", "spells", "start_date", "warning",
         "a spell starts before an earlier spell of the person has ended; time in both is counted once",
         "start_date < away_until"),
    Rule("spell_before_release", "spells", "start_date", "error",
         "a spell starts before the person's first release (custody) or sentence (community)", "start_date < free"),
    Rule("reoffence_of_another_person", "spells", "reoffence_id", "error", "a spell names another person's reoffence",
         "reoffence_person <> person_id"),
    Rule("proven_before_offence", "reoffences", "proven_date", "error", "an offence is proven before it was committed",
         "proven_date < offence_date"),
    Rule("event_after_exit", "reoffences", "offence_date", "error", "an offence is dated after the person's death or deportation",
         "offence_date > gone"),
    Rule("offence_before_sentence", "reoffences", "offence_date", "note", "an offence is dated before the person's first index sentence",
         "offence_date < sentenced"),
    Rule("one_exit_per_person", "exits", "person_id", "error", "a further exit of a person who has left already", "nth > 1"),
)  # fmt: skip

_ENDS = (
    ("provision", "open_from", "open_to"),
    ("eligibility", "valid_from", "valid_to"),
    ("participation", "start_date", "end_date"),
    ("delivery", "from", "to"),
    ("supervision", "start_date", "end_date"),
    ("spells", "start_date", "end_date"),
)
_FIRST_DAY, _LAST_DAY = -25_567, 47_846  # 1900-01-01 and 2100-12-31, in days since 1970-01-01


def rules_of(table: str, origin: str, quoted: Callable[[str], str]) -> tuple[Rule, ...]:
    """Return every rule of a table: those written above, and those that follow from the schema.

    Parameters
    ----------
    table : str
        Name of a table of the schema.
    origin : str
        ``"1970-01-01"``, or ``"undisclosed"``, where no calendar date can be implausible.
    quoted : callable
        Gives a name as an identifier of the engine's SQL.
    """
    rules = [rule for rule in _RULES if rule.table == table]
    for name, start, end in _ENDS:
        if name == table:
            when = f"{quoted(end)} < {quoted(start)}"
            rules.append(Rule("end_before_start", table, end, "error", f"{end} is before {start}", when))
    for column in SCHEMA[table].columns:
        if column.low is not None or column.high is not None:
            rules.append(_plausible(table, column, quoted))
        if column.kind == "date" and origin == "1970-01-01":
            text = f"{column.name} is before 1900 or after 2100; an open end is an empty cell"
            when = f"{quoted(column.name)} < {_FIRST_DAY} OR {quoted(column.name)} > {_LAST_DAY}"
            rules.append(Rule("plausible_dates", table, column.name, "error", text, when))
    if not SCHEMA[table].key:
        rules.append(Rule("duplicate_rows", table, "", "warning", "a row is a copy of another", "nth_copy > 1"))
    return tuple(rules)


def _plausible(table: str, column: Column, quoted: Callable[[str], str]) -> Rule:
    cell = quoted(column.name)
    limits = [f"{cell} < {column.low:g}"] if column.low is not None else []
    limits += [f"{cell} > {column.high:g}"] if column.high is not None else []
    low = "" if column.low is None else f" below {column.low:g}"
    high = "" if column.high is None else f" above {column.high:g}"
    text = f"{column.name} is{low}{' or' if low and high else ''}{high}"
    return Rule("plausible_values", table, column.name, "error", text, " OR ".join(limits))
