"""What `make torture` tries: one module a part, whose `run(most=None)` yields a `Row` for each case.

    corruption    a finished study's store, damaged in one place, and the study asked for again
    kills         SIGKILL of the study's process, of a worker, of a process of training; then the study goes on
    disk          a disk that fills up while a study runs; then there is room again
    checkpoints   what a killed training goes on from, damaged (tests/damages.py)
    servers       a server of completions that misbehaves (tests/hostile_server.py)
    models        folders that are no sound model (tests/hostile_models.py)
    parameters    values, profiles and command lines that are none

    most  try no more cases than this, spread over the table: `make test` runs such a sample (tests/test_torture.py)

Every case has a time limit. It survived if its row has nothing wrong: nothing wrong was accepted, lost or touched,
nothing hung, no traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
SEED = 15
"""Of all random moments and places."""
PARTS = {"parameters": 200, "servers": 60, "checkpoints": 12, "models": 40, "corruption": 50, "disk": 5, "kills": 20}
"""Each with how many cases a whole run of it must try at least."""
T = TypeVar("T")

if str(ROOT / "tests") not in sys.path:  # as pytest has it: tables of cases name one another without a package
    sys.path.append(str(ROOT / "tests"))


@dataclass
class Row:
    """One case: what came of it ("same bytes", "refused", ...), and what is wrong with that; nothing, if it survived.

    tried  how many times something was done to the study: a case may kill more than once; 0: left out
    """

    part: str
    case: str
    outcome: str = ""
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    tried: int = 1


def spread(cases: Sequence[T], most: int | None) -> list[T]:
    """At most so many of the cases, from the first to the last."""
    n = len(cases) if most is None else min(most, len(cases))
    return [cases[i * len(cases) // n] for i in range(n)]
