"""How a prompt asks for a constraint: several natural wordings for each id, long and short.

    >>> kwargs = {"keyword": "river", "frequency": 3, "relation": "less than"}
    >>> river = Constraint("keywords:frequency", kwargs)
    >>> describe(river)
    'Use the word "river" less than 3 times in your response.'
    >>> describe(river, 3)
    'Mention the word "river" no more than twice.'
    >>> describe(river, 1, short=True)
    'Say "river" fewer than 3 times.'

Decisions. Wordings are data (`templates.py`) and nothing is drawn here: who builds prompts draws the variant.
A relation is said in several ways of one meaning: "less than 5" is also "at most 4", and "less than 1" is
"not at all". Two constraints never share a text: arguments are quoted so that they can be told from what
surrounds them. Odd variants spell numbers out up to twelve; short ones keep digits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ifpref.constraints.registry import CONSTRAINTS, LANGUAGES, Constraint, ConstraintError, nearest
from ifpref.constraints.templates import TEMPLATES

# (at least, less than), one pair a variant, in turn. {count} is "5 words", {n} words; {top} is one fewer.
_AMOUNTS = (
    ("at least {count}", "less than {count}"),
    ("{n} or more {nouns}", "fewer than {count}"),
    ("at least {count}", "at most {top}"),
    ("no fewer than {count}", "no more than {top}"),
    ("a minimum of {count}", "a maximum of {top}"),
    ("at least {count}", "fewer than {count}"),
    ("{n} or more {nouns}", "no more than {top}"),
)
_TIMES = (
    ("at least {times}", "less than {count}"),
    ("{n} or more times", "fewer than {count}"),
    ("at least {times}", "at most {top times}"),
    ("no less than {times}", "no more than {top times}"),
    ("a minimum of {count}", "a maximum of {top}"),
    ("at least {times}", "fewer than {count}"),
    ("{times} or more", "{top times} at most"),
)

# What an argument counts, under the plural of the noun; every count with a relation is also there as `times`.
_NOUNS = {
    "frequency": (),
    "let_frequency": (),
    "num_sentences": ("sentence",),
    "num_paragraphs": ("paragraph",),
    "num_words": ("word",),
    "num_placeholders": ("placeholder",),
    "num_bullets": ("bullet point",),
    "num_highlights": ("section", "part"),
    "num_sections": ("section",),
    "capital_frequency": ("word",),
}

_OPTIONS = '"My answer is yes.", "My answer is no." or "My answer is maybe."'
_NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
_ORDINALS = (
    "zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth",
)  # fmt: skip


def describe(
    constraint: Constraint, variant: int | None = None, *, short: bool = False, request: str | None = None
) -> str:
    """One complete sentence that asks for the constraint.

    variant  which wording, from 0 to `variants(constraint.id, short) - 1`; None is 0
    short    the short wordings: about ten words, plain vocabulary, digits
    request  the request that stands before it in the prompt: where `repeat_prompt` is to repeat just that, it
             is called "the request above", otherwise what is to be repeated is quoted; other ids ignore it

    Raises `ConstraintError` where there is no such variant.
    """
    templates = _TEMPLATES[constraint.id][short]
    variant = 0 if variant is None else variant
    if isinstance(variant, bool) or not isinstance(variant, int) or not 0 <= variant < len(templates):
        form = "short wording" if short else "wording"
        raise ConstraintError(
            f"{constraint.id}: no {form} {variant!r}; allowed: 0 to {len(templates) - 1}, or None for 0"
        )
    slots, edge = _slots(constraint, variant, spelled=variant % 2 == 1 and not short, request=request)
    return templates[variant][edge].format_map(slots)


def variants(id: str, short: bool = False) -> int:
    """How many wordings, or short wordings, the id has; raises `ConstraintError` for an unknown id."""
    if id not in _TEMPLATES:
        raise ConstraintError(
            f"unknown constraint id {id!r}{nearest(id, CONSTRAINTS)}; known: {', '.join(CONSTRAINTS)}"
        )
    return len(_TEMPLATES[id][short])


def _slots(constraint: Constraint, variant: int, spelled: bool, request: str | None) -> tuple[dict[str, str], bool]:
    """What fills the slots of a wording, by name, and whether it is the edge case of `templates.py`."""
    kwargs = constraint.kwargs
    relation = next((value for name, value in kwargs.items() if name.endswith("relation")), None)
    slots = {"options": _OPTIONS}
    edge = False
    for name, value in kwargs.items():
        if name in _NOUNS:
            none = relation == "less than" and value == 1
            edge = none if relation else value == 1
            slots["n"] = _number(value, spelled)
            slots["times"] = "at all" if none else _relate(_TIMES, variant, relation, value, "time", spelled)
            for noun in _NOUNS[name]:
                count = _relate(_AMOUNTS, variant, relation, value, noun, spelled)
                slots[f"{noun}s"] = f"any {noun}s" if none else count
        elif isinstance(value, tuple):
            edge = len(value) == 1
            conjunction = "or" if name == "forbidden_words" else "and"
            slots[name] = _series([_quote(item) for item in value], conjunction)
        elif isinstance(value, str):
            slots[name] = _quote(value)
    match kwargs:
        case {"letter": letter}:
            slots["letter"] = _letter(letter, spelled)
            slots["cases"] = ", in upper or lower case," if letter.lower() != letter.upper() else ""
        case {"language": language}:
            slots["language"] = LANGUAGES[language]
        case {"nth_paragraph": nth}:
            slots["nth"], slots["ordinal"] = str(nth), _ordinal(nth, spelled)
        case {"section_spliter": spliter, "num_sections": sections}:
            first, second, any_one = (_quote(f"{spliter} {mark}") for mark in (1, 2, "X"))
            slots["headings"] = first if sections == 1 else f"{first}, {second} and so on"
            slots["heading X"] = any_one
        case {"postscript_marker": marker}:
            slots["postscript_marker"] = marker
        case {"prompt_to_repeat": text}:
            slots["request"] = "the request above" if text == request else f"the request {_quote(text)}"
    return slots, edge


def _relate(
    pairs: Sequence[tuple[str, str]], variant: int, relation: str | None, n: int, noun: str, spelled: bool
) -> str:
    """`n` of a noun with its relation ("at least 3 words"), or bare where there is none ("3 words")."""
    if relation is None:
        return _count(n, noun, spelled)
    at_least, less_than = pairs[variant % len(pairs)]
    # "Less than 0" cannot be met, but it can be said; "at most -1" is no English.
    phrase = at_least if relation == "at least" else less_than if n > 0 else "fewer than {count}"
    return phrase.format_map(
        {
            "n": _number(n, spelled),
            "nouns": f"{noun}s",
            "count": _count(n, noun, spelled),
            "times": _times(n, spelled),
            "top": _count(n - 1, noun, spelled),
            "top times": _times(n - 1, spelled),
        }
    )


def _number(n: int, spelled: bool) -> str:
    """Digits or, up to twelve, the number's word."""
    return _NUMBERS[n] if spelled and 0 <= n < len(_NUMBERS) else str(n)


