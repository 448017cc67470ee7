"""The tasks of the pocket world and how each of them speaks: its tense, its openings, its own sentences, its questions.

    VOICES["letter"].openings[0]     # "Dear friend, do you remember {O}?"

Both are in ifpref/data/pocket/tasks.yaml; the sentences are patterns, in the notation of patterns.txt beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ifpref.data import read_yaml
from ifpref.prompts.domain import WritingTask
from ifpref.prompts.pocket.world import KINDS

_TASKS = read_yaml("pocket/tasks.yaml")


@dataclass(frozen=True)
class Voice:
    """How a task speaks.

    tense, we   "past" or "present"; who {we} is, "we" or "they"
    openings    first sentences: they name the topic, and most hold the `marks`
    manner      later sentences that only this task has
    marks       words that most texts of the task hold: what a writer would miss, were they forbidden
    questions, exclamations, requests
                shares of sentences of these kinds; requests are made in the present tense only
    """

    tense: str
    we: str
    openings: list[str]
    manner: list[str]
    marks: list[str]
    questions: float
    exclamations: float
    requests: float


TASKS = tuple(WritingTask(id, tuple(task["asked as"]), KINDS) for id, task in _TASKS.items())
VOICES = {
    id: Voice(**{name: value for name, value in task.items() if name != "asked as"}) for id, task in _TASKS.items()
}
