"""Conflicts: which constraints cannot be satisfied together, by id or by argument.

    conflicts([Constraint("punctuation:no_comma"), Constraint("startend:end_checker", {"end_phrase": "Well, bye."})])
    # [Conflict(first=0, second=1, reason="the end phrase 'Well, bye.' holds a comma")]

A conflict means *unsatisfiable*: no honest text passes both checks. "Honest" leaves out what only fools a checker: a
line of JSON that begins with a negative number is no bullet point, a sentence has at least three words, an address
without a detectable language is not in every language. A pair that is merely hard, or oddly worded, is no conflict;
whether a larger combination can be met is what `witness` finds out. The rules look at pairs; a constraint that no
text can meet (less than 0 words) is in conflict with itself.

IFEval ships a table of its own (`IFEVAL_CONFLICTS`), by id alone and much stricter: it all but forbids JSON beside
anything. Its released code never consults it and its own prompts break it; it is here by name, for comparison.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ifpref.constraints.registry import CONSTRAINTS, Constraint

# What an honest text can do, where a checker alone would accept less.
WORDS_PER_SENTENCE = 3  # "Rain fell fast." counts as a sentence, "Yes." over and over does not
LETTERS_PER_WORD = 4  # "Mississippi" has four of a letter; hardly a word has more


class Conflict(NamedTuple):
    """Positions of two constraints that cannot both be met (the same one twice: it cannot be met), and why."""

    first: int
    second: int
    reason: str


def conflicts(constraints: Sequence[Constraint]) -> list[Conflict]:
    """Every pair of positions that no honest text can satisfy together, with the reason."""
    found = [Conflict(i, i, reason) for i, c in enumerate(constraints) for reason in _impossible(c)]
    for i, first in enumerate(constraints):
        for j in range(i + 1, len(constraints)):
            reason = conflict(first, constraints[j])
            if reason:
                found.append(Conflict(i, j, reason))
    return found


def conflict(first: Constraint, second: Constraint) -> str | None:
    """Why the two cannot be met together, or None where they can."""
    for a, b in ((first, second), (second, first)):
        for rule in _RULES.get(a.id, ()):
            reason = rule(a, b)
            if reason:
                return reason
    return None


# What a constraint makes a text contain.


def required_texts(c: Constraint) -> list[str]:
    """Strings that must stand in every response (in any case), as often as they must."""
    k = c.kwargs
    match c.id:
        case "keywords:existence":
            return _outermost(k["keywords"])
        case "keywords:frequency":
            return [k["keyword"].strip()] * k["frequency"] if k["relation"] == "at least" else []
        case "length_constraints:nth_paragraph_first_word":
            return [k["first_word"]]
        case "detectable_content:postscript":
            return [k["postscript_marker"]]
        case "detectable_format:multiple_sections":
            return [f"{k['section_spliter']} {n + 1}" for n in range(k["num_sections"])]
        case "combination:repeat_prompt":
            return [k["prompt_to_repeat"].strip()]
        case "startend:end_checker":
            return [k["end_phrase"].strip()]
        case "detectable_format:constrained_response":
            return ["My answer is"]
    return []


def _cased_texts(c: Constraint) -> list[str]:
    """Those of them that must stand in exactly that case."""
    sensitive = ("detectable_format:multiple_sections", "detectable_format:constrained_response")
    return required_texts(c) if c.id in sensitive else []


def _outermost(words: Sequence[str]) -> list[str]:
    """The words that stand inside no other word of the list: what a text needs to hold them all."""
    folded = dict.fromkeys(word.lower() for word in words)
    return [w for w in folded if not any(w != other and w in other for other in folded)]


def _count_words(text: str) -> int:
    return len(re.findall(r"\w+", text))


def minimum_words(c: Constraint) -> int:
    """The fewest words (IFEval's, runs of `\\w`) of an honest response that meets the constraint."""
    k = c.kwargs
    match c.id:
        case "length_constraints:number_words":
            return k["num_words"] if k["relation"] == "at least" else 0
        case "length_constraints:number_sentences":
            return WORDS_PER_SENTENCE * k["num_sentences"] if k["relation"] == "at least" else 0
        case "keywords:letter_frequency":
            at_least = k["let_relation"] == "at least" and k["letter"].isalpha()
            return -(-k["let_frequency"] // LETTERS_PER_WORD) if at_least else 0
        case "change_case:capital_word_frequency":
            return k["capital_frequency"] if k["capital_relation"] == "at least" else 0
        case "combination:two_responses":
            return 2
        case "detectable_format:title" | "startend:quotation":
            return 1
        case "length_constraints:number_paragraphs" | "length_constraints:nth_paragraph_first_word":
            return k["num_paragraphs"]
        case "detectable_content:number_placeholders":
            return k["num_placeholders"]
        case "detectable_format:number_bullet_lists":
            return k["num_bullets"]
        case "detectable_format:number_highlighted_sections":
            return k["num_highlights"]
    return sum(_count_words(text) for text in required_texts(c))


# Rules: each looks at one kind of constraint (a) beside any other (b), and gives a reason or None.

Rule = Callable[[Constraint, Constraint], str | None]


def _forbidden(a: Constraint, b: Constraint) -> str | None:
    for word in a.kwargs["forbidden_words"]:
        for text in required_texts(b):
            if re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE):
                return f"the forbidden word {word!r} stands in {text!r}, which is required"
    return None


def _capped_keyword(a: Constraint, b: Constraint) -> str | None:
    k = a.kwargs
    if k["relation"] == "at least":
        return None
    keyword = k["keyword"].strip().lower()
    needed = sum(text.lower().count(keyword) for text in required_texts(b))
    if needed and needed >= k["frequency"]:
        return f"{keyword!r} is required {needed} times and allowed less than {k['frequency']} times"
    return None


def _letters(a: Constraint, b: Constraint) -> str | None:
    k = a.kwargs
    letter, limit = k["letter"].lower(), k["let_frequency"]
    if k["let_relation"] == "at least":
        if letter == "," and limit and b.id == "punctuation:no_comma":
            return "commas are counted and forbidden"
        return None
    if b.id == a.id and b.kwargs["let_relation"] == "at least" and b.kwargs["letter"].lower() == letter:
        needed = b.kwargs["let_frequency"]
    else:
        needed = sum(text.lower().count(letter) for text in required_texts(b))
    if needed and needed >= limit:
        return f"the letter {letter!r} is required {needed} times and allowed less than {limit} times"
    return None


def _few_words(a: Constraint, b: Constraint) -> str | None:
    limit, needed = a.kwargs["num_words"], minimum_words(b)
    if a.kwargs["relation"] == "less than" and needed and needed >= limit:
        return f"{b.id} needs {needed} words or more, and less than {limit} are allowed"
    return None


def _few_sentences(a: Constraint, b: Constraint) -> str | None:
    if a.id != b.id or a.kwargs["relation"] == "at least" or b.kwargs["relation"] == "less than":
        return None
    limit, needed = a.kwargs["num_sentences"], b.kwargs["num_sentences"]
    return f"{needed} sentences or more, and less than {limit}" if needed >= limit else None


def _no_comma(a: Constraint, b: Constraint) -> str | None:
    text = next((text for text in required_texts(b) if "," in text), None)
    name = "the end phrase" if b.id == "startend:end_checker" else "the required text"
    return f"{name} {text!r} holds a comma" if text else None


def _lowercase(a: Constraint, b: Constraint) -> str | None:
    if b.id == "change_case:english_capital":
        return "all capitals and all lower case"
    if b.id == "change_case:capital_word_frequency":
        at_least = b.kwargs["capital_relation"] == "at least" and b.kwargs["capital_frequency"] > 0
        return "words in capitals are required in a text without capitals" if at_least else None
    text = next((text for text in _cased_texts(b) if text != text.lower()), None)
    return f"{text!r} has capital letters" if text else _english(a, b)


def _capitals(a: Constraint, b: Constraint) -> str | None:
    if b.id == "change_case:capital_word_frequency":
        few = b.kwargs["capital_relation"] == "less than" and b.kwargs["capital_frequency"] <= 1
        return "every word is in capitals, and no word may be" if few else None
    text = next((text for text in _cased_texts(b) if text != text.upper()), None)
    return f"{text!r} has lower-case letters" if text else _english(a, b)


def _english(a: Constraint, b: Constraint) -> str | None:
    if b.id == "language:response_language" and b.kwargs["language"] != "en":
        return f"the text must be English and be in {b.kwargs['language']!r}"
    return None


def _few_capitals(a: Constraint, b: Constraint) -> str | None:
    limit = a.kwargs["capital_frequency"]
    if a.kwargs["capital_relation"] == "at least":
        return None
    if b.id == a.id and b.kwargs["capital_relation"] == "at least":
        needed = b.kwargs["capital_frequency"]
    else:
        needed = sum(word.isupper() for text in _cased_texts(b) for word in text.split())
    return f"{needed} words in capitals or more, and less than {limit}" if needed >= limit > 0 else None


def _json(a: Constraint, b: Constraint) -> str | None:
    k = b.kwargs
    if b.id == "detectable_format:number_bullet_lists" and k["num_bullets"]:
        return "a string in JSON holds no line break, so no line of JSON can begin with a bullet"
    if b.id == "combination:repeat_prompt":
        return "a text that begins by repeating the request is not JSON"
    if b.id == "length_constraints:nth_paragraph_first_word" and k["nth_paragraph"] == 1 < k["num_paragraphs"]:
        return "JSON of several paragraphs begins with a bracket, not with a word"
    text = next((text for text in required_texts(b) if '"' in text or "\\" in text), None)
    return f"{text!r} cannot stand in JSON as it is: its marks must be escaped" if text else None


def _paragraphs(a: Constraint, b: Constraint) -> str | None:
    if b.id == "combination:two_responses":
        return "the divider ****** holds *** twice, with an empty paragraph between"
    return _same_number("num_paragraphs")(a, b)


def _same_number(name: str) -> Rule:
    def rule(a: Constraint, b: Constraint) -> str | None:
        if a.id == b.id and a.kwargs[name] != b.kwargs[name]:
            return f"exactly {a.kwargs[name]} and exactly {b.kwargs[name]}"
        return None

    return rule


def _nth_paragraph(a: Constraint, b: Constraint) -> str | None:
    k = a.kwargs
    if b.id == a.id:
        if k["nth_paragraph"] == b.kwargs["nth_paragraph"] and k["first_word"] != b.kwargs["first_word"]:
            return f"paragraph {k['nth_paragraph']} cannot begin with two words"
        return _same_number("num_paragraphs")(a, b)
    if b.id == "combination:repeat_prompt" and k["nth_paragraph"] == 1:
        prompt = b.kwargs["prompt_to_repeat"].lower().split()[0].lstrip("'").lstrip('"')
        if re.split(r"[.,?!'\"]", prompt)[0] != k["first_word"].lower():
            return f"the request, which comes first, does not begin with {k['first_word']!r}"
    return None


def _language(a: Constraint, b: Constraint) -> str | None:
    if a.id == b.id and a.kwargs["language"] != b.kwargs["language"]:
        return f"the text cannot be in {a.kwargs['language']!r} and in {b.kwargs['language']!r}"
    return None


def _end(a: Constraint, b: Constraint) -> str | None:
    if a.id != b.id:
        return None
    ends = sorted((c.kwargs["end_phrase"].strip().lower() for c in (a, b)), key=len)
    return None if ends[1].endswith(ends[0]) else "a text has one end"


def _repeat(a: Constraint, b: Constraint) -> str | None:
    prompt = a.kwargs["prompt_to_repeat"].strip().lower()
    if b.id == "startend:quotation" and not prompt.startswith('"'):
        return "the text begins with the request, not with a quotation mark"
    if b.id == a.id:
        starts = sorted((prompt, b.kwargs["prompt_to_repeat"].strip().lower()), key=len)
        return None if starts[1].startswith(starts[0]) else "a text has one beginning"
    return None


_RULES: dict[str, tuple[Rule, ...]] = {
    "keywords:forbidden_words": (_forbidden,),
    "keywords:frequency": (_capped_keyword,),
    "keywords:letter_frequency": (_letters,),
    "length_constraints:number_words": (_few_words,),
    "length_constraints:number_sentences": (_few_sentences,),
    "length_constraints:number_paragraphs": (_paragraphs,),
    "length_constraints:nth_paragraph_first_word": (_nth_paragraph,),
    "language:response_language": (_language,),
    "detectable_format:number_bullet_lists": (_same_number("num_bullets"),),
    "detectable_format:json_format": (_json,),
    "punctuation:no_comma": (_no_comma,),
    "change_case:english_lowercase": (_lowercase,),
    "change_case:english_capital": (_capitals,),
    "change_case:capital_word_frequency": (_few_capitals,),
    "startend:end_checker": (_end,),
    "combination:repeat_prompt": (_repeat,),
}


def _impossible(c: Constraint) -> Iterator[str]:
    """Why no text at all meets the constraint."""
    k = c.kwargs
    relation = next((value for name, value in k.items() if name.endswith("relation")), "at least")
    number = next((value for value in k.values() if isinstance(value, int)), 1)
    least = 1 if c.id == "length_constraints:number_sentences" else 0  # a text has at least one sentence
    if relation == "less than" and number <= least:
        yield f"no text has less than {number}"
    if c.id == "startend:end_checker" and k["end_phrase"].strip().endswith('"'):
        yield "quotation marks at the end are stripped before the end is looked at"
    if c.id == "length_constraints:nth_paragraph_first_word" and (
        re.search(r"[\s.,?!'\"]", k["first_word"]) is not None
    ):
        yield f"no first word can hold a space or any of . , ? ! ' \" as {k['first_word']!r} does"


# IFEval's own table, symmetrised: the raw entries are one-way in 86 places.
_ALL = frozenset(CONSTRAINTS)
_IFEVAL_TABLE = {
    "detectable_format:constrained_response": _ALL,
    "detectable_format:json_format": _ALL - {"keywords:existence", "keywords:forbidden_words"},
    "combination:repeat_prompt": _ALL - {"keywords:existence", "detectable_format:title", "punctuation:no_comma"},
    "combination:two_responses": _ALL
    - {
        "keywords:existence",
        "keywords:forbidden_words",
        "language:response_language",
        "detectable_format:title",
        "punctuation:no_comma",
    },
    "language:response_language": {
        "change_case:english_capital",
        "change_case:english_lowercase",
        "detectable_format:multiple_sections",
        "keywords:existence",
        "keywords:frequency",
        "keywords:forbidden_words",
        "startend:end_checker",
    },
    "length_constraints:number_paragraphs": {
        "length_constraints:nth_paragraph_first_word",
        "length_constraints:number_sentences",
    },
    "detectable_format:number_highlighted_sections": {"detectable_format:multiple_sections"},
    "change_case:capital_word_frequency": {"change_case:english_capital", "change_case:english_lowercase"},
    "change_case:english_capital": {"change_case:english_lowercase"},
    "detectable_format:title": {"startend:quotation"},
}
IFEVAL_CONFLICTS: frozenset[frozenset[str]] = frozenset(
    frozenset((id, other)) for id, others in _IFEVAL_TABLE.items() for other in others
) | frozenset(frozenset((id,)) for id in CONSTRAINTS)
"""IFEval's hand-made table of ids that it would not combine (INSTRUCTION_CONFLICTS); a set of one id: the id twice."""


def ifeval_conflicts(constraints: Sequence[Constraint]) -> list[tuple[int, int]]:
    """The pairs of positions that IFEval's table forbids, satisfiable or not."""
    return [
        (i, j)
        for i, first in enumerate(constraints)
        for j in range(i + 1, len(constraints))
        if frozenset((first.id, constraints[j].id)) in IFEVAL_CONFLICTS
    ]
