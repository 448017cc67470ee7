"""The verifiable constraints: what each asks, how it is checked and worded, and what cannot be met together.

    from ifpref.constraints import Constraint, verify
    river = Constraint("keywords:existence", {"keywords": ["river", "stone"]})
    verify("The river runs over every stone.", [river])     # [True]

families/     one class a kind: its arguments, check, wordings, needs and conflicts, in a file for each family
registry.py   what a kind is; the frozen `Constraint`      needs.py      what constraints ask of a text
checks.py     `verify`, strict and loose                   conflicts.py  what cannot be satisfied together
wording.py    `describe`: how a prompt asks (english.py)   text.py       words, capital words, language
sentences.py  Punkt, with its data or our own words

A new kind is a class in its family's file, and a test (tests/test_new_kind.py adds one).
"""

from ifpref.constraints.checks import verify
from ifpref.constraints.families.language import LANGUAGES
from ifpref.constraints.registry import CONSTRAINT_SETS, CONSTRAINTS, RELATIONS, Constraint, ConstraintError, Kind

__all__ = [
    "CONSTRAINTS",
    "CONSTRAINT_SETS",
    "LANGUAGES",
    "RELATIONS",
    "Constraint",
    "ConstraintError",
    "Kind",
    "verify",
]