def _ordinal(n: int, spelled: bool) -> str:
    """`2nd`, or `second` up to `twelfth`."""
    if spelled and n < len(_ORDINALS):
        return _ORDINALS[n]
    teens = 11 <= n % 100 <= 13
    return f"{n}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


def _count(n: int, noun: str, spelled: bool) -> str:
    return f"{_number(n, spelled)} {noun}{'' if n == 1 else 's'}"


def _times(n: int, spelled: bool) -> str:
    return {1: "once", 2: "twice"}.get(n) or _count(n, "time", spelled)


def _letter(letter: str, spelled: bool) -> str:
    """`letter "q"`, plain `letter q` where numbers are spelled, and `character "#"` for what is no letter."""
    if not letter.isalpha():
        return f"character {_quote(letter)}"
    return f"letter {letter}" if spelled else f"letter {_quote(letter)}"


def _quote(text: str) -> str:
    """The text in quotation marks that it does not hold itself; doubled ones where it holds all kinds."""
    for left, right in ('""', "''", "“”"):
        if left not in text and right not in text:
            return f"{left}{text}{right}"
    return '"' + text.replace('"', '""') + '"'


def _series(items: Sequence[str], conjunction: str) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f" {conjunction} ".join([", ".join(items[:-1])] * (len(items) > 1) + [items[-1]])


def _read(table: str) -> dict[str, tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]]:
    """The table by id: its wordings and its short ones, each as (usual, edge)."""
    read = {}
    for block in table.strip().split("\n\n"):
        id, *lines = block.split("\n")
        long = [line for line in lines if not line.startswith(">")]
        short = [part for line in lines if line.startswith(">") for part in line[1:].strip().split(" / ")]
        read[id] = tuple(tuple((_choose(text, 1), _choose(text, 2)) for text in form) for form in (long, short))
    return read


def _choose(template: str, side: int) -> str:
    """The template with each `[a|b]` replaced by `a` (side 1) or `b` (side 2)."""
    return re.sub(r"\[([^][|]*)\|([^][|]*)\]", rf"\{side}", template)


_TEMPLATES = _read(TEMPLATES)
