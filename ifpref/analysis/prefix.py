"""What the notebook `prefix` shows beyond effects of one comparison: dose, learning rates, and decoding run by run.

dose(study)              # {"label": "upper", "estimate": 1.9, "low": ..., "pairs": 61}; then "upper − lower"
over_rates(study)        # {"group": "gain at the worst rate", "label": "mcts − rs", "estimate": ...}
decoding_runs(study)     # {"arm": "mcts/high/all", "replicate": 0, "greedy": 0.38, "sampled": 0.31, ...}
"""

from __future__ import annotations

from statistics import fmean

import numpy as np

from ifpref import statistics
from ifpref.analysis.pair_results import n_pairs
from ifpref.analysis.results import Row, base_scores, contrasts, effect_row, grid, points
from ifpref.curation.pairs import Arm
from ifpref.evaluation.table import Table
from ifpref.study import Study

THIRDS = ("lower", "middle", "upper")
RS, MCTS = Arm("rs"), Arm("mcts")


def dose(study: Study) -> list[Row]:
    """mcts − rs on each third of prompts by shared fraction that the profile runs, then the upper less the lower.

    `pairs` is what an arm has in a replicate, on average.
    """
    there = [part for part in THIRDS if f"dose_{part}" in study.params.comparisons]
    rows = []
    for part in there:
        mine = (row for row in n_pairs(study, f"dose_{part}") if row["arm"] == str(MCTS))
        counts = [count for row in mine for key, count in row.items() if key != "arm"]
        pairs = round(fmean(counts)) if counts else 0
        rows.append(contrasts(study, f"dose_{part}", [(MCTS, RS)])[0] | {"label": part, "pairs": pairs})
    if {"lower", "upper"} <= set(there):
        upper, lower = (points(study, f"dose_{part}", MCTS, RS) for part in ("upper", "lower"))
        rows.append(effect_row(study, "upper − lower", "dose", _less(upper, lower)))
    return rows


def over_rates(study: Study, name: str = "stability") -> list[Row]:
    """Gain at each replicate's worst rate, and best less worst: of each arm, and of the second less the first."""
    arms = study.comparison(name).arms
    grids = [grid(study, name, arm) for arm in arms]
    rows = []
    for group, of in (
        ("gain at the worst rate", statistics.worst_rate),
        ("best less worst rate", statistics.rate_spread),
    ):
        data = [of(one) for one in grids]
        rows += [
            effect_row(study, arm.curation, group, one) | {"arm": str(arm)} for arm, one in zip(arms, data, strict=True)
        ]
        first, other = arms[0].curation, arms[1].curation
        rows.append(effect_row(study, f"{other} − {first}", group, _less(data[1], data[0])))
    return rows


def decoding_runs(study: Study, name: str = "sharing") -> list[Row]:
    """Accuracies in [0, 1] of each run, greedy, sampled, and of the base made as sharp; before them the base itself."""
    rows = []
    for arm in study.comparison(name).arms:
        tables = zip(study.tables(name, arm), study.tables(name, arm, key="test/sampled"), strict=True)
        for replicate, (greedy, sampled) in enumerate(tables):
            record = study.record(name, arm, replicate)
            if greedy and sampled and record:
                matched = base_scores(study, temperature=record["matched"]["temperature"])
                row = {"arm": str(arm), "replicate": replicate, "base_matched": float(matched.mean())}
                rows.append(row | {"greedy": _accuracy(greedy), "sampled": _accuracy(sampled)})
    if not rows:
        return []
    base = {"greedy": _accuracy(study.base("test")), "sampled": _accuracy(study.base("test", 1.0))}
    return [{"arm": "base", "replicate": None, "base_matched": None, **base}, *rows]


def _less(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a − b, points; missing throughout where one of them is."""
    return a - b if a.shape == b.shape else np.full((len(a), 1), np.nan)


def _accuracy(table: Table) -> float:
    return float(table.prompt_level().mean())
