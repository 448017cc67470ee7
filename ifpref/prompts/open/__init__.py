"""`open`: writing tasks on everyday topics, for real models, as a domain of prompts.

    topic = OPEN.topic_by_id["a-village-bakery"]
    task = random.Random(0).choice(OPEN.tasks_for(topic))       # a task that suits the topic
    OPEN.source(task, topic).sentence(random.Random(0), about=topic.words[0])

arguments.py   natural arguments of the constraints        sentences.py    patterns to sentences: the `Source`
The tables are in ifpref/data/open: tasks, topics, words, phrases, patterns of sentences, numbers to ask for.
Sentences in seventeen other languages are those of ifpref/witness/foreign.py.
"""

from __future__ import annotations

from ifpref.data import read_sections
from ifpref.prompts.domain import Domain, Topic, WritingTask
from ifpref.prompts.open.arguments import DRAWS, TABLES
from ifpref.prompts.open.sentences import OpenSource

_TOPICS = read_sections("open/topics.txt")


def _tasks() -> tuple[WritingTask, ...]:
    """The tasks of the table, whose headings are `id: kinds`; the kind `any` is short for all of them."""
    tasks = []
    for heading, requests in read_sections("open/tasks.txt").items():
        id, kinds = heading.split(": ")
        tasks.append(WritingTask(id, requests, tuple(_TOPICS) if kinds == "any" else tuple(kinds.split())))
    return tuple(tasks)


def _topics() -> tuple[Topic, ...]:
    """The topics of the table, one a line: `text | word word word`; ids are made from the texts."""
    topics = []
    for kind, lines in _TOPICS.items():
        for line in lines:
            text, words = line.split(" | ")
            topics.append(Topic(text.lower().replace(" ", "-"), text, tuple(words.split()), kind))
    return tuple(topics)


OPEN = Domain(
    name="open",
    tasks=_tasks(),
    topics=_topics(),
    terse=False,
    length=(4, 8),
    source=lambda task, topic: OpenSource(topic),
    tables=TABLES,
    draws=DRAWS,
)
