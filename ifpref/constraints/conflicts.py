"""Conflicts: which constraints cannot be satisfied together, by id or by argument.

    conflicts([Constraint("punctuation:no_comma"), Constraint("startend:end_checker", {"end_phrase": "Well, bye."})])
    # [Conflict(first=0, second=1, reason="the end phrase 'Well, bye.' holds a comma")]

A conflict means *unsatisfiable*: no honest text passes both checks. "Honest" leaves out what only fools a checker: a
line of JSON that begins with a negative number is no bullet point, a sentence has at least three words, an address
without a detectable language is not in every language. A pair that is merely hard, or oddly worded, is no conflict;
whether a larger combination can be met is what `witness` finds out. The rules look at pairs; a constraint that no
text can meet (less than 0 words) is in conflict with itself.

IFEval ships a table of its own, by id alone and much stricter: it all but forbids JSON beside anything. Its released
code never consults it and its own prompts break it, so neither is it used here.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from ifpref.constraints.registry import Constraint


class Conflict(NamedTuple):
    """Positions of two constraints that cannot both be met (the same one twice: it cannot be met), and why."""

    first: int
    second: int
    reason: str


def conflicts(constraints: Sequence[Constraint]) -> list[Conflict]:
    """Every pair of positions that no honest text can satisfy together, with the reason."""
    found = [Conflict(i, i, reason) for i, c in enumerate(constraints) for reason in c.kind.impossible(**c.kwargs)]
    for (i, first), (j, second) in itertools.combinations(enumerate(constraints), 2):
        if reason := conflict(first, second):
            found.append(Conflict(i, j, reason))
    return found


def conflict(first: Constraint, second: Constraint) -> str | None:
    """Why the two cannot be met together, or None where they can."""
    reasons = itertools.chain(first.kind.conflicts(first, second), second.kind.conflicts(second, first))
    return next(reasons, None)
