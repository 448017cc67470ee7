"""IFEval's 541 prompts as rows like ours, for models that can read them.

    prompts = ifeval_prompts()          # from $IFEVAL_PROMPTS, the hub's cache, or the hub; None where none has them

One row:

    {"prompt_id": "ifeval-1000", "text": "Write a 300+ word summary …", "task": "ifeval", "topic": "1000",
     "constraints": [{"id": "punctuation:no_comma", "kwargs": {}}, …], "n_constraints": 3, "difficulty": "moderate",
     "split": "ifeval"}
"""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path
from typing import Any

from ifpref.evaluation.files import (
    IFEVAL_ON_HUB,
    OutOfReach,
    ScoreError,
    fetch_prompts,
    read_constraints,
    read_lines,
)

log = logging.getLogger(__name__)

EASY, MODERATE = 2, 4
"""The largest numbers of constraints that are `easy` and `moderate`, as in `build_prompts`. IFEval has 1 to 3."""


def ifeval_source() -> dict[str, str]:
    """What `ifeval_prompts()` reads, told without asking the hub: the hub's commit, or the hash of a file."""
    if path := os.environ.get("IFEVAL_PROMPTS"):
        try:
            return {"ifeval": hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]}
        except OSError as error:
            raise ScoreError(f"IFEVAL_PROMPTS={path}: cannot be read: {error.strerror or error}") from None
    repo, name, commit = IFEVAL_ON_HUB
    return {"ifeval": f"{repo}/{name}@{commit}"}


def ifeval_prompts(source: str | Path | None = None) -> list[dict[str, Any]] | None:
    """IFEval's prompts, or another file in its format, as rows of prompts.

    source  JSONL with `key`, `prompt`, `instruction_id_list` and `kwargs`; None: $IFEVAL_PROMPTS, else the hub

    None, with a line in the log, only where the prompts would come from the hub and it is out of reach. A file that is
    named and cannot be read raises `ScoreError`, as does a malformed line or a key that stands there twice.
    """
    path = source or os.environ.get("IFEVAL_PROMPTS")
    if not path:
        try:
            path = fetch_prompts()
        except OutOfReach as error:
            log.warning("%s", error)
            return None
    rows, lines = [], {}
    for number, line in read_lines(path, {"key": int, "prompt": str}):
        where = f"{path}:{number}"
        if line["key"] in lines:
            raise ScoreError(f"{where}: key {line['key']} stands in line {lines[line['key']]} too; allowed: each once")
        lines[line["key"]] = number
        constraints = read_constraints(line, where)
        k = len(constraints)
        rows.append(
            {
                "prompt_id": f"ifeval-{line['key']}",
                "text": line["prompt"],
                "task": "ifeval",
                "topic": str(line["key"]),
                "constraints": [constraint.to_dict() for constraint in constraints],
                "n_constraints": k,
                "difficulty": "easy" if k <= EASY else "moderate" if k <= MODERATE else "hard",
                "split": "ifeval",
            }
        )
    return rows
