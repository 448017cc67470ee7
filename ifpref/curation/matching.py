"""Matching: pairs that are alike in everything but the one thing that two arms are compared on.

    swaps(pair, pool, settings, rng)         # {"rejected": the pair with another rejected}: they differ in sharing
    matched({"easy": rows, "hard": rows}, ids, seed=0)     # as many rows of each, alike in gap, chosen score and ids

Decisions
- *mcts_unshared*: a match has the verdicts and the score of the response that it stands in for, a length within
  `unshared_length_tolerance` of its own, and at most `unshared_max_prefix` tokens in common with the side that stays.
  (Equal scores would not do: a shared prefix fixes the constraints that are decided early, so shared and unshared pairs
  of equal scores differ in *which* they separate.) Of several matches, one of the same tree goes before a sample of RS,
  then the one nearest in length; ties are drawn. equal.py says which side of which pair is swapped.
- *matched*: one-to-one without replacement, nearest within calipers, as many as there can be: an optimal assignment of
  each arm to the smallest. Prompts of different difficulty differ in k, so that their ids cannot be equal; matched are
  the ids that pairs *separate* (Jaccard distance, at least one in common), beside gap and chosen score.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from ifpref.curation.equal import rank
from ifpref.curation.pairs import SIDES, Pair, PairSettings, Response, Row, shared_prefix

Name = TypeVar("Name", bound=Hashable)
CALIPER = 0.1
"""How far apart the gaps, and the chosen scores, of partners may be."""


# ---- mcts_unshared


def swaps(pair: Pair, pool: Iterable[Response], settings: PairSettings, rng: random.Random) -> dict[str, Pair]:
    """The pair with one side swapped, for each side on which it has a match.

    pool  complete responses to the prompt, of the tree and of RS
    """
    pool = sorted(pool, key=lambda response: (response.token_ids, response.source))
    matches = {side: _match(pair, side, pool, settings, rng) for side in SIDES}
    return {side: replace(pair, **{side: match}) for side, match in matches.items() if match}


def _match(
    pair: Pair, side: str, pool: Sequence[Response], settings: PairSettings, rng: random.Random
) -> Response | None:
    left = getattr(pair, side)
    kept = pair.rejected if side == "chosen" else pair.chosen
    tolerance = settings.unshared_length_tolerance * len(left.token_ids)
    options = [
        response
        for response in pool
        if (response.verdicts, response.score) == (left.verdicts, left.score)
        and abs(len(response.token_ids) - len(left.token_ids)) <= tolerance
        and response.token_ids != left.token_ids
        and shared_prefix(response.token_ids, kept.token_ids) <= settings.unshared_max_prefix
    ]

    def distance(response: Response) -> tuple[bool, int]:
        return response.branch is None, abs(len(response.token_ids) - len(left.token_ids))

    nearest = min(map(distance, options), default=None)
    return rng.choice([option for option in options if distance(option) == nearest]) if options else None


# ---- matched arms


def separated(row: Row, ids: Sequence[str], by: str = "chosen") -> set[str]:
    """Constraint ids that one side satisfies and the other does not; ids are those of the prompt, in order."""
    other = "rejected" if by == "chosen" else "chosen"
    verdicts = zip(ids, row[f"{by}_verdicts"], row[f"{other}_verdicts"], strict=True)
    return {id for id, mine, others in verdicts if mine and not others}


def matched(
    arms: Mapping[Name, Sequence[Row]], ids: Mapping[str, Sequence[str]], seed: object
) -> dict[Name, list[Row]]:
    """As many rows of each arm, where row i of one is like row i of every other.

    arms  pairs of at least two arms, chosen better than rejected, one a prompt
    ids   constraint ids of each prompt, in the order of the verdicts

    Partners are within `CALIPER` in gap and in chosen score, and separate one id or more in common; the same prompt is
    preferred.
    """
    order = {name: sorted(rows, key=lambda row: rank(seed, row["pair_id"])) for name, rows in arms.items()}
    smallest = min(order, key=lambda name: len(order[name]))
    partners = {name: _assign(order[smallest], rows, ids) for name, rows in order.items() if name != smallest}
    kept = [i for i in range(len(order[smallest])) if all(i in partner for partner in partners.values())]
    return {name: [rows[i if name == smallest else partners[name][i]] for i in kept] for name, rows in order.items()}


def _assign(template: Sequence[Row], rows: Sequence[Row], ids: Mapping[str, Sequence[str]]) -> dict[int, int]:
    """Index of a template's row -> index of its partner; rows are at least as many as the template's."""
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    if not template:
        return {}
    known = {id: n for n, id in enumerate(sorted({id for row in (*template, *rows) for id in ids[row["prompt_id"]]}))}

    def column(rows: Sequence[Row], key: str):
        return np.array([row[key] for row in rows])  # (rows,)

    def hot(rows: Sequence[Row]):
        table = np.zeros((len(rows), len(known)))
        for n, row in enumerate(rows):
            table[n, [known[id] for id in separated(row, ids[row["prompt_id"]])]] = 1
        return table  # (rows, ids)

    gap = np.abs(np.subtract.outer(column(template, "gap"), column(rows, "gap")))  # (template, rows), as all below
    score = np.abs(np.subtract.outer(column(template, "chosen_score"), column(rows, "chosen_score")))
    mine, theirs = hot(template), hot(rows)
    common = mine @ theirs.T
    jaccard = 1 - common / np.maximum(np.add.outer(mine.sum(1), theirs.sum(1)) - common, 1)
    elsewhere = column(template, "prompt_id")[:, None] != column(rows, "prompt_id")[None, :]
    near = (np.maximum(gap, score) <= CALIPER + 1e-9) & (common > 0)
    cost = elsewhere + jaccard + gap + score  # below 5: one pair more is worth more than any distance saved
    cost = np.where(near, cost, 5.0 * (len(template) + 1))
    return {int(i): int(j) for i, j in zip(*linear_sum_assignment(cost), strict=True) if near[i, j]}
