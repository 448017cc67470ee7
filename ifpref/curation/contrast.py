"""Contrast: which of a prompt's candidate pairs the arms of a comparison take.

    triples: the responses ✓✓✓, ✓✓✗ and ✓✗✗ of a prompt with k = 3 give the chosen ✓✓✓,
    {"high": ✓✓✓ over ✓✗✗ (gap 2/3), "low": ✓✓✓ over ✓✓✗ (gap 1/3)}

A *design* says how the contrasts of a comparison hang together; it is a function from a prompt's candidates, or the
reason why there are none, to a pair or a reason for each contrast.

Decisions
- `single`: each contrast by itself. `triples`: `high` and `low` have one chosen, and `mixed` is one of the two (arms.py
  takes each in half of the prompts). `quality`: `low` (perfect chosen) and `low_imperfect` have one gap.
- Gaps are whole numbers of constraints over k. The highest chosen score goes first, then the largest (`high`) or the
  smallest (`low`) gap; what is equally good is drawn by `rng`, so that a replicate draws again.
- Small gaps do not exist for k <= 2: every `low` asks for k >= 3, and so do triples and quality as a whole.
- `settings.chosen_quality` ("best" or "perfect") rules `high` and `low`; the design `quality` has its own rule.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ifpref.curation.pairs import Pair, PairSettings, Reason, Response

Found = Pair | Reason
"""A pair, or the reason (of `REASONS`) why there is none."""
Some = list[Pair] | Reason
"""Pairs, or the reason why there are none; a reason goes through every step below unchanged."""

_ROUNDING = 1e-9  # gaps are fractions, thresholds decimals: 1/3 must pass max_low_gap 0.3333333333


def single(found: Some, k: int, settings: PairSettings, rng: random.Random) -> dict[str, Found]:
    """Each contrast by itself: what one arm takes does not depend on another."""
    enough = Reason.FEW_CONSTRAINTS if k < 3 else found
    imperfect = _keep(enough, lambda pair: not pair.perfect, Reason.NO_IMPERFECT_CHOSEN)
    return {
        "high": _draw(_high(_of_quality(found, settings), settings), _best_high, rng),
        "low": _draw(_low(_of_quality(enough, settings), settings), _best_low, rng),
        "low_imperfect": _draw(_low(imperfect, settings), _best_low, rng),
    }


def triples(found: Some, k: int, settings: PairSettings, rng: random.Random) -> dict[str, Found]:
    """One chosen with a high-gap and a low-gap rejected: the two contrasts differ in the rejected alone."""
    good = Reason.FEW_CONSTRAINTS if k < 3 else _of_quality(found, settings)
    high, low = _high(good, settings), _low(good, settings)
    for reason in (high, low):
        if isinstance(reason, Reason):
            return {"high": reason, "low": reason}
    high, low = _by_chosen(high), _by_chosen(low)
    both = [chosen for chosen in high if chosen in low]
    if not both:
        return dict.fromkeys(("high", "low"), Reason.NO_COMMON_CHOSEN)

    def goodness(chosen: Response) -> tuple:
        return max(map(_best_high, high[chosen])), max(map(_best_low, low[chosen]))

    chosen = _draw(both, goodness, rng)
    return {"high": _draw(high[chosen], _best_high, rng), "low": _draw(low[chosen], _best_low, rng)}


def quality(found: Some, k: int, settings: PairSettings, rng: random.Random) -> dict[str, Found]:
    """A perfect and an imperfect chosen at one gap, the smallest that both have: the two differ in quality alone."""
    enough = Reason.FEW_CONSTRAINTS if k < 3 else found
    perfect = _low(_keep(enough, lambda pair: pair.perfect, Reason.NO_PERFECT_CHOSEN), settings)
    imperfect = _low(_keep(enough, lambda pair: not pair.perfect, Reason.NO_IMPERFECT_CHOSEN), settings)
    for reason in (perfect, imperfect):
        if isinstance(reason, Reason):
            return {"low": reason, "low_imperfect": reason}
    gap = min({pair.gap for pair in perfect} & {pair.gap for pair in imperfect}, default=None)
    return {
        name: _draw(_keep(pairs, lambda pair: pair.gap == gap, Reason.NO_EQUAL_GAP), _best_low, rng)
        for name, pairs in (("low", perfect), ("low_imperfect", imperfect))
    }


@dataclass(frozen=True)
class Design:
    """rule: the pair of each contrast from a prompt's candidates; contrasts: those that it offers."""

    rule: Callable[[Some, int, PairSettings, random.Random], dict[str, Found]]
    contrasts: tuple[str, ...]


DESIGNS: Mapping[str, Design] = MappingProxyType(
    {
        "single": Design(single, ("high", "low", "low_imperfect")),
        "triples": Design(triples, ("high", "low", "mixed")),
        "quality": Design(quality, ("low", "low_imperfect")),
    }
)

PARTS = MappingProxyType({"mixed": ("high", "low")})
"""Contrasts made of others: a prompt needs a pair of each, and has one of them in the arm."""


def _keep(found: Some, test: Callable[[Pair], bool], reason: Reason) -> Some:
    return found if isinstance(found, Reason) else [pair for pair in found if test(pair)] or reason


def _of_quality(found: Some, settings: PairSettings) -> Some:
    any_will_do = settings.chosen_quality == "best"
    return _keep(found, lambda pair: any_will_do or pair.perfect, Reason.NO_PERFECT_CHOSEN)


def _high(found: Some, settings: PairSettings) -> Some:
    return _keep(found, lambda pair: pair.gap >= settings.min_high_gap - _ROUNDING, Reason.NO_HIGH_GAP)


def _low(found: Some, settings: PairSettings) -> Some:
    return _keep(found, lambda pair: pair.gap <= settings.max_low_gap + _ROUNDING, Reason.NO_LOW_GAP)


def _best_high(pair: Pair) -> tuple[float, float]:
    return pair.chosen.score, pair.gap


def _best_low(pair: Pair) -> tuple[float, float]:
    return pair.chosen.score, -pair.gap


def _by_chosen(pairs: Sequence[Pair]) -> dict[Response, list[Pair]]:
    grouped: dict[Response, list[Pair]] = {}
    for pair in pairs:
        grouped.setdefault(pair.chosen, []).append(pair)
    return grouped


def _draw(options: Sequence[Any] | Reason, goodness: Callable[[Any], tuple], rng: random.Random) -> Any:
    """One of the best, drawn."""
    if isinstance(options, Reason):
        return options
    values = [goodness(option) for option in options]
    best = max(values)
    return rng.choice([option for option, value in zip(options, values, strict=True) if value == best])
