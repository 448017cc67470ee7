"""Verdicts: which claims of a family hold, by intervals, Holm's adjustment and a margin of practical equivalence.

    verdicts({"C1": effect, "C4": intersection_union([mixed_high, mixed_low])}, margin=1.0)["C1"].to_dict()
    {"verdict": "supported", "adjusted_p": 0.012, "because": "...", "demonstration": False, "estimate": 2.1, ...}

Decisions
- In this order: `equivalent`, the interval lies inside the margin, even where it excludes 0 (a difference that is there
  and too small to matter; `because` says so); `supported`, the estimate has the sign claimed and Holm's p is at most
  1 - confidence; `opposite`, the same with the other sign (said as "opposite sign here": one small
  model does not contradict a paper); else `not resolved`, as is all that has no interval.
- An interval of 95 % inside the margin is two one-sided tests at 2.5 % (Schuirmann 1987), each claim by itself. Holm's
  p (Holm 1979) is two-sided, for supported and opposite alike, and over the whole family, claims without an
  interval too: which claims are tested was fixed before the data came.
- A claim that two effects are *both* positive is an intersection-union test (Berger 1982): no adjustment to support it,
  since each must pass alone; Bonferroni for the opposite, since either may.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ifpref.statistics.intervals import Effect, without_interval, without_nan

ENOUGH_REPLICATES, ENOUGH_PROMPTS = 10, 1000
"""What rests on less is a demonstration."""

Word = Literal["supported", "equivalent", "opposite", "not resolved"]


@dataclass(frozen=True)
class Verdict:
    """What became of a claim, and why. `direction` is the sign that was claimed; margin in the effect's unit."""

    verdict: Word
    because: str
    effect: Effect
    direction: int
    margin: float
    adjusted_p: float

    @property
    def demonstration(self) -> bool:
        return self.effect.replicates < ENOUGH_REPLICATES or self.effect.prompts < ENOUGH_PROMPTS

    def to_dict(self) -> dict[str, Any]:
        """One flat row: the effect's columns beside the verdict's."""
        own = {name: value for name, value in vars(self).items() if name != "effect"}
        return without_nan({**own, "demonstration": self.demonstration, **asdict(self.effect)})


def verdict(effect: Effect, *, margin: float, adjusted_p: float, direction: int = 1) -> Verdict:
    """The verdict of one claim: direction 1 claims an effect above 0, -1 one below.

    margin      in the unit of the effect, above 0
    adjusted_p  of `holm` over the family; the effect's own p where it stands alone
    """
    if margin <= 0 or direction not in (1, -1):
        raise ValueError(f"verdict: margin = {margin}, direction = {direction}; allowed: above 0; 1 or -1")
    word, because = _word(effect, margin, adjusted_p, direction)
    return Verdict(word, because, effect, direction, margin, adjusted_p)


def _word(effect: Effect, margin: float, adjusted_p: float, direction: int) -> tuple[Word, str]:
    if effect.reason:
        return "not resolved", effect.reason
    interval = f"the interval {effect.low:.2f} to {effect.high:.2f}"
    if -margin <= effect.low and effect.high <= margin:
        excludes = " and excludes 0" if effect.low > 0 or effect.high < 0 else ""
        return "equivalent", f"{interval} lies inside -{margin:g} to {margin:g}{excludes}"
    alpha = 1 - effect.confidence
    if adjusted_p <= alpha:
        as_claimed = direction * effect.estimate > 0
        word, sign = ("supported", "the sign claimed") if as_claimed else ("opposite", "the other sign")
        return word, f"{sign}, adjusted p = {adjusted_p:.3g}"
    if effect.low <= 0 <= effect.high:
        return "not resolved", f"{interval} holds 0, and more than the margin"
    return "not resolved", f"{interval} excludes 0, but adjusted p = {adjusted_p:.3g}"


