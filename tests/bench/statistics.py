"""Benchmark: what the intervals cover and how often verdicts are false, on simulated studies with known effects.

A study is four arms of binary outcomes on the same prompts, R replicates each: arms 0 and 1 are equal, arms 2 and 3 lie
5 points higher. On the logit scale an outcome has the prompt's difficulty (shared by the arms), what the arm makes of
the prompt, and the replicate's effect (partly shared by the arms, as training prompts are), all normal.

The goal is coverage of at least 0.93 at nominal 0.95 for every R, and false verdicts at most at their level: 0.05 for a
null effect and for a family of five (Holm), 0.025 for a false `equivalent` and for C4 where one of its parts is null.
Two figures stand beside it that are no part of the goal: what an interval covers that ignores replicates, and what ours
covers where a tenth of one arm's runs fail: ten replicates often hold no failure at all, and no interval can see it.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from scipy import special

from ifpref import statistics as st

SEED = 20241215
REPLICATES, PROMPTS, REPLICATE_SDS = (3, 5, 10), (256, 512, 1024), (2.0, 4.0)
ACCURACY, EFFECT = 0.35, 5.0  # of arms 0 and 1; what arms 2 and 3 have above them, in points
PROMPT_SD, ARM_PROMPT_SD, SHARED = 1.5, 0.4, 0.3  # logits, logits, share of the replicates' variance


def outcomes(
    rng: np.random.Generator,
    simulations: int,
    replicates: int,
    prompts: int,
    effects: Sequence[float],
    replicate_sd: float,
    rates: int = 1,
) -> Iterator[np.ndarray]:
    """Simulated scores (arms, R, N) of 0.0 and 1.0; arm k has the expected accuracy ACCURACY + effects[k] / 100.

    replicate_sd  of an arm's accuracy over replicates, in points, at infinitely many prompts
    rates         so many arms in a row are one arm at several rates: the same pairs, so the same luck with them
    """
    of_prompts = math.hypot(PROMPT_SD, ARM_PROMPT_SD)
    slope = _mean_of(lambda p: p * (1 - p), special.logit(ACCURACY), of_prompts)
    of_replicates = replicate_sd / 100 / slope
    levels = np.array([_level(ACCURACY + some / 100, math.hypot(of_prompts, of_replicates)) for some in effects])
    arms = len(effects)
    for _ in range(simulations):
        of_arm = rng.standard_normal((arms // rates, 1, prompts)).repeat(rates, axis=0)
        prompt = PROMPT_SD * rng.standard_normal(prompts) + ARM_PROMPT_SD * of_arm
        shared = rng.standard_normal((1, replicates, 1))
        own = rng.standard_normal((arms // rates, replicates, 1)).repeat(rates, axis=0)
        replicate = of_replicates * (math.sqrt(SHARED) * shared + math.sqrt(1 - SHARED) * own)
        chance = special.expit(levels[:, None, None] + prompt + replicate)
        yield (rng.random(chance.shape) < chance).astype(float)


def _mean_of(function, level: float, sd: float) -> float:
    """The mean of function(expit(x)) over x ~ N(level, sd), by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    return float(weights @ function(special.expit(level + sd * nodes)) / weights.sum())


def _level(accuracy: float, sd: float) -> float:
    """The mean logit at which the expected accuracy is this, by bisection."""
    low, high = -8.0, 8.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _mean_of(lambda p: p, middle, sd) < accuracy else (low, middle)
    return low


