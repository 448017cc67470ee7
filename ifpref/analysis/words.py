"""Words around numbers: what notebooks say of effects, generated, so that no sentence outlives its numbers.

    in_words(effect)                  # "+2.1 [+0.4, +3.8] points, above 0"
    caution(study)                    # "**This is a demonstration**: 3 replicates and 516 test prompts, ..."
    absent(study, "unshared")         # "The profile `pocket` does not run the comparison `unshared`: ..."
    titled(rows, "arm", "low")        # rows with these keys alone, under the headers that a reader knows

Decisions
- "Above 0" and "below 0" are said of intervals, one at a time, at the study's confidence. They are no verdicts: those
  are adjusted over the family of claims (claims.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ifpref.analysis import readings, results
from ifpref.analysis.results import Row, planned_minimum_detectable_effect
from ifpref.figures.arms import looks
from ifpref.figures.rows import number, signed, with_interval
from ifpref.statistics import Effect
from ifpref.statistics.verdicts import ENOUGH_PROMPTS, ENOUGH_REPLICATES
from ifpref.study import Study

HEADERS = {
    "sampled_percent": "accuracy (%)",
    "kl_nats_per_response": "KL (nats a response)",
    "entropy_nats_per_token": "entropy (nats a token)",
    "n": "runs",
    "no_pairs": "too few pairs",
    "unasked_percent": "any unasked feature",
    "repeated_percent": "a repeated sentence",
    "chosen_only_percent": "the chosen alone (%)",
    "rejected_only_percent": "the rejected alone (%)",
    "low": "from",
    "high": "to",
    "adjusted_p": "p (Holm)",
}
"""Key of a row -> what stands over its column; other keys stand for themselves, in words (`_header`)."""
ACCURACIES = ("arm", "prompt_level_strict", "clean_percent", "prompt_level_loose", "instruction_level_strict")
ACCURACIES += ("unasked_percent", "repeated_percent", "nearly_repeated_percent", "tokens", "truncated_percent")
METRIC = {
    "prompt_level": "prompt-level, the share of responses that meet all constraints of their prompt",
    "instruction_level": "instruction-level, the share of its prompt's constraints that a response meets",
}
"""What the primary metric is called."""
FAILURES = ("arm", "n", "diverged", "share", "low", "high", "no_pairs", "missing")
BREAKS = ("arm", "n", "diverged", "below_the_base", "share", "low", "high", "no_pairs", "missing")


def titled(rows: Iterable[Mapping[str, Any]], *columns: str) -> list[Row]:
    """The rows under readable headers: these columns in this order, or all of them."""
    rows = list(rows)
    confidences = {row.get("confidence") for row in rows}
    names = dict(HEADERS)
    if len(confidences) == 1 and (confidence := confidences.pop()):
        names["high"] = f"to ({100 * confidence:g} %)"
    return [{names.get(key, _header(key)): row[key] for key in columns or row} for row in rows]


def _header(key: str) -> str:
    """ "prompt-level, strict" for `prompt_level_strict`, "truncated" for `truncated_percent`."""
    return key.replace("_level_", "-level, ").removesuffix("_percent").replace("_", " ")


def in_words(effect: Effect | Mapping[str, Any], unit: str = "points") -> str:
    """An effect with its interval, and on which side of 0 that lies; where there is none, why.

    effect  or a row of it: "estimate", "low", "high", "reason"
    """
    row = effect.to_dict() if isinstance(effect, Effect) else effect
    estimate, low, high = (number(row, key) for key in ("estimate", "low", "high"))
    if math.isnan(estimate):
        return f"not known ({row['reason']})"
    if row.get("reason"):
        return f"{signed(estimate)} {unit} without an interval ({row['reason']})"
    side = "above 0" if low > 0 else "below 0" if high < 0 else "an interval that holds 0"
    return f"{with_interval(row)} {unit}, {side}"


def listed(rows: Iterable[Mapping[str, Any]], unit: str = "points") -> str:
    """Markdown: one line a row, its label and its effect in words."""
    return "\n".join(f"- {row['label']}: {in_words(row, unit)}" for row in rows)


def code(text: str) -> str:
    """Markdown: a text in a code font, as it is, whatever it holds (backticks, `$`, `<`, line breaks)."""
    line = " ".join(text.split())
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}" if line.startswith("`") or line.endswith("`") else f"{fence}{line}{fence}"


def caution(study: Study) -> str:
    """What comes before the numbers: how many replicates and prompts they rest on, and whether that is enough."""
    p, profile = study.params, _profile(study)
    metric = "" if p.primary_metric == "prompt_level" else f" Accuracy: {METRIC[p.primary_metric]}."
    size = f"{p.n_replicates:,} {_plural('replicate', p.n_replicates)} and {p.n_test_prompts:,} test prompts"
    if not study.is_demonstration:
        return f"The profile {profile} has {size}.{metric}"
    return (
        f"**This is a demonstration**: the profile {profile} has {size}, and verdicts are read from "
        f"{ENOUGH_REPLICATES} replicates and {ENOUGH_PROMPTS:,} prompts or more. Its numbers settle nothing.{metric}"
    )


def _profile(study: Study) -> str:
    """ "`smoke` with `beta = 0.05`": its name, and what was replaced in it."""
    changed = " and ".join(code(f"{name} = {value}") for name, value in study.overrides.items())
    return f"`{study.profile}`" + (f" with {changed}" if changed else "")


def power(study: Study) -> str:
    """What could be found before anything is trained: `results.planned_minimum_detectable_effect`."""
    least = planned_minimum_detectable_effect(study)
    if math.isnan(least):
        return "With one replicate or one prompt no difference has an interval: nothing can be found."
    if least >= 100:
        return "With so few of them nothing can be found: a difference would have to be larger than 100 points."
    return (
        f"A true difference of **{least:.1f} points** between two arms is found with a probability of 80 %, at a "
        f"confidence of {100 * study.params.confidence:g} %; a smaller one less often."
    )


def absent(study: Study, *names: str) -> str:
    """What stands in the place of a figure without rows: comparisons that the profile lacks, whose pairs are not there
    (their task failed), that have no pairs, or of which no run is there."""
    if lacking := [name for name in names if name not in study.params.comparisons]:
        if "comparisons" in study.overrides:
            return f"*Nothing to show: this choice of `comparisons` does not run {_comparisons(lacking)}.*"
        return (
            f"*Nothing to show: the profile `{study.profile}` does not run {_comparisons(lacking)}. "
            "`pocket-full` does; or add to `comparisons` in the profile's file in `params/`.*"
        )
    of_names = [study.pair_tables(name) for name in names]
    if any(sum(table["pairs"].values()) for tables in of_names for table in tables):
        return f"*Nothing to show: no run of {_comparisons(names)} is there.*"
    if not all(of_names):
        return f"*Nothing to show: the pairs of {_comparisons(names)} are not there.*"
    return f"*Nothing to show: {_comparisons(names)} found no pairs at this size.*"


def _comparisons(names: Sequence[str]) -> str:
    return f"the {_plural('comparison', len(names))} {', '.join(f'`{name}`' for name in names)}"


def lesser(study: Study, n: int = 2) -> str:
    """Why the interval of the lesser of n differences is none of theirs: `statistics.intersection_union`."""
    confidence = study.params.confidence
    all_at_once = 1 - (1 - confidence) / n
    return (
        f"*The lesser* has an interval of its own: from the lowest of the {n} lower ends to the lowest of the upper "
        f"ends. The upper ones are taken at {100 * all_at_once:g} % instead of {100 * confidence:g} %, since all of "
        "them must hold at once; so it can reach higher than the interval of either part."
    )


def is_it_real(study: Study, name: str) -> str:
    """Of each arm of a comparison its gain on accuracy and on clean accuracy, and what came along."""
    gains, clean = ({row["arm"]: row for row in results.gains(study, name, metric=m)} for m in (None, "clean"))
    sides = {(row["arm"], row["label"]): row for row in readings.side_effects(study, name)}
    there = [arm for arm, row in gains.items() if not math.isnan(number(row, "estimate"))]
    if not there:
        return absent(study, name)
    named = looks(gains)
    said = [readings.WHOLE[metric] for metric in ("unasked", "repeated")]
    lines = []
    for arm in there:
        more = "; ".join(f"{label} {with_interval(sides[arm, label])}" for label in said)
        both = f"accuracy {with_interval(gains[arm])}, clean accuracy {with_interval(clean[arm])}"
        lines.append(f"- `{named[arm].label}`: {both}; {more}")
    base = ", ".join(f"{label} {sides[there[0], label]['base']:.1f} %" for label in said)
    lines.append(f"\nOf the base's own responses: {base}.")
    return "**Is the gain real?** Points over the base:\n\n" + "\n".join(lines)


def trained(study: Study, name: str) -> str:
    """On which model, how often and at which configurations the arms of a comparison are trained."""
    p, replicates = study.params, len(study.replicates_of(name))
    every = study.configurations(name)
    at = "; ".join(map(str, every)) if len(every) < 7 else f"{len(every)} configurations, {every[0]} to {every[-1]}"
    several = " Effects are means over these." if len(every) > 1 and study.comparison(name).runs_at != "sizes" else ""
    usual = f"beta {p.beta:g} and {p.num_train_epochs:g} epochs where nothing else is said"
    return (
        f"Model {code(p.model)}, {replicates} {_plural('replicate', replicates)} of `{name}`. Every arm is trained at "
        f"the same {_plural('configuration', len(every))}: {at} ({usual}).{several}"
    )


def equal_by_design(study: Study, name: str) -> str:
    """What the arms of a comparison have in common by construction; what else they have is in its balance table."""
    of_balance = ", ".join(study.comparison(name).equal) or "nothing of the balance table"
    return (
        f"Equal in all arms of `{name}` by design: the number of pairs, learning rates and all else of training; and, "
        f"prompt by prompt, {of_balance}."
    )


def _plural(word: str, n: int) -> str:
    return word if n == 1 else f"{word}s"
