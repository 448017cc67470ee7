"""The kinds of constraints, and the frozen value that names one.

A constraint is an IFEval id with its arguments (Zhou et al. 2023, arXiv 2311.07911):

    Constraint("keywords:existence", {"keywords": ["river", "stone"]})

It is checked when it is built: an unknown id, a missing or unknown argument, a wrong type or a value out of
range raises `ConstraintError` and says what is allowed. IFEval's own code draws a missing argument at random,
which makes a verdict random too; here nothing is ever drawn. An argument that is `None` is an absent one, since
columnar copies of IFEval pad every row with nulls; 0 and "" are values and are judged as such.

Everything about one kind stands in its class, in a file of `families/`:

    class NoComma(Kind, id="punctuation:no_comma"):
        "no comma"                                            # what it asks, in a few words

        wordings = "Use no commas in your response. ..."      # how a prompt asks for it (format: wording.py)

        def check(self, text): ...                            # whether a text meets it
        def need(self, needs): ...                            # what a text must have, for conflicts and witnesses
        def conflicts(self, mine, other): ...                 # why it cannot stand beside another constraint

Its arguments are class attributes (`num_words = number("words", "word")`), under IFEval's names; `check`, `need` and
`slots` receive their values by these names. Defining the class registers the kind.
"""

from __future__ import annotations

import difflib
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar

from ifpref.constraints.needs import Bounds, Needs

RELATIONS = ("less than", "at least")

_KINDS: dict[str, Kind] = {}
_SETS: dict[str, tuple[str, ...]] = {}
CONSTRAINTS: Mapping[str, Kind] = MappingProxyType(_KINDS)
"""All kinds by id: the 25 of IFEval, in the order of its paper's table."""
CONSTRAINT_SETS: Mapping[str, tuple[str, ...]] = MappingProxyType(_SETS)
"""Sets of ids by name, as `constraint_set` in params/ chooses them: `study` (23) and `ifeval` (25)."""


class ConstraintError(ValueError):
    """A constraint that cannot be built, or a set of them that cannot be met; the message says why."""


