"""Equal numbers and exact halves: which prompts the arms of a comparison keep, and which kind of pair each one gets.

    equal_prompts({"rs": ["a", "b", "c"], "mcts": ["b", "c", "d"]}, n=2, seed="0")     # both arms: ["b", "c"]
    halves({"a": 3, "b": 3, "c": 6, "d": 6}, seed="0")          # {"a": 0, "b": 1, "c": 0, "d": 1}, or other two halves

Decisions
- Prompts that more of the arms have go first, in a seeded order, and each arm takes as many as the smallest can give
  (or n). So arms share prompts as far as they can, and the rest is filled up.
- A half is exact; an odd number has one more of one kind, drawn. `halves` deals the kinds out in turn over prompts
  sorted by stratum (number of constraints), so that both kinds are as hard.
- In `mcts_unshared` a prompt may have a match on one side only. Those have that side, up to half of all; the prompts
  that can be swapped on either side fill both halves up, by the seed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, TypeVar

from ifpref.curation.pairs import SIDES, Row

Name = TypeVar("Name", bound=Hashable)

Sides = Mapping[str, frozenset[str]]
"""The sides that can be swapped in the pair of each prompt; never an empty set."""


def rank(*stream: object) -> float:
    """A number in [0, 1) for what the stream names, the same on every machine: sorting by it is a seeded shuffle."""
    return random.Random("/".join(map(str, stream))).random()


def equal_prompts(
    available: Mapping[Name, Collection[str]], n: int | None, seed: str, sides: Mapping[Name, Sides] | None = None
) -> dict[Name, list[str]]:
    """Prompts for each arm, in equal numbers: `n`, or as many as the smallest has; those that most arms have go first.

    available  prompt ids that have a pair, by arm
    sides      arms that are swapped by halves (and their partners): the sides that each prompt can be swapped on
    """
    sides = sides or {}
    size = min([len(prompt_ids) for prompt_ids in available.values()] + ([] if n is None else [n]), default=0)
    while (possible := min([size, *(most_in_halves(can, size) for can in sides.values())])) < size:
        size = possible
    order = _most_shared_first(available, seed)
    kept = {name: take_in_halves([p for p in order if p in can], can, size) for name, can in sides.items()}
    # The others follow what those arms could take.
    order = _most_shared_first({**available, **kept}, seed)
    for name, prompt_ids in available.items():
        if name not in kept:
            kept[name] = [prompt_id for prompt_id in order if prompt_id in prompt_ids][:size]
    return {name: sorted(kept[name]) for name in available}


def _most_shared_first(available: Mapping[Any, Collection[str]], seed: str) -> list[str]:
    counts = Counter(prompt_id for prompt_ids in available.values() for prompt_id in prompt_ids)
    return sorted(counts, key=lambda prompt_id: (-counts[prompt_id], rank(seed, prompt_id)))


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


# ---- mcts_unshared: halves of which some prompts allow one only


def most_in_halves(sides: Sides, at_most: int) -> int:
    """How many prompts, up to a number, can have the chosen swapped in half of them, the rejected in the others."""
    alone = [sum(can == {side} for can in sides.values()) for side in SIDES]
    both = len(sides) - sum(alone)
    size = min(at_most, len(sides))
    while sum(min(number, (size + 1) // 2) for number in alone) + both < size:
        size -= 1
    return size


def take_in_halves(order: Sequence[str], sides: Sides, size: int) -> list[str]:
    """The first `size` prompts in the order that can be swapped in halves; size is at most `most_in_halves`."""
    room = dict.fromkeys(SIDES, (size + 1) // 2)
    taken: list[str] = []
    for prompt_id in order:
        if len(taken) == size:
            break
        if len(sides[prompt_id]) == 1:
            (side,) = sides[prompt_id]
            if not room[side]:
                continue
            room[side] -= 1
        taken.append(prompt_id)
    return taken


def assign_sides(sides: Sides, seed: str) -> dict[str, str]:
    """The side to swap in each prompt, half of each; of an odd number, one more of one, drawn if both could be."""
    alone = {side: [prompt_id for prompt_id, can in sides.items() if can == {side}] for side in SIDES}
    free = sorted((p for p, can in sides.items() if len(can) == 2), key=lambda p: rank(seed, p))
    first, second = SIDES if rank(seed) < 0.5 else reversed(SIDES)
    room = (len(sides) + 1) // 2 - len(alone[first])  # for all that is free, if the second side must have the odd one
    whole = {first: alone[first] + free[:room], second: alone[second] + free[room:]}
    return {prompt_id: side for side in SIDES for prompt_id in sorted(whole[side])}
