"""SIGKILL at random moments: of a study's process, of one of its workers, of a process that trains.

    parent      its workers end by themselves, the same command goes on from what is done
    worker      the study goes on by itself: the task is tried again, no other is lost
    training    the same, from the last checkpoint, where two processes train together

At the end all bytes are those of a study that nobody killed, the exit code is 0, and no process is left.
"""

from __future__ import annotations

import random
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from subprocess import Popen

import psutil

from tests.torture import SEED, Row, spread
from tests.torture.guard import TRACEBACK, came
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
)

PART = "kills"
PARENTS, WORKERS, TRAININGS = 4, 4, 6
"""Studies; each parent is killed up to three times, two workers of a study, one process of training."""
AGAIN = "a worker died while"
ALL = ("prompts", "responses", "trees", "pairs", "pair_tables", "entropies", "base", "evaluation", "policy", "run")
TRAINED = ("evaluation", "policy", "reference", "run", "base")
TOGETHER = "training_processes=2"


def run(most: int | None = None, home: Path | None = None) -> Iterator[Row]:
    """`home`: a project folder in which the study has been computed."""
    home = home or computed()
    cases: list[Callable[[], Row]] = [partial(parent, home, number) for number in range(PARENTS)]
    cases += [partial(worker, home, number) for number in range(WORKERS)]
    if most is None or most > 2:
        with tempfile.TemporaryDirectory(prefix="ifpref-torture-") as folder:
            together, wrong = trained_together(home, Path(folder))
            if wrong:
                yield Row(PART, "trained together, not killed", "", wrong)
            cases += [partial(training, together, number) for number in range(TRAININGS)]
            for case in spread(cases, most):
                yield case()
        return
    for case in spread(cases, most):
        yield case()


def parent(home: Path, number: int, most: int = 3) -> Row:
    """Killed, and killed again when it goes on, so many times; then it may end."""
    draw, kills, began = random.Random(f"{SEED} parent {number}"), 0, time.monotonic()
    without = ALL if number % 2 else TRAINED
    with tempfile.TemporaryDirectory(prefix="ifpref-torture-") as folder:
        own, mark, wrong = copied(home, Path(folder, "home"), without), uuid.uuid4().hex, []
        while not wrong and kills < most:
            process = start(own, mark)
            if not _wait(draw, own, process, len(artefacts(home))):
                break
            process.kill()
            process.wait()
            kills += 1
            wrong += outlived(mark) + differences(contents(home), contents(own), whole=False)
        wrong += wrong or _ends(start(own, mark), own, mark, contents(home))
    return Row(PART, f"parent, study {number}", "same bytes", wrong, time.monotonic() - began, max(1, kills))


def worker(home: Path, number: int) -> Row:
    """Two workers of one study, one after the other."""
    draw, kills, began = random.Random(f"{SEED} worker {number}"), 0, time.monotonic()
    without = ALL if number % 2 else TRAINED
    with tempfile.TemporaryDirectory(prefix="ifpref-torture-") as folder:
        own, mark = copied(home, Path(folder, "home"), without), uuid.uuid4().hex
        process = start(own, mark)
        for _ in range(2):
            if _wait(draw, own, process, len(artefacts(home))) and _await(lambda: _children(process.pid), process):
                kills += _kill(draw, _children(process.pid))
        wrong = _ends(process, own, mark, contents(home))
        if (deaths := said(own).count(AGAIN)) > kills:
            wrong.append(f"{kills} workers were killed, and {deaths} tasks lost theirs")
    return Row(PART, f"workers, study {number}", "same bytes", wrong, time.monotonic() - began, max(1, kills))


def training(home: Path, number: int) -> Row:
    """One of the two processes that train a policy together."""
    draw, kills, began = random.Random(f"{SEED} training {number}"), 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ifpref-torture-") as folder:
        own, mark = without_two_policies(home, Path(folder, "home")), uuid.uuid4().hex
        process = start(own, mark, TOGETHER)

        def trainers() -> list[psutil.Process]:
            return [one for lane in _children(process.pid) for one in _children(lane.pid)]

        while not kills and _await(trainers, process):
            time.sleep(draw.uniform(0.0, 3.0))
            kills += _kill(draw, trainers())
        wrong = _ends(process, own, mark, contents(home))
    return Row(PART, f"training, study {number}", "same bytes", wrong, time.monotonic() - began, max(1, kills))


def trained_together(home: Path, folder: Path) -> tuple[Path, list[str]]:
    """A study of which two policies were trained by two processes each; what is wrong with it."""
    own, mark = without_two_policies(home, folder / "together"), uuid.uuid4().hex
    code = ended(start(own, mark, TOGETHER), 2 * LIMIT_S)
    return own, [] if code == 0 else [f"exit code {code}: {said(own)[-500:]}"]


def without_two_policies(home: Path, to: Path) -> Path:
    """Two arms of four are to be trained again, and all are to be evaluated."""
    import shutil

    own = copied(home, to, ("evaluation", "run"))
    for policy in sorted((store(own) / "policy").iterdir())[:2]:
        shutil.rmtree(policy)
    return own


def artefacts(home: Path) -> list[Path]:
    return [path for path in store(home).glob("*/*") if len(path.name) == 16]


def _wait(draw: random.Random, own: Path, process: Popen, n: int) -> bool:
    """Until a random one of the `n` artefacts of a study is there, and a little longer; whether it still runs."""
    there = len(artefacts(own))
    awaited = draw.randrange(there + 1, n) if there + 1 < n else there
    _await(lambda: len(artefacts(own)) >= awaited, process)
    time.sleep(draw.uniform(0.0, 2.0))
    return process.poll() is None


def _ends(process: Popen, home: Path, mark: str, expected: dict[str, bytes]) -> list[str]:
    """What is wrong with the end of a study."""
    code = ended(process)
    wrong = outlived(mark)
    if code != 0:
        wrong.append(f"exit code {code}: {said(home)[-500:]}" if code is not None else f"hung for {LIMIT_S:.0f} s")
    if TRACEBACK in said(home):
        wrong.append(f"a traceback: {said(home)[-500:]}")
    return wrong + differences(expected, contents(home)) + left_behind(home)


def _children(pid: int) -> list[psutil.Process]:
    """The processes that multiprocessing has started there, but for its tracker of resources."""
    try:
        return [one for one in psutil.Process(pid).children() if any("spawn_main" in word for word in one.cmdline())]
    except psutil.Error:
        return []


def _await(there: Callable[[], object], process: Popen) -> bool:
    """Whether it came before the study ended."""
    came(lambda: process.poll() is not None or there(), LIMIT_S)
    return process.poll() is None and bool(there())


def _kill(draw: random.Random, processes: list[psutil.Process]) -> int:
    """How many were killed: one of them, if there are any."""
    if not processes:
        return 0
    try:
        draw.choice(processes).kill()
    except psutil.Error:
        return 0
    return 1
