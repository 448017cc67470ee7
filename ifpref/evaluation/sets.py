"""IFEval's format, and its 541 prompts as rows like ours, for models that can read them.

    prompts = ifeval_prompts()          # from $IFEVAL_PROMPTS, the hub's cache, or the hub; None where none has them

A line of prompts is `{"key": 1000, "prompt": ..., "instruction_id_list": [...], "kwargs": [...]}`. A row:

    {"prompt_id": "ifeval-1000", "text": "Write a 300+ word summary …", "task": "ifeval", "topic": "1000",
     "constraints": [{"id": "punctuation:no_comma", "kwargs": {}}, …], "n_constraints": 3, "difficulty": "moderate",
     "split": "ifeval"}

Decisions
- A malformed line is an error with file and line; nothing is skipped.
- Fetching has one deadline for everything: time limits of libraries are for each read, and a byte a second is in time.
"""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import os
from collections.abc import Iterator
from http.client import HTTPException
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import urlopen

from pydantic import BaseModel, ConfigDict, ValidationError

from ifpref.constraints import Constraint, ConstraintError

Line = TypeVar("Line", bound="PromptLine")
IFEVAL_ON_HUB = ("google/IFEval", "ifeval_input_data.jsonl", "966cd89545d6b6acfd7638bc708b98261ca58e84")
"""Repository, file and revision of the official 541 prompts (CC BY 4.0)."""
FETCH_S = 60.0
"""Seconds until fetching them is given up."""
EASY, MODERATE = 2, 4
"""The largest numbers of constraints that are `easy` and `moderate`, as in `build_prompts`. IFEval has 1 to 3."""


class ScoreError(ValueError):
    """Files that cannot be scored; the message names the file and the line."""


class OutOfReach(ScoreError):
    """IFEval's prompts are neither on this machine nor can they be fetched."""


def ifeval_source() -> dict[str, str]:
    """What `ifeval_prompts()` reads, told without asking the hub: the hub's commit, or the hash of a file."""
    if path := os.environ.get("IFEVAL_PROMPTS"):
        return {"ifeval": hashlib.sha256(_bytes(path)).hexdigest()[:16]}
    return {"ifeval": "{}/{}@{}".format(*IFEVAL_ON_HUB)}


def ifeval_prompts(source: str | Path | None = None) -> list[dict[str, Any]] | None:
    """IFEval's prompts, or another file in its format, as rows of prompts.

    source  JSONL with `key`, `prompt`, `instruction_id_list` and `kwargs`; None: $IFEVAL_PROMPTS, else the hub

    None, with a line in the log, only where the prompts would come from the hub and it is out of reach. A file that is
    named and cannot be read raises `ScoreError`, as does a malformed line or a key that stands there twice.
    """
    try:
        path = source or os.environ.get("IFEVAL_PROMPTS") or fetch_prompts()
    except OutOfReach as error:
        logging.getLogger(__name__).warning("%s", error)
        return None
    rows = {}
    for number, line in read_lines(path, KeyedLine):
        constraints = read_constraints(line, f"{path}:{number}")
        k = len(constraints)
        if line.key in rows:
            raise ScoreError(f"{path}:{number}: key {line.key} stands in an earlier line too; allowed: each once")
        rows[line.key] = {
            "prompt_id": f"ifeval-{line.key}",
            "text": line.prompt,
            "task": "ifeval",
            "topic": str(line.key),
            "constraints": [constraint.to_dict() for constraint in constraints],
            "n_constraints": k,
            "difficulty": "easy" if k <= EASY else "moderate" if k <= MODERATE else "hard",
            "split": "ifeval",
        }
    return list(rows.values())


# ---- IFEval's format


class PromptLine(BaseModel):
    """A line of prompts."""

    model_config = ConfigDict(strict=True)
    prompt: str
    instruction_id_list: list[str]
    kwargs: list[Any]
    key: Any = None


class KeyedLine(PromptLine):
    """The same where every prompt needs its key."""

    key: int


class ResponseLine(PromptLine):
    """A line of responses, which may carry its constraints."""

    response: str
    instruction_id_list: list[str] = []
    kwargs: list[Any] = []


def read_lines(path: str | Path, kind: type[Line]) -> Iterator[tuple[int, Line]]:
    """The lines of a JSONL file with their numbers, from 1; blank lines aside."""
    for number, line in enumerate(_bytes(path).removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            try:
                yield number, kind.model_validate_json(line)
            except ValidationError as error:
                first = error.errors()[0]
                key = "".join(f"{part}: " for part in first["loc"])
                raise ScoreError(f"{path}:{number}: {key}{first['msg']}, found {first['input']!r:.80}") from None


def read_constraints(line: PromptLine, where: str) -> list[Constraint]:
    """The constraints of a line; where: its file and number, for messages."""
    ids, kwargs = line.instruction_id_list, line.kwargs
    if not ids or len(ids) != len(kwargs):
        raise ScoreError(f"{where}: {len(ids)} ids in instruction_id_list and {len(kwargs)} entries in kwargs")
    try:
        return [Constraint(id, some) for id, some in zip(ids, kwargs, strict=True)]
    except ConstraintError as error:
        raise ScoreError(f"{where}: {error}") from None


def _bytes(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ScoreError(f"{path}: cannot be read: {error.strerror or error}") from None


# ---- the hub


def fetch_prompts() -> Path:
    """IFEval's prompts from the hub's cache or the hub; `OutOfReach` where neither has them within `FETCH_S`."""
    from httpx2 import HTTPError  # of the hub's own client
    from huggingface_hub import constants, hf_hub_download, hf_hub_url, try_to_load_from_cache

    repo, name, revision = IFEVAL_ON_HUB
    what = {"repo_type": "dataset", "revision": revision}
    if isinstance(cached := try_to_load_from_cache(repo, name, **what), str):
        return Path(cached)

    def download() -> str:
        url = hf_hub_url(repo, name, **what)
        # One quick look first: the hub's own client tries again for half a minute where there is no network.
        with urlopen(url, timeout=5) as answer:
            if not answer.read(64).lstrip().startswith(b"{"):
                raise OSError(f"{url} answers, but not in lines of JSON: the network may want a login in a browser")
        return hf_hub_download(repo, name, **what)

    try:
        if constants.HF_HUB_OFFLINE:
            raise OSError("HF_HUB_OFFLINE is set")
        with ThreadPool(1) as pool:  # its thread is left to itself when time is up
            return Path(pool.apply_async(download).get(FETCH_S))
    except (OSError, HTTPError, HTTPException, multiprocessing.TimeoutError) as error:
        why = f"no whole answer within {FETCH_S:g} s" if isinstance(error, multiprocessing.TimeoutError) else error
        raise OutOfReach(
            f"IFEval's prompts cannot be fetched from the hub ({' '.join(str(why).split())}); pass "
            "PROMPTS=input_data.jsonl, or set IFEVAL_PROMPTS to that file"
        ) from None
