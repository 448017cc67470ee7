"""What a set of constraints asks of one text, read once into plain fields.

    read_needs([Constraint("detectable_format:title"), Constraint("punctuation:no_comma")])
    # Needs(title=True, commas=False, ...)

The composer works from this record rather than from the constraints: it asks "how many bullet points", not "which id".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from ifpref.constraints.registry import Constraint


@dataclass
class Bounds:
    """Counts allowed: `low` or more, less than `high`."""

    low: int = 0
    high: float = math.inf

    def meet(self, number: int, relation: str) -> None:
        """Narrow the bounds by one constraint."""
        if relation == "at least":
            self.low = max(self.low, number)
        else:
            self.high = min(self.high, number)


@dataclass
class Needs:
    """What a set of constraints asks of one text, read once."""

    language: str = "en"
    case: str = ""  # "upper" or "lower"
    commas: bool = True
    json: bool = False
    quotation: bool = False
    title: bool = False
    two_responses: bool = False
    answer: bool = False
    words: Bounds = field(default_factory=Bounds)
    sentences: Bounds = field(default_factory=Bounds)
    capitals: Bounds = field(default_factory=Bounds)
    letters: dict[str, Bounds] = field(default_factory=dict)
    mentions: list[str] = field(default_factory=list)  # words to mention, in order, as often as asked
    capped: dict[str, int] = field(default_factory=dict)  # word -> it must occur less often than this
    forbidden: list[str] = field(default_factory=list)
    paragraphs: int = 1  # divided by ***
    pieces: int = 0  # divided by blank lines; 0: nothing asked
    first_words: dict[int, str] = field(default_factory=dict)  # piece, from 1 -> its first word
    bullets: int = 0
    highlights: int = 0
    placeholders: int = 0
    headings: list[str] = field(default_factory=list)
    postscript: str = ""
    opening: str = ""
    end: str = ""


def read_needs(constraints: Sequence[Constraint]) -> Needs:
    """The constraints as one record; where two of a kind differ, the stricter."""
    needs = Needs()
    for c in constraints:
        k = c.kwargs
        match c.id:
            case "keywords:existence":
                needs.mentions += [word for word in k["keywords"] if word not in needs.mentions]
            case "keywords:frequency" if k["relation"] == "at least":
                missing = k["frequency"] - needs.mentions.count(k["keyword"])
                needs.mentions += [k["keyword"].strip()] * missing
            case "keywords:frequency":
                needs.capped[k["keyword"].strip().lower()] = k["frequency"]
            case "keywords:forbidden_words":
                needs.forbidden += k["forbidden_words"]
            case "keywords:letter_frequency":
                bounds = needs.letters.setdefault(k["letter"].lower(), Bounds())
                bounds.meet(k["let_frequency"], k["let_relation"])
            case "language:response_language":
                needs.language = k["language"]
            case "length_constraints:number_sentences":
                needs.sentences.meet(k["num_sentences"], k["relation"])
            case "length_constraints:number_paragraphs":
                needs.paragraphs = k["num_paragraphs"]
            case "length_constraints:number_words":
                needs.words.meet(k["num_words"], k["relation"])
            case "length_constraints:nth_paragraph_first_word":
                needs.pieces = k["num_paragraphs"]
                needs.first_words[k["nth_paragraph"]] = k["first_word"]
            case "detectable_content:number_placeholders":
                needs.placeholders = max(needs.placeholders, k["num_placeholders"])
            case "detectable_content:postscript":
                needs.postscript = k["postscript_marker"]
            case "detectable_format:number_bullet_lists":
                needs.bullets = k["num_bullets"]
            case "detectable_format:constrained_response":
                needs.answer = True
            case "detectable_format:number_highlighted_sections":
                needs.highlights = max(needs.highlights, k["num_highlights"])
            case "detectable_format:multiple_sections":
                needs.headings += [f"{k['section_spliter']} {n + 1}" for n in range(k["num_sections"])]
            case "detectable_format:json_format":
                needs.json = True
            case "detectable_format:title":
                needs.title = True
            case "combination:two_responses":
                needs.two_responses = True
            case "combination:repeat_prompt":
                needs.opening = max(needs.opening, k["prompt_to_repeat"].strip(), key=len)
            case "startend:end_checker":
                needs.end = max(needs.end, k["end_phrase"].strip(), key=len)
            case "startend:quotation":
                needs.quotation = True
            case "change_case:capital_word_frequency":
                needs.capitals.meet(k["capital_frequency"], k["capital_relation"])
            case "change_case:english_capital":
                needs.case = "upper"
            case "change_case:english_lowercase":
                needs.case = "lower"
            case "punctuation:no_comma":
                needs.commas = False
    return needs
