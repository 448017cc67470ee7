"""Arguments of the constraints in the pocket world.

An argument is such that a text which ignores the constraint usually misses it, and such that it can be met:
what is met by chance teaches nothing. So there is no `less than` for words in capitals (a text has none),
keywords are nouns that the topic does not suggest, a forbidden word is one that the task's texts begin with,
and each letter has its own numbers, read off texts of two to four sentences that nothing was asked of: 50 to
85 % of them miss each.

    draw_arguments("keywords:forbidden_words", rng, letter, topic)   # {"forbidden_words": ["dear", "goose"]}
"""

from __future__ import annotations

import difflib
import random
from collections.abc import Callable
from typing import Any

from ifpref.prompts.domain import Task, Topic
from ifpref.prompts.pocket import italian
from ifpref.prompts.pocket.voices import VOICES
from ifpref.prompts.pocket.world import FIRST_WORDS, NOUNS

END_PHRASES = (
    "That is all.",
    "The end.",
    "All is well again.",
    "We will meet again soon.",
    "Now the village sleeps.",
    "Good night, dear friend.",
    "Until tomorrow, dear friends.",
    "Come soon, and stay long.",
)
SPLITERS = ("Section", "Part")
MARKERS = ("P.S.", "P.P.S")
LETTERS_AT_LEAST = {
    "a": (9, 10, 11), "c": (4, 5), "d": (5, 6, 7), "h": (11, 12), "i": (6, 7), "l": (5, 6, 7), "m": (4,),
    "n": (6, 7, 8), "o": (9, 10, 11), "r": (8, 9), "s": (6, 7, 8), "u": (4,), "w": (5, 6),
}  # fmt: skip
LETTERS_LESS_THAN = {
    "a": (6, 7), "d": (3, 4), "e": (13, 14, 15), "h": (8, 9), "i": (4, 5), "l": (3, 4), "n": (4, 5),
    "o": (6, 7), "r": (5, 6), "s": (4, 5), "t": (10, 11, 12), "w": (3,),
}  # fmt: skip


def draw_arguments(id: str, rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    """IFEval's kwargs for one constraint; raises ValueError for an id that is not of the study."""
    if id not in _ARGUMENTS:
        close = difflib.get_close_matches(id, _ARGUMENTS, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise ValueError(f"no pocket arguments for {id!r}{hint}; known: {', '.join(_ARGUMENTS)}")
    return _ARGUMENTS[id](rng, task, topic)


def _other_nouns(rng: random.Random, topic: Topic, number: int) -> list[str]:
    """Nouns of the world that are neither in the topic nor near it."""
    return rng.sample([noun for noun in NOUNS if noun not in topic.words], number)


def _existence(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    return {"keywords": _other_nouns(rng, topic, rng.randint(1, 2))}


def _frequency(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    if rng.random() < 0.4:  # a text names its topic twice as a rule
        return {"keyword": topic.words[0], "frequency": 2, "relation": "less than"}
    return {"keyword": _other_nouns(rng, topic, 1)[0], "frequency": rng.randint(2, 3), "relation": "at least"}


def _forbidden(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    marks = VOICES[task.id].marks
    words = [rng.choice(marks)]
    if rng.random() < 0.5:
        others = ("and", "is", "was", *topic.words[1:4], *marks)
        words.append(rng.choice([word for word in others if word not in words]))
    return {"forbidden_words": words}


def _letters(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    relation, table = rng.choice((("at least", LETTERS_AT_LEAST), ("less than", LETTERS_LESS_THAN)))
    letter = rng.choice(tuple(table))
    return {"letter": letter, "let_frequency": rng.choice(table[letter]), "let_relation": relation}


def _amount(name: str, at_least: tuple[int, ...], less_than: tuple[int, ...]) -> Callable[..., dict[str, Any]]:
    """A number with a relation; a number that stands twice comes up twice as often."""

    def draw(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
        relation, numbers = rng.choice((("at least", at_least), ("less than", less_than)))
        return {name: rng.choice(numbers), "relation": relation}

    return draw


def _one_of(name: str, *values: Any) -> Callable[..., dict[str, Any]]:
    return lambda rng, task, topic: {name: rng.choice(values)}


def _first_word(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    paragraphs = rng.randint(2, 3)
    nth, word = rng.randint(1, paragraphs), rng.choice(FIRST_WORDS)
    return {"num_paragraphs": paragraphs, "nth_paragraph": nth, "first_word": word}


def _sections(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    return {"section_spliter": rng.choice(SPLITERS), "num_sections": rng.randint(2, 3)}


def _capitals(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    return {"capital_frequency": rng.randint(1, 4), "capital_relation": "at least"}


def _nothing(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    return {}


_ARGUMENTS: dict[str, Callable[[random.Random, Task, Topic], dict[str, Any]]] = {
    "keywords:existence": _existence,
    "keywords:frequency": _frequency,
    "keywords:forbidden_words": _forbidden,
    "keywords:letter_frequency": _letters,
    "language:response_language": _one_of("language", italian.CODE),
    "length_constraints:number_sentences": _amount("num_sentences", (4, 5, 6), (3, 3, 3, 4)),
    "length_constraints:number_paragraphs": _one_of("num_paragraphs", 2, 3),
    "length_constraints:number_words": _amount("num_words", (25, 30, 35, 35), (10, 12, 15)),
    "length_constraints:nth_paragraph_first_word": _first_word,
    "detectable_content:number_placeholders": _one_of("num_placeholders", 1, 2, 3),
    "detectable_content:postscript": _one_of("postscript_marker", *MARKERS),
    "detectable_format:number_bullet_lists": _one_of("num_bullets", 2, 3, 4),
    "detectable_format:number_highlighted_sections": _one_of("num_highlights", 1, 2, 3),
    "detectable_format:multiple_sections": _sections,
    "detectable_format:json_format": _nothing,
    "detectable_format:title": _nothing,
    "combination:two_responses": _nothing,
    "startend:end_checker": _one_of("end_phrase", *END_PHRASES),
    "startend:quotation": _nothing,
    "change_case:capital_word_frequency": _capitals,
    "change_case:english_capital": _nothing,
    "change_case:english_lowercase": _nothing,
    "punctuation:no_comma": _nothing,
}
