"""`pocket`: the small made-up world of the embedded model, as a domain of prompts.

    task, topic = POCKET.tasks[0], POCKET.topics[0]
    source = POCKET.source(task, topic)
    source.sentence(random.Random(0), about=source.subject)       # "Once upon a time, ..."
    POCKET.arguments("keywords:existence", random.Random(0), task, topic)     # {"keywords": ["stone"]}

world.py      nouns, adjectives, verbs, topics        arguments.py  natural arguments of the constraints
voices.py     tasks, and how each of them speaks      italian.py    the second language
grammar.py    patterns to sentences: `PocketSource`
The tables are in ifpref/data/pocket.
"""

from __future__ import annotations

from ifpref.prompts.domain import Domain
from ifpref.prompts.pocket.arguments import DRAWS, TABLES
from ifpref.prompts.pocket.grammar import PocketSource
from ifpref.prompts.pocket.voices import TASKS, VOICES
from ifpref.prompts.pocket.world import TOPICS

POCKET = Domain(
    name="pocket",
    tasks=TASKS,
    topics=TOPICS,
    terse=True,
    length=(2, 4),
    source=lambda task, topic: PocketSource(VOICES[task.id], topic),
    tables=TABLES,
    draws=DRAWS,
)
