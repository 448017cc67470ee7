"""Tables that are looked at: training difficulty x evaluation difficulty, and which response meets which constraint.

heat_map([{"train": "easy", "evaluated": "hard", "estimate": 3.1, "low": 0.4, "high": 5.8}, ...])
verdict_grid([{"sample": 0, "constraint": "keywords:existence", "met": True, "score": 0.5}, ...])
"""

from __future__ import annotations

import math
from typing import Any

from matplotlib import colormaps
from matplotlib.colors import TwoSlopeNorm
from matplotlib.patches import Rectangle

from ifpref.figures.rows import counted, has_interval, number, records, short_reason, signed, with_interval
from ifpref.figures.style import FACTORS, FAINT, INK, SMALL, WIDTH, Figure, finish, ranked, short_ids, upon, use_style

MET, NOT_MET = "#009E73", "#f3e3dc"


@use_style()
def heat_map(rows: Any, *, unit: str = "percentage points", title: str | None = None) -> Figure:
    """Gains by the difficulty of the training prompts (lines) and of the evaluation prompts (columns).

    rows  {"train", "evaluated", "estimate", "low", "high"}, with "prompts" and "reason" where they are known; a cell
          without a row stays empty and says so
    """
    rows = records(rows, "heat_map", "train", "evaluated", "estimate", "low", "high")
    order = list(FACTORS["difficulty"])
    lines = ranked((str(row["train"]) for row in rows), order)
    columns = ranked((str(row["evaluated"]) for row in rows), order)
    cells = {(str(row["train"]), str(row["evaluated"])): row for row in rows}
    known = [abs(number(row, "estimate")) for row in rows if math.isfinite(number(row, "estimate"))]
    norm = TwoSlopeNorm(0, -max(known, default=1) or -1, max(known, default=1) or 1)
    colours = colormaps["PuOr_r"]
    figure = Figure(figsize=(min(WIDTH, max(4.4, 2.6 + 1.25 * len(columns))), 1.5 + 0.72 * len(lines)))
    axes = figure.add_subplot()
    for y, line in enumerate(lines):
        for x, column in enumerate(columns):
            row = cells.get((line, column), {"reason": "not run"})
            estimate = number(row, "estimate")
            # The ends of the colour map are too dark for both inks; 0.85 of it is enough to tell cells apart.
            colour = colours(0.5 + 0.85 * (float(norm(estimate)) - 0.5)) if math.isfinite(estimate) else "white"
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, edgecolor="white", lw=2))
            ink = upon(colour)
            if math.isfinite(estimate):
                axes.text(x, y - 0.13, signed(estimate), ha="center", va="center", color=ink, weight="bold")
            below = with_interval(row).partition(" ")[2] if has_interval(row) else short_reason(row) or "no interval"
            style = {"style": "normal" if has_interval(row) else "italic", "fontsize": SMALL}
            axes.text(x, y + 0.19, below, ha="center", va="center", color=ink, **style)
    prompts = {column: {counted(row, "prompts") for row in rows if row["evaluated"] == column} for column in columns}
    counts = {column: next(iter(found)) if len(found) == 1 else "" for column, found in prompts.items()}
    axes.set_xticks(
        range(len(columns)), [name + (f"\n{counts[name]} prompts" if counts[name] else "") for name in columns]
    )
    axes.set_yticks(range(len(lines)), lines)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("evaluated on")
    axes.set_ylabel("trained on")
    return finish(figure, title or f"Gain over the base ({unit}), with intervals")


@use_style()
def verdict_grid(rows: Any, *, title: str | None = None) -> Figure:
    """Which response meets which constraint: ticks and crosses, a line a response, with its score.

    rows  {"sample", "constraint", "met": bool, "score"}, the constraints of a sample in the order of the prompt. An id
          may come twice in a prompt: columns are places, not names.
    """
    rows = records(rows, "verdict_grid", "sample", "constraint", "met", "score")
    samples: dict[Any, list[Any]] = {}
    for row in rows:
        samples.setdefault(row["sample"], []).append(row)
    columns = [str(row["constraint"]) for row in next(iter(samples.values()))]
    for sample, mine in samples.items():
        if [str(row["constraint"]) for row in mine] != columns:
            raise ValueError(
                f"verdict_grid: sample {sample} has {[row['constraint'] for row in mine]}, the first has {columns}; "
                "needed: the same constraints in the same order"
            )
    names = short_ids(columns)
    n = len(columns)
    figure = Figure(figsize=(min(WIDTH, max(4.4, 2.2 + 0.75 * n)), 1.6 + 0.24 * len(samples)))
    axes = figure.add_subplot()
    for y, mine in enumerate(samples.values()):
        for x, row in enumerate(mine):
            met = bool(row["met"])
            colour = MET if met else NOT_MET
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, edgecolor="white", lw=1.5))
            sign = "\N{CHECK MARK}" if met else "\N{BALLOT X}"
            axes.text(x, y, sign, ha="center", va="center", color="white" if met else "#8a3b12", fontsize=9)
        score = number(mine[0], "score")
        axes.text(n - 0.3, y, f"{score:.2f}", va="center", fontsize=8, weight="bold" if score == 1 else "normal")
    shares = [sum(bool(mine[x]["met"]) for mine in samples.values()) for x in range(n)]
    for x, share in enumerate(shares):
        axes.text(
            x, len(samples) - 0.1, f"{share}/{len(samples)}", ha="center", va="center", fontsize=SMALL, color=FAINT
        )
    perfect = sum(number(mine[0], "score") == 1 for mine in samples.values())
    axes.text(n - 0.3, len(samples) - 0.1, f"{perfect} perfect", va="center", fontsize=SMALL, color=FAINT)
    axes.text(n - 0.3, -0.75, "score", fontsize=8, color=INK)
    axes.set_xticks(range(n), [names[id] for id in columns], rotation=25, ha="left", rotation_mode="anchor")
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(samples)), [str(sample) for sample in samples])
    axes.set_xlim(-0.5, n - 0.5)
    axes.set_ylim(len(samples) + 0.3, -0.5)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_ylabel("response")
    axes.set_xlabel("constraint (met by so many responses)")
    return finish(figure, title or f"Constraints met by {len(samples)} responses to one prompt")
