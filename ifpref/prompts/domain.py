"""What a domain offers: tasks, topics, natural arguments, and sentences.

A domain is a world to write about. There are two, behind this one interface: `open`, for real models, and `pocket`,
the small made-up world of the embedded model. The prompt builder draws a task, a topic and constraints from a
domain; the witness builder takes its sentences from the domain's `Source`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Protocol

from ifpref.witness.source import Source


@dataclass(frozen=True)
class Task:
    """A kind of writing: `requests` are wordings of it, each holding `{topic}` once."""

    id: str
    requests: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """Something to write about: `text` as it stands in a request, `words` single nouns that go with it."""

    id: str
    text: str
    words: tuple[str, ...]


class Domain(Protocol):
    """A world to write about."""

    name: str
    tasks: tuple[Task, ...]
    topics: tuple[Topic, ...]
    terse: bool
    """Whether prompts take the short wordings of constraints, one after the other."""
    length: tuple[int, int]
    """Sentences of a text when nothing asks for more or fewer, from and to."""

    def tasks_for(self, topic: Topic) -> tuple[Task, ...]:
        """The tasks that read well with a topic."""

    def arguments(self, id: str, rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
        """Arguments for one constraint of that id, natural for a response to that task and topic."""

    def source(self, task: Task, topic: Topic) -> Source:
        """The sentences of that task on that topic."""
