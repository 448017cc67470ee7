"""Side effects: what a response does that nobody asked for, format features and repeated sentences.

    side_effects("<<Rain>> It rains all day. It rains all day.", asked={"keywords:existence"})
    {"unasked": ["detectable_format:title"], "repeated": True, "nearly_repeated": False}

A policy that adds a title, bullet points and a postscript to every response meets more constraints, without having read
the prompt. So every gain is read beside these, and once more on *clean* responses: all constraints met, no unasked
feature, no repeated sentence.

Decisions, fixed before the first run that was read by them
- A feature is there where the verifier of its constraint finds one: one bullet point, one highlight, one section, two
  paragraphs divided by ***. It is unasked where the prompt asks neither for it nor for what `ENTAILED` names.
- Left out: lengths, keywords, single letters and words in capitals, the absence of commas, the last words (every text
  has some of them), and the language (guessed from short texts).
- A sentence ends at . ! ? or at the end of a line. Sentences are the same where their words are, case, blanks and marks
  aside; those of fewer than three words ("Yes.", "Section 1") are not compared.
- Two sentences are nearly the same where they share half of their word triples or more (prompts/overlap.py): of
  five words the last may differ, of eleven any one. This is shown, and does not make a response unclean.
- What a base does by itself stands on both sides of each difference (policy less base, prompt by prompt). A response
  counts once, however many defects it has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from itertools import combinations
from types import MappingProxyType
from typing import Any

from ifpref.constraints import CONSTRAINTS, Constraint, verify
from ifpref.prompts.overlap import SHINGLE, shingles_of, words_of

NEARLY = 0.5
"""Share of the word triples of two sentences, of all that they have, from which they are nearly the same."""
SECTION_WORDS = ("Section", "SECTION", "Part", "PART", "Paragraph", "PARAGRAPH")


def _met(id: str, *arguments: Mapping[str, Any]) -> Callable[[str], bool]:
    """Whether a text meets the constraint with one of these arguments."""
    constraints = [Constraint(id, kwargs) for kwargs in arguments or [{}]]
    return lambda text: any(verify(text, constraints))


def _counted(id: str, least: int) -> Callable[[str], bool]:
    return lambda text: CONSTRAINTS[id].count(text) >= least


FEATURES: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "detectable_content:number_placeholders": _counted("detectable_content:number_placeholders", 1),
        "detectable_content:postscript": _met(
            "detectable_content:postscript", {"postscript_marker": "P.S."}, {"postscript_marker": "P.P.S"}
        ),
        "detectable_format:number_bullet_lists": _counted("detectable_format:number_bullet_lists", 1),
        "detectable_format:constrained_response": _met("detectable_format:constrained_response"),
        "detectable_format:number_highlighted_sections": _counted("detectable_format:number_highlighted_sections", 1),
        "detectable_format:multiple_sections": _met(
            "detectable_format:multiple_sections",
            *({"section_spliter": word, "num_sections": 1} for word in SECTION_WORDS),
        ),
        "detectable_format:json_format": _met("detectable_format:json_format"),
        "detectable_format:title": _met("detectable_format:title"),
        "length_constraints:number_paragraphs": _counted("length_constraints:number_paragraphs", 2),
        "combination:two_responses": _met("combination:two_responses"),
        "startend:quotation": _met("startend:quotation"),
        "change_case:english_capital": _met("change_case:english_capital"),
        "change_case:english_lowercase": _met("change_case:english_lowercase"),
    }
)
"""Constraint id -> whether a text has the feature that the constraint asks for."""

ENTAILED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "detectable_format:number_highlighted_sections": {
            "detectable_format:number_bullet_lists": "a line that begins with *a highlight* is a bullet to its verifier"
        },
        "detectable_format:number_bullet_lists": {
            "detectable_format:number_highlighted_sections": "two bullets * in one line are asterisks around a text"
        },
        "length_constraints:number_paragraphs": {
            "detectable_format:number_highlighted_sections": "two dividers *** in one line are asterisks around a text"
        },
        "detectable_format:json_format": {
            "detectable_content:number_placeholders": "an array of JSON stands in square brackets",
            "startend:quotation": "a string is JSON, and stands in quotation marks",
        },
        "startend:quotation": {"detectable_format:json_format": "a text in quotation marks is a string of JSON"},
        "change_case:capital_word_frequency": {
            "change_case:english_capital": "a text all in capitals has as many words in capitals as are asked for"
        },
        "combination:repeat_prompt": dict.fromkeys(FEATURES, "the request may hold it, and is repeated"),
    }
)
"""Id that a prompt asks for -> features that who meets it may show -> why."""


def unasked(text: str, asked: Collection[str]) -> list[str]:
    """The features of a response that its prompt does not ask for.

    asked  ids of the prompt's constraints
    """
    allowed = {*asked, *(feature for id in asked for feature in ENTAILED.get(id, ()))}
    return [id for id, has in FEATURES.items() if id not in allowed and has(text)] if text.strip() else []


def sentences(text: str) -> list[tuple[str, ...]]:
    """The words of each sentence of three words or more, in lower case."""
    words = map(words_of, re.split(r"\n|(?<=[.!?])\s", text))
    return [some for some in words if len(some) >= SHINGLE]


def is_repeated(text: str) -> bool:
    """Whether a sentence occurs twice."""
    there = sentences(text)
    return len(set(there)) < len(there)


def is_nearly_repeated(text: str) -> bool:
    """Whether two different sentences are nearly the same."""
    different = [shingles_of(words) for words in dict.fromkeys(sentences(text))]
    return any(len(one & other) >= NEARLY * len(one | other) for one, other in combinations(different, 2))


def side_effects(text: str, asked: Collection[str]) -> dict[str, Any]:
    """All of it, as rows of an evaluation hold it."""
    return {
        "unasked": unasked(text, asked),
        "repeated": is_repeated(text),
        "nearly_repeated": is_nearly_repeated(text),
    }


def is_clean(text: str, asked: Collection[str]) -> bool:
    """Whether a response has no unasked feature and repeats no sentence."""
    return not (is_repeated(text) or unasked(text, asked))
