"""How an arm looks, the same in every figure, and what it is called.

    looks(["rs/high/all", "mcts/high/all"])["mcts/high/all"]       # Look("mcts", "#D55E00", "s", (5, 1.5))

Colours are Okabe and Ito's (Color Universal Design, 2008), or a ramp of one hue where levels are ordered. No two arms
of a factor share a marker or a line, so that a figure is readable in grey.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from types import MappingProxyType
from typing import Any

from matplotlib.lines import Line2D


@dataclass(frozen=True)
class Look:
    """How an arm is drawn, wherever it is drawn."""

    label: str
    colour: str
    marker: str
    dashes: tuple[float, ...] = ()
    """Lengths on and off, in line widths; of a solid line none."""

    @property
    def line(self) -> Any:
        """The dashes as matplotlib has them."""
        return (0, self.dashes) if self.dashes else "-"


_DASHED, _DOTDASHED, _DOTTED = (5, 1.5), (3, 1.2, 1, 1.2), (1, 1.2)
_LEVELS = MappingProxyType(
    {
        "curation": (
            Look("rs", "#0072B2", "o"),
            Look("mcts", "#D55E00", "s", _DASHED),
            Look("rs_branched", "#E69F00", "^", _DOTDASHED),
            Look("mcts_unshared", "#CC79A7", "D", _DOTTED),
            Look("shuffled", "#7a7a7a", "X", (6, 2, 1, 2, 1, 2)),
        ),
        "contrast": (
            Look("high", "#009E73", "P"),
            Look("low", "#56B4E9", "v", _DASHED),
            Look("mixed", "#7F5F00", "h", _DOTDASHED),
            Look("low_imperfect", "#8A94A6", "<", _DOTTED),
        ),
        "difficulty": (
            Look("easy", "#B79AE0", "o", _DOTTED),
            Look("moderate", "#8258BE", "p", _DASHED),
            Look("hard", "#46207E", "*"),
            Look("all", "#000000", "d", _DOTDASHED),
        ),
        "scorer": (Look("verifier", "#0072B2", "o"), Look("clean", "#117733", "D", _DASHED)),
    }
)
FACTORS = MappingProxyType({factor: {look.label: look for look in levels} for factor, levels in _LEVELS.items()})
"""The levels of an arm's factors, in the order of its name: rs/high/all, and rs/high/all/clean by another scorer."""
OTHERS = MappingProxyType(
    {
        "base": Look("base", "#000000", "d", (2, 2)),
        "accuracy": Look("accuracy", "#222222", "o"),
        "clean accuracy": Look("clean accuracy", "#117733", "D", _DASHED),
    }
)
"""What stands beside arms, and the two readings of every gain."""


def looks(names: Iterable[Any]) -> dict[str, Look]:
    """The look of each arm, by its name, in the order of their first appearance.

    names  levels ("mcts", "low"), arms ("mcts/high/all"), those of `OTHERS`, or any other words, which take the looks
           of `rs`, `mcts` and so on. Arms are drawn, and called, by the first factor that tells them apart.
    """
    names = list(dict.fromkeys(str(name) for name in names))
    arms = {name: levels for name in names if (levels := _levels(name))}
    differing = [place for place in range(len(FACTORS)) if len({levels[place] for levels in arms.values()}) > 1]
    shown = differing[0] if differing else 0
    factor = list(FACTORS.values())[shown]
    spare = cycle(_LEVELS["curation"])
    found: dict[str, Look] = {}
    for name in names:
        level = next((levels[name] for levels in FACTORS.values() if name in levels), None)
        if name in arms:
            # Two factors that differ need both names: high of rs is not high of mcts.
            label = "/".join(arms[name][place] for place in differing) or arms[name][0]
            level = replace(factor[arms[name][shown]], label=label)
        found[name] = level or OTHERS.get(name) or replace(next(spare), label=name)
    return found


def _levels(name: str) -> list[str]:
    """The levels of an arm, by its name; none of other words."""
    levels = name.split("/")
    levels += ["verifier"] * (len(levels) == len(FACTORS) - 1)
    is_arm = len(levels) == len(FACTORS) and all(map(dict.__contains__, FACTORS.values(), levels))
    return levels if is_arm else []


def ranked(labels: Iterable[str], order: Sequence[str]) -> list[str]:
    """Each label once: those of `order` first, as they stand there, then the others as they come."""
    labels = list(dict.fromkeys(labels))
    return sorted(labels, key=lambda label: order.index(label) if label in order else len(order))


def short_ids(ids: Iterable[str]) -> dict[str, str]:
    """Constraint ids without their family ("keywords:existence" is "existence"), where that is still unique."""
    ids = list(dict.fromkeys(ids))
    tails = [id.partition(":")[2] or id for id in ids]
    return {id: tail if tails.count(tail) == 1 else id for id, tail in zip(ids, tails, strict=True)}


def handles(shown: Iterable[Look], *, line: bool = True) -> list[Line2D]:
    """Of arms, for a legend, in the order given."""
    return [
        Line2D([], [], color=one.colour, marker=one.marker, ls=one.line if line else "none", label=one.label, ms=6)
        for one in shown
    ]
