"""The constraints: what each is called, which arguments it takes, and the frozen value that names one.

A constraint is an IFEval id with its arguments (Zhou et al. 2023, arXiv 2311.07911):

    Constraint("keywords:existence", {"keywords": ["river", "stone"]})

It is checked when it is built: an unknown id, a missing or unknown argument, a wrong type or a value out of
range raises `ConstraintError` and says what is allowed. IFEval's own code draws a missing argument at random,
which makes a verdict random too; here nothing is ever drawn. An argument that is `None` is an absent one, since
columnar copies of IFEval pad every row with nulls; 0 and "" are values and are judged as such.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import FrozenInstanceError, dataclass
from types import MappingProxyType
from typing import Any

RELATIONS = ("less than", "at least")

# The 30 codes that IFEval offers; langdetect has a profile of each.
LANGUAGES = MappingProxyType(
    {
        "en": "English", "es": "Spanish", "pt": "Portuguese", "ar": "Arabic", "hi": "Hindi", "fr": "French",
        "ru": "Russian", "de": "German", "ja": "Japanese", "it": "Italian", "bn": "Bengali", "uk": "Ukrainian",
        "th": "Thai", "ur": "Urdu", "ta": "Tamil", "te": "Telugu", "bg": "Bulgarian", "ko": "Korean",
        "pl": "Polish", "he": "Hebrew", "fa": "Persian", "vi": "Vietnamese", "ne": "Nepali", "sw": "Swahili",
        "kn": "Kannada", "mr": "Marathi", "gu": "Gujarati", "pa": "Punjabi", "ml": "Malayalam", "fi": "Finnish",
    }
)  # fmt: skip


class ConstraintError(ValueError):
    """A constraint that cannot be built, or a set of them that cannot be met; the message says why."""


def nearest(name: str, known: Iterator[str] | Mapping[str, Any] | tuple[str, ...]) -> str:
    """` (did you mean 'x'?)` for the known name closest to `name`, or nothing where none is close."""
    close = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


@dataclass(frozen=True)
class Arg:
    """One argument of a constraint: its type, its bounds or choices, and what it means.

    type     "int", "text" (a non-blank string), "letter" (one character) or "texts" (a non-empty list of text)
    low      the smallest value of an int
    choices  the values allowed, where they are few
    """

    type: str
    doc: str
    low: int = 0
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """What a message says is allowed."""
        if self.choices:
            return "one of " + ", ".join(repr(choice) for choice in self.choices)
        return {
            "int": f"a whole number of {self.low} or more",
            "text": "a string that is not blank",
            "letter": "a single character",
            "texts": "a list of one or more strings, none of them blank",
        }[self.type]

    def parse(self, value: Any) -> Any:
        """The value in its frozen form (a list becomes a tuple); raises ValueError where it is not allowed."""
        if self.type == "texts":
            ok = isinstance(value, (list, tuple)) and value and all(_is_text(item) for item in value)
            value = tuple(value) if ok else value
        elif self.type == "int":
            # Arrow and pandas bring whole numbers back as floats once a column has held a null.
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            ok = isinstance(value, int) and not isinstance(value, bool) and value >= self.low
        elif self.type == "letter":
            ok = isinstance(value, str) and len(value.strip()) == 1
            value = value.strip() if ok else value
        else:
            ok = _is_text(value)
        if not ok or (self.choices and value not in self.choices):
            raise ValueError(self.allowed)
        return value


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


@dataclass(frozen=True)
class Kind:
    """One kind of constraint: IFEval's id, its arguments by name, and what it asks in a few words."""

    id: str
    doc: str
    args: Mapping[str, Arg]

    @property
    def group(self) -> str:
        """The part of the id before the colon: `keywords`, `length_constraints`, ..."""
        return self.id.split(":")[0]


def _kind(id: str, doc: str, **args: Arg) -> Kind:
    return Kind(id, doc, MappingProxyType(args))


def _count(doc: str, low: int = 0) -> Arg:
    return Arg("int", doc, low=low)


