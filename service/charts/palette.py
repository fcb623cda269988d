"""Colours of series."""

from __future__ import annotations

from typing import Final

# Each has a contrast of at least 3:1 (WCAG 1.4.11) with white and with the dark grounds of our pages, so a
# drawing needs no second set. No chart tells by colour alone: bars stand in the order of the legend, lines
# have marks of their own, and the table has everything.
SERIES_COLOURS: Final = ("#2a78c8", "#c2670a", "#128a6b", "#a85fb0", "#8a7a2e", "#c4485a")

MAX_SERIES: Final = len(SERIES_COLOURS)
