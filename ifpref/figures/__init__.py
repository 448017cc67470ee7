"""Figures: plain rows or a pandas frame in, a matplotlib figure out. No models, no store, no statistics of our own.

    from ifpref import figures
    figure = figures.forest(rows, margin=1.0)
    figures.save(figure, folder, "prefix-effects")        # .png and .svg, the same bytes on every run

style.py     the style, the look of each arm, save        rows.py      reading rows; one mark with its interval
effects.py   forest, claims, per_constraint, terciles     pairs.py     yields, balance, shared_prefix, search_progress
learning.py  training_curves, rates, scatter_decoding     grids.py     heat_map, verdict_grid
search.py    tree                                         one_pair.py  log_ratios, pair_html

Decisions
- An arm has one colour, marker and line wherever it is drawn (`looks`). Nothing rests on colour alone.
- A title names a quantity, never a finding. Units and numbers of replicates, prompts or pairs stand in labels.
- What has no interval is an open marker with its reason. A figure of no rows is a ValueError that says what is needed.
- Figures are values: no pyplot, no global state, nothing to close. In Jupyter a figure that ends a cell is shown.
"""

from ifpref.figures.effects import claims, forest, per_constraint, terciles
from ifpref.figures.grids import heat_map, verdict_grid
from ifpref.figures.learning import rates, scatter_decoding, training_curves
from ifpref.figures.one_pair import log_ratios, pair_html
from ifpref.figures.pairs import balance, search_progress, shared_prefix, yields
from ifpref.figures.search import tree
from ifpref.figures.style import Figure, looks, save, use_style

__all__ = [
    "Figure",
    "balance",
    "claims",
    "forest",
    "heat_map",
    "log_ratios",
    "looks",
    "pair_html",
    "per_constraint",
    "rates",
    "save",
    "scatter_decoding",
    "search_progress",
    "shared_prefix",
    "terciles",
    "training_curves",
    "tree",
    "use_style",
    "verdict_grid",
    "yields",
]
