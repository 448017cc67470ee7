"""`open`: writing tasks on everyday topics, for real models, as a domain of prompts.

    from ifpref.prompts.open import OPEN
    topic = OPEN.topics[0]
    task = random.Random(0).choice(OPEN.tasks_for(topic))       # a task that suits the topic
    source = OPEN.source(task, topic)
    source.sentence(random.Random(0), about=topic.words[0])
    OPEN.arguments("keywords:existence", random.Random(0), task, topic)     # {"keywords": [...]}

tasks.py       kinds of text and how they are asked for   sentences.py    patterns to sentences: the `Source`
topics.py      what they can be about                     vocabulary.py   words that go with any topic
arguments.py   natural arguments of the constraints
Sentences in seventeen other languages are those of ifpref/witness/foreign.py.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ifpref.prompts.domain import Task, Topic
from ifpref.prompts.open.arguments import arguments
from ifpref.prompts.open.sentences import OpenSource
from ifpref.prompts.open.tasks import TASKS, OpenTask, fits
from ifpref.prompts.open.topics import TOPICS, OpenTopic


@dataclass(frozen=True)
class Open:
    """The open domain (see `ifpref.prompts.domain.Domain`)."""

    name: str = "open"
    tasks: tuple[OpenTask, ...] = TASKS
    topics: tuple[OpenTopic, ...] = TOPICS
    terse: bool = False
    length: tuple[int, int] = (4, 8)

    def fits(self, task: OpenTask, topic: OpenTopic) -> bool:
        """Whether a request for that task reads well with that topic."""
        return fits(task, topic)

    def tasks_for(self, topic: OpenTopic) -> tuple[OpenTask, ...]:
        """The tasks that suit a topic, in the order of `tasks`."""
        return _tasks_of_kind(topic.kind)

    def arguments(self, id: str, rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
        """Arguments of one constraint, natural for a text of that task on that topic."""
        return arguments(id, rng, task, topic)

    def source(self, task: Task, topic: Topic) -> OpenSource:
        """Sentences on the topic, the same for every task."""
        return OpenSource(topic)


@lru_cache
def _tasks_of_kind(kind: str) -> tuple[OpenTask, ...]:
    return tuple(task for task in TASKS if kind in task.kinds)


OPEN = Open()

__all__ = ["OPEN", "Open", "OpenSource", "OpenTask", "OpenTopic", "fits"]
