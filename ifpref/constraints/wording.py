"""How a prompt asks for a constraint: several natural wordings for each id, long and short.

    >>> kwargs = {"keyword": "river", "frequency": 3, "relation": "less than"}
    >>> river = Constraint("keywords:frequency", kwargs)
    >>> describe(river)
    'Use the word "river" less than 3 times in your response.'
    >>> describe(river, 3)
    'Mention the word "river" no more than twice.'
    >>> describe(river, 1, short=True)
    'Say "river" fewer than 3 times.'

Decisions. Wordings stand with their kind (`families/`) and nothing is drawn here: who builds prompts draws the variant.
A relation is said in several ways of one meaning: "less than 5" is also "at most 4", and "less than 1" is
"not at all". Two constraints never share a text: arguments are quoted so that they can be told from what
surrounds them. Odd variants spell numbers out up to twelve; short ones keep digits.

A kind's `wordings` hold one a line and, after `>`, its short ones, divided by ` / `. In a wording

    {sentences}   is a counted noun, with the relation where there is one: "at least 3 sentences", "1 word"
    {times}       is a count of occurrences: "once", "no more than twice", "at all" (where there must be none)
    {keyword}     and the other arguments are quoted, lists joined: "a", "b" and "c"
    [a|b]         is `b` in the edge case and `a` otherwise: a count or list of one ("[keywords|keyword]") or,
                  with a relation, none at all ("[Use|Do not use]")

A wording says all that the check tests, and stands on its own: prompts put them in any order. Every id has 6
or 7, and 3 short ones of few and plain words for the embedded model. None has eight words in a row from a
prompt of IFEval, or a search for contaminated prompts would find nothing but these.
"""

import re
from functools import cache

from ifpref.constraints.english import cardinal, counted, quote, series, times
from ifpref.constraints.registry import Constraint, ConstraintError, Kind, kind_of

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


def describe(constraint: Constraint, variant: int = 0, *, short: bool = False) -> str:
    """One complete sentence that asks for the constraint.

    variant  which wording, from 0 to `variants(constraint.id, short) - 1`
    short    the short wordings: about ten words, plain vocabulary, digits

    Raises `ConstraintError` where there is no such variant.
    """
    templates = _templates(constraint.kind)[short]
    if type(variant) is not int or variant not in range(len(templates)):
        form = "short wording" if short else "wording"
        raise ConstraintError(f"{constraint.id}: no {form} {variant!r}; allowed: 0 to {len(templates) - 1}")
    slots, edge = _slots(constraint, variant, spelled=variant % 2 == 1 and not short)
    return templates[variant][edge].format_map(slots)


def variants(id: str, short: bool = False) -> int:
    """How many wordings, or short wordings, the id has; raises `ConstraintError` for an unknown id."""
    return len(_templates(kind_of(id))[short])


def _slots(constraint: Constraint, variant: int, spelled: bool) -> tuple[dict[str, str], bool]:
    """What fills the slots of a wording, by name, and whether it is the edge case."""
    kind, kwargs = constraint.kind, constraint.kwargs
    slots = {name: quote(value) for name, value in kwargs.items() if isinstance(value, str)}
    edge = False
    for name, value in kwargs.items():
        if isinstance(value, tuple):
            slots[name] = series([quote(item) for item in value], kind.args[name].joined)
            edge = len(value) == 1
    if constraint.number is not None:
        n, relation = constraint.number, kwargs.get(kind.relation_arg)
        none = relation == "less than" and n == 1
        edge = none if relation else n == 1
        slots["n"] = cardinal(n, spelled)
        slots["times"] = "at all" if none else _amount(_TIMES, variant, relation, n, "time", spelled)
        for noun in kind.args[kind.number_arg].nouns:
            slots[f"{noun}s"] = f"any {noun}s" if none else _amount(_AMOUNTS, variant, relation, n, noun, spelled)
    return slots | kind.slots(spelled, **kwargs), edge


def _amount(
    pairs: tuple[tuple[str, str], ...], variant: int, relation: str | None, n: int, noun: str, spelled: bool
) -> str:
    """`n` of a noun with its relation ("at least 3 words"), or bare where there is none ("3 words")."""
    if relation is None:
        return counted(n, noun, spelled)
    at_least, less_than = pairs[variant % len(pairs)]
    # "Less than 0" cannot be met, but it can be said; "at most -1" is no English.
    phrase = at_least if relation == "at least" else less_than if n > 0 else "fewer than {count}"
    return phrase.format_map(
        {
            "n": cardinal(n, spelled),
            "nouns": f"{noun}s",
            "count": counted(n, noun, spelled),
            "times": times(n, spelled),
            "top": counted(n - 1, noun, spelled),
            "top times": times(n - 1, spelled),
        }
    )


@cache
def _templates(kind: Kind) -> tuple[tuple[tuple[str, str], ...], ...]:
    """The wordings of a kind and its short ones, each as (usual, edge)."""
    lines = [" ".join(line.split()) for line in kind.wordings.strip().splitlines()]
    long = [line for line in lines if not line.startswith(">")]
    short = [part for line in lines if line.startswith(">") for part in line[1:].strip().split(" / ")]
    return tuple(tuple((_choose(text, 1), _choose(text, 2)) for text in form) for form in (long, short))


def _choose(template: str, side: int) -> str:
    """The template with each `[a|b]` replaced by `a` (side 1) or `b` (side 2)."""
    return re.sub(r"\[([^][|]*)\|([^][|]*)\]", rf"\{side}", template)
