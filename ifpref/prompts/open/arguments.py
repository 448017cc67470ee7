"""Arguments of the constraints, natural for the `open` domain.

Numbers have IFEval's ranges and roughly its frequencies (its 541 prompts), cut where a prompt of six
constraints would stop being a thing that somebody asks: 40 to 600 words, 3 to 20 sentences. Words come from
the topic and from general lists. A letter is asked to be rare only where a text can do without it.

    >>> arguments("keywords:existence", random.Random(0), task, topic)      # topic: "a village bakery"
    {'keywords': ['curtain', 'queue', 'counter']}
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from ifpref.constraints.registry import CONSTRAINTS, nearest
from ifpref.prompts.domain import Task, Topic
from ifpref.prompts.open.vocabulary import (
    ADJECTIVES,
    ADVERBS,
    END_PHRASES,
    HABITS,
    NOUNS,
    OPENERS,
)
from ifpref.witness.foreign import FOREIGN
from ifpref.witness.source import pick

# Headings that suit a task better than `Section`; the first part of the id is enough.
_SPLITERS = {
    "itinerary": ("Day", "Stop"), "schedule": ("Day", "Part"), "training_programme": ("Week", "Day"),
    "event_plan": ("Step", "Phase"), "travel_diary": ("Day",), "diary_entry": ("Entry", "Day"),
    "how_to": ("Step",), "checklist": ("Step", "Part"), "troubleshooting": ("Problem", "Step"),
    "user_manual": ("Chapter", "Part"), "story": ("Chapter", "Part"), "bedtime_story": ("Chapter", "Part"),
    "mystery_story": ("Chapter", "Clue"), "adventure_story": ("Chapter",), "science_fiction": ("Chapter",),
    "fairy_tale": ("Chapter", "Part"), "memoir": ("Chapter",), "biography": ("Chapter",),
    "stage_scene": ("Scene", "Act"), "radio_play": ("Scene",), "comic_script": ("Panel", "Scene"),
    "game_quest": ("Level", "Stage"), "lesson_plan": ("Phase", "Lesson"), "workshop_outline": ("Module",),
    "quiz": ("Round", "Question"), "faq": ("Question",), "interview": ("Question",), "riddles": ("Riddle",),
    "jokes": ("Joke",), "poem": ("Verse", "Stanza"), "song_lyrics": ("Verse",), "ballad": ("Verse",),
    "social_media_posts": ("Post", "Day"), "list_of_ideas": ("Idea",), "list_of_reasons": ("Reason",),
    "surprising_facts": ("Fact",), "audio_guide": ("Stop", "Station"), "time_traveller": ("Day",),
    "discussion_questions": ("Question",), "survey": ("Question", "Part"),
}  # fmt: skip
_GENERAL_SPLITERS = ("Section", "Section", "SECTION", "SECTION", "PARAGRAPH", "Part", "PART")

_COMMON, _MIDDLE, _SCARCE, _RARE = "etaoinsr", "cdhlmubfgpwy", "kv", "qxzj"


# Words to reach, and words to stay below, with how often each is asked.
_LONG = {
    40: 1,
    50: 2,
    60: 1,
    80: 2,
    100: 4,
    120: 2,
    150: 4,
    200: 5,
    250: 4,
    300: 6,
    350: 2,
    400: 4,
    500: 3,
    600: 3,
}
_BRIEF = {40: 1, 50: 2, 60: 2, 80: 2, 100: 5, 120: 2, 150: 4, 200: 5, 250: 2, 300: 4, 400: 2, 500: 2, 600: 1}


def _one(rng: random.Random, weights: Mapping[Any, int]) -> Any:
    """One of the keys, as often as its weight says."""
    return rng.choices(list(weights), list(weights.values()))[0]


def _relation(rng: random.Random, at_least: float) -> str:
    return "at least" if rng.random() < at_least else "less than"


def _distinct(count: int, draw: Callable[[], str]) -> list[str]:
    """So many words, none of which is part of another."""
    words: list[str] = []
    while len(words) < count:
        word = draw()
        if not any(word in other or other in word for other in words):
            words.append(word)
    return words


def _keyword(rng: random.Random, topic: Topic) -> str:
    pools = ((60, topic.words), (25, NOUNS), (10, ADJECTIVES), (5, ADVERBS))
    pool = rng.choices([pool for _, pool in pools], [weight for weight, _ in pools])[0]
    return pick(rng, pool)


def _existence(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    count = _one(rng, {1: 6, 2: 12, 3: 7, 4: 3, 5: 1})
    return {"keywords": _distinct(count, lambda: _keyword(rng, topic))}


def _frequency(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    relation = _relation(rng, 0.7)
    if relation == "at least":
        frequency = _one(rng, {1: 1, 2: 7, 3: 6, 4: 4, 5: 4, 6: 2, 8: 1, 10: 1})
        keyword = _keyword(rng, topic)
    else:
        frequency = _one(rng, {1: 1, 2: 5, 3: 4, 4: 2, 5: 2, 6: 1})
        keyword = pick(rng, topic.words)
    return {"keyword": keyword, "frequency": frequency, "relation": relation}


def _forbidden(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    count = _one(rng, {1: 6, 2: 11, 3: 7, 4: 3, 5: 2})
    draw = lambda: pick(rng, topic.words if rng.random() < 0.65 else HABITS)  # noqa: E731
    return {"forbidden_words": _distinct(count, draw)}


def _letter(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    relation = _relation(rng, 0.67)
    if relation == "at least":
        letters = _one(rng, {_COMMON: 4, _MIDDLE: 6, _SCARCE: 1, _RARE: 3})
        numbers = {_COMMON: (10, 15, 20, 25, 30, 40, 50), _MIDDLE: (4, 5, 6, 8, 10, 12, 15, 20),
                   _SCARCE: (3, 4, 5, 6, 8), _RARE: (1, 2, 3, 4, 5, 6)}[letters]  # fmt: skip
    else:
        letters = _one(rng, {_COMMON: 3, _MIDDLE: 5, _SCARCE: 3, _RARE: 4})
        numbers = {_COMMON: (30, 35, 40, 50, 60), _MIDDLE: (10, 12, 15, 20, 25),
                   _SCARCE: (3, 4, 5, 6, 8), _RARE: (1, 2, 3, 4)}[letters]  # fmt: skip
    return {"letter": pick(rng, letters), "let_frequency": pick(rng, numbers), "let_relation": relation}


def _language(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    return {"language": pick(rng, tuple(FOREIGN))}


def _sentences(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    relation = _relation(rng, 0.48)
    if relation == "at least":
        number = _one(rng, {3: 2, 4: 2, 5: 4, 6: 2, 7: 1, 8: 3, 10: 5, 12: 3, 15: 3, 20: 3})
    else:
        number = _one(rng, {3: 1, 4: 2, 5: 4, 6: 5, 7: 4, 8: 3, 10: 5, 12: 2, 15: 2, 20: 2})
    return {"num_sentences": number, "relation": relation}


def _paragraphs(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    return {"num_paragraphs": _one(rng, {2: 6, 3: 8, 4: 6, 5: 5, 6: 2})}


def _words(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    relation = _relation(rng, 0.65)
    if relation == "at least":
        number = _one(
            rng,
            {
                40: 1,
                50: 2,
                60: 1,
                80: 2,
                100: 4,
                120: 2,
                150: 4,
                180: 1,
                200: 5,
                250: 4,
                300: 6,
                350: 2,
                400: 4,
            }
            | {450: 1, 500: 3, 600: 3},
        )
    else:
        number = _one(
            rng,
            {
                40: 1,
                50: 2,
                60: 2,
                75: 1,
                80: 2,
                100: 5,
                120: 2,
                150: 4,
                200: 5,
                250: 2,
                300: 4,
                400: 2,
                500: 2,
            }
            | {600: 1},
        )
    return {"num_words": number, "relation": relation}


def _first_word(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    paragraphs = _one(rng, {2: 3, 3: 5, 4: 5, 5: 3, 6: 2, 7: 1})
    nth = 1 if rng.random() < 0.35 else 1 + int(rng.random() * paragraphs)
    word = pick(rng, OPENERS if rng.random() < 0.85 else topic.words)
    return {"num_paragraphs": paragraphs, "nth_paragraph": nth, "first_word": word}


def _placeholders(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    return {"num_placeholders": _one(rng, {1: 5, 2: 5, 3: 7, 4: 4, 5: 3, 6: 2, 7: 1, 8: 1, 10: 1, 12: 1})}


def _postscript(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    return {"postscript_marker": _one(rng, {"P.P.S": 3, "P.S.": 2})}


def _bullets(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    return {"num_bullets": _one(rng, {1: 1, 2: 5, 3: 9, 4: 6, 5: 4, 6: 3, 7: 1, 8: 2, 9: 1, 10: 2})}


def _highlights(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    return {"num_highlights": _one(rng, {1: 7, 2: 11, 3: 13, 4: 4, 5: 5, 6: 3, 8: 1, 10: 1})}


def _multiple_sections(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    own = _SPLITERS.get(task.id)
    spliter = pick(rng, own if own and rng.random() < 0.6 else _GENERAL_SPLITERS)
    return {"section_spliter": spliter, "num_sections": _one(rng, {2: 5, 3: 5, 4: 5, 5: 3, 6: 1, 7: 1})}


def _repeat(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    return {"prompt_to_repeat": pick(rng, task.requests).replace("{topic}", topic.text)}


def _end_phrase(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    return {"end_phrase": pick(rng, END_PHRASES)}


def _capitals(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    relation = _relation(rng, 0.7)
    if relation == "at least":
        number = _one(rng, {1: 4, 2: 5, 3: 6, 4: 3, 5: 5, 6: 2, 8: 2, 10: 4, 12: 1, 15: 2, 20: 1})
    else:
        number = _one(rng, {2: 1, 3: 2, 4: 4, 5: 4, 6: 3, 8: 2, 10: 5, 15: 2, 20: 2})
    return {"capital_frequency": number, "capital_relation": relation}


def _none(rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    return {}


_DRAW: dict[str, Callable[[random.Random, Task, Topic], dict[str, Any]]] = {
    "keywords:existence": _existence,
    "keywords:frequency": _frequency,
    "keywords:forbidden_words": _forbidden,
    "keywords:letter_frequency": _letter,
    "language:response_language": _language,
    "length_constraints:number_sentences": _sentences,
    "length_constraints:number_paragraphs": _paragraphs,
    "length_constraints:number_words": _words,
    "length_constraints:nth_paragraph_first_word": _first_word,
    "detectable_content:number_placeholders": _placeholders,
    "detectable_content:postscript": _postscript,
    "detectable_format:number_bullet_lists": _bullets,
    "detectable_format:constrained_response": _none,
    "detectable_format:number_highlighted_sections": _highlights,
    "detectable_format:multiple_sections": _multiple_sections,
    "detectable_format:json_format": _none,
    "detectable_format:title": _none,
    "combination:two_responses": _none,
    "combination:repeat_prompt": _repeat,
    "startend:end_checker": _end_phrase,
    "startend:quotation": _none,
    "change_case:capital_word_frequency": _capitals,
    "change_case:english_capital": _none,
    "change_case:english_lowercase": _none,
    "punctuation:no_comma": _none,
}


def arguments(id: str, rng: random.Random, task: Task, topic: Topic) -> dict[str, Any]:
    """IFEval's kwargs for one constraint of that id; raises ValueError for an unknown id.

    `prompt_to_repeat` is one of the task's requests: a prompt that asks for it must take the same one.
    """
    if id not in _DRAW:
        raise ValueError(f"unknown constraint id {id!r}{nearest(id, CONSTRAINTS)}; known: {', '.join(CONSTRAINTS)}")
    return _DRAW[id](rng, task, topic)
