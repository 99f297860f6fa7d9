"""One drawing function per report figure; no statistics in here."""

from outcomes.figures.drawing import FIGURES, draw, figure_of, style

__all__ = ["FIGURES", "draw", "figure_of", "style"]
