"""What the tables must not say of each other: one rule, one query, one sentence.

Each query gives the ``_row`` of the offending rows of its table; only their number ever leaves.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RULES", "Rule"]


@dataclass(frozen=True)
class Rule:
    """One cross-table rule.

    Attributes
    ----------
    name, table, column : str
    severity : str
        ``error`` (a cohort is refused until it is fixed or listed in [checks] drop), ``warning`` or ``note``.
    text : str
        What the offending rows say.
    sql : str
        Query for the ``_row`` of offending rows.
    """

    name: str
    table: str
    column: str
    severity: str
    text: str
    sql: str


def _left(table: str, column: str, alias: str = "a") -> str:
    """Return SQL for rows dated after a death or deportation (the day itself is allowed)."""
    return (
        f"SELECT {alias}._row FROM {table} {alias} JOIN exits x USING (person_id) "
        f"WHERE x.reason IN ('death', 'deportation') AND {alias}.{column} > x.exit_date"
    )


def _ends_before_start(table: str, start: str, end: str) -> Rule:
    return Rule(
        f"{table}_end_before_start",
        table,
        end,
        "error",
        f"{end} is before {start}",
        f'SELECT _row FROM {table} WHERE "{end}" < "{start}"',
    )


RULES: tuple[Rule, ...] = (
    Rule("one_exit_per_person", "exits", "person_id", "error", "a person leaves observation twice",
         "SELECT _row FROM (SELECT _row, count(*) OVER (PARTITION BY person_id ORDER BY exit_date, _row) AS k FROM exits) WHERE k > 1"),
    Rule("reoffence_after_exit", "reoffences", "offence_date", "error", "an offence is dated after the person's death or deportation",
         _left("reoffences", "offence_date")),
    Rule("spell_after_exit", "spells", "start_date", "error", "a spell starts after the person's death or deportation",
         _left("spells", "start_date")),
    Rule("participation_after_exit", "participation", "start_date", "error", "a programme starts after the person's death or deportation",
         _left("participation", "start_date")),
    Rule("proven_before_offence", "reoffences", "proven_date", "error", "an offence is proven before it was committed",
         "SELECT _row FROM reoffences WHERE proven_date < offence_date"),
    Rule("release_before_sentence", "sentences", "release_date", "error", "a release is dated before its sentence",
         "SELECT _row FROM sentences WHERE release_date < sentence_date"),
    Rule("release_in_community", "sentences", "release_date", "error", "a community sentence has a release date",
         "SELECT _row FROM sentences WHERE setting = 'community' AND release_date IS NOT NULL"),
    Rule("not_released", "sentences", "release_date", "note", "a custodial sentence has no release yet",
         "SELECT _row FROM sentences WHERE setting = 'custody' AND release_date IS NULL"),
    Rule("start_before_referral", "participation", "start_date", "error", "a programme starts before its referral",
         "SELECT a._row FROM participation a JOIN referrals r USING (referral_id) WHERE a.start_date < r.referral_date"),
    Rule("decision_before_referral", "referrals", "decision_date", "error", "a decision is dated before its referral",
         "SELECT _row FROM referrals WHERE decision_date < referral_date"),
    Rule("referral_of_another", "referrals", "sentence_id", "error", "a referral names another person's sentence",
         "SELECT a._row FROM referrals a JOIN sentences s USING (sentence_id) WHERE a.person_id <> s.person_id"),
    Rule("participation_of_another", "participation", "sentence_id", "error", "a participation names another person's sentence",
         "SELECT a._row FROM participation a JOIN sentences s USING (sentence_id) WHERE a.person_id <> s.person_id"),
    Rule("participation_of_another_referral", "participation", "referral_id", "error", "a participation names another person's referral",
         "SELECT a._row FROM participation a JOIN referrals r USING (referral_id) WHERE a.person_id <> r.person_id"),
    _ends_before_start("participation", "start_date", "end_date"),
    _ends_before_start("spells", "start_date", "end_date"),
    _ends_before_start("supervision", "start_date", "end_date"),
    _ends_before_start("provision", "open_from", "open_to"),
    _ends_before_start("eligibility", "valid_from", "valid_to"),
    Rule("spells_overlap", "spells", "start_date", "error", "a spell starts before the person's earlier spell has ended",
         "SELECT _row FROM (SELECT _row, start_date, max(coalesce(end_date, 9000000000)) OVER (PARTITION BY person_id "
         "ORDER BY start_date, _row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS earlier FROM spells) WHERE start_date < earlier"),
    Rule("spell_before_release", "spells", "start_date", "error", "a spell starts before the person's first release or sentence",
         "SELECT a._row FROM spells a JOIN (SELECT person_id, min(coalesce(release_date, sentence_date)) AS first FROM sentences "
         "GROUP BY person_id) s USING (person_id) WHERE a.start_date < s.first"),
    Rule("sexual_exceeds_all", "sentences", "prior_sexual_sanctions", "error", "more sexual than all earlier sanctions",
         "SELECT _row FROM sentences WHERE prior_sexual_sanctions > prior_sanctions"),
    Rule("programme_not_open", "participation", "start_date", "warning", "a programme starts where or when provision does not list it",
         "SELECT a._row FROM participation a JOIN sentences s USING (sentence_id) LEFT JOIN provision p ON p.programme_id = a.programme_id "
         "AND p.area = s.area AND a.start_date >= p.open_from AND (p.open_to IS NULL OR a.start_date <= p.open_to) "
         "WHERE p.programme_id IS NULL"),
    Rule("attended_exceeds_planned", "participation", "sessions_attended", "warning", "more sessions attended than planned",
         "SELECT _row FROM participation WHERE sessions_attended > sessions_planned"),
    Rule("referral_before_sentence", "referrals", "referral_date", "note", "a referral precedes the sentence (pre-sentence stage)",
         "SELECT a._row FROM referrals a JOIN sentences s USING (sentence_id) WHERE a.referral_date < s.sentence_date"),
    Rule("several_sentences", "sentences", "person_id", "note", "a person has several index sentences",
         "SELECT _row FROM (SELECT _row, count(*) OVER (PARTITION BY person_id ORDER BY sentence_date, _row) AS k "
         "FROM sentences) WHERE k > 1"),
)  # fmt: skip
