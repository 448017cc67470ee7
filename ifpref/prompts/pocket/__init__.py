"""`pocket`: the small made-up world of the embedded model, as a domain of prompts.

    from ifpref.prompts.pocket import POCKET
    task, topic = POCKET.tasks[0], POCKET.topics[0]
    source = POCKET.source(task, topic)
    source.sentence(random.Random(0), about=source.subject)       # "Once upon a time, ..."
    POCKET.arguments("keywords:existence", random.Random(0), task, topic)     # {"keywords": ["stone"]}

world.py      nouns, adjectives, verbs         topics.py     tasks and topics
patterns.py   what each kind of noun does      voices.py     how each task speaks
grammar.py    patterns to sentences: `Source`  italian.py    the second language
arguments.py  natural arguments of the constraints
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from ifpref.prompts.domain import Task, Topic
from ifpref.prompts.pocket.arguments import draw_arguments
from ifpref.prompts.pocket.grammar import PocketSource
from ifpref.prompts.pocket.topics import TASKS, TOPICS
from ifpref.prompts.pocket.voices import VOICES


@dataclass(frozen=True)
class Pocket:
    """The pocket domain (see `ifpref.prompts.domain.Domain`)."""

    name: str = "pocket"
    tasks: tuple[Task, ...] = TASKS
    topics: tuple[Topic, ...] = TOPICS
    terse: bool = True
    length: tuple[int, int] = (2, 4)

    def tasks_for(self, topic: Topic) -> tuple[Task, ...]:
        """Every task suits every topic."""
        return self.tasks

    def arguments(self, id: str, rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
        """Arguments of one constraint that a text on the topic would usually miss, and can meet."""
        return draw_arguments(id, rng, task, topic)

    def source(self, task: Task, topic: Topic) -> PocketSource:
        """The sentences of that task on that topic."""
        return PocketSource(VOICES[task.id], topic)


POCKET = Pocket()

__all__ = ["POCKET", "Pocket", "PocketSource"]
