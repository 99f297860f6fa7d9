"""What a study file says about sentences, clocks and outcomes: each key read, and each contradiction refused with its message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_study import SMALL_FILE as SMALL
from small_study import day

import outcomes as oc
from outcomes.design.study import Outcome
from outcomes.errors import DesignError


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read_changed(**sections: str) -> oc.Study:
        """Read the small study with lines added to its sections; ``outcome`` replaces the lines of its outcome."""
        text = SMALL
        for name, lines in sections.items():
            if name == "outcome":
                text = text.replace('types = ["violent", "other"]', lines)
            elif f"[{name}]" in text:
                text = text.replace(f"[{name}]", f"[{name}]\n{lines}")
            else:
                text += f"\n[{name}]\n{lines}\n"
        file = tmp_path / "study.toml"
        file.write_text(text, encoding="utf-8")
        return oc.read_study(file)

    return read_changed


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('kind = "drop_out"', Outcome("any", (), 0.0, kind="drop_out")),
        ('kind = "recall"\ncompeting = ["death"]', Outcome("any", (), 0.0, ("death",), kind="recall")),
        ('kind = "custody"', Outcome("any", (), 0.0, kind="custody")),
        ('kind = "hospital"', Outcome("any", (), 0.0, kind="hospital")),
        ('kind = "abroad"', Outcome("any", (), 0.0, kind="abroad")),
        ('kind = "reoffence"\ntypes = ["violent"]', Outcome("any", ("violent",), 182.0)),
        ('types = ["violent"]\nseverity = 1', Outcome("any", ("violent",), 182.0, severity=1)),
        ('types = ["violent"]\ndisposals = ["custody", "suspended"]',
         Outcome("any", ("violent",), 182.0, disposals=("custody", "suspended"))),
        ('types = ["motoring"]\nnegative_control = true', Outcome("any", ("motoring",), 182.0, negative_control=True)),
        # the window rule has a proving period of its own, for sexual offences too
        ('types = ["sexual_contact"]\nrule = "moj_window"', Outcome("any", ("sexual_contact",), 182.0, rule="moj_window")),
        ('types = ["sexual_contact"]\nrule = "proving_period"\nproving_period = "18m"', Outcome("any", ("sexual_contact",), 547.0)),
    ],
    ids=lambda value: value.replace("\n", "; ") if isinstance(value, str) else "",
)  # fmt: skip
def test_an_outcome_is_read_as_it_is_written(read: Any, lines: str, expected: Outcome) -> None:
    assert read(outcome=lines).outcomes["any"] == expected


@pytest.mark.parametrize(("lines", "index"), [('index = "all"', "all"), ('index = "first"', "first"), ("", "first")])
def test_which_sentences_count(read: Any, lines: str, index: str) -> None:
    assert read(eligibility=lines).eligibility.index == index


@pytest.mark.parametrize(
    ("lines", "expected"),
    [("observed_from = 2004-01-01", day("2004-01-01")), ("observed_from = 100", 100), ("", None)],
)
def test_from_which_day_the_data_speak(read: Any, lines: str, expected: int | None) -> None:
    assert read(follow_up=lines).follow_up.observed_from == expected


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"eligibility": 'index = "al"'}, r"\[eligibility\] index: 'al' is not known\. Did you mean 'all'\?"),
        ({"eligibility": "index = 1"}, r"\[eligibility\] index: expected one of first, all; got 1"),
        ({"follow_up": 'observed_from = "2004-01-01"'}, r"\[follow_up\] observed_from: expected a date such as 2004-01-01"),
        ({"follow_up": "observed = 100"}, r"\[follow_up\] observed: .* Did you mean 'observed_from'\?"),
        ({"outcome": 'kind = "recal"'}, r"\[outcomes\.any\] kind: 'recal' is not known\. Did you mean 'recall'\?"),
        ({"outcome": 'types = ["violent"]\nseverity = "high"'}, r"\[outcomes\.any\] severity: expected the least severe tier"),
        ({"outcome": 'types = ["violent"]\nseverity = 0'}, r"\[outcomes\.any\] severity: 1 is the most severe tier; got 0"),
        ({"outcome": 'types = ["violent"]\nseverity = true'}, r"\[outcomes\.any\] severity: expected"),
        ({"outcome": 'types = ["violent"]\ndisposals = "custody"'}, r"\[outcomes\.any\] disposals: expected a list of names"),
        ({"outcome": 'types = ["violent"]\nrule = "moj"'}, r"\[outcomes\.any\] rule: 'moj' is not known\. .*moj_window"),
        ({"outcome": 'types = ["violent"]\nnegative_control = "yes"'}, r"\[outcomes\.any\] negative_control: expected true or false"),
    ],
    ids=lambda value: " ".join(value.values()).replace("\n", "; ") if isinstance(value, dict) else "",
)  # fmt: skip
def test_what_is_misspelt_or_of_the_wrong_kind_is_refused(read: Any, sections: dict[str, str], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        read(**sections)


@pytest.mark.parametrize("key", ["types", "proving_period", "severity", "disposals", "rule"])
def test_what_is_for_offences_is_refused_of_an_outcome_that_is_none(read: Any, key: str) -> None:
    value = {"types": '["violent"]', "proving_period": '"6m"', "severity": "1", "disposals": '["custody"]'}
    line = f"{key} = {value.get(key, repr('moj_window'))}"
    message = rf"\[outcomes\.any\] {key}: is for offences; an outcome of kind = 'recall' has none"
    with pytest.raises(DesignError, match=message):
        read(outcome=f'kind = "recall"\n{line}')


MOJ = 'types = ["violent"]\nrule = "moj_window"'
LANDMARK = 'strategy = "landmark"\ngrace = "6m"'


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"outcome": 'kind = "recall"\ncompeting = ["death", "recall"]'},
         r"\[outcomes\.any\] competing: 'recall' is the outcome itself; it cannot compete with it"),
        ({"outcome": 'kind = "recall"', "follow_up": 'scale = "at_risk"'},
         r"\[outcomes\.any\] counts recall as its event while \[follow_up\] scale = 'at_risk' takes time in recall out"),
        ({"outcome": 'kind = "hospital"', "follow_up": 'scale = "community"'},
         r"\[outcomes\.any\] counts hospital as its event while \[follow_up\] scale = 'community'"),
        ({"outcome": 'types = ["violent"]\ncompeting = ["custody"]', "follow_up": 'scale = "at_risk"'},
         r"\[outcomes\.any\] counts custody as a competing event while"),
        ({"outcome": 'kind = "drop_out"', "follow_up": 'scale = "at_risk"'}, None),
        ({"outcome": MOJ + '\nproving_period = "6m"'}, r"\[outcomes\.any\] proving_period: rule = 'moj_window' has its own"),
        ({"outcome": MOJ, "follow_up": 'scale = "at_risk"'}, r"\[outcomes\.any\] rule = 'moj_window' counts a year of the calendar"),
        ({"outcome": MOJ, "time_zero": LANDMARK}, r"\[outcomes\.any\] rule = 'moj_window' counts a year of the calendar from time zero"),
        ({"outcome": MOJ}, None),
        ({"follow_up": "observed_from = 2015-12-31"}, r"\[follow_up\] observed_from lies on or after data_cut"),
        ({"follow_up": "observed_from = 2015-12-30"}, None),
        ({"time_zero": LANDMARK}, None),
        ({"time_zero": LANDMARK, "arms": 'assigned_by = "referral"'},
         r"\[time_zero\] strategy = 'landmark' is for arms of people who started"),
        ({"time_zero": LANDMARK, "arms": 'assigned_by = "provision"'}, r"assigned_by = 'provision' classes nobody by a start"),
        ({"time_zero": LANDMARK + '\nevent = "start"'}, r"\[time_zero\] event = 'start' starts follow-up with the programme"),
        ({"time_zero": LANDMARK + '\nevent = "referral"'}, r"event = 'referral' .* leaves strategy = 'landmark' nothing to do"),
        ({"eligibility": 'population = "caseload"'},
         r"\[eligibility\] population = 'caseload' .* needs \[arms\] assigned_by = 'provision'"),
        ({"eligibility": 'population = "own"', "arms": 'assigned_by = "provision"'},
         r"\[arms\] assigned_by = 'provision' has no clients of its own"),
        ({"eligibility": 'population = "caseload"', "arms": 'assigned_by = "provision"'}, None),
        ({"eligibility": 'population = "caseload"', "arms": 'assigned_by = "provision"', "time_zero": 'event = "start"'},
         r"\[time_zero\] event = 'start' keeps only people who came to a programme"),
        ({"eligibility": 'population = "both"', "arms": 'assigned_by = "provision"', "time_zero": 'event = "sentence"'}, None),
        ({"eligibility": 'population = "both"', "arms": 'assigned_by = "provision"'}, None),
    ],
    ids=lambda value: " ".join(value.values()).replace("\n", "; ") if isinstance(value, dict) else "",
)  # fmt: skip
def test_parts_that_contradict_each_other_are_refused(read: Any, sections: dict[str, str], message: str | None) -> None:
    if message is None:
        assert read(**sections).title == "Two programmes"
        return
    with pytest.raises(DesignError, match=message):
        read(**sections)


def test_all_of_it_is_part_of_what_the_hash_says(read: Any) -> None:
    changed = [
        {},
        {"eligibility": 'index = "all"'},
        {"follow_up": "observed_from = 100"},
        {"outcome": 'types = ["violent", "other"]\nseverity = 1'},
        {"outcome": 'types = ["violent", "other"]\ndisposals = ["custody"]'},
        {"outcome": 'types = ["violent", "other"]\nrule = "moj_window"'},
        {"outcome": 'types = ["violent", "other"]\nnegative_control = true'},
    ]
    hashes = [read(**sections).hash for sections in changed]
    assert len(set(hashes)) == len(changed)
