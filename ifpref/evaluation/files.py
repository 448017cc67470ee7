"""Scores of responses: IFEval's four accuracies, from files in IFEval's format.

    python -m ifpref.evaluation responses.jsonl --prompts input_data.jsonl --out scores.json

A line of responses is `{"prompt": ..., "response": ...}`, a line of prompts `{"key": 1000, "prompt": ...,
"instruction_id_list": [...], "kwargs": [...]}`; they are joined by the prompt's text. Lines of responses that
carry `instruction_id_list` and `kwargs` themselves need no prompts; where prompts are given, those count.

Decisions
- A malformed line is an error with file and line; nothing is skipped. What does not join is not scored, and
  is counted and named in the result. A prompt that is answered twice is scored by its last answer, as in
  IFEval's own code, and counted. Without a join every line is scored.
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
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ifpref.constraints import CONSTRAINTS, Constraint, ConstraintError, verify

IFEVAL_ON_HUB = ("google/IFEval", "ifeval_input_data.jsonl", "966cd89545d6b6acfd7638bc708b98261ca58e84")
"""Repository, file and revision of the official 541 prompts (CC BY 4.0)."""


class ScoreError(ValueError):
    """Files that cannot be scored; the message names the file and the line."""


class OutOfReach(ScoreError):
    """IFEval's prompts are neither on this machine nor can they be fetched."""


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

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def table(self) -> str:
        """The scores as text: the four accuracies, groups and ids, and what was not scored."""
        lines = [f"{'':46}{'strict':>8}{'loose':>8}{'n':>7}"]
        for level in ("prompt", "instruction"):
            strict, loose = (getattr(self, f"{level}_level_{mode}") for mode in ("strict", "loose"))
            lines.append(_row(f"{level}-level", strict, loose))
            if strict.standard_error is not None:
                lines.append(f"{'  standard error':46}{strict.standard_error:8.4f}{loose.standard_error:8.4f}")
        for group, total in self.groups.items():
            lines += ["", _row(group, total["strict"], total["loose"])]
            rows = ((id, row) for id, row in self.ids.items() if id.startswith(f"{group}:"))
            lines += [_row(f"  {id.partition(':')[2]}", row["strict"], row["loose"]) for id, row in rows]
        notes = (
            ("prompts without a response, not scored", "keys", self.unanswered),
            ("responses to none of the prompts, not scored", "lines", self.unmatched),
            ("responses replaced by a later one to the same prompt", "lines", self.repeated),
        )
        lines += [f"\n{note}: {len(some)} ({kind} {_some(some)})" for note, kind, some in notes if some]
        parts = ((name, " ".join(f"{k} {v}" for k, v in how.items())) for name, how in self.backends.items())
        return "\n".join([*lines, "", *(f"{name}: {how}" for name, how in parts)])


def _row(name: str, strict: Accuracy, loose: Accuracy) -> str:
    return f"{name:46}{strict.accuracy:8.4f}{loose.accuracy:8.4f}{strict.n:7}"


def _some(items: tuple[Any, ...], most: int = 10) -> str:
    return ", ".join(map(str, items[:most])) + (", ..." if len(items) > most else "")


@dataclass(frozen=True)
class Verdicts:
    """One response judged: a strict and a loose verdict for each of its constraints, in their order."""

    constraints: tuple[Constraint, ...]
    strict: tuple[bool, ...]
    loose: tuple[bool, ...]


def judge(response: str, constraints: Iterable[Constraint]) -> Verdicts:
    """The verdicts of one response."""
    constraints = tuple(constraints)
    return Verdicts(constraints, tuple(verify(response, constraints)), tuple(verify(response, constraints, loose=True)))


def score(judged: Iterable[Verdicts]) -> Scores:
    """The four accuracies, and those of each group and id, in the order of the registry."""
    from ifpref.constraints.text import backends

    judged = list(judged)
    if not judged:
        raise ScoreError("there is nothing to score: no response answers a prompt")
    found: dict[str, dict[str, list[bool]]] = {id: {"strict": [], "loose": []} for id in CONSTRAINTS}
    for one in judged:
        for constraint, strict, loose in zip(one.constraints, one.strict, one.loose, strict=True):
            found[constraint.id]["strict"].append(strict)
            found[constraint.id]["loose"].append(loose)
    ids = {id: modes for id, modes in found.items() if modes["strict"]}

    def pooled(some: Iterable[str], mode: str) -> Accuracy:
        return _accuracy([verdict for id in some for verdict in ids[id][mode]])

    def both(some: list[str]) -> dict[str, Accuracy]:
        return {mode: pooled(some, mode) for mode in ("strict", "loose")}

    groups = dict.fromkeys(CONSTRAINTS[id].group for id in ids)
    return Scores(
        prompt_level_strict=_accuracy([all(one.strict) for one in judged], independent=True),
        prompt_level_loose=_accuracy([all(one.loose) for one in judged], independent=True),
        instruction_level_strict=pooled(ids, "strict"),
        instruction_level_loose=pooled(ids, "loose"),
        groups={group: both([id for id in ids if CONSTRAINTS[id].group == group]) for group in groups},
        ids={id: both([id]) for id in ids},
        backends=backends(),
    )


