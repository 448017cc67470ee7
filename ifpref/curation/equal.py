"""Equal numbers and exact halves: which prompts the arms of a comparison keep, and which kind of pair each one gets.

    equal_prompts({"rs": ["a", "b", "c"], "mcts": ["b", "c", "d"]}, n=2, seed="0")     # both arms: ["b", "c"]
    halves({"a": 3, "b": 3, "c": 6, "d": 6}, seed="0")          # {"a": 0, "b": 1, "c": 0, "d": 1}, or other two halves

Decisions
- Prompts that more of the arms have go first, in a seeded order, and each arm takes as many as the smallest can give
  (or n). So arms share prompts as far as they can, and the rest is filled up.
- A half is exact; an odd number has one more of one kind, drawn. `halves` deals the kinds out in turn over prompts
  sorted by stratum (number of constraints), so that both kinds are as hard.
- In `mcts_unshared` a prompt may have a match on one side only. Those have that side, and the prompts that can be
  swapped on either side fill up whichever has fewer; what one side has too many of is left out.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar

from ifpref.curation.pairs import SIDES, Row

Name = TypeVar("Name", bound=Hashable)


def rank(*stream: object) -> float:
    """A number in [0, 1) for what the stream names, the same on every machine: sorting by it is a seeded shuffle."""
    return random.Random("/".join(map(str, stream))).random()


def equal_prompts(
    available: Mapping[Name, Collection[str]],
    n: int | None,
    seed: str,
    sides: Mapping[Name, Mapping[str, str]] | None = None,
) -> dict[Name, list[str]]:
    """Prompts for each arm, in equal numbers: `n`, or as many as the smallest has; those that most arms have go first.

    available  prompt ids that have a pair, by arm
    sides      of arms of which halves are swapped: the side of each prompt (`assign_sides`); half of each side is taken
    """
    size = min([len(prompt_ids) for prompt_ids in available.values()] + ([] if n is None else [n]), default=0)
    counts = Counter(prompt_id for prompt_ids in available.values() for prompt_id in prompt_ids)
    order = sorted(counts, key=lambda prompt_id: (-counts[prompt_id], rank(seed, prompt_id)))
    kept = {}
    for name, prompt_ids in available.items():
        mine = [prompt_id for prompt_id in order if prompt_id in prompt_ids]
        if sides and name in sides:
            of_side = ([p for p in mine if sides[name][p] == side] for side in SIDES)
            mine.sort(key={p: place for some in of_side for place, p in enumerate(some)}.get)  # one of each in turn
        kept[name] = sorted(mine[:size])
    return kept


def first_pairs(rows: Sequence[Row], n: int | None, seed: object) -> list[Row]:
    """The pairs of the n prompts that come first by a seeded rank, in their order; None: all. Nothing where there are
    fewer. So the first 50 are among the first 100, and arms on the same prompts keep the same ones."""
    if n is None or len(rows) < n:
        return list(rows) if n is None else []
    first = set(sorted((row["prompt_id"] for row in rows), key=lambda p: rank(seed, "first", p))[:n])
    return [row for row in rows if row["prompt_id"] in first]


def halves(strata: Mapping[str, int], seed: str) -> dict[str, int]:
    """0 or 1 for each prompt, half of each (of an odd number, one more of one, drawn); in each stratum within one."""
    order = sorted(strata, key=lambda prompt_id: (strata[prompt_id], rank(seed, prompt_id)))
    first = rank(seed) < 0.5
    return {prompt_id: (place + first) % 2 for place, prompt_id in enumerate(order)}


def assign_sides(can: Mapping[str, Collection[str]], seed: str) -> dict[str, str]:
    """The side to swap in each prompt, of those that it can be swapped on: half of each, one more of one at the most.
    Prompts beyond that are left out."""
    of_side: dict[str, list[str]] = {side: [] for side in SIDES}
    for prompt_id in sorted(can, key=lambda prompt_id: (len(can[prompt_id]), rank(seed, prompt_id))):
        fewest = min(can[prompt_id], key=lambda side: (len(of_side[side]), rank(seed, side)))
        of_side[fewest].append(prompt_id)
    most = min(map(len, of_side.values())) + 1
    return {prompt_id: side for side, prompt_ids in of_side.items() for prompt_id in prompt_ids[:most]}