_RELATION = Arg("text", "how the count compares with the number", choices=RELATIONS)

_KINDS = (
    _kind(
        "keywords:existence",
        "every keyword occurs, in any case, also inside a longer word",
        keywords=Arg("texts", "the words to include"),
    ),
    _kind(
        "keywords:frequency",
        "a keyword occurs less than, or at least, so many times",
        keyword=Arg("text", "the word to count, also inside longer words"),
        frequency=_count("occurrences"),
        relation=_RELATION,
    ),
    _kind(
        "keywords:forbidden_words",
        "none of the words occurs as a whole word",
        forbidden_words=Arg("texts", "the words to avoid"),
    ),
    _kind(
        "keywords:letter_frequency",
        "a letter occurs less than, or at least, so many times, in either case",
        letter=Arg("letter", "the character to count"),
        let_frequency=_count("occurrences"),
        let_relation=_RELATION,
    ),
    _kind(
        "language:response_language",
        "the response is in one language, as langdetect sees it",
        language=Arg("text", "ISO 639-1 code", choices=tuple(LANGUAGES)),
    ),
    _kind(
        "length_constraints:number_sentences",
        "less than, or at least, so many sentences",
        num_sentences=_count("sentences"),
        relation=_RELATION,
    ),
    _kind(
        "length_constraints:number_paragraphs",
        "exactly so many paragraphs, divided by ***",
        num_paragraphs=_count("paragraphs", low=1),
    ),
    _kind(
        "length_constraints:number_words",
        "less than, or at least, so many words",
        num_words=_count("words"),
        relation=_RELATION,
    ),
    _kind(
        "length_constraints:nth_paragraph_first_word",
        "exactly so many paragraphs divided by blank lines, the nth of which begins with a given word",
        num_paragraphs=_count("paragraphs", low=1),
        nth_paragraph=_count("the paragraph that is looked at, counted from 1", low=1),
        first_word=Arg("text", "its first word"),
    ),
    _kind(
        "detectable_content:number_placeholders",
        "at least so many placeholders in square brackets",
        num_placeholders=_count("placeholders"),
    ),
    _kind(
        "detectable_content:postscript",
        "a postscript that begins with a marker",
        postscript_marker=Arg("text", "P.S. or P.P.S"),
    ),
    _kind(
        "detectable_format:number_bullet_lists",
        "exactly so many bullet points, lines that begin with * or -",
        num_bullets=_count("bullet points"),
    ),
    _kind(
        "detectable_format:constrained_response",
        "contains one of three given answers (yes, no, maybe)",
    ),
    _kind(
        "detectable_format:number_highlighted_sections",
        "at least so many parts *highlighted* in markdown",
        num_highlights=_count("highlighted parts"),
    ),
    _kind(
        "detectable_format:multiple_sections",
        "at least so many sections, each headed by a word and its number",
        section_spliter=Arg("text", "the word that heads a section, such as Section"),
        num_sections=_count("sections"),
    ),
    _kind("detectable_format:json_format", "the whole response is JSON, in a code fence or not"),
    _kind("detectable_format:title", "a title in double angular brackets, <<title>>"),
    _kind("combination:two_responses", "two different responses, divided by ******"),
    _kind(
        "combination:repeat_prompt",
        "begins by repeating the request",
        prompt_to_repeat=Arg("text", "what is to be repeated"),
    ),
    _kind(
        "startend:end_checker",
        "ends with a given phrase, in any case",
        end_phrase=Arg("text", "the last words"),
    ),
    _kind("startend:quotation", "the whole response stands in double quotation marks"),
    _kind(
        "change_case:capital_word_frequency",
        "less than, or at least, so many words all in capitals",
        capital_frequency=_count("words in capitals"),
        capital_relation=_RELATION,
    ),
    _kind("change_case:english_capital", "English, all in capital letters"),
    _kind("change_case:english_lowercase", "English, all in lower-case letters"),
    _kind("punctuation:no_comma", "no comma"),
)

