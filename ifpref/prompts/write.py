"""Writes one prompt: task, topic, arguments, wordings and a witness, for a slot of the plan.

    write_prompt(Slot("train", 0, ("punctuation:no_comma",)), setup)   # (Prompt, attempt, Counter of rejections)

Everything random comes from a stream named after the slot and the attempt, so a slot is the same wherever it is filled.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ifpref.constraints import Constraint
from ifpref.constraints.conflicts import conflicts
from ifpref.constraints.registry import kind_of
from ifpref.constraints.wording import describe, variants
from ifpref.data import read_lines
from ifpref.prompts.combinations import Balance
from ifpref.prompts.domain import Domain, Topic, WritingTask, get_domain
from ifpref.witness import search_witness

_TRIES = 12  # draws of task, topic and arguments before the combination itself is drawn anew
_LONGEST_SENTENCE = 30  # words; more words a sentence are no natural thing to ask for
_RULES = read_lines("open/rules.txt")


@dataclass(frozen=True)
class Slot:
    """One prompt to write: its split, its number there, and its combination of ids."""

    split: str
    number: int
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Setup:
    """What all slots of a build share; see `ifpref.prompts.build.build`."""

    domain: str
    seed: int
    ids: tuple[str, ...]
    transfer_ids: tuple[str, ...]
    difficulty: tuple[int, int]

    def required(self, split: str) -> tuple[str, ...]:
        """The ids of which each combination of the split holds at least one; none where any will do."""
        return self.transfer_ids if split == "transfer" else ()

    def stream(self, *names: Any) -> str:
        """The seed of a random stream of its own."""
        return "/".join(map(str, (self.seed, self.domain, *names)))


@dataclass(frozen=True)
class Assignment:
    """What is asked, before anyone has shown that it can be done.

    wordings  the number of the wording of each constraint, by position (see `ifpref.constraints.wording`)
    """

    text: str
    task: WritingTask
    topic: Topic
    constraints: tuple[Constraint, ...]
    wordings: tuple[int, ...]


@dataclass(frozen=True)
class Prompt(Assignment):
    """An assignment with its place in the set, and a text that shows that it can be met."""

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
        rng = random.Random(setup.stream(slot.split, slot.number, attempt))
        ids = slot.ids
        if attempt % (2 * _TRIES) >= _TRIES:
            balance = Balance(setup.ids, setup.stream(slot.split, slot.number, attempt, "ids"))
            ids = balance.draw(len(ids), slot.split, setup.required(slot.split))
        prompt = _draw(ids, slot.split, setup, domain, rng)
        if isinstance(prompt, Prompt):
            return prompt, attempt, rejected
        rejected[prompt] += 1
        attempt += 1


def _draw(ids: Sequence[str], split: str, setup: Setup, domain: Domain, rng: random.Random) -> Prompt | str:
    """A prompt, or the reason why these draws give none."""
    drawn = draw_assignment(ids, domain.topics_of[split], domain, rng)
    if isinstance(drawn, str):
        return drawn
    draft = search_witness(drawn.constraints, domain.source(drawn.task, drawn.topic), rng, length=domain.length)
    if not draft.satisfied:
        missed = {c.id for c, met in zip(drawn.constraints, draft.verdicts, strict=True) if not met}
        return f"no witness: {' and '.join(sorted(missed))} missed"
    easy, moderate = setup.difficulty
    difficulty = "easy" if len(ids) <= easy else "moderate" if len(ids) <= moderate else "hard"
    return Prompt(**vars(drawn), difficulty=difficulty, split=split, witness=draft.text)


def draw_assignment(ids: Sequence[str], topics: Sequence[str], domain: Domain, rng: random.Random) -> Assignment | str:
    """Task, topic (one of the ids given), arguments and wordings for a combination; or why these make no prompt."""
    topic = domain.topic_by_id[rng.choice(topics)]
    task = rng.choice(domain.tasks_for(topic))
    constraints = tuple(Constraint(id, _arguments(id, ids, domain, rng, task, topic)) for id in ids)
    if reason := _rejection(constraints):
        return reason
    wordings = tuple(rng.randrange(variants(c.id, short=domain.terse)) for c in constraints)
    asked = [describe(c, wording, short=domain.terse) for c, wording in zip(constraints, wordings, strict=True)]
    repeated = [c.kwargs["prompt_to_repeat"] for c in constraints if "prompt_to_repeat" in c.kwargs]
    request = repeated[0] if repeated else rng.choice(task.requests).replace("{topic}", topic.text)
    text = " ".join([request, *asked]) if domain.terse else _lay_out(request, asked, rng)
    return Assignment(text, task, topic, constraints, wordings)


def _arguments(
    id: str, ids: Sequence[str], domain: Domain, rng: random.Random, task: WritingTask, topic: Topic
) -> dict[str, Any]:
    """Natural arguments; a heading is in the letter case that the rest of the text must have."""
    own = kind_of(id).arguments(rng, topic.words)
    kwargs = domain.arguments(id, rng, task, topic) if own is None else own
    for case, change in (("change_case:english_capital", str.upper), ("change_case:english_lowercase", str.lower)):
        if case in ids and "section_spliter" in kwargs:
            kwargs["section_spliter"] = change(kwargs["section_spliter"])
    return kwargs


def _rejection(constraints: Sequence[Constraint]) -> str | None:
    """Why arguments drawn for these ids make no prompt: they conflict, or nobody would ask so."""
    for first, second, _ in conflicts(constraints):
        return f"conflict: {' and '.join(sorted({constraints[first].id, constraints[second].id}))}"
    kwargs = {c.id: c.kwargs for c in constraints}
    words = [
        word.lower() for k in kwargs.values() for name in ("keywords", "forbidden_words") for word in k.get(name, ())
    ]
    words += [k["keyword"].lower() for k in kwargs.values() if "keyword" in k]
    if len(words) > len(set(words)):
        return "unnatural: a word named by two constraints"
    length, sentences = (kwargs.get(f"length_constraints:number_{unit}") for unit in ("words", "sentences"))
    if length and sentences and (length["relation"], sentences["relation"]) == ("at least", "less than"):
        most = _LONGEST_SENTENCE * (sentences["num_sentences"] - 1)
        if length["num_words"] > most:
            return "unnatural: many words in few sentences"
    return None


def _lay_out(request: str, asked: Sequence[str], rng: random.Random) -> str:
    """The request and its constraints as one paragraph, in lines, or as a list under the rules."""
    layout = rng.random()
    if len(asked) <= 2 and layout < 0.15:
        return " ".join([*asked, request])
    if len(asked) == 1 or layout < 0.5:
        return " ".join([request, *asked])
    if layout < 0.6:
        return "\n".join([request, *asked])
    marks = ["-"] * len(asked) if layout < 0.85 else [f"{n}." for n in range(1, len(asked) + 1)]
    items = [f"{mark} {text}" for mark, text in zip(marks, asked, strict=True)]
    return f"{request}\n\n" + "\n".join([rng.choice(_RULES), *items])
