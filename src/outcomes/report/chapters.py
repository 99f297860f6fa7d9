"""The chapters of a report, in order: what each is called, and what its reader should know first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["CHAPTERS", "Chapter"]


@dataclass(frozen=True)
class Chapter:
    """One chapter.

    Attributes
    ----------
    title : str
    lead : str
        What stands under the title, before any number.
    """

    title: str
    lead: str


CHAPTERS: Mapping[str, Chapter] = MappingProxyType(
    {
        "people": Chapter("Who is compared", "Whom the study follows, from which day, and who was left out, and why."),
        "alike": Chapter(
            "How alike the groups are",
            "Groups that differ at the start differ in what follows, whatever a programme does. This is how different they were in what "
            "is recorded about them, and how different they are once weighted, where the study weighs.",
        ),
        "answer": Chapter(
            "How large the difference is, and how sure anyone can be",
            "One contrast on several scales. The risk, in people of 100, is the one to take home; an interval says between what numbers "
            "the data leave it. A hazard ratio below 1 says that reoffences come later.",
        ),
        "time": Chapter(
            "How long people stayed without reoffending", "The same people, day by day. Bands show how far each line might be off."
        ),
        "whom": Chapter(
            "For whom",
            "Whether the difference is the same in all kinds of people. Each kind is a small group: what looks like a difference between "
            "kinds may be chance, and that none is found does not show that there is none.",
        ),
        "populations": Chapter(
            "Own clients, those eligible for both, and everybody",
            "Three questions that are easily taken for one: how each programme's own clients fared; how those fared whom both would have "
            "taken; and what became of everybody where a programme was on offer, whoever came.",
        ),
        "era": Chapter(
            "Programme or era",
            "Where one programme came after the other, what changed with it may be the years. Areas that changed at different times help "
            "to tell the two apart: those still waiting show what the years alone would have brought.",
        ),
        "shut_out": Chapter(
            "Those who are shut out, and what convictions miss",
            "People whom one programme's entry rules exclude have no counterpart in it, so that no comparison of the programmes speaks of "
            "them. What can be asked is how they fared beside people like them who started nothing, and whether their reoffences come to "
            "light as often as others' do.",
        ),
        "courses": Chapter(
            "From referral to maintenance",
            "A course is a path: people are referred, start, complete or drop out, and some go on. Nobody here is classed by what they "
            "did later: either each day counts for what was so on that day (exposure that changes with time), or people are classed on "
            "one day by what they had done until then, and followed from it (a landmark). Who attends and who goes on is still not chosen "
            "by lot.",
        ),
        "delivery": Chapter(
            "How it was delivered, and where",
            "A programme is not the same everywhere. Groups may be run more or less as the manual says, and sites may differ in more "
            "than their programme.",
        ),
        "counting": Chapter(
            "Completers, and time before a start",
            "Two ways of counting that make programmes look better than they are, beside ways that do not. Who completed, and who was to "
            "start, is known only later: to have got so far is to have stayed out of trouble until then.",
        ),
        "programmes": Chapter(
            "Other programmes",
            "What else was on offer, each set against people it admits who started nothing. A small programme cannot show much, whatever "
            "it does.",
        ),
    }
)  # fmt: skip
