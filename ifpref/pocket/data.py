"""Pocket's training data: examples written in parallel, as token ids, in the order of its curriculum.

    examples = write_stage(Stage(60_000, "pocket", (1, 6)), seed="0/2")
    data = encode(examples, tokenizer)           # [(prompt_ids, response_ids), ...]

The curriculum has stages (`Stage`): first every constraint is obeyed and prompts have few of them, so that the model
learns what each asks; then the habits set in, which are what preference learning will find to correct.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ifpref.pocket.writer import Example, write_examples
from ifpref.progress import track
from ifpref.prompts.build import cores

_CHUNK = 500


@dataclass(frozen=True)
class Stage:
    """A part of the curriculum: how many examples, with which habits, of how many constraints (from, to)."""

    examples: int
    habits: str
    k: tuple[int, int]
    epochs: int = 2


def write_stage(stage: Stage, seed: str, workers: int | None = None) -> list[Example]:
    """The examples of a stage, k running round; the same for any number of workers."""
    from joblib import Parallel, delayed

    span = range(stage.k[0], stage.k[1] + 1)
    numbers = [span[n % len(span)] for n in range(stage.examples)]
    chunks = [numbers[start : start + _CHUNK] for start in range(0, len(numbers), _CHUNK)]
    parallel = Parallel(n_jobs=workers or cores(), return_as="generator")
    jobs = (delayed(_write_chunk)(f"{seed}/{n}", stage.habits, chunk) for n, chunk in enumerate(chunks))
    results = track(parallel(jobs), total=len(numbers), what=f"examples, {stage.habits}", unit=_CHUNK)
    return [example for chunk in results for example in chunk]


def _write_chunk(seed: str, habits: str, numbers: list[int]) -> list[Example]:
    return list(write_examples(seed, habits, numbers))


def encode(examples: Sequence[Example], tokenizer: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each example as `(prompt ids, response ids)`: the chat template's, with `<assistant>` last and `<eos>` last."""
    chats = [[{"role": "user", "content": e.prompt}] for e in examples]
    prompts = tokenizer.apply_chat_template(chats, add_generation_prompt=True, tokenize=False)
    prompt_ids = tokenizer(prompts, add_special_tokens=False)["input_ids"]
    responses = [e.response + tokenizer.eos_token for e in examples]
    response_ids = tokenizer(responses, add_special_tokens=False)["input_ids"]
    return [(np.array(p, np.int16), np.array(r, np.int16)) for p, r in zip(prompt_ids, response_ids, strict=True)]