CONSTRAINTS: Mapping[str, Kind] = MappingProxyType({kind.id: kind for kind in _KINDS})
"""All 25 kinds of IFEval, by id, in the order of its paper's table."""

# The study leaves out two kinds: `constrained_response` is the whole answer, so it can be combined with no other
# kind; `repeat_prompt` makes every response to a prompt begin alike, which plants a shared prefix in the pairs
# of rejection sampling: the very thing whose effect is under study.
_NOT_IN_STUDY = ("detectable_format:constrained_response", "combination:repeat_prompt")

CONSTRAINT_SETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ifeval": tuple(CONSTRAINTS),
        "study": tuple(id for id in CONSTRAINTS if id not in _NOT_IN_STUDY),
    }
)
"""Sets of ids by name, as `constraint_set` in params/ chooses them: `study` (23) and `ifeval` (25)."""


class FrozenDict(dict):
    """A dict that cannot be changed: it compares, prints, pickles and goes to JSON as a dict does."""

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("the arguments of a constraint cannot be changed; build another Constraint")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple:
        return FrozenDict, (dict(self),)


class Constraint:
    """One constraint: an IFEval id and its arguments. Frozen, hashable, checked when built.

    id      one of `CONSTRAINTS`
    kwargs  IFEval's arguments by IFEval's names; lists come back as tuples, absent (`None`) ones are dropped

    Raises `ConstraintError` naming the id, the argument, what was found and what is allowed.
    """

    __slots__ = ("_hash", "_key", "id", "kwargs")
    id: str
    kwargs: FrozenDict

    def __init__(self, id: str, kwargs: Mapping[str, Any] | None = None) -> None:
        if not isinstance(id, str) or id not in CONSTRAINTS:
            raise ConstraintError(f"unknown constraint id {id!r}{nearest(id, CONSTRAINTS)}; known: {_ids()}")
        if kwargs is not None and not isinstance(kwargs, Mapping):
            raise ConstraintError(f"{id}: kwargs must be a mapping of names to values, found {kwargs!r}")
        frozen = FrozenDict(_parse(id, {k: v for k, v in (kwargs or {}).items() if v is not None}))
        key = json.dumps([id, frozen], sort_keys=True, ensure_ascii=False)
        for name, value in (("id", id), ("kwargs", frozen), ("_key", key), ("_hash", hash(key))):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise FrozenInstanceError(f"cannot assign to {name!r} of a Constraint: build another")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete {name!r} of a Constraint")

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Constraint) else NotImplemented

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Constraint({self.id!r}, {self.to_dict()['kwargs']!r})"

    def __reduce__(self) -> tuple:
        return Constraint, (self.id, dict(self.kwargs))

    def to_dict(self) -> dict[str, Any]:
        """`{"id": ..., "kwargs": {...}}` with plain lists: a row of the artefacts, and of IFEval's files."""
        kwargs = {k: list(v) if isinstance(v, tuple) else v for k, v in self.kwargs.items()}
        return {"id": self.id, "kwargs": kwargs}


def _ids() -> str:
    return ", ".join(CONSTRAINTS)


def _parse(id: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of one constraint in their frozen form and in the order of the registry."""
    args = CONSTRAINTS[id].args
    takes = ", ".join(args) or "no arguments"
    for name in found:
        if name not in args:
            raise ConstraintError(f"{id}: unknown argument {name!r}{nearest(name, args)}; it takes {takes}")
    parsed: dict[str, Any] = {}
    for name, arg in args.items():
        if name not in found:
            raise ConstraintError(f"{id}: argument {name!r} is missing; it takes {takes}")
        try:
            parsed[name] = arg.parse(found[name])
        except ValueError as error:
            raise ConstraintError(f"{id}: {name} must be {error}, found {found[name]!r}") from None
    nth, count = parsed.get("nth_paragraph"), parsed.get("num_paragraphs")
    if nth is not None and nth > count:
        raise ConstraintError(f"{id}: nth_paragraph must be from 1 to num_paragraphs ({count}), found {nth}")
    return parsed
