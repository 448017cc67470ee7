"""What a domain offers: tasks, topics, natural arguments, and sentences.

A domain is a world to write about. There are two: `open`, for real models, and `pocket`, the small made-up world of the
embedded model. The prompt builder draws a task, a topic and constraints from a domain; the witness builder takes its
sentences from the domain's `Source`.

    domain = get_domain("pocket")
    task, topic = domain.tasks[0], domain.topics[0]
    domain.arguments("keywords:existence", random.Random(0), task, topic)     # {"keywords": ["stone"]}
    domain.source(task, topic).sentence(random.Random(0))                     # "Once upon a time, ..."

Most arguments are drawn from a table alone (ifpref/data/<domain>/arguments.yaml), the others by a function.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ifpref.constraints.registry import nearest
from ifpref.prompts.combinations import share_out
from ifpref.witness.source import Source


@dataclass(frozen=True)
class WritingTask:
    """A kind of writing: `requests` are wordings of it, each holding `{topic}` once; `kinds` of topic suit it."""

    id: str
    requests: tuple[str, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """Something to write about: `text` as it stands in a request, `words` single nouns that go with it."""

    id: str
    text: str
    words: tuple[str, ...]
    kind: str


Draw = Callable[[random.Random, WritingTask, Topic], dict[str, Any]]


@dataclass(frozen=True)
class Domain:
    """A world to write about.

    terse   whether prompts take the short wordings of constraints, one after the other
    length  sentences of a text when nothing asks for more or fewer, from and to
    source  the sentences of a task on a topic
    tables  what arguments are drawn from, by constraint id; `draws` has functions for those that no table can tell
    """

    name: str
    tasks: tuple[WritingTask, ...]
    topics: tuple[Topic, ...]
    terse: bool
    length: tuple[int, int]
    source: Callable[[WritingTask, Topic], Source]
    tables: Mapping[str, Mapping[str, Any]] = field(repr=False)
    draws: Mapping[str, Draw] = field(repr=False)

    def tasks_for(self, topic: Topic) -> tuple[WritingTask, ...]:
        """The tasks that read well with a topic, in their order."""
        return tuple(task for task in self.tasks if topic.kind in task.kinds)

    def arguments(self, id: str, rng: random.Random, task: WritingTask, topic: Topic) -> dict[str, Any]:
        """IFEval's kwargs for one constraint, natural for that task and topic; ValueError for an id without a table."""
        if id not in self.tables:
            known = ", ".join(self.tables)
            raise ValueError(f"no {self.name} arguments for {id!r}{nearest(id, self.tables)}; known: {known}")
        if id in self.draws:
            return self.draws[id](rng, task, topic)
        return draw_arguments(rng, self.tables[id])

    @cached_property
    def topic_by_id(self) -> dict[str, Topic]:
        """The topics by id, in their order."""
        return {topic.id: topic for topic in self.topics}

    @cached_property
    def topics_of(self) -> dict[str, list[str]]:
        """The ids of the topics of each split; `transfer` has those of `test`, of the others no two share a topic."""
        dealt = share_out(list(self.topic_by_id))
        return dealt | {"transfer": dealt["test"]}


def get_domain(name: str) -> Domain:
    """The domain of that name, `open` or `pocket`, loaded when it is first asked for; ValueError for any other."""
    if name == "open":
        from ifpref.prompts.open import OPEN

        return OPEN
    if name == "pocket":
        from ifpref.prompts.pocket import POCKET

        return POCKET
    raise ValueError(f"unknown domain {name!r}; allowed: 'open', 'pocket'")


def draw_arguments(rng: random.Random, table: Mapping[str, Any]) -> dict[str, Any]:
    """A value for each argument in the table; where one of them is a relation, it decides what the others may be."""
    relation = next((name for name in table if name.endswith("relation")), None)
    compared = choose(rng, table[relation]) if relation else None
    return {
        name: compared if name == relation else choose(rng, values[compared] if compared else values)
        for name, values in table.items()
    }


def choose(rng: random.Random, values: Any) -> Any:
    """One of a list; one of the keys of a mapping, as often as its weight says; or the value itself, if it is one."""
    if isinstance(values, Mapping):
        return rng.choices(list(values), list(values.values()))[0]
    return rng.choice(values) if isinstance(values, list) else values
