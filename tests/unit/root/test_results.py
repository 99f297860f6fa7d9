"""What every result shares."""

from __future__ import annotations

import numpy as np
import pytest

from outcomes.results import Weights, html_table, read_only, significant


@pytest.fixture
def weights() -> Weights:
    return Weights(
        values=read_only([1.0, 3.0, 2.0, 0.0]), estimand="ate", arm=read_only([0, 0, 1, 1], np.int64), arms=("m", "b")
    )


def test_effective_sample_size_is_kishs(weights: Weights) -> None:
    assert weights.effective_sample_size == {"m": pytest.approx(16 / 10), "b": pytest.approx(1.0)}


def test_trimmed_people_are_counted(weights: Weights) -> None:
    assert weights.summary()["n_trimmed"].tolist() == [0, 1]


def test_the_sentence_names_the_estimand(weights: Weights) -> None:
    assert "estimand ATE" in weights.describe()


def test_a_terminal_sees_at_most_twelve_lines(weights: Weights) -> None:
    assert len(repr(weights).splitlines()) <= 12


def test_jupyter_sees_a_table_with_caption_and_scoped_headings(weights: Weights) -> None:
    page = weights._repr_html_()
    assert "<caption>" in page
    assert 'scope="col"' in page
    assert "<script" not in page


def test_tables_escape_what_they_show(weights: Weights) -> None:
    frame = weights.summary().assign(arm="<b>")
    assert "&lt;b&gt;" in html_table(frame, caption="<i>")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.1234567, 0.123457), (123456.7, 123457.0), (0.0, 0.0), (-1e-9, -1e-9), (float("inf"), float("inf"))],
)
def test_what_is_written_has_six_significant_digits(value: float, shown: float) -> None:
    assert significant(value) == shown


def test_read_only_copies() -> None:
    mine = np.array([1.0, 2.0])
    theirs = read_only(mine)
    mine[0] = 9
    assert theirs.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        theirs[0] = 3
