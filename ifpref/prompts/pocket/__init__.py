"""`pocket`: the small made-up world of the embedded model, as a domain of prompts.

    task, topic = POCKET.tasks[0], POCKET.topics[0]
    source = POCKET.source(task, topic)
    source.sentence(random.Random(0), about=source.subject)       # "Once upon a time, ..."
    POCKET.arguments("keywords:existence", random.Random(0), task, topic)     # {"keywords": ["stone"]}

Here: the arguments of the constraints that a list of values alone cannot tell. Keywords are nouns that the topic does
not suggest, and a forbidden word is one that the task's texts begin with: what is met by chance teaches nothing.

world.py      nouns, adjectives, verbs, topics; tasks, and how each of them speaks
grammar.py    patterns to sentences: `PocketSource`        italian.py    the second language
The tables are in ifpref/data/pocket.
"""

import random
from typing import Any

from ifpref.data import read_yaml
from ifpref.prompts.domain import Domain, Topic, WritingTask
from ifpref.prompts.pocket.grammar import PocketSource
from ifpref.prompts.pocket.world import NOUNS, TASKS, TOPICS, VOICES, WORDS

TABLES = read_yaml("pocket/arguments.yaml")


def _other_nouns(rng: random.Random, topic: Topic, number: int) -> list[str]:
    """Nouns of the world that are neither in the topic nor near it."""
    return rng.sample([noun for noun in NOUNS if noun not in topic.words], number)


def _existence(rng: random.Random, task: WritingTask, topic: Topic) -> dict[str, Any]:
    return {"keywords": _other_nouns(rng, topic, rng.randint(1, 2))}


def _frequency(rng: random.Random, task: WritingTask, topic: Topic) -> dict[str, Any]:
    if rng.random() < 0.4:  # a text names its topic twice as a rule
        return {"keyword": topic.words[0], "frequency": 2, "relation": "less than"}
    return {"keyword": _other_nouns(rng, topic, 1)[0], "frequency": rng.randint(2, 3), "relation": "at least"}


def _forbidden(rng: random.Random, task: WritingTask, topic: Topic) -> dict[str, Any]:
    marks = VOICES[task.id].marks
    words = [rng.choice(marks)]
    if rng.random() < 0.5:
        others = ("and", "is", "was", *topic.words[1:4], *marks)
        words.append(rng.choice([word for word in others if word not in words]))
    return {"forbidden_words": words}


def _letters(rng: random.Random, task: WritingTask, topic: Topic) -> dict[str, Any]:
    table = TABLES["keywords:letter_frequency"]
    relation = rng.choice(table["let_relation"])
    numbers = table["let_frequency"][relation]
    letter = rng.choice(list(numbers))
    return {"letter": letter, "let_frequency": rng.choice(numbers[letter]), "let_relation": relation}


def _first_word(rng: random.Random, task: WritingTask, topic: Topic) -> dict[str, Any]:
    paragraphs = rng.choice(TABLES["length_constraints:nth_paragraph_first_word"]["num_paragraphs"])
    nth, word = rng.randint(1, paragraphs), rng.choice(WORDS["first words"])
    return {"num_paragraphs": paragraphs, "nth_paragraph": nth, "first_word": word}


POCKET = Domain(
    name="pocket",
    tasks=TASKS,
    topics=TOPICS,
    terse=True,
    length=(2, 4),
    source=lambda task, topic: PocketSource(VOICES[task.id], topic),
    tables=TABLES,
    draws={
        "keywords:existence": _existence,
        "keywords:frequency": _frequency,
        "keywords:forbidden_words": _forbidden,
        "keywords:letter_frequency": _letters,
        "length_constraints:nth_paragraph_first_word": _first_word,
    },
)
