"""Contrast: which of a prompt's candidate pairs the arms of a comparison take.

    triples: the responses ✓✓✓, ✓✓✗ and ✓✗✗ of a prompt with k = 3 give the chosen ✓✓✓,
    {"high": ✓✓✓ over ✓✗✗ (gap 2/3), "low": ✓✓✓ over ✓✓✗ (gap 1/3)}

A *design* says how the contrasts of a comparison hang together; it is a function from a prompt's candidates, or the
reason why there are none, to a pair or a reason for each contrast. `alike` goes across the arms of a comparison.

Decisions
- `single`: each contrast by itself. `triples`: `high` and `low` have one chosen, and `mixed` is one of the two (arms.py
  takes each in half of the prompts). `quality`: `low` (perfect chosen) and `low_imperfect` have one gap.
- Gaps are whole numbers of constraints over k. The highest chosen score goes first, then the largest (`high`) or the
  smallest (`low`) gap; what is equally good is drawn by `rng`, so that a replicate draws again.
- Small gaps do not exist for k <= 2: every `low` asks for k >= 3, and so do triples and quality as a whole.
- `settings.chosen_quality` ("best" or "perfect") rules `high` and `low`; the design `quality` has its own rule.
- `alike`: arms that differ in where their responses come from take, of what the contrast allows, a pair with the same
  scores (or verdicts) of chosen and rejected, the best that all of them have. As they come, gaps would differ too: RS
  has 67 candidates a prompt where a tree has 11.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from ifpref.curation.pairs import Arm, Pair, PairSettings, Reason, Response

Found = Pair | Reason
"""A pair, or the reason (of `REASONS`) why there is none."""
Some = list[Pair] | Reason
"""Pairs, or the reason why there are none; a reason goes through every step below unchanged."""

_ROUNDING = 1e-9  # gaps are fractions, thresholds decimals: 1/3 must pass max_low_gap 0.3333333333


def options(contrast: str, found: Some, k: int, settings: PairSettings) -> Some:
    """The candidates that a contrast may take, or the reason why there are none."""
    if k < 3 and contrast != "high":
        return Reason.FEW_CONSTRAINTS
    if contrast == "low_imperfect":
        found = _keep(found, lambda pair: not pair.perfect, Reason.NO_IMPERFECT_CHOSEN)
    elif settings.chosen_quality == "perfect":
        found = _keep(found, lambda pair: pair.perfect, Reason.NO_PERFECT_CHOSEN)
    if contrast == "high":
        return _keep(found, lambda pair: pair.gap >= settings.min_high_gap - _ROUNDING, Reason.NO_HIGH_GAP)
    return _keep(found, lambda pair: pair.gap <= settings.max_low_gap + _ROUNDING, Reason.NO_LOW_GAP)


def single(found: Some, k: int, settings: PairSettings, rng: random.Random) -> dict[str, Found]:
    """Each contrast by itself: what one arm takes does not depend on another."""
    contrasts = ("high", "low", "low_imperfect")
    return {contrast: _best(options(contrast, found, k, settings), contrast, rng) for contrast in contrasts}


def triples(found: Some, k: int, settings: PairSettings, rng: random.Random) -> dict[str, Found]:
    """One chosen with a high-gap and a low-gap rejected: the two contrasts differ in the rejected alone."""
    good = Reason.FEW_CONSTRAINTS if k < 3 else found
    allowed = {contrast: options(contrast, good, k, settings) for contrast in ("high", "low")}
    if reason := _lacking(allowed):
        return dict.fromkeys(allowed, reason)
    of_chosen: dict[str, dict[Response, list[Pair]]] = {"high": {}, "low": {}}
    for contrast, pairs in allowed.items():
        for pair in pairs:
            of_chosen[contrast].setdefault(pair.chosen, []).append(pair)
    both = [chosen for chosen in of_chosen["high"] if chosen in of_chosen["low"]]
    if not both:
        return dict.fromkeys(allowed, Reason.NO_COMMON_CHOSEN)

    def goodness(chosen: Response) -> list:
        return [max(_goodness(pair, contrast) for pair in pairs[chosen]) for contrast, pairs in of_chosen.items()]

    chosen = _draw(both, goodness, rng)
    return {contrast: _best(pairs[chosen], contrast, rng) for contrast, pairs in of_chosen.items()}


def quality(found: Some, k: int, settings: PairSettings, rng: random.Random) -> dict[str, Found]:
    """A perfect and an imperfect chosen at one gap, the smallest that both have: the two differ in quality alone."""
    perfect = replace(settings, chosen_quality="perfect")
    allowed = {contrast: options(contrast, found, k, perfect) for contrast in ("low", "low_imperfect")}
    if reason := _lacking(allowed):
        return dict.fromkeys(allowed, reason)
    gap = min(set.intersection(*({pair.gap for pair in pairs} for pairs in allowed.values())), default=None)
    return {
        contrast: _best(_keep(pairs, lambda pair: pair.gap == gap, Reason.NO_EQUAL_GAP), contrast, rng)
        for contrast, pairs in allowed.items()
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

LIKENESS: Mapping[str, tuple[Callable[[Pair], tuple], Reason]] = MappingProxyType(
    {
        "scores": (lambda pair: (pair.chosen.score, pair.rejected.score), Reason.NO_COMMON_SCORES),
        "verdicts": (lambda pair: (pair.chosen.verdicts, pair.rejected.verdicts), Reason.NO_COMMON_VERDICTS),
    }
)
"""What the pairs of a prompt are to be alike in, and why it has none where no candidates of all arms are."""


def alike(allowed: Mapping[Arm, Some], match: str, stream: str) -> dict[Arm, Found]:
    """A prompt's pair in each arm, alike in `LIKENESS[match]`: of what all arms have, the best; what is equally good is
    drawn. Arms that have no candidate keep their reason.

    allowed  `options` of each arm, all of one contrast
    """
    like, reason = LIKENESS[match]
    there = [{like(pair): pair for pair in pairs} for pairs in allowed.values() if not isinstance(pairs, Reason)]
    common = set.intersection(*map(set, there)) if len(there) == len(allowed) else ()
    if not common:
        return {arm: pairs if isinstance(pairs, Reason) else reason for arm, pairs in allowed.items()}
    contrast = next(iter(allowed)).contrast
    best = _draw(sorted(common), lambda one: _goodness(there[0][one], contrast), random.Random(stream))
    return {
        arm: random.Random(f"{stream}/{arm}").choice([pair for pair in pairs if like(pair) == best])
        for arm, pairs in allowed.items()
    }


def _keep(found: Some, test: Callable[[Pair], bool], reason: Reason) -> Some:
    return found if isinstance(found, Reason) else [pair for pair in found if test(pair)] or reason


def _lacking(allowed: Mapping[str, Some]) -> Reason | None:
    """Why one of the contrasts has no candidate."""
    return next((found for found in allowed.values() if isinstance(found, Reason)), None)


def _goodness(pair: Pair, contrast: str) -> tuple[float, float]:
    return pair.chosen.score, pair.gap if contrast == "high" else -pair.gap


def _best(found: Some, contrast: str, rng: random.Random) -> Found:
    return found if isinstance(found, Reason) else _draw(found, lambda pair: _goodness(pair, contrast), rng)


def _draw(some: Sequence[Any], goodness: Callable[[Any], Any], rng: random.Random) -> Any:
    """One of the best, drawn."""
    values = [goodness(one) for one in some]
    best = max(values)
    return rng.choice([one for one, value in zip(some, values, strict=True) if value == best])
