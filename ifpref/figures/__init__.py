"""Figures: plain rows or a pandas frame in, a matplotlib figure out. No models, no store, no statistics of our own.

    from ifpref import figures
    figure = figures.forest(rows, margin=1.0)
    figures.save(figure, folder, "prefix-effects")        # .png and .svg, the same bytes on every run

intervals.py  forest, claims, side_by_side, steps; blocks: interval, joined
grids.py      heat_map, verdict_grid, balance; block: cells (seaborn's heat map)
curves.py     training_curves, search_progress; block: curve (seaborn's line plot)
pairs.py      yields, shared_prefix          search.py  tree                      one_pair.py  log_ratios, pair_html
rows.py       rows, numbers as text          arms.py    the look of each arm      style.py     style, lines, saving

Decisions
- An arm has one colour, marker and line wherever it is drawn (`looks`). Nothing rests on colour alone.
- A title names a quantity, never a finding. Units and numbers of replicates, prompts or pairs stand in labels.
- What has no interval is an open marker with its reason. A figure of no rows is a ValueError that says what is needed.
- Figures are values: nothing is kept by pyplot, nothing to close. In Jupyter a figure that ends a cell is shown.
"""

from ifpref.figures.arms import looks
from ifpref.figures.curves import search_progress, training_curves
from ifpref.figures.grids import balance, heat_map, verdict_grid
from ifpref.figures.intervals import claims, forest, side_by_side, steps
from ifpref.figures.one_pair import log_ratios, pair_html
from ifpref.figures.pairs import shared_prefix, yields
from ifpref.figures.search import tree
from ifpref.figures.style import Figure, save, use_style

__all__ = [
    "Figure",
    "balance",
    "claims",
    "forest",
    "heat_map",
    "log_ratios",
    "looks",
    "pair_html",
    "save",
    "search_progress",
    "shared_prefix",
    "side_by_side",
    "steps",
    "training_curves",
    "tree",
    "use_style",
    "verdict_grid",
    "yields",
]
