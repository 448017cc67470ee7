"""The dataset card: what a set of prompts holds, measured, as Markdown.

Counts by split, k, difficulty and id; the balance of pairs; what was rejected and why; near-duplicates; overlap with
IFEval's prompts; examples with their witnesses; and the parameters that give the same bytes again.
"""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ifpref.prompts.build import Built
from ifpref.prompts.overlap import SHINGLE, NearDuplicates, Overlap
from ifpref.prompts.write import Prompt


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def dataset_card(built: Built, provenance: Mapping[str, Any], near: NearDuplicates, overlaps: Sequence[Overlap]) -> str:
    """The card of a built set.

    provenance  parameters, versions and the like, by name
    overlaps    overlap with IFEval by length of run, where its prompts were at hand
    """
    prompts = built.prompts
    parts = [
        f"# {len(prompts):,} synthetic prompts of the `{provenance['domain']}` domain",
        "Each prompt is a writing task on a topic with a combination of verifiable constraints. Each has a *witness*: "
        "a text, built by rule, that satisfies all of its constraints as `ifpref.constraints.verify` judges them.",
        "## How many\n\n" + _by_split(prompts),
        "## Constraints\n\n" + _by_id(prompts),
        "## Pairs of constraints\n\n" + _pairs(prompts),
        "## What was rejected\n\n" + _rejected(built),
        "## Near-duplicates\n\n" + _near(near, prompts),
        "## Overlap with IFEval\n\n" + _overlap(overlaps),
        "## Examples\n\n" + _examples(prompts),
        "## Provenance\n\n" + table(("what", "value"), [(k, f"`{v}`") for k, v in provenance.items()]),
    ]
    return "\n\n".join(parts) + "\n"


def _by_split(prompts: Sequence[Prompt]) -> str:
    numbers = sorted({len(p.constraints) for p in prompts})
    levels = ("easy", "moderate", "hard")
    rows = []
    for split in dict.fromkeys(p.split for p in prompts):
        own = [p for p in prompts if p.split == split]
        count = Counter(len(p.constraints) for p in own) | Counter(p.difficulty for p in own)
        parts = [f"{count[part]:,}" for part in (*numbers, *levels)]
        rows.append((split, *parts, len({p.topic for p in own}), f"{len(own):,}"))
    return table(("split", *(f"k = {k}" for k in numbers), *levels, "topics", "all"), rows)


def _by_id(prompts: Sequence[Prompt]) -> str:
    count = Counter(c.id for p in prompts for c in p.constraints)
    rows = [(f"`{id}`", f"{n:,}", f"{n / len(prompts):.1%}") for id, n in count.most_common()]
    return table(("id", "prompts", "share"), rows)


def _pairs(prompts: Sequence[Prompt]) -> str:
    count = Counter(pair for p in prompts for pair in itertools.combinations(sorted(c.id for c in p.constraints), 2))
    if not count:
        return "No prompt has two constraints."
    ranked = count.most_common()
    ends = [*ranked[:3], *ranked[-3:]]
    middle = ranked[len(ranked) // 2][1]
    text = f"{len(ranked)} pairs of ids occur; the median pair {middle:,} times. The most and the least common:\n\n"
    return text + table(("pair", "prompts"), [(f"`{a}` + `{b}`", f"{n:,}") for (a, b), n in ends])


def _rejected(built: Built) -> str:
    rejected = sum(built.rejected.values())
    text = (
        f"{len(built.prompts) + rejected + built.duplicates:,} prompts were drawn: {rejected:,} rejected and "
        f"{built.duplicates:,} duplicates, each drawn again. The commonest reasons:\n\n"
    )
    return text + table(("reason", "draws"), [(r, f"{n:,}") for r, n in list(built.rejected.items())[:15]])


def _near(near: NearDuplicates, prompts: Sequence[Prompt]) -> str:
    text = (
        f"{near.with_neighbour:,} of {len(prompts):,} prompts ({near.with_neighbour / len(prompts):.2%}) have another "
        f"that shares {near.threshold:.0%} or more of its runs of {SHINGLE} words (MinHash, then exactly; "
        f"{near.pairs:,} pairs)."
    )
    for similarity, *pair in near.examples[:1]:
        closest = ("> " + " / ".join(prompts[position].text.splitlines()) for position in pair)
        text += f" The closest, {similarity:.2f} alike:\n\n" + "\n\n".join(closest)
    return text


def _overlap(overlaps: Sequence[Overlap]) -> str:
    if not overlaps:
        return "Not measured: IFEval's prompts were not at hand."
    parts = [
        f"- runs of {overlap.n} words: {len(overlap.hit):,} of {overlap.texts:,} prompts "
        f"({len(overlap.hit) / overlap.texts:.2%}) share one with IFEval's {overlap.references} prompts"
        for overlap in overlaps
    ]
    if runs := overlaps[0].longest[:3]:
        parts.append("\nThe longest runs shared: " + "; ".join(f"“{run}”" for run in runs) + ".")
    return "\n".join(parts)


def _examples(prompts: Sequence[Prompt]) -> str:
    step = max(1, len(prompts) // 6)
    return "\n\n".join(
        f"**{p.task.id}**, k = {len(p.constraints)}, {p.difficulty}\n\n```text\n{p.text}\n```\n\nIts witness:\n\n"
        f"```text\n{p.witness}\n```"
        for p in prompts[::step][:6]
    )
