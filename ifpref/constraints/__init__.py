"""The verifiable constraints: their checks, wording, conflicts, and witnesses that meet several at once.

    from ifpref.constraints import Constraint, verify
    river = Constraint("keywords:existence", {"keywords": ["river", "stone"]})
    verify("The river runs over every stone.", [river])     # [True]

registry.py   ids, arguments, the frozen `Constraint`      sentences.py  Punkt, with its data or our own words
checks.py     one check an id, exactly as IFEval has it    text.py       words, capital words, language
conflicts.py  what cannot be satisfied together            wording.py    `describe`: wordings (templates.py) for prompts
witness.py    a text that satisfies several at once: what they need (needs.py), laid out (compose.py) from a source of
              sentences (source.py): a domain's, or plain.py's; foreign.py has seventeen other languages
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
