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

from collections.abc import Sequence
from typing import NamedTuple

from ifpref.constraints.registry import CONSTRAINT_SETS, Constraint


class Conflict(NamedTuple):
    """Positions of two constraints that cannot both be met (the same one twice: it cannot be met), and why."""

    first: int
    second: int
    reason: str


def conflicts(constraints: Sequence[Constraint]) -> list[Conflict]:
    """Every pair of positions that no honest text can satisfy together, with the reason."""
    impossible = [c.kind.impossible(**c.kwargs) for c in constraints]
    found = [Conflict(i, i, reason) for i, reason in enumerate(impossible) if reason]
    for i, first in enumerate(constraints):
        for j in range(i + 1, len(constraints)):
            reason = conflict(first, constraints[j])
            if reason:
                found.append(Conflict(i, j, reason))
    return found


def conflict(first: Constraint, second: Constraint) -> str | None:
    """Why the two cannot be met together, or None where they can."""
    return first.kind.conflict(first, second) or second.kind.conflict(second, first)


# IFEval's own table, symmetrised (the raw entries are one-way in 86 places). After a minus: all ids but these.
_IFEVAL_TABLE = """
detectable_format:constrained_response -
detectable_format:json_format - keywords:existence keywords:forbidden_words
combination:repeat_prompt - keywords:existence detectable_format:title punctuation:no_comma
combination:two_responses - keywords:existence keywords:forbidden_words language:response_language \
    detectable_format:title punctuation:no_comma
language:response_language + change_case:english_capital change_case:english_lowercase \
    detectable_format:multiple_sections keywords:existence keywords:frequency keywords:forbidden_words \
    startend:end_checker
length_constraints:number_paragraphs + length_constraints:nth_paragraph_first_word \
    length_constraints:number_sentences
detectable_format:number_highlighted_sections + detectable_format:multiple_sections
change_case:capital_word_frequency + change_case:english_capital change_case:english_lowercase
change_case:english_capital + change_case:english_lowercase
detectable_format:title + startend:quotation
"""


def _read_table(table: str) -> frozenset[frozenset[str]]:
    ids = CONSTRAINT_SETS["ifeval"]
    pairs = {frozenset((id,)) for id in ids}
    for line in table.strip().splitlines():
        id, sign, *named = line.split()
        others = named if sign == "+" else [other for other in ids if other not in named]
        pairs |= {frozenset((id, other)) for other in others}
    return frozenset(pairs)


IFEVAL_CONFLICTS = _read_table(_IFEVAL_TABLE)
"""IFEval's hand-made table of ids that it would not combine (INSTRUCTION_CONFLICTS); a set of one id: the id twice."""


def ifeval_conflicts(constraints: Sequence[Constraint]) -> list[tuple[int, int]]:
    """The pairs of positions that IFEval's table forbids, satisfiable or not."""
    return [
        (i, j)
        for i, first in enumerate(constraints)
        for j in range(i + 1, len(constraints))
        if frozenset((first.id, constraints[j].id)) in IFEVAL_CONFLICTS
    ]
