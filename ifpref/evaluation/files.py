"""Scores of responses: IFEval's four accuracies, from files in IFEval's format.

    python -m ifpref.evaluation responses.jsonl --prompts input_data.jsonl --out scores.json

A line of responses is `{"prompt": ..., "response": ...}`, a line of prompts as in sets.py; they are joined by the
prompt's text. Lines of responses that carry `instruction_id_list` and `kwargs` themselves need no prompts; where
prompts are given, those count.

Decisions
- A malformed line is an error with file and line; nothing is skipped. What does not join is not scored, and
  is counted and named in the result. A prompt that is answered twice is scored by its last answer, as in
  IFEval's own code, and counted. Without a join every line is scored.
- A prompt that stands twice in the file of prompts is scored once, and counted; with other constraints it is an error,
  since one answer cannot be to both.
- prompt-level: every constraint of a prompt is met; instruction-level: over all constraints, repeated ids
  too. The standard error is given over prompts only: a prompt's constraints share one response.
- Without prompts, IFEval's 541 are read from $IFEVAL_PROMPTS or fetched from the Hugging Face hub.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from ifpref.constraints import CONSTRAINTS, Constraint, verify
from ifpref.evaluation.sets import PromptLine, ResponseLine, ScoreError, fetch_prompts, read_constraints, read_lines
from ifpref.evaluation.table import MODES

Both = tuple[bool, bool]
"""A strict and a loose verdict."""


@dataclass(frozen=True)
class Accuracy:
    """A share in [0, 1]: `correct` of `n`; the standard error of the mean where the n are independent."""

    accuracy: float
    correct: int
    n: int
    standard_error: float | None = None


@dataclass(frozen=True)
class Scores:
    """What `score_file` returns; `to_dict` for JSON, `table` for reading.

    groups, ids  strict and loose accuracy of each group of constraints (IFEval's tier 0) and each id (tier 1)
    backends     what counted sentences and detected languages, with versions
    unanswered   keys of prompts without a response, which are not scored
    unmatched    line numbers of responses without a prompt, which are not scored
    repeated     line numbers of responses that a later one to the same prompt replaced
    duplicates   line numbers of prompts that an earlier line of the file has too
    """

    prompt_level_strict: Accuracy
    prompt_level_loose: Accuracy
    instruction_level_strict: Accuracy
    instruction_level_loose: Accuracy
    groups: dict[str, dict[str, Accuracy]]
    ids: dict[str, dict[str, Accuracy]]
    backends: dict[str, Any]
    unanswered: tuple[Any, ...] = ()
    unmatched: tuple[int, ...] = ()
    repeated: tuple[int, ...] = ()
    duplicates: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def table(self) -> str:
        """The scores as text: the four accuracies, groups and ids, and what was not scored."""
        lines = [f"{'':46}{'strict':>8}{'loose':>8}{'n':>7}"]
        for level in ("prompt", "instruction"):
            strict, loose = (getattr(self, f"{level}_level_{mode}") for mode in MODES)
            lines.append(_row(f"{level}-level", strict, loose))
            if strict.standard_error is not None:
                lines.append(f"{'  standard error':46}{strict.standard_error:8.4f}{loose.standard_error:8.4f}")
        for group, total in self.groups.items():
            rows = {f"  {id.partition(':')[2]}": row for id, row in self.ids.items() if id.startswith(f"{group}:")}
            lines += ["", *(_row(name, **row) for name, row in ({group: total} | rows).items())]
        notes = (
            ("prompts without a response, not scored", "keys", self.unanswered),
            ("responses to none of the prompts, not scored", "lines", self.unmatched),
            ("responses replaced by a later one to the same prompt", "lines", self.repeated),
            ("prompts that an earlier line has too, scored once", "lines", self.duplicates),
        )
        lines += [f"\n{note}: {len(some)} ({kind} {_some(some)})" for note, kind, some in notes if some]
        parts = ((name, " ".join(f"{k} {v}" for k, v in how.items())) for name, how in self.backends.items())
        return "\n".join([*lines, "", *(f"{name}: {how}" for name, how in parts)])


def _row(name: str, strict: Accuracy, loose: Accuracy) -> str:
    return f"{name:46}{strict.accuracy:8.4f}{loose.accuracy:8.4f}{strict.n:7}"


def _some(items: tuple[Any, ...], most: int = 10) -> str:
    return ", ".join(map(str, items[:most])) + (", ..." if len(items) > most else "")


def score_file(responses: str | Path, prompts: str | Path | None = None) -> Scores:
    """Score a file of responses against a file of prompts, both JSONL in IFEval's format.

    prompts  None: the constraints that the responses carry; where they carry none, IFEval's own prompts

    Raises `ScoreError` (a ValueError) naming file and line for a line that cannot be read or a prompt with two lists of
    constraints, and where nothing joins.
    """
    rows = list(read_lines(responses, ResponseLine))
    if not rows:
        raise ScoreError(f"{responses}: the file holds no responses")
    if prompts is None and any(row.instruction_id_list for _, row in rows):
        return _scores([(row.response, read_constraints(row, f"{responses}:{number}")) for number, row in rows])

    path = prompts or os.environ.get("IFEVAL_PROMPTS") or fetch_prompts()
    asked: dict[str, tuple[int, Any, list[Constraint]]] = {}  # prompt -> line, key, constraints
    duplicates = []
    for number, row in read_lines(path, PromptLine):
        where = f"{path}:{number}"
        one = (number, where if row.key is None else row.key, read_constraints(row, where))
        first = asked.setdefault(row.prompt, one)
        if Counter(first[2]) != Counter(one[2]):
            raise ScoreError(f"{where}: the prompt of line {first[0]} with other constraints; allowed: the same")
        if first is not one:
            duplicates.append(number)
    last = {row.prompt: (number, row.response) for number, row in rows}
    judged = [(last[prompt][1], constraints) for prompt, (_, _, constraints) in asked.items() if prompt in last]
    if not judged:
        raise ScoreError(f"{responses}: none of its {len(last)} prompts is among the {len(asked)} of {path}")
    return _scores(
        judged,
        unanswered=tuple(key for prompt, (_, key, _) in asked.items() if prompt not in last),
        unmatched=tuple(number for number, row in rows if row.prompt not in asked),
        repeated=tuple(number for number, row in rows if number != last[row.prompt][0]),
        duplicates=tuple(duplicates),
    )


def _scores(judged: Iterable[tuple[str, list[Constraint]]], **counted: tuple[Any, ...]) -> Scores:
    """The four accuracies of responses with their constraints, and those of each group and id, in the registry's order.

    counted  what was not scored: fields of `Scores`
    """
    from ifpref.constraints.text import backends

    prompts: list[Both] = []
    of_id: dict[str, list[Both]] = {id: [] for id in CONSTRAINTS}
    for response, constraints in judged:
        strict, loose = verify(response, constraints), verify(response, constraints, loose=True)
        prompts.append((all(strict), all(loose)))
        for constraint, *both in zip(constraints, strict, loose, strict=True):
            of_id[constraint.id].append(tuple(both))
    ids = {id: found for id, found in of_id.items() if found}
    groups: dict[str, list[Both]] = {}
    for id, found in ids.items():
        groups.setdefault(CONSTRAINTS[id].group, []).extend(found)
    levels = {"prompt": _accuracies(prompts, independent=True), "instruction": _accuracies(chain(*ids.values()))}
    return Scores(
        **{f"{level}_level_{mode}": one for level, both in levels.items() for mode, one in both.items()},
        groups={group: _accuracies(found) for group, found in groups.items()},
        ids={id: _accuracies(found) for id, found in ids.items()},
        backends=backends(),
        **counted,
    )


def _accuracies(verdicts: Iterable[Both], independent: bool = False) -> dict[str, Accuracy]:
    """Of each mode."""
    found = {}
    for mode, of_mode in zip(MODES, zip(*verdicts, strict=True), strict=True):
        n, share = len(of_mode), sum(of_mode) / len(of_mode)
        # Of the mean of n independent verdicts, with the sample's variance (n - 1), as lm-eval gives it.
        error = math.sqrt(share * (1 - share) / (n - 1)) if independent and n > 1 else None
        found[mode] = Accuracy(share, sum(of_mode), n, error)
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ifpref.evaluation", description=__doc__.split("\n")[0])
    parser.add_argument("responses", help="JSONL with prompt and response")
    parser.add_argument("--prompts", help="JSONL with prompt, instruction_id_list and kwargs (default: IFEval's)")
    parser.add_argument("--out", help="where the scores go as JSON")
    options = parser.parse_args(arguments)
    try:
        scores = score_file(options.responses, options.prompts)
        if options.out:
            Path(options.out).parent.mkdir(parents=True, exist_ok=True)
            Path(options.out).write_text(json.dumps(scores.to_dict(), indent=2) + "\n", encoding="utf-8")
    except (ScoreError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(scores.table())
    return 0
