"""The search tree of one prompt, drawn.

    tree(row)                                                  # a row of trees: ifpref/curation/tree.py, `to_row`
    tree(row, chosen="mcts/30", rejected="mcts/17")            # with the pair that was taken out of it

Decisions
- Left to right, as text is read: a column for each depth, a line for each leaf, in the order of the search's making.
  A node stands at the middle of its children, so that subtrees lie one under the other and no two lines cross.
- Area is visits, colour is value; leaves are verified responses, diamonds where they satisfy every constraint.
- Text is shown for the two paths only, below the tree: what they share, then what each says by itself.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D

from ifpref.figures.style import FAINT, INK, SMALL, WIDTH, Figure, beside, finish, use_style

CHOSEN, REJECTED, SHARED = "#0072B2", "#D55E00", "#222222"
_PATHS = {"shared": (SHARED, "-"), "chosen": (CHOSEN, "-"), "rejected": (REJECTED, (0, (3, 1.5)))}
_SIGNS = (("o", "inner node"), ("s", "response"), ("D", "perfect response"))
_LINES = 3
"""Of text, for each part of the paths."""

Node = Mapping[str, Any]


@use_style()
def tree(
    row: Mapping[str, Any],
    *,
    chosen: int | str | None = None,
    rejected: int | str | None = None,
    title: str | None = None,
) -> Figure:
    """One search tree: visits, values, verified leaves, and the paths of a pair.

    chosen, rejected  leaves, by the number of their node or as a pair's row names them ("mcts/30")
    """
    nodes: Sequence[Node] = row["nodes"]
    if len(nodes) < 2:
        raise ValueError(f"tree: {row.get('prompt_id', 'a row')} has {len(nodes)} nodes; needed: a root and a response")
    parts = _parts(nodes, _leaf(nodes, chosen, "chosen"), _leaf(nodes, rejected, "rejected"))
    part_of = {node: part for part, members in parts.items() for node in members}
    said = {part: _said(nodes, part, members) for part, members in parts.items() if members}
    spots = layout(nodes)
    deepest = max(x for x, _ in spots.values())
    lines = 1 + max(y for _, y in spots.values())
    height = 1.7 + (0.235 if lines <= 24 else 0.17) * lines
    figure = Figure(figsize=(WIDTH, height + sum(0.08 + 0.155 * (1 + words.count("\n")) for words in said.values())))
    axes = figure.add_subplot()
    axes.set(xlim=(-0.35, deepest + 0.35), ylim=(lines - 0.4, -0.6), xticks=range(int(deepest) + 1), yticks=[])
    colours = ScalarMappable(Normalize(0, 1), colormaps["cividis"])
    for node in nodes:
        if node["parent"] is not None:
            _edge(axes, spots[node["parent"]], spots[node["node"]], part_of.get(node["node"]))
        _node(axes, node, spots[node["node"]], colours, nodes[0]["visits"])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("depth (segments after the prompt); verdicts and visits of each response at the right")
    bar = figure.colorbar(colours, ax=axes, fraction=0.025, pad=0.01, aspect=30)
    bar.set_label("value (mean score)", fontsize=8)
    bar.outline.set_visible(False)
    legend = [Line2D([], [], ls="none", marker=m, color=FAINT, label=label, ms=6) for m, label in _SIGNS]
    legend += [Line2D([], [], color=_PATHS[part][0], ls=_PATHS[part][1], lw=3, label=part) for part in said]
    axes.legend(handles=legend, loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=6, columnspacing=1.2)
    if said:
        below = figure.supxlabel("\n".join(said.values()), x=0.012, ha="left", fontsize=SMALL)
        below.set(linespacing=1.5, parse_math=False)  # a response may hold dollars
    return finish(figure, title or f"Search tree of one prompt: {nodes[0]['visits']} responses, {len(nodes) - 1} nodes")


def layout(nodes: Sequence[Node]) -> dict[int, tuple[float, float]]:
    """(depth, line) of each node, by its number: leaves on lines 0, 1, 2, ..., a parent in the middle of its children.

    Nodes are rows with "node", "parent" and "depth", parents before children. The lines of a subtree are consecutive,
    those of siblings apart, so that edges from one depth to the next never cross.
    """
    children: dict[int, list[int]] = {}
    for node in nodes:
        if node["parent"] is not None:
            children.setdefault(node["parent"], []).append(node["node"])
    line: dict[int, float] = {}
    free = 0.0
    ahead = [nodes[0]["node"]]
    while ahead:  # leaves take their lines from top to bottom
        here = ahead.pop()
        if here in children:
            ahead.extend(reversed(children[here]))
        else:
            line[here], free = free, free + 1
    for node in reversed(nodes):  # and parents follow, deepest first
        if below := children.get(node["node"]):
            line[node["node"]] = (line[below[0]] + line[below[-1]]) / 2
    return {node["node"]: (float(node["depth"]), line[node["node"]]) for node in nodes}


# ---- the parts


def _leaf(nodes: Sequence[Node], end: int | str | None, side: str) -> int | None:
    """The number of a leaf. ValueError for what is none."""
    if end is None:
        return None
    number = int(end.rpartition("/")[2]) if isinstance(end, str) else int(end)
    leaves = [node["node"] for node in nodes if node["verdicts"] is not None]
    if number not in leaves:
        raise ValueError(f"tree: {side} is {end!r}; allowed: a leaf, one of {', '.join(map(str, leaves))}")
    return number


def _parts(nodes: Sequence[Node], chosen: int | None, rejected: int | None) -> dict[str, list[int]]:
    """The segments of both paths, of the chosen's alone, of the rejected's alone, each from the first on."""
    parent = {node["node"]: node["parent"] for node in nodes}

    def path(end: int | None) -> list[int]:
        return [] if end is None or parent[end] is None else [*path(parent[end]), end]

    of_chosen, of_rejected = path(chosen), path(rejected)
    return {
        "shared": [node for node in of_chosen if node in of_rejected],
        "chosen": [node for node in of_chosen if node not in of_rejected],
        "rejected": [node for node in of_rejected if node not in of_chosen],
    }


def _said(nodes: Sequence[Node], part: str, members: Sequence[int]) -> str:
    """The text of a part, on few lines."""
    text = {node["node"]: node["text"] for node in nodes}
    joined = "".join(text[member] for member in members).replace("\n", " \N{DOWNWARDS ARROW WITH CORNER LEFTWARDS} ")
    words = f"{part}: {joined.strip() or '(ends here)'}"
    return textwrap.fill(words, 125, max_lines=_LINES, placeholder=" \N{HORIZONTAL ELLIPSIS}")


def _edge(axes: Axes, start: tuple[float, float], end: tuple[float, float], part: str | None) -> None:
    """From parent to child: level, then over, then level."""
    colour, line = _PATHS[part] if part else ("#bdbdbd", "-")
    style = {"color": colour, "ls": line, "lw": 3.2 if part else 0.9, "zorder": 2 if part else 1}
    (x0, y0), (x1, y1) = start, end
    axes.plot([x0, x0 + 0.55 * (x1 - x0), x1], [y0, y1, y1], solid_joinstyle="round", **style)


def _node(axes: Axes, node: Node, spot: tuple[float, float], colours: ScalarMappable, most: int) -> None:
    """A circle, or a leaf's square or diamond with its verdicts at the right end of its line."""
    area = 14 + 130 * node["visits"] / most
    verdicts = node["verdicts"]
    marker = "o" if verdicts is None else "D" if all(verdicts) else "s"
    colour = colours.to_rgba(node["value"]) if node["visits"] else "white"
    axes.scatter(*spot, s=area, marker=marker, color=[colour], edgecolors=INK, linewidths=0.7, zorder=3)
    if verdicts is not None:
        signs = "".join("\N{CHECK MARK}" if met else "\N{BALLOT X}" for met in verdicts)
        again = f" \N{MULTIPLICATION SIGN}{node['visits']}" if node["visits"] > 1 else ""
        style = {"weight": "bold", "color": "#00735C"} if all(verdicts) else {"color": FAINT}
        axes.plot([spot[0], axes.get_xlim()[1]], [spot[1]] * 2, color="#e6e6e6", lw=0.6, zorder=0.5)
        beside(axes, spot[1], signs + again, 3, **style)
