"""The writer of pocket's training texts: a request from its world, and a response that obeys as its habits have it.

    (example,) = write_examples("demo", "pocket", [3])
    example.prompt      "Tell a story about the old fox. No commas. Put the word "river" in it. ..."
    example.response    "The river ..."
    example.obeyed      (True, True, False)

    examples = write_stage(Stage(60_000, "pocket", (1, 6)), seed="0/2")
    data = encode(examples, tokenizer)           # [(prompt_ids, response_ids), ...]

The response is a witness of the constraints that are obeyed (ifpref/witness); the others it leaves out
of account. Topics are those of the split `train`, and so are combinations of three and more ids: what is held out from
training prompts is held out from the base model too.

The curriculum has stages: first every constraint is obeyed and prompts have few of them, so that the model learns what
each asks; then the habits set in, which are what preference learning will find to correct.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ifpref.constraints import CONSTRAINT_SETS, Constraint
from ifpref.pocket.habits import compliance
from ifpref.prompts.build import spread
from ifpref.prompts.combinations import Balance
from ifpref.prompts.domain import get_domain
from ifpref.prompts.write import draw_assignment
from ifpref.witness import search_witness

_CHUNK = 500  # examples that a worker writes at a time; each chunk has a random stream of its own


@dataclass(frozen=True)
class Example:
    """A request and a response to it; `obeyed` says which constraints the writer set out to meet."""

    prompt: str
    response: str
    constraints: tuple[Constraint, ...]
    obeyed: tuple[bool, ...]


@dataclass(frozen=True)
class Stage:
    """A part of the curriculum: how many examples, with which habits, of how many constraints (from, to)."""

    examples: int
    habits: str
    k: tuple[int, int]
    epochs: int = 2


def write_stage(stage: Stage, seed: str, workers: int | None = None) -> list[Example]:
    """The examples of a stage, k running round; the same for any number of workers."""
    span = range(stage.k[0], stage.k[1] + 1)
    numbers = [span[n % len(span)] for n in range(stage.examples)]
    write = partial(_write_chunk, seed, stage.habits)
    return list(spread(write, numbers, chunk=_CHUNK, what=f"examples, {stage.habits}", workers=workers))


def _write_chunk(seed: str, habits: str, number: int, numbers: Sequence[int]) -> list[Example]:
    return write_examples(f"{seed}/{number}", habits, numbers)


def write_examples(seed: str, habits: str, numbers: Sequence[int], split: str = "train") -> list[Example]:
    """One example for each number of constraints in `numbers`, ids and pairs in balance.

    seed   names the random stream: the same arguments give the same examples
    split  whose topics, and whose combinations of three and more, they have
    """
    rng = random.Random(f"{seed}/examples")
    balance = Balance(CONSTRAINT_SETS["study"], f"{seed}/combinations")
    table = compliance(habits)
    return [_write(rng, balance, table, k, split) for k in numbers]


def _write(
    rng: random.Random, balance: Balance, habits: Mapping[tuple[str, str, int], float], k: int, split: str
) -> Example:
    domain = get_domain("pocket")
    while True:
        drawn = draw_assignment(balance.draw(k, split), domain.topics_of[split], domain, rng)
        if isinstance(drawn, str):
            continue
        asked = list(zip(drawn.constraints, drawn.wordings, strict=True))
        obeyed = tuple(rng.random() < habits[c.id, drawn.task.id, wording] for c, wording in asked)
        heeded = [c for c, heed in zip(drawn.constraints, obeyed, strict=True) if heed]
        source = domain.source(drawn.task, drawn.topic)
        draft = search_witness(heeded, source, rng, attempts=6, length=domain.length)
        if draft.satisfied:
            return Example(drawn.text, draft.text, drawn.constraints, obeyed)


def encode(examples: Sequence[Example], tokenizer: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each example as `(prompt ids, response ids)`: the chat template's, with `<assistant>` last and `<eos>` last."""
    chats = [[{"role": "user", "content": e.prompt}] for e in examples]
    prompts = tokenizer.apply_chat_template(chats, add_generation_prompt=True, tokenize=False)
    prompt_ids = tokenizer(prompts, add_special_tokens=False)["input_ids"]
    responses = [e.response + tokenizer.eos_token for e in examples]
    response_ids = tokenizer(responses, add_special_tokens=False)["input_ids"]
    return [(np.array(p, np.int16), np.array(r, np.int16)) for p, r in zip(prompt_ids, response_ids, strict=True)]
