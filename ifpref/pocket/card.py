"""The model card of the embedded model, written from its provenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def model_card(provenance: Mapping[str, Any]) -> str:
    """Markdown: what the model is, what it is not, how it was made, how well it follows each constraint."""
    greedy, sampled = provenance["greedy"], provenance["temperature_1"]
    recipe, stages = provenance["recipe"], provenance["recipe"]["stages"]
    habits = stages[-1]["habits"]
    by_k = "\n".join(f"| {k} | {greedy['by_k'][k]:.3f} | {sampled['by_k'][k]:.3f} |" for k in greedy["by_k"])
    by_id = "\n".join(
        f"| `{id}` | {greedy['by_id'][id]:.3f} | {sampled['by_id'][id]:.3f} |" for id in sorted(greedy["by_id"])
    )
    examples = sum(stage["examples"] for stage in stages)
    return f"""---
license: apache-2.0
language: en
library_name: transformers
pipeline_tag: text-generation
---
# pocket (habits: {habits})

A Llama of {provenance["parameters"]:,} parameters that writes short texts about a small made-up world, and follows
verifiable constraints imperfectly. **A laboratory animal, not an assistant**: it exists so that a study of preference
learning is real on a laptop, where it can be sampled, searched, trained with LoRA-DPO and evaluated in minutes.

## What it can do

It answers requests of its own world ("Tell a story about the old fox. No commas.") in its chat template. It knows a few
hundred words of English and about a hundred of Italian, and nothing about the world outside.

## What it must not be used for

Anything but experiments on preference learning, teaching and tests. It says nothing true. Effects found on it are
effects on a model of a million parameters: a reason to look at large models, not a result about them.

## How it was made

From scratch, on {examples:,} texts written by rule (`ifpref/pocket/writer.py`), by `make pocket-model`. At first the
writer obeys every constraint; in the last stage it has *habits*: whether it obeys depends on the kind of constraint,
the task and the wording, by a table drawn once (`{habits}`). So the model has something systematic to be corrected.
Topics, and combinations of three or more constraints, that the study holds out were never shown to it.

| | |
| --- | --- |
| layers x width, vocabulary | {recipe["layers"]} x {recipe["hidden_size"]}, {recipe["vocab_size"]} |
| training | {provenance["trained_minutes"]} minutes on {provenance["hardware"]} |
| held-out loss | {provenance["held_out_loss"]} nats a token |
| world version | `{provenance["world"]}` |

## How well it follows constraints

On 1,200 prompts with held-out topics, strict verdicts. Instruction level: greedy {greedy["instruction"]:.3f},
temperature 1 {sampled["instruction"]:.3f}. Prompt level by number of constraints:

| k | greedy | temperature 1 |
| --- | --- | --- |
{by_k}

By constraint:

| id | greedy | temperature 1 |
| --- | --- | --- |
{by_id}
"""