def nearest(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the known name closest to `name`, or nothing where none is close."""
    close = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


def kind_of(id: str) -> Kind:
    """The kind of that id; raises `ConstraintError`, with the ids there are, for an unknown one."""
    if not isinstance(id, str) or id not in CONSTRAINTS:
        raise ConstraintError(
            f"unknown constraint id {id!r}{nearest(id, CONSTRAINTS)}; known: {', '.join(CONSTRAINTS)}"
        )
    return CONSTRAINTS[id]


@dataclass(frozen=True)
class Arg:
    """One argument of a constraint: its type, its bounds or choices, and what it means.

    type     "int", "text" (a non-blank string), "letter" (one character) or "texts" (a non-empty list of text)
    low      the smallest value of an int
    choices  the values allowed, where they are few
    nouns    what an int counts, in the singular: a slot of the wordings for each
    joined   the last word of a list in the wordings
    """

    type: str
    doc: str
    low: int = 0
    choices: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()
    joined: str = "and"

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
            value = tuple(value) if isinstance(value, list) else value
            ok = isinstance(value, tuple) and value and all(map(_is_text, value))
        elif self.type == "int":
            # Arrow and pandas bring whole numbers back as floats once a column has held a null.
            value = int(value) if isinstance(value, float) and value.is_integer() else value
            ok = isinstance(value, int) and not isinstance(value, bool) and value >= self.low
        else:
            value = value.strip() if self.type == "letter" and isinstance(value, str) else value
            ok = _is_text(value) and (self.type == "text" or len(value) == 1)
        if not ok or (self.choices and value not in self.choices):
            raise ValueError(self.allowed)
        return value


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def number(doc: str, *nouns: str, low: int = 0) -> Arg:
    """A count, of what `nouns` name in the wordings."""
    return Arg("int", doc, low, nouns=nouns)


RELATION = Arg("text", "how the count compares with the number", choices=RELATIONS)


class Kind:
    """One kind of constraint. What a subclass does not say has the defaults here.

    id         IFEval's id
    group      the part of it before the colon: `keywords`, `length_constraints`, ...
    doc        what it asks, in a few words: the docstring of the class
    args       its arguments by name
    wordings   how a prompt asks for it
    sets       the sets of constraints that it belongs to (`constraint_set` in params/)
    asks       a field of `Needs` and its value, where what it needs depends on no argument
    """

    id: ClassVar[str]
    doc: ClassVar[str]
    group: ClassVar[str]
    args: ClassVar[Mapping[str, Arg]]
    wordings: ClassVar[str]
    sets: ClassVar[tuple[str, ...]] = ("ifeval", "study")
    asks: ClassVar[tuple[str, Any] | None] = None
    number_arg: ClassVar[str | None]  # the argument that counts: the first whole number
    relation_arg: ClassVar[str | None]  # the argument that says how a count compares with it
    compares: ClassVar[str] = "at least"  # or "exactly", where no argument says it
    fewest: ClassVar[int] = 0  # no text has fewer of what is counted

    def __init_subclass__(cls, id: str | None = None) -> None:
        if id is None:
            return
        cls.id, cls.group, cls.doc = id, id.split(":")[0], (cls.__doc__ or "").strip()
        cls.args = {name: value for name, value in vars(cls).items() if isinstance(value, Arg)}
        cls.number_arg = next((name for name, arg in cls.args.items() if arg.type == "int"), None)
        cls.relation_arg = next((name for name, arg in cls.args.items() if arg.choices == RELATIONS), None)
        _KINDS[id] = cls()
        for name in cls.sets:
            _SETS[name] = tuple(dict.fromkeys((*_SETS.get(name, ()), id)))

    def arguments(self, rng: random.Random, words: Sequence[str]) -> dict[str, Any] | None:
        """Natural arguments for a prompt, `words` being its topic's; None: the domains of prompts have their own."""

    def check(self, text: str, **kwargs: Any) -> bool:
        """Whether a text that is not blank meets the constraint."""
        raise NotImplementedError(f"{self.id} has no check")

    def need(self, needs: Needs, **kwargs: Any) -> None:
        """Add what a text must have to the needs; where others ask for the same, the stricter holds."""
        if self.asks:
            setattr(needs, *self.asks)

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        """Why no honest text can meet one of this kind and the other."""
        if self.compares == "exactly" and other.id == self.id and other.number != mine.number:
            yield f"exactly {mine.number} and exactly {other.number}"

    def invalid(self, **kwargs: Any) -> Iterator[str]:
        """What is wrong with arguments that are each allowed."""
        yield from ()

    def impossible(self, **kwargs: Any) -> Iterator[str]:
        """Why no text at all meets the constraint."""
        n, compares = self.counted(kwargs)
        if compares == "less than" and n <= self.fewest:
            yield f"no text has less than {n}"

    def slots(self, spelled: bool, **kwargs: Any) -> dict[str, str]:
        """What fills slots of the wordings that are not just an argument; `spelled` asks for number words."""
        return {}

    def counted(self, kwargs: Mapping[str, Any]) -> tuple[int | None, str | None]:
        """The number asked for and how a count compares with it: `(3, "less than")`; `(None, None)` without one."""
        if self.number_arg is None:
            return None, None
        return kwargs[self.number_arg], kwargs[self.relation_arg] if self.relation_arg else self.compares

    def bounds(self, kwargs: Mapping[str, Any]) -> Bounds:
        """The counts that are allowed."""
        n, compares = self.counted(kwargs)
        return Bounds(0, n) if compares == "less than" else Bounds(n, n + 1 if compares == "exactly" else math.inf)

    def parse(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments in their frozen form and in the order of the class; raises `ConstraintError`."""
        takes = ", ".join(self.args) or "no arguments"
        for name in found:
            if name not in self.args:
                known = nearest(name, self.args)
                raise ConstraintError(f"{self.id}: unknown argument {name!r}{known}; it takes {takes}")
        parsed: dict[str, Any] = {}
        for name, arg in self.args.items():
            if name not in found:
                raise ConstraintError(f"{self.id}: argument {name!r} is missing; it takes {takes}")
            try:
                parsed[name] = arg.parse(found[name])
            except ValueError as error:
                raise ConstraintError(f"{self.id}: {name} must be {error}, found {found[name]!r}") from None
        for wrong in self.invalid(**parsed):
            raise ConstraintError(f"{self.id}: {wrong}")
        return parsed


class Counted(Kind):
    """A kind that is met by a count: at least, exactly or less than its number.

    unit        the field of `Needs` that holds the counts allowed
    words_each  how many words each of them takes, in an honest text
    """

    unit: ClassVar[str] = ""
    words_each: ClassVar[int] = 1

    def count(self, text: str, **kwargs: Any) -> int:
        """How many there are; -1 where the text is not made so that they could be counted."""
        raise NotImplementedError(f"{self.id} has no count")

    def check(self, text: str, **kwargs: Any) -> bool:
        return self.count(text, **kwargs) in self.bounds(kwargs)

    def need(self, needs: Needs, **kwargs: Any) -> None:
        bounds = self.bounds(kwargs)
        getattr(needs, self.unit).meet(bounds)
        needs.least_words = max(needs.least_words, self.words_each * bounds.low)


@dataclass(frozen=True, repr=False)
class Constraint:
    """One constraint: an IFEval id and its arguments. Frozen, hashable, checked when built.

    id      one of `CONSTRAINTS`
    kwargs  IFEval's arguments by IFEval's names; lists come back as tuples, absent (`None`) ones are dropped

    Raises `ConstraintError` naming the id, the argument, what was found and what is allowed.
    """

    id: str
    kwargs: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        kind = kind_of(self.id)
        if self.kwargs is not None and not isinstance(self.kwargs, Mapping):
            raise ConstraintError(f"{self.id}: kwargs must be a mapping of names to values, found {self.kwargs!r}")
        given = {name: value for name, value in (self.kwargs or {}).items() if value is not None}
        object.__setattr__(self, "kwargs", MappingProxyType(kind.parse(given)))

    def __hash__(self) -> int:
        return hash((self.id, frozenset(self.kwargs.items())))

    def __repr__(self) -> str:
        return f"Constraint({self.id!r}, {self.to_dict()['kwargs']!r})"

    def __reduce__(self) -> tuple:
        return Constraint, (self.id, dict(self.kwargs))

    def to_dict(self) -> dict[str, Any]:
        """`{"id": ..., "kwargs": {...}}` with plain lists: a row of the artefacts, and of IFEval's files."""
        kwargs = {k: list(v) if isinstance(v, tuple) else v for k, v in self.kwargs.items()}
        return {"id": self.id, "kwargs": kwargs}

    @property
    def kind(self) -> Kind:
        """Its entry in `CONSTRAINTS`."""
        return CONSTRAINTS[self.id]

    @property
    def number(self) -> int | None:
        """The number that a count is compared with, where the kind has one."""
        return self.kind.counted(self.kwargs)[0]

    @cached_property
    def bounds(self) -> Bounds:
        """The counts that are allowed, where the kind has a number."""
        return self.kind.bounds(self.kwargs)

    @cached_property
    def needs(self) -> Needs:
        """What it asks of a text."""
        return needs_of([self])

    def forbids_count(self, count: int) -> bool:
        """Whether so many, where there are any, are more than it allows."""
        return bool(count) and count >= self.bounds.high


def needs_of(constraints: Iterable[Constraint]) -> Needs:
    """The needs of a set of constraints as one record; where two of a kind differ, the stricter."""
    needs = Needs()
    for constraint in constraints:
        constraint.kind.need(needs, **constraint.kwargs)
    return needs
