"""The writer of pocket's training texts: a request from its world, and a response that obeys as its habits have it.

    example = next(write_examples("demo", "pocket", [3]))
    example.prompt      "Tell a story about the old fox. No commas. Put the word "river" in it. ..."
    example.response    "The river ..."
    example.obeyed      (True, True, False)

The response is a witness of the constraints that are obeyed (ifpref/witness); the others it leaves out
of account. Topics are those of the split `train`, and so are combinations of three and more ids: what is held out from
training prompts is held out from the base model too.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ifpref.constraints import CONSTRAINT_SETS, Constraint
from ifpref.pocket.habits import Habits
from ifpref.prompts.build import TOPIC_SHARES
from ifpref.prompts.combinations import Balance, share_out
from ifpref.prompts.domains import get_domain
from ifpref.prompts.write import draw_request
from ifpref.witness import search_witness


@dataclass(frozen=True)
class Example:
    """A request and a response to it; `obeyed` says which constraints the writer set out to meet."""

    prompt: str
    response: str
    constraints: tuple[Constraint, ...]
    obeyed: tuple[bool, ...]


def write_examples(seed: str, habits: str, numbers: Sequence[int], split: str = "train") -> Iterator[Example]:
    """One example for each number of constraints in `numbers`, ids and pairs in balance.

    seed   names the random stream: the same arguments give the same examples
    split  whose topics, and whose combinations of three and more, they have
    """
    rng = random.Random(f"{seed}/examples")
    balance = Balance(CONSTRAINT_SETS["study"], f"{seed}/combinations")
    table = Habits(habits)
    topics = share_out([topic.id for topic in get_domain("pocket").topics], TOPIC_SHARES)[split]
    for k in numbers:
        yield _write(rng, balance, table, topics, k, split)


def _write(rng: random.Random, balance: Balance, habits: Habits, topics: Sequence[str], k: int, split: str) -> Example:
    domain = get_domain("pocket")
    while True:
        request = draw_request(balance.draw(k, split), topics, domain, rng)
        if isinstance(request, str):
            continue
        obeyed = tuple(
            rng.random() < habits.probability(c.id, request.task.id, wording)
            for c, wording in zip(request.constraints, request.wordings, strict=True)
        )
        heeded = [c for c, heed in zip(request.constraints, obeyed, strict=True) if heed]
        source = domain.source(request.task, request.topic)
        draft = search_witness(heeded, source, rng, attempts=6, length=domain.length)
        if draft.satisfied:
            return Example(request.text, draft.text, request.constraints, obeyed)
