"""A disk that fills up while a study runs: a clear end, whole artefacts kept, the same bytes when there is room again.

Where the system lets us mount one (in a namespace of our own), the disk is a small one in memory, filled at a random
moment. Everywhere a limit on the size of files stands for it: the write breaks off in the middle.
"""

from __future__ import annotations

import contextlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from tests.torture import ROOT, SEED, Row, spread
from tests.torture.corruption import SEEN
from tests.torture.guard import TRACEBACK, guarded
from tests.torture.homes import (
    LIMIT_S,
    computed,
    contents,
    copied,
    differences,
    ended,
    left_behind,
    outlived,
    said,
    start,
    store,
    study,
)

PART = "disk"
LIMITED = ("responses", "trees", "policy", "evaluation", "run")
"""Stages whose largest file is too large."""
FILLED = 3
"""How many moments a small disk fills up at."""
SIZE_MIB = 64
SAYS = "the disk is full"
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]


def run(most: int | None = None, home: Path | None = None) -> Iterator[Row]:
    """`home`: a project folder in which the study has been computed."""
    home = home or computed()
    cases = [("limited", stage) for stage in LIMITED] + [("filled", number) for number in range(FILLED)]
    for kind, what in spread(cases, most):
        yield limited(home, str(what)) if kind == "limited" else filled(home, int(what))


def limited(home: Path, stage: str) -> Row:
    with tempfile.TemporaryDirectory(prefix="ifpref-torture-") as folder:
        sizes = (path.stat().st_size for path in (store(home) / stage).rglob("*") if path.is_file())
        own = copied(home, Path(folder, "home"), tuple(dict.fromkeys((*SEEN[stage], stage))))
        first = guarded(study_in_files_of, own, max(sizes) * 4 // 5, limit_s=LIMIT_S)
        wrong = first.wrong + _unclear(first.value, first.said)
        wrong += differences(contents(home), contents(own), whole=False)
        second = guarded(study, own, limit_s=LIMIT_S)
        wrong += second.wrong or ([] if second.value == 0 else [f"exit code {second.value}: {second.said[-300:]}"])
        wrong += differences(contents(home), contents(own)) + left_behind(own)
    return Row(PART, f"no room for {stage}", "same bytes", wrong, first.seconds + second.seconds)


def study_in_files_of(home: Path, size: int) -> int:
    """A study where no file can be larger than this."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    return study(home)


def filled(home: Path, number: int) -> Row:
    case, began = f"filled up, moment {number}", time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ifpref-torture-") as folder:
        if subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "none", folder], capture_output=True).returncode:
            return Row(PART, case, "left out: no disk can be mounted here", tried=0)
        command = [*NAMESPACE, sys.executable, "-m", "tests.torture.disk", str(home), folder, str(number)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=3 * LIMIT_S)
        except subprocess.TimeoutExpired:
            return Row(PART, case, "", [f"hung for {3 * LIMIT_S:.0f} s"], time.monotonic() - began)
    wrong = json.loads(done.stdout) if done.returncode == 0 else [done.stderr[-500:]]
    return Row(PART, case, "same bytes", wrong, time.monotonic() - began)


def fill(home: Path, folder: Path, number: int) -> list[str]:
    """In a namespace of its own: a disk of `SIZE_MIB`, filled at a random moment of a study; what went wrong."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "none", folder], check=True)
    draw, mark = random.Random(f"{SEED} disk {number}"), uuid.uuid4().hex
    own, ballast, count = copied(home, folder / "home", ("run", "policy", "evaluation", "base")), folder / "ballast", 0
    process = start(own, mark)
    while not any(store(own).glob("evaluation/*")) and process.poll() is None:
        time.sleep(0.02)
    time.sleep(draw.uniform(0, 3))
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(2**12))
            count += 1
    code = ended(process)
    (own / "said-then.txt").write_bytes(b"")  # there is no room for more than its name
    wrong = _unclear(code, said(own)) if code else []  # it may have ended before
    ballast.unlink()
    wrong += outlived(mark) + differences(contents(home), contents(own), whole=False)
    code = ended(start(own, mark))
    wrong += [] if code == 0 else [f"exit code {code}: {said(own)[-300:]}"]
    return wrong + outlived(mark) + differences(contents(home), contents(own)) + left_behind(own)


def _unclear(code: int | None, text: str) -> list[str]:
    """What is wrong with how a study ends whose disk is full."""
    wrong = [] if code == 1 else [f"exit code {code}: {text[-300:]}"]
    wrong += [] if SAYS in text else [f"an error without {SAYS!r}: {text[-500:]}"]
    return wrong + (["a traceback"] if TRACEBACK in text else [])


if __name__ == "__main__":
    print(json.dumps(fill(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
