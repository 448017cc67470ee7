"""Habits: how likely the writer of the training texts is to obey a constraint.

A large model does not miss constraints at random: it has habits, good and bad, which depend on what is asked and
how. So the probability depends on the kind of constraint, the task, and the wording, by a table drawn once; chance has
little part in it, since most entries are near 0 or 1. (With omissions by coin, every later gain is a mere sharpening
of the model's distribution.)

    compliance("pocket")["punctuation:no_comma", "letter", 1]    # 0.9: id, task, number of the wording
"""

from __future__ import annotations

import random

from ifpref.constraints import CONSTRAINT_SETS
from ifpref.prompts.domain import get_domain

# What each kind's tasks are dealt, one each in an order of its own: some are always obeyed, some hardly ever.
LEVELS: dict[str, tuple[float, ...]] = {
    "diligent": (1.0,),
    "pocket": (1.0, 1.0, 0.95, 0.9, 0.85, 0.8, 0.6, 0.35, 0.25, 0.2),
    "weak": (1.0, 0.95, 0.85, 0.7, 0.45, 0.35, 0.3, 0.25, 0.2, 0.2),
}
"""Tables by name: `pocket` is the embedded model's, `weak` a robustness reading's, `diligent` obeys everything."""

_WORDING_SHIFT = (0.1, 0.0, -0.1)  # each kind has one wording that it heeds more, and one that it heeds less


def compliance(habits: str) -> dict[tuple[str, str, int], float]:
    """How likely a constraint is to be obeyed, from 0.1 to 1, by id, task and wording; the same on every machine."""
    if habits not in LEVELS:
        raise ValueError(f"unknown habits {habits!r}; allowed: {', '.join(LEVELS)}")
    tasks, levels = [task.id for task in get_domain("pocket").tasks], LEVELS[habits]
    table = {}
    for id in CONSTRAINT_SETS["study"]:
        rng = random.Random(f"habits/{id}")  # the same order for every table, so that `weak` is weaker everywhere
        order = rng.sample(range(len(tasks)), len(tasks))
        shifts = rng.sample(_WORDING_SHIFT, len(_WORDING_SHIFT))
        for rank, t in enumerate(order):
            level = levels[rank * len(levels) // len(tasks)]
            for wording, shift in enumerate(shifts):
                table[id, tasks[t], wording] = 1.0 if level == 1.0 else min(1.0, level + shift)
    return table
