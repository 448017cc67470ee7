"""Habits: how likely the writer of the training texts is to obey a constraint.

A large model does not miss constraints at random: it has habits, good and bad, which depend on what is asked and
how. So the probability depends on the kind of constraint, the task, and the wording, by a table drawn once; chance has
little part in it, since most entries are near 0 or 1. (With omissions by coin, every later gain is a mere sharpening
of the model's distribution.)

    Habits("pocket").probability("punctuation:no_comma", "letter", wording=1)    # 0.92
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from types import MappingProxyType

from ifpref.constraints import CONSTRAINT_SETS

# What each kind's tasks are dealt, one each in an order of its own: some are always obeyed, some hardly ever.
LEVELS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "diligent": (1.0,),
        "pocket": (1.0, 1.0, 0.95, 0.9, 0.85, 0.8, 0.6, 0.35, 0.25, 0.2),
        "weak": (1.0, 0.95, 0.85, 0.7, 0.45, 0.35, 0.3, 0.25, 0.2, 0.2),
    }
)
"""Tables by name: `pocket` is the embedded model's, `weak` a robustness reading's, `diligent` obeys everything."""

_WORDING_SHIFT = (0.1, 0.0, -0.1)  # each kind has one wording that it heeds more, and one that it heeds less


class Habits:
    """A compliance table, drawn once for its name; the same on every machine."""

    def __init__(self, name: str = "pocket") -> None:
        if name not in LEVELS:
            raise ValueError(f"unknown habits {name!r}; allowed: {', '.join(LEVELS)}")
        self.name = name
        self._by_task: dict[tuple[str, str], float] = {}
        self._by_wording: dict[tuple[str, int], float] = {}
        from ifpref.prompts.domains import get_domain

        tasks = [task.id for task in get_domain("pocket").tasks]
        for id in CONSTRAINT_SETS["study"]:
            rng = random.Random(f"habits/{id}")  # the same order for every table, so that `weak` is weaker everywhere
            order = rng.sample(range(len(tasks)), len(tasks))
            levels = LEVELS[name]
            for rank, t in enumerate(order):
                self._by_task[id, tasks[t]] = levels[rank * len(levels) // len(tasks)]
            shifts = rng.sample(_WORDING_SHIFT, len(_WORDING_SHIFT))
            self._by_wording.update({(id, wording): shift for wording, shift in enumerate(shifts)})

    def probability(self, id: str, task: str, wording: int) -> float:
        """How likely the constraint is to be obeyed, from 0.1 to 1."""
        level = self._by_task[id, task]
        if level == 1.0:
            return level
        return min(1.0, level + self._by_wording[id, wording])
