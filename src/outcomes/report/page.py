"""The report as one HTML file: no network, no script, readable with a screen reader and on paper."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from outcomes.disclosure.policy import DisclosurePolicy
from outcomes.durations import in_words
from outcomes.report.analysis import Analysis
from outcomes.report.chapters import CHAPTERS, Chapter
from outcomes.report.contents import ORDER
from outcomes.report.item import Item
from outcomes.results import Note

__all__ = ["Drawn", "Page", "Tabulated", "as_page"]

_LIMITING = ("era", "settings_differ", "waits_differ", "far_data_cut")  # notes that say what cannot be settled


@dataclass(frozen=True)
class Drawn:
    """One figure in every form it is kept in."""

    name: str
    draws: str
    item: Item
    outcome: str
    title: str
    alternative: str
    png: bytes
    svg: bytes
    csv: bytes
    said: tuple[str, ...] = ()

    def files(self) -> dict[str, bytes]:
        """Return its files by path."""
        forms = {"png": self.png, "svg": self.svg, "csv": self.csv, "txt": f"{self.alternative}\n".encode()}
        return {f"figures/{self.name}.{kind}": content for kind, content in forms.items()}

    @property
    def source(self) -> str:
        """The picture as an address that needs no network."""
        return f"data:image/svg+xml;base64,{base64.b64encode(self.svg).decode('ascii')}"


@dataclass(frozen=True)
class Tabulated:
    """One table as HTML and as CSV."""

    name: str
    draws: str
    item: Item
    outcome: str
    title: str
    html: str
    csv: bytes
    said: tuple[str, ...] = ()

    def files(self) -> dict[str, bytes]:
        """Return its file by path."""
        return {f"tables/{self.name}.csv": self.csv}


@dataclass(frozen=True, eq=False)
class Page:
    """What a report holds, ready to be laid out; notes by what they are about."""

    analysis: Analysis
    policy: DisclosurePolicy
    sentences: tuple[str, ...]
    figures: tuple[Drawn, ...]
    tables: tuple[Tabulated, ...]
    notes: Mapping[str, tuple[Note, ...]]


def as_page(page: Page) -> str:
    """Return the report as HTML."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("outcomes.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.html.j2").render(**_context(page))


def _context(page: Page) -> dict[str, Any]:
    import outcomes

    analysis, study = page.analysis, page.analysis.study
    return {
        "title": study.title,
        "synthetic": study.synthetic,
        "question": _question(analysis),
        "sentences": page.sentences,
        "chapters": [made for key, chapter in CHAPTERS.items() if (made := _chapter(page, key, chapter))["parts"]],
        "notes": {about: said for about, notes in page.notes.items() if (said := _settled(notes))},
        "limits": _limits(page),
        "policy": page.policy,
        "version": outcomes.__version__,
        "seed": study.seed,
        "study_hash": study.hash,
        "headline_hash": study.headline_hash,
        "tables": dict(sorted(analysis.tables.hashes.items())),
    }


def _chapter(page: Page, key: str, chapter: Chapter) -> dict[str, Any]:
    """Return a chapter: one part for everything it can hold, with its sentences, figures and tables."""
    parts = []
    for draws in ORDER:
        figures = [one for one in page.figures if one.draws == draws and one.item.chapter == key]
        tables = [one for one in page.tables if one.draws == draws and one.item.chapter == key]
        if figures or tables:
            parts.append({"heading": (figures or tables)[0].item.heading, "figures": figures, "tables": tables})
    return {"id": key, "title": chapter.title, "lead": chapter.lead, "parts": parts, "exploratory": _exploratory(page)}


def _exploratory(page: Page) -> Callable[[Drawn | Tabulated], bool]:
    """Return whether something shown is exploratory: all that tells of an outcome but the headline's, and what always is."""
    headline = page.analysis.headline.outcome if page.analysis.named else None

    def exploratory(shown: Drawn | Tabulated) -> bool:
        speaks = shown.item.chapter not in ("people", "alike")
        return speaks and (shown.item.exploratory or shown.outcome != headline)

    return exploratory


def _question(analysis: Analysis) -> str:
    study, headline = analysis.study, analysis.headline
    arm = next(name for name in study.arms.names if name != study.arms.reference)
    return (
        f"Did people in {arm} stay longer without {headline.outcome} reoffence than people in {study.arms.reference}, within "
        f"{in_words(headline.horizon)}?"
    )


def _settled(notes: tuple[Note, ...]) -> list[str]:
    """Return the notes that stand under what they are about; the others are among the limits."""
    return [note.text for note in notes if note.code not in _LIMITING]


def _limits(page: Page) -> list[str]:
    """Return what no number of the report can settle, as far as the study shows it."""
    analysis, study = page.analysis, page.analysis.study
    within = in_words(study.outcomes[analysis.headline.outcome].proving_period)
    said = [
        "People were not allocated by lot. Groups were made alike in what was recorded; what was not recorded (motivation, clinical "
        "judgement, what a judge or an officer saw) may still differ.",
        f"Reoffences are proven ones: an offence counts only if it was proven within {within}. "
        "If offences of one group are found or proven less often, that group looks better than it is.",
    ]
    if study.adjust is None:
        said[0] = (
            "People were not allocated by lot, and nothing was adjusted for: differences describe, they do not explain."
        )
    if study.eligibility.population == "both":
        left = analysis.cohort.flow.to_frame()
        rules = left[(left["arm"] == "all") & left["reason"].str.contains("by its entry rules", regex=False)]
        refused = int(rules["n_leaving"].sum())
        if refused:
            said.append(
                f"{refused:,} people were left out because the entry rules of one programme do not admit them. They have no counterpart "
                "there: what either programme does for people like them cannot be told from this comparison."
            )
    every = [note for notes in page.notes.values() for note in notes]
    said += [note.text for note in every if note.code in _LIMITING]
    said.append(
        "One difference in risk, of one outcome at one time, was named in advance; intervals and tests of everything else are "
        "exploratory, and some would cross a threshold by chance alone."
        if analysis.named
        else "Nothing was named in advance: every interval and test here is exploratory."
    )
    said.append(
        "No study is known that allocated people by lot to a bespoke or a manualised programme; expect a small difference of either sign."
    )
    return said