def _accuracy(verdicts: list[bool], independent: bool = False) -> Accuracy:
    n, correct = len(verdicts), sum(verdicts)
    share = correct / n
    # Of the mean of n independent verdicts, with the sample's variance (n - 1), as lm-eval gives it.
    error = math.sqrt(share * (1 - share) / (n - 1)) if independent and n > 1 else None
    return Accuracy(share, correct, n, error)


def score_file(responses: str | Path, prompts: str | Path | None = None) -> Scores:
    """Score a file of responses against a file of prompts, both JSONL in IFEval's format.

    prompts  None: the constraints that the responses carry; where they carry none, IFEval's own prompts

    Raises `ScoreError` (a ValueError) naming file and line for a line that cannot be read, and where nothing
    joins.
    """
    rows = list(read_lines(responses, {"prompt": str, "response": str}))
    if not rows:
        raise ScoreError(f"{responses}: the file holds no responses")
    if prompts is None and any("instruction_id_list" in row for _, row in rows):
        places = ((f"{responses}:{number}", row) for number, row in rows)
        return score([judge(row["response"], read_constraints(row, where)) for where, row in places])

    path = prompts or os.environ.get("IFEVAL_PROMPTS") or fetch_prompts()
    asked = [(f"{path}:{number}", row) for number, row in read_lines(path, {"prompt": str})]
    last = {row["prompt"]: number for number, row in rows}
    answers = {row["prompt"]: row["response"] for _, row in rows}
    judged, unanswered = [], []
    for where, row in asked:
        constraints = read_constraints(row, where)
        if row["prompt"] in answers:
            judged.append(judge(answers[row["prompt"]], constraints))
        else:
            unanswered.append(row.get("key", where))
    if not judged:
        raise ScoreError(f"{responses}: none of its {len(answers)} prompts is among the {len(asked)} of {path}")
    known = {row["prompt"] for _, row in asked}
    return replace(
        score(judged),
        unanswered=tuple(unanswered),
        unmatched=tuple(number for number, row in rows if row["prompt"] not in known),
        repeated=tuple(number for number, row in rows if number != last[row["prompt"]]),
    )


_JSON_NAMES = {str: "a string", list: "a list", dict: "an object", int: "a number", float: "a number"}


def read_lines(path: str | Path, keys: dict[str, type]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The lines of a JSONL file as (line number, object with `keys` of their types); blank lines aside."""
    try:
        lines = Path(path).read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise ScoreError(f"{path}: cannot be read: {error.strerror or error}") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            row = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise ScoreError(f"{where}: not UTF-8: byte {error.start + 1} of the line") from None
        except RecursionError:
            raise ScoreError(f"{where}: JSON nested too deep") from None
        except ValueError as error:
            raise ScoreError(f"{where}: not JSON: {error}") from None
        if not isinstance(row, dict):
            raise ScoreError(f"{where}: must be an object, found {_described(row)}")
        yield number, _checked(row, keys, where)


def _checked(row: dict[str, Any], keys: dict[str, type], where: str) -> dict[str, Any]:
    for key, type_ in keys.items():
        if key not in row:
            raise ScoreError(f"{where}: key {key!r} is missing; found {', '.join(map(repr, row)) or 'no keys'}")
        if not isinstance(row[key], type_):
            raise ScoreError(f"{where}: {key} must be {_JSON_NAMES[type_]}, found {_described(row[key])}")
    return row


def _described(value: Any) -> str:
    return _JSON_NAMES.get(type(value), json.dumps(value))  # null, true and false by name


def read_constraints(row: dict[str, Any], where: str) -> list[Constraint]:
    """The constraints of a row in IFEval's format."""
    _checked(row, {"instruction_id_list": list, "kwargs": list}, where)
    ids, kwargs = row["instruction_id_list"], row["kwargs"]
    if not ids or len(ids) != len(kwargs):
        raise ScoreError(f"{where}: {len(ids)} ids in instruction_id_list and {len(kwargs)} entries in kwargs")
    for id in ids:
        if not isinstance(id, str):
            raise ScoreError(f"{where}: instruction_id_list must hold strings, found {_described(id)}")
    try:
        return [Constraint(id, some) for id, some in zip(ids, kwargs, strict=True)]
    except ConstraintError as error:
        raise ScoreError(f"{where}: {error}") from None


def fetch_prompts() -> Path:
    """IFEval's prompts from the hub's cache or the hub; an error within seconds where neither has them."""
    from urllib.request import urlopen

    from huggingface_hub import constants, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import LocalEntryNotFoundError

    repo, name, revision = IFEVAL_ON_HUB
    try:
        return Path(hf_hub_download(repo, name, repo_type="dataset", revision=revision, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    try:
        if constants.HF_HUB_OFFLINE:
            raise OSError("HF_HUB_OFFLINE is set")
        # One quick look first: the hub's own client tries again for half a minute where there is no network.
        urlopen(hf_hub_url(repo, name, repo_type="dataset", revision=revision), timeout=5).close()
        return Path(hf_hub_download(repo, name, repo_type="dataset", revision=revision))
    except OSError as error:
        raise OutOfReach(
            f"IFEval's prompts cannot be fetched from the hub ({error}); pass PROMPTS=input_data.jsonl, "
            "or set IFEVAL_PROMPTS to that file"
        ) from None


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
