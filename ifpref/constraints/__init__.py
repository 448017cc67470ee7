"""The verifiable constraints: their checks, wording, conflicts, and witnesses that meet several at once.

    from ifpref.constraints import Constraint, verify
    river = Constraint("keywords:existence", {"keywords": ["river", "stone"]})
    verify("The river runs over every stone.", [river])     # [True]

registry.py   ids, arguments, the frozen `Constraint`       text.py       sentences, words, language checks.py
one check an id, IFEval's semantics exactly   wording.py    `describe`: natural wordings for prompts
conflicts.py  what cannot be satisfied together             witness.py    builds a text that satisfies all of
them
"""

from ifpref.constraints.checks import verify
from ifpref.constraints.registry import (
    CONSTRAINT_SETS,
    CONSTRAINTS,
    LANGUAGES,
    RELATIONS,
    Constraint,
    ConstraintError,
    Kind,
)

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
