"""Servers that misbehave, each met by a real engine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import hostile_server
import tiny_models

from ifpref.sampling.http import Vocabulary, read_tokenizer
from tests.torture import Row, spread
from tests.torture.guard import guarded

LIMIT_S = 60.0
PART = "servers"


def run(most: int | None = None) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        tiny_models.save_base(Path(folder))
        for name in spread(list(hostile_server.BEHAVIOURS), most):
            yield _row(name, folder)


def _row(name: str, folder: str) -> Row:
    ended = guarded(face, name, folder, limit_s=LIMIT_S)
    outcome, wrong = ended.value or ("", [])
    return Row(PART, name, outcome, ended.wrong + wrong, ended.seconds)


def face(name: str, folder: str) -> tuple[str, list[str]]:
    found = hostile_server.face(hostile_server.BEHAVIOURS[name], _vocabulary(folder))
    return found.outcome, found.wrong


@cache
def _vocabulary(folder: str) -> Vocabulary:
    return read_tokenizer(folder)
