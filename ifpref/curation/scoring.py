"""Where responses get their scores: the verifier says which constraints they meet, a scorer what that is worth.

    judge = Judge(prompt, "verifier")
    judge("The river runs over every stone.")       # Judgement(verdicts=(True, False), score=0.5)

A scorer is a function of a prompt's row, a response's text and its verdicts, to a number in [0, 1]. To add one: the
function here (or in a file of its own), and a line in `SCORERS`; an arm names it (`Arm(scorer="verifier")`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

from ifpref.constraints import verify
from ifpref.constraints.registry import nearest
from ifpref.evaluation.side_effects import is_clean
from ifpref.prompts.build import constraints_of

Scorer = Callable[[Mapping[str, Any], str, Sequence[bool]], float]


class ScorerError(ValueError):
    """A scorer that is unknown, or whose score is no number in [0, 1]; the message says of which prompt."""


class Judgement(NamedTuple):
    """verdicts: one for each constraint of the prompt, in order; score: in [0, 1]."""

    verdicts: tuple[bool, ...]
    score: float


def verifier(prompt: Mapping[str, Any], text: str, verdicts: Sequence[bool]) -> float:
    """The fraction of the prompt's constraints that are satisfied."""
    return sum(verdicts) / len(verdicts)


def clean(prompt: Mapping[str, Any], text: str, verdicts: Sequence[bool]) -> float:
    """The same, and 0 where the response has a feature that nobody asked for or repeats a sentence."""
    asked = {one["id"] for one in prompt["constraints"]}
    return verifier(prompt, text, verdicts) if is_clean(text, asked) else 0.0


SCORERS: MutableMapping[str, Scorer] = {"verifier": verifier, "clean": clean}


class Judge:
    """Of the responses to one prompt. ScorerError for an unknown scorer, and for a score that is none."""

    def __init__(self, prompt: Mapping[str, Any], scorer: str = "verifier") -> None:
        if scorer not in SCORERS:
            raise ScorerError(f"scorer {scorer!r} is unknown{nearest(scorer, SCORERS)}; allowed: {', '.join(SCORERS)}")
        self.prompt, self.scorer, self.constraints = prompt, scorer, constraints_of(prompt)

    def __call__(self, text: str) -> Judgement:
        verdicts = tuple(verify(text, self.constraints))
        return Judgement(verdicts, self.score(text, verdicts))

    def score(self, text: str, verdicts: Sequence[bool]) -> float:
        """That of a response whose verdicts are known."""
        score = SCORERS[self.scorer](self.prompt, text, verdicts)
        if isinstance(score, bool) or not isinstance(score, Real) or not 0 <= score <= 1:
            where = f"scorer {self.scorer!r}, prompt {self.prompt['prompt_id']}"
            raise ScorerError(f"{where}: its score is {score!r}; allowed: a number from 0 to 1")
        return float(score)


def scored_again(rows: Sequence[Mapping[str, Any]], prompts: Sequence[Mapping[str, Any]], scorer: str) -> list[dict]:
    """Rows of responses with the scores of another scorer; their texts and verdicts stay."""
    judges = {prompt["prompt_id"]: Judge(prompt, scorer) for prompt in prompts}
    return [
        {**row, "score": judges[row["prompt_id"]].score(row["text"], row["verdicts"])}
        for row in rows
        if row["prompt_id"] in judges
    ]
