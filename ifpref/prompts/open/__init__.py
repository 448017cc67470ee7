"""`open`: writing tasks on everyday topics, for real models, as a domain of prompts.

    topic = OPEN.topic_by_id["a-village-bakery"]
    task = random.Random(0).choice(OPEN.tasks_for(topic))       # a task that suits the topic
    OPEN.source(task, topic).sentence(random.Random(0), about=topic.words[0])
    OPEN.arguments("keywords:existence", random.Random(0), task, topic)
    # {"keywords": ["curtain", "queue", "counter"]}

Here: tasks, topics, and the arguments of the constraints that a table of weights alone cannot tell (their words come
from the topic and from general lists). sentences.py has the `Source`: patterns become sentences. The tables are in
ifpref/data/open; sentences in seventeen other languages are those of ifpref/witness/foreign.py.
"""

import random
from collections.abc import Callable
from typing import Any

from ifpref.data import read_lines, read_sections, read_yaml
from ifpref.prompts.domain import Domain, Topic, WritingTask, choose, draw_arguments
from ifpref.prompts.open.sentences import PHRASES, WORDS, OpenSource
from ifpref.witness.foreign import FOREIGN
from ifpref.witness.source import pick

TABLES = read_yaml("open/arguments.yaml")
HEADINGS = {task: headings for task, *headings in map(str.split, read_lines("open/headings.txt"))}
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


def _distinct(count: int, draw: Callable[[], str]) -> list[str]:
    """So many words, none of which is part of another."""
    words: list[str] = []
    while len(words) < count:
        word = draw()
        if not any(word in other or other in word for other in words):
            words.append(word)
    return words


def _keyword(rng: random.Random, topic: Topic) -> str:
    pools = (topic.words, WORDS["nouns"], WORDS["adjectives"], WORDS["adverbs"])
    return pick(rng, rng.choices(pools, (60, 25, 10, 5))[0])


def _existence(rng: random.Random, task: WritingTask, topic: Topic) -> dict[str, Any]:
    count = choose(rng, TABLES["keywords:existence"]["count"])
    return {"keywords": _distinct(count, lambda: _keyword(rng, topic))}


def _frequency(rng: random.Random, task: WritingTask, topic: Topic) -> dict[str, Any]:
    number = draw_arguments(rng, TABLES["keywords:frequency"])
    return number | {"keyword": _keyword(rng, topic) if number["relation"] == "at least" else pick(rng, topic.words)}


def _forbidden(rng: random.Random, task: WritingTask, topic: Topic) -> dict[str, Any]:
    count = choose(rng, TABLES["keywords:forbidden_words"]["count"])
    draw = lambda: pick(rng, topic.words if rng.random() < 0.65 else WORDS["habits"])  # noqa: E731
    return {"forbidden_words": _distinct(count, draw)}


def _letter(rng: random.Random, task: WritingTask, topic: Topic) -> dict[str, Any]:
    table = TABLES["keywords:letter_frequency"]
    relation = choose(rng, table["let_relation"])
    letters = choose(rng, table["letters"][relation])
    frequency = table["let_frequency"][relation][letters]
    return {"letter": pick(rng, letters), "let_frequency": pick(rng, frequency), "let_relation": relation}


def _first_word(rng: random.Random, task: WritingTask, topic: Topic) -> dict[str, Any]:
    paragraphs = choose(rng, TABLES["length_constraints:nth_paragraph_first_word"]["num_paragraphs"])
    nth = 1 if rng.random() < 0.35 else 1 + int(rng.random() * paragraphs)
    word = pick(rng, WORDS["openers"] if rng.random() < 0.85 else topic.words)
    return {"num_paragraphs": paragraphs, "nth_paragraph": nth, "first_word": word}


def _multiple_sections(rng: random.Random, task: WritingTask, topic: Topic) -> dict[str, Any]:
    table = TABLES["detectable_format:multiple_sections"]
    own = HEADINGS.get(task.id)
    heading = pick(rng, own if own and rng.random() < 0.6 else table["section_spliter"])
    return {"section_spliter": heading, "num_sections": choose(rng, table["num_sections"])}


def _repeat(rng: random.Random, task: WritingTask, topic: Topic) -> dict[str, Any]:
    """One of the task's requests: a prompt that asks for it must take the same one."""
    return {"prompt_to_repeat": pick(rng, task.requests).replace("{topic}", topic.text)}


OPEN = Domain(
    name="open",
    tasks=_tasks(),
    topics=_topics(),
    terse=False,
    length=(4, 8),
    source=lambda task, topic: OpenSource(topic),
    tables=TABLES,
    draws={
        "keywords:existence": _existence,
        "keywords:frequency": _frequency,
        "keywords:forbidden_words": _forbidden,
        "keywords:letter_frequency": _letter,
        "language:response_language": lambda rng, task, topic: {"language": pick(rng, tuple(FOREIGN))},
        "length_constraints:nth_paragraph_first_word": _first_word,
        "detectable_format:multiple_sections": _multiple_sections,
        "combination:repeat_prompt": _repeat,
        "startend:end_checker": lambda rng, task, topic: {"end_phrase": pick(rng, PHRASES["end phrases"])},
    },
)
