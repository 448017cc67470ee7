"""Witnesses: a text that satisfies several constraints at once, built by rule and checked by `verify`.

    witness([Constraint("punctuation:no_comma"), Constraint("detectable_format:title")])
    # '<<the quiet morning>>\\nThe day is clear and calm. ...'

A witness shows that a prompt can be satisfied. The builder reads the constraints into `Needs`, lays out a text from
the sentences of a `Source` (`compose`), and lets `verify` judge it; where a verdict is False it draws again, with
more of what was missing or less of what was too much. It never edits a text until a checker gives in. What it
cannot write it refuses, naming what stood in the way.

The order of a text is always the same: title, then paragraphs and sections of sentences (those that hold a required
word first, in the order asked), bullet points, postscript, end phrase; then letter case, JSON and quotation marks
around the whole. The embedded model of `ifpref/pocket` is trained on texts of `compose`, from its own domain.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ifpref.constraints import Constraint, ConstraintError, verify
from ifpref.constraints.conflicts import conflicts
from ifpref.witness.compose import Effort, compose
from ifpref.witness.plain import PLAIN
from ifpref.witness.source import Source


class Unsatisfiable(ConstraintError):
    """No witness: `missed` holds the constraints that stood in the way, `reason` says how."""

    def __init__(self, missed: tuple[Constraint, ...], reason: str) -> None:
        self.missed, self.reason = missed, reason
        super().__init__(f"no text satisfies {' and '.join(map(repr, missed))} together: {reason}")


@dataclass(frozen=True)
class Draft:
    """The best text found: `text`, its strict `verdicts` by position, and how many were drawn."""

    text: str
    verdicts: tuple[bool, ...]
    attempts: int

    @property
    def satisfied(self) -> bool:
        """Whether every constraint is met."""
        return all(self.verdicts)


def search_witness(
    constraints: Sequence[Constraint],
    source: Source,
    rng: random.Random,
    *,
    attempts: int = 10,
    length: tuple[int, int] = (3, 5),
) -> Draft:
    """Draw texts until one satisfies every constraint, at most `attempts` of them; returns the best.

    length  how many sentences a text has when nothing asks for more or fewer, from and to
    """
    effort, best = Effort(), None
    for attempt in range(1, attempts + 1):
        text = compose(constraints, source, rng, effort=effort, length=length)
        draft = Draft(text, tuple(verify(text, constraints)), attempt)
        if best is None or sum(draft.verdicts) > sum(best.verdicts):
            best = draft
        if draft.satisfied:
            break
        effort = effort.after(c for c, met in zip(constraints, draft.verdicts, strict=True) if not met)
    return Draft(best.text, best.verdicts, attempt)


def witness(
    constraints: Iterable[Constraint],
    source: Source = PLAIN,
    *,
    seed: int = 0,
    attempts: int = 24,
    length: tuple[int, int] = (3, 5),
) -> str:
    """A text that satisfies all of the constraints, as `verify` judges it (strict).

    source  where the sentences come from: a domain's (see ifpref/prompts/domain.py), or plain ones
    seed    the same seed, source and constraints give the same text

    Raises `Unsatisfiable`, naming the pair that cannot be met together by a rule of `conflicts` or, where the rules
    know none, what the best text missed.
    """
    constraints = list(constraints)
    for found in conflicts(constraints):
        pair = dict.fromkeys((found.first, found.second))
        raise Unsatisfiable(tuple(constraints[i] for i in pair), found.reason)
    draft = search_witness(constraints, source, random.Random(seed), attempts=attempts, length=length)
    missed = tuple(c for c, met in zip(constraints, draft.verdicts, strict=True) if not met)
    if missed:
        raise Unsatisfiable(
            missed, f"the best of {draft.attempts} texts missed this much of {len(constraints)} constraints"
        )
    return draft.text