def study(
    rng: np.random.Generator, simulations: int, replicates: int, prompts: int, replicate_sd: float
) -> dict[str, float]:
    """Shares over simulated studies: `covers ...` of intervals that hold the truth, `false ...` of false verdicts."""
    hits: dict[str, list[bool]] = defaultdict(list)
    null_effects: list[st.Effect] = []
    true_log_odds = special.logit(ACCURACY + EFFECT / 100) - special.logit(ACCURACY)
    quarter = np.arange(prompts) < prompts // 4

    def covers(name: str, effect: st.Effect, truth: float) -> None:
        hits[f"covers {name}"].append(effect.low <= truth <= effect.high)

    effects = (0.0, 0.0, EFFECT, EFFECT)
    for scores in outcomes(rng, simulations, replicates, prompts, effects, replicate_sd):
        null, real = st.differences(scores[1], scores[0]), st.differences(scores[2], scores[0])
        equal, other = st.differences(scores[2], scores[3]), st.differences(scores[3], scores[1])
        of_null, of_real, of_equal, of_other = (st.effect(some) for some in (null, real, equal, other))
        null_effects.append(of_null)
        covers("an effect of 0", of_null, 0)
        covers("an effect of 5", of_real, EFFECT)
        covers("an effect pooled over two cells", st.pooled([null, other]), EFFECT / 2)
        contrast = st.contrast([real[:, quarter], real[:, ~quarter]], [1, -1])
        covers("a contrast of a quarter of the prompts with the rest", contrast, 0)
        covers("a log-odds effect", st.log_odds(scores[2], scores[0]), true_log_odds)
        covers("the lesser of 0 and 5", st.intersection_union([of_equal, of_real]), 0)
        covers("the lesser of 5 and 5", st.intersection_union([of_real, of_other]), EFFECT)
        ignoring = 1.96 * real.mean(axis=0).std(ddof=1) / math.sqrt(prompts)
        hits["no goal: covers, replicates ignored"].append(abs(real.mean() - EFFECT) <= ignoring)
        failed = rng.random((replicates, 1)) < 0.1
        effect, truth = st.effect(st.differences(scores[2] * ~failed, scores[0])), 90 * ACCURACY + 0.9 * EFFECT
        hits["no goal: covers, a tenth failed"].append(effect.low <= truth - 100 * ACCURACY <= effect.high)

        found = st.verdict(of_null, margin=1.0, adjusted_p=of_null.p).verdict
        hits["false verdict on an effect of 0"].append(found in ("supported", "opposite"))
        # A margin as wide as the effect: at 1 point no interval of these sizes is narrow enough to fail.
        found = st.verdict(of_real, margin=EFFECT, adjusted_p=1.0).verdict
        hits["false `equivalent`, margin 5, effect 5"].append(found == "equivalent")
        halves = st.halves(100 * scores[2])
        hits["A/A resolved"].append(halves.p <= 0.05)
        both = st.intersection_union([of_equal, of_real])
        hits["false support of `both` (0 and 5)"].append(both.p <= 0.05 and both.estimate > 0)
    for start in range(0, simulations - 4, 5):
        family = st.verdicts({f"C{i}": null_effects[start + i] for i in range(5)}, margin=1e-9)
        hits["false verdict in a family of five"].append(any(c.verdict != "not resolved" for c in family.values()))
    return {name: float(np.mean(some)) for name, some in hits.items()}


def grid_means(rng: np.random.Generator, simulations: int, replicates: int, prompts: int) -> dict[str, float]:
    """Two arms at a grid of three rates, in the mean over it: coverage, and false verdicts where they are equal; also
    where a tenth of the runs at the highest rate break (score 0)."""
    hits, grid = defaultdict(list), np.array([0.0, 3.0, -4.0])
    for scores in outcomes(rng, simulations, replicates, prompts, [*grid, *grid, *(grid + EFFECT)], 3.0, rates=3):
        one, two, better = 100 * scores.reshape(3, 3, replicates, prompts)  # (L, R, N) each
        broken = [arm * np.where(np.arange(3)[:, None, None] == 2, rng.random((3, replicates, 1)) >= 0.1, 1)
                  for arm in (one, two)]  # fmt: skip
        real, null = st.effect((better - one).mean(axis=0)), st.effect((two - one).mean(axis=0))
        hits["covers the mean over a grid, an effect of 5"].append(real.low <= EFFECT <= real.high)
        hits["covers the mean over a grid, an effect of 0"].append(null.low <= 0 <= null.high)
        hits["false verdict, grid of which runs break"].append(
            st.effect((broken[1] - broken[0]).mean(axis=0)).p <= 0.05
        )
    return {name: float(np.mean(some)) for name, some in hits.items()}


def power(rng: np.random.Generator, simulations: int, replicates: int, prompts: int) -> dict[str, float]:
    """The minimum detectable effect from a large pilot, and how often an effect of that size is supported."""
    pilot = next(outcomes(rng, 1, 300, 2000, (0.0, EFFECT), 3.0))
    planned = st.components(st.differences(pilot[1], pilot[0])).standard_error(replicates, prompts)
    least = st.minimum_detectable_effect(planned, min(replicates, prompts) - 1)
    found = []
    for scores in outcomes(rng, simulations, replicates, prompts, (0.0, least), 3.0):
        effect = st.effect(st.differences(scores[1], scores[0]))
        found.append(effect.p <= 0.05 and effect.estimate > 0)
    return {"minimum detectable effect": round(least, 2), "found": float(np.mean(found))}


def run(simulations: int = 1000) -> dict:
    """All of it by R: the mean over N and replicate sd, and of what is covered the least; each share with its n."""
    start = time.perf_counter()
    rng = np.random.default_rng(SEED)
    by_replicates = {}
    for replicates in REPLICATES:
        cells = [study(rng, simulations, replicates, *some) for some in product(PROMPTS, REPLICATE_SDS)]
        means = {name: round(float(np.mean([cell[name] for cell in cells])), 4) for name in cells[0]}
        ours = [name for name in means if name.startswith("covers ")]
        by_replicates[f"R = {replicates}"] = {
            **means,
            "least coverage of any cell": {name: min(cell[name] for cell in cells) for name in ours},
            **grid_means(rng, simulations, replicates, 512),
            "at 512 prompts": power(rng, simulations, replicates, 512),
        }
    return {
        "simulations_a_cell": simulations,
        "cells": {"prompts": PROMPTS, "replicate_sd_points": REPLICATE_SDS},
        "by_replicates": by_replicates,
        "seconds": round(time.perf_counter() - start, 1),
    }
