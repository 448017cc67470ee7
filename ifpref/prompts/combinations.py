"""Combinations: which constraints go together in one prompt, drawn so that ids and pairs stay in balance.

A combination is a set of ids, such as `("detectable_format:title", "punctuation:no_comma")`; an id never comes twice.
`Balance` draws them one after the other: each next id is the one, among a few candidates, that has come least often,
alone and beside those chosen already. Two ids are never drawn together when no arguments could satisfy both
(`ifpref.constraints.conflicts`; here by id), or when nobody would ask for both (satisfiable, but a contradiction or a
repetition to any reader).

For k >= 3 a combination belongs to one split only (`split_of`), so that evaluation meets combinations never trained.
"""

import hashlib
import itertools
import math
import random
from collections import Counter
from collections.abc import Sequence

_APART = {
    frozenset(pair)
    for pair in (
        # no arguments of a prompt could satisfy both (English is never asked for as a language)
        ("change_case:english_capital", "change_case:english_lowercase"),
        ("change_case:english_capital", "language:response_language"),
        ("change_case:english_lowercase", "language:response_language"),
        ("detectable_format:json_format", "detectable_format:number_bullet_lists"),
        ("length_constraints:number_paragraphs", "combination:two_responses"),
        # said twice, or taken back: all capitals are more than some words in capitals
        ("change_case:english_capital", "change_case:capital_word_frequency"),
        ("change_case:english_lowercase", "change_case:capital_word_frequency"),
        # two meanings of "paragraph" in one request
        ("length_constraints:number_paragraphs", "length_constraints:nth_paragraph_first_word"),
        # only a bare JSON string can do it; everyone writes an object
        ("detectable_format:json_format", "startend:quotation"),
        ("detectable_format:json_format", "startend:end_checker"),
        ("detectable_format:json_format", "length_constraints:nth_paragraph_first_word"),
        ("detectable_format:json_format", "combination:two_responses"),
    )
}

SPLIT_SHARES = {"train": 0.6, "dev": 0.15, "test": 0.25}
"""Which share of the topics, and of the combinations of three and more ids, belongs to each split."""

_CANDIDATES = 3


def together(first: str, second: str) -> bool:
    """Whether two ids may stand in one prompt."""
    return first != second and frozenset((first, second)) not in _APART


def split_of(ids: Sequence[str]) -> str:
    """The split that a combination of three or more ids belongs to; the same on every machine and for every seed."""
    digest = hashlib.blake2b("+".join(sorted(ids)).encode(), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64
    for split, share in SPLIT_SHARES.items():
        if place < share:
            return split
        place -= share
    return split


def _belongs(ids: Sequence[str], split: str | None) -> bool:
    """Whether a split may use the combination; `transfer` uses those of `test`."""
    return split is None or len(ids) < 3 or split_of(ids) == ("test" if split == "transfer" else split)


def share_out(topics: Sequence[str]) -> dict[str, list[str]]:
    """Topics dealt to splits in proportion, none to two.

    The deal depends on no seed: a topic that is held out is held out in every replicate, and from the embedded model.
    """
    order = sorted(topics)
    random.Random("share_out").shuffle(order)
    cuts = [round(part * len(order)) for part in itertools.accumulate(SPLIT_SHARES.values(), initial=0.0)]
    return {split: order[start:stop] for split, start, stop in zip(SPLIT_SHARES, cuts, cuts[1:], strict=False)}


def count_combinations(ids: Sequence[str], k: int, split: str | None = None, required: Sequence[str] = ()) -> int:
    """How many combinations of k ids there are, of those that a split may use; exact up to k = 3, then by sampling.

    Beyond k = 3 there are tens of thousands: the share that may stand together is estimated from 4,000 draws.
    """

    def allowed(combination: Sequence[str]) -> bool:
        return (
            all(together(a, b) for a, b in itertools.combinations(combination, 2))
            and (not required or any(id in required for id in combination))
            and _belongs(combination, split)
        )

    if k <= 3:
        return sum(allowed(combination) for combination in itertools.combinations(ids, k))
    rng = random.Random("count_combinations")
    share = sum(allowed(rng.sample(list(ids), k)) for _ in range(4000)) / 4000
    return int(share * math.comb(len(ids), k))


class Balance:
    """Draws combinations of ids in balance. State: how often each id and each pair has come so far."""

    def __init__(self, ids: Sequence[str], seed: str) -> None:
        self.ids = tuple(ids)
        self.rng = random.Random(seed)
        self.alone: Counter[str] = Counter()
        self.pairs: Counter[frozenset[str]] = Counter()

    def draw(self, k: int, split: str | None = None, required: Sequence[str] = ()) -> tuple[str, ...]:
        """k ids that may stand together, in the order drawn.

        split     the split that the combination must belong to, where k >= 3
        required  ids of which at least one must be among them

        Raises ValueError where 10,000 tries find none.
        """
        for _ in range(10_000):
            ids = self._draw(k, required)
            if ids and _belongs(ids, split):
                self.alone.update(ids)
                self.pairs.update(frozenset(pair) for pair in itertools.combinations(ids, 2))
                return ids
        raise ValueError(f"no combination of {k} of the {len(self.ids)} ids for the split {split!r} was found")

    def _draw(self, k: int, required: Sequence[str]) -> tuple[str, ...] | None:
        chosen: list[str] = []
        open_ids = list(self.ids)
        while len(chosen) < k:
            pool = [id for id in open_ids if id in required] if required and not chosen else open_ids
            if not pool:
                return None
            few = self.rng.sample(pool, min(_CANDIDATES, len(pool)))
            best = min(few, key=lambda id: self._seen(id, chosen))
            chosen.append(best)
            open_ids = [id for id in open_ids if together(id, best)]
        self.rng.shuffle(chosen)
        return tuple(chosen)

    def _seen(self, id: str, chosen: Sequence[str]) -> float:
        """How often the id has come, and how often beside those chosen, each in units of its mean."""
        alone = self.alone[id] / (1 + self.alone.total() / len(self.ids))
        if not chosen:
            return alone
        beside = sum(self.pairs[frozenset((id, other))] for other in chosen) / len(chosen)
        return alone + beside / (1 + 2 * self.pairs.total() / len(self.ids) ** 2)
