"""Writes one prompt: task, topic, arguments, wordings and a witness, for a slot of the plan.

    write_prompt(Slot("train", 0, ("punctuation:no_comma",)), setup)   # (Prompt, attempt, Counter of rejections)

Everything random comes from a stream named after the slot and the attempt, so a slot is the same wherever it is filled.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ifpref.constraints import Constraint
from ifpref.constraints.conflicts import conflicts
from ifpref.constraints.registry import kind_of
from ifpref.constraints.wording import describe, variants
from ifpref.prompts.combinations import Balance
from ifpref.prompts.domain import Domain, Task, Topic
from ifpref.prompts.domains import get_domain
from ifpref.witness import search_witness

_TRIES = 12  # draws of task, topic and arguments before the combination itself is drawn anew
_LONGEST_SENTENCE = 30  # words; more words a sentence are no natural thing to ask for


@dataclass(frozen=True)
class Slot:
    """One prompt to write: its split, its number there, and its combination of ids."""

    split: str
    number: int
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Setup:
    """What all slots of a build share; `topics` are the topic ids of each split."""

    domain: str
    seed: int
    ids: tuple[str, ...]
    transfer_ids: tuple[str, ...]
    topics: Mapping[str, tuple[str, ...]]
    difficulty: tuple[int, int]


@dataclass(frozen=True)
class Prompt:
    """A prompt: its text, what it asks, and a text that shows it can be satisfied.

    wordings  the number of the wording of each constraint, by position (see `ifpref.constraints.wording`)
    """

    text: str
    task: str
    topic: str
    constraints: tuple[Constraint, ...]
    wordings: tuple[int, ...]
    difficulty: str
    split: str
    witness: str


def write_prompt(slot: Slot, setup: Setup, attempt: int = 0) -> tuple[Prompt, int, Counter[str]]:
    """The first prompt for the slot, from this attempt on, that has a witness.

    Returns the prompt, the attempt that gave it, and how many were rejected for which reason.
    """
    domain = get_domain(setup.domain)
    rejected: Counter[str] = Counter()
    while True:
        rng = random.Random(f"{setup.seed}/{setup.domain}/{slot.split}/{slot.number}/{attempt}")
        ids = slot.ids if attempt % (2 * _TRIES) < _TRIES else _other_ids(slot, setup, attempt)
        prompt = _draw(ids, slot, setup, domain, rng)
        if isinstance(prompt, Prompt):
            return prompt, attempt, rejected
        rejected[prompt] += 1
        attempt += 1


def _other_ids(slot: Slot, setup: Setup, attempt: int) -> tuple[str, ...]:
    pool = "test" if slot.split == "transfer" else slot.split
    required = setup.transfer_ids if slot.split == "transfer" else ()
    balance = Balance(setup.ids, f"{setup.seed}/{setup.domain}/{slot.split}/{slot.number}/{attempt}/ids")
    return balance.draw(len(slot.ids), pool, required)


@dataclass(frozen=True)
class Request:
    """What is asked, before anyone has shown that it can be done; fields as in `Prompt`."""

    text: str
    task: Task
    topic: Topic
    constraints: tuple[Constraint, ...]
    wordings: tuple[int, ...]


def draw_request(ids: Sequence[str], topics: Sequence[str], domain: Domain, rng: random.Random) -> Request | str:
    """Task, topic (one of the ids given), arguments and wordings for a combination; or why these make no prompt."""
    topic = _topics(domain.name)[rng.choice(topics)]
    task = rng.choice(domain.tasks_for(topic))
    constraints = tuple(Constraint(id, _arguments(id, ids, domain, rng, task, topic)) for id in ids)
    reason = _rejection(constraints)
    if reason:
        return reason
    wordings = tuple(rng.randrange(variants(c.id, short=domain.terse)) for c in constraints)
    text = ask(task, topic, constraints, wordings, rng, terse=domain.terse)
    return Request(text, task, topic, constraints, wordings)


def _arguments(
    id: str, ids: Sequence[str], domain: Domain, rng: random.Random, task: Task, topic: Topic
) -> dict[str, Any]:
    """Natural arguments; a heading is in the letter case that the rest of the text must have."""
    own = kind_of(id).arguments(rng, topic.words)
    kwargs = domain.arguments(id, rng, task, topic) if own is None else own
    if "section_spliter" in kwargs and "change_case:english_capital" in ids:
        kwargs["section_spliter"] = kwargs["section_spliter"].upper()
    if "section_spliter" in kwargs and "change_case:english_lowercase" in ids:
        kwargs["section_spliter"] = kwargs["section_spliter"].lower()
    return kwargs


def _draw(ids: Sequence[str], slot: Slot, setup: Setup, domain: Domain, rng: random.Random) -> Prompt | str:
    """A prompt, or the reason why these draws give none."""
    request = draw_request(ids, setup.topics[slot.split], domain, rng)
    if isinstance(request, str):
        return request
    source = domain.source(request.task, request.topic)
    draft = search_witness(request.constraints, source, rng, length=domain.length)
    if not draft.satisfied:
        missed = {c.id for c, met in zip(request.constraints, draft.verdicts, strict=True) if not met}
        return f"no witness: {' and '.join(sorted(missed))} missed"
    easy, moderate = setup.difficulty
    k = len(request.constraints)
    return Prompt(
        text=request.text,
        task=request.task.id,
        topic=request.topic.id,
        constraints=request.constraints,
        wordings=request.wordings,
        difficulty="easy" if k <= easy else "moderate" if k <= moderate else "hard",
        split=slot.split,
        witness=draft.text,
    )


@cache
def _topics(domain: str) -> dict[str, Topic]:
    return {topic.id: topic for topic in get_domain(domain).topics}


def _rejection(constraints: Sequence[Constraint]) -> str | None:
    """Why arguments drawn for these ids make no prompt: they conflict, or nobody would ask so."""
    for found in conflicts(constraints):
        ids = sorted({constraints[found.first].id, constraints[found.second].id})
        return f"conflict: {' and '.join(ids)}"
    kwargs = {c.id: c.kwargs for c in constraints}
    words = [word for k in kwargs.values() for word in _named_words(k)]
    if len(words) > len(set(words)):
        return "unnatural: a word named by two constraints"
    length, sentences = (kwargs.get(f"length_constraints:number_{unit}") for unit in ("words", "sentences"))
    if length and sentences and (length["relation"], sentences["relation"]) == ("at least", "less than"):
        most = _LONGEST_SENTENCE * (sentences["num_sentences"] - 1)
        if length["num_words"] > most:
            return "unnatural: many words in few sentences"
    return None


def _named_words(kwargs: Mapping) -> list[str]:
    words = [*kwargs.get("keywords", ()), *kwargs.get("forbidden_words", ()), kwargs.get("keyword", "")]
    return [word.lower() for word in words if word]


_RULES = (
    "Please keep to these rules:",
    "Some requirements:",
    "While you write, mind the following:",
    "It has to meet these conditions:",
    "Here is what matters to me:",
    "Requirements:",
    "Follow all of these instructions:",
)


def ask(
    task: Task,
    topic: Topic,
    constraints: Sequence[Constraint],
    wordings: Sequence[int],
    rng: random.Random,
    *,
    terse: bool,
) -> str:
    """The prompt's text: the request and its constraints, as one paragraph or, when not terse, in other layouts too."""
    repeated = [c.kwargs["prompt_to_repeat"] for c in constraints if "prompt_to_repeat" in c.kwargs]
    request = repeated[0] if repeated else rng.choice(task.requests).replace("{topic}", topic.text)
    asked = [describe(c, wording, short=terse) for c, wording in zip(constraints, wordings, strict=True)]
    if terse:
        return " ".join([request, *asked])
    layout = rng.random()
    if len(asked) <= 2 and layout < 0.15:
        return " ".join([*asked, request])
    if len(asked) == 1 or layout < 0.5:
        return " ".join([request, *asked])
    if layout < 0.6:
        return "\n".join([request, *asked])
    rules = rng.choice(_RULES)
    if layout < 0.85:
        return f"{request}\n\n{rules}\n" + "\n".join(f"- {text}" for text in asked)
    return f"{request}\n\n{rules}\n" + "\n".join(f"{n}. {text}" for n, text in enumerate(asked, 1))
