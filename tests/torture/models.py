"""Folders that are no sound model: refused when they are loaded, in words."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.torture import Row, spread
from tests.torture.guard import guarded

LIMIT_S = 120.0
PART = "models"


def run(most: int | None = None) -> Iterator[Row]:
    if importlib.util.find_spec("hostile_models") is None:
        yield Row(PART, "tests/hostile_models.py", "not there", tried=0)
        return
    from hostile_models import HOSTILE_MODELS

    for name in spread(list(HOSTILE_MODELS), most):
        ended = guarded(face, name, limit_s=LIMIT_S)
        outcome, wrong = ended.value or ("", [])
        yield Row(PART, name, outcome, ended.wrong + wrong, ended.seconds)


def face(name: str) -> tuple[str, list[str]]:
    import hostile_models

    case = hostile_models.HOSTILE_MODELS[name]
    with tempfile.TemporaryDirectory() as folder:
        found = hostile_models.face(name, Path(folder))
    wrong = f"{found.outcome} after {found.seconds:.0f} s ({found.message:.300}), expected: {case.expected}"
    return found.outcome, [] if found.is_right(case) else [wrong]