def verdicts(claims: Mapping[str, Effect], *, margin: float) -> dict[str, Verdict]:
    """The verdicts of a family of claims of effects above 0, adjusted together."""
    adjusted = holm([effect.p for effect in claims.values()]).tolist()
    return {
        name: verdict(effect, margin=margin, adjusted_p=p)
        for (name, effect), p in zip(claims.items(), adjusted, strict=True)
    }


def holm(p: ArrayLike) -> np.ndarray:
    """Holm's adjusted p of (m,) p-values, in their order: max over j <= i of (m - j + 1) p_(j), at most 1.

    NaN (a test without a result) stays NaN and counts in m.
    """
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)  # NaN last
    steps = np.minimum(p[order] * np.arange(p.size, 0, -1), 1.0)
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted


def intersection_union(effects: Sequence[Effect]) -> Effect:
    """The claim that all K effects are above 0, as one effect: the smallest of them.

    estimate   the least estimate, with its own standard error
    low, high  of the least true effect: the least lower bound, and the least upper bound at 1 - (1 - confidence) / K
               (whichever is least, its own bound must hold below and none of the bounds may fail above)
    p          the largest p, where all estimates are above 0; else K times the smallest p of those below

    The effects need not be independent. Without an interval of each there is none of all.
    """
    if not effects or len({effect.confidence for effect in effects}) > 1:
        raise ValueError(f"intersection_union: {len(effects)} effects; allowed: one or more, of one confidence")
    least = min(effects, key=lambda effect: math.inf if math.isnan(effect.estimate) else effect.estimate)
    counts = {
        "replicates": min(effect.replicates for effect in effects),
        "prompts": min(effect.prompts for effect in effects),
        "missing": max(effect.missing for effect in effects),
    }
    confidence = least.confidence
    if reason := next((effect.reason for effect in effects if effect.reason), None):
        estimate = math.nan if any(math.isnan(effect.estimate) for effect in effects) else least.estimate
        return without_interval(estimate, reason, confidence, counts)
    low = min(effect.low for effect in effects)
    high = min(effect.bounds(1 - (1 - confidence) / len(effects))[1] for effect in effects)
    against = [effect.p for effect in effects if effect.estimate <= 0]
    p = min(1.0, len(effects) * min(against)) if against else max(effect.p for effect in effects)
    df = least.degrees_of_freedom
    return Effect(least.estimate, least.standard_error, low, high, p, df, confidence, **counts)


@dataclass(frozen=True)
class Signs:
    """How many estimates lie above, below and at 0; p of the exact two-sided sign test without those at 0."""

    positive: int
    negative: int
    zero: int
    missing: int
    p: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def sign_counts(estimates: ArrayLike) -> Signs:
    """The signs of (C,) estimates, one a cell (contrast x difficulty); NaN is counted as missing.

    p takes the cells to be independent. They share test prompts, and replicates share training prompts: it describes,
    and no verdict rests on it.
    """
    estimates = np.asarray(estimates, dtype=float)
    positive, negative = int((estimates > 0).sum()), int((estimates < 0).sum())
    tail = float(special.bdtr(min(positive, negative), positive + negative, 0.5))
    return Signs(positive, negative, int((estimates == 0).sum()), int(np.isnan(estimates).sum()), min(1.0, 2 * tail))


@dataclass(frozen=True)
class Share:
    """`count` of `n`, and the exact interval of the share in [0, 1]; NaN where n is 0."""

    count: int
    n: int
    share: float
    low: float
    high: float
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        return without_nan(asdict(self))


def exact_share(count: int, n: int, *, confidence: float = 0.95) -> Share:
    """How many of n runs failed, with the interval of Clopper and Pearson (1934), never short of its confidence."""
    if not 0 <= count <= n:
        raise ValueError(f"exact_share: {count} of {n}; allowed: 0 <= count <= n")
    if n == 0:
        return Share(0, 0, math.nan, math.nan, math.nan, confidence)
    tail = (1 - confidence) / 2
    low = float(special.betaincinv(count, n - count + 1, tail)) if count else 0.0
    high = float(special.betaincinv(count + 1, n - count, 1 - tail)) if count < n else 1.0
    return Share(count, n, count / n, low, high, confidence)
