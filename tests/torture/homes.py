"""Project folders in which a tiny study has been computed: copied, run again, and held against one that nobody touched.

home = copied(computed(), folder / "own")
ended = guarded(study, home, limit_s=LIMIT_S)           # or `start(home, mark, workers=2)`, a command of its own
differences(contents(computed()), contents(home))       # [] if every artefact has the same bytes
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from ifpref import paths
from tests.conftest import TINY
from tests.torture import ROOT
from tests.torture.guard import came, guarded

LIMIT_S = 180.0
"""Longest that a study may take for anything here, on two quiet cores; the whole of it takes 20 s."""
GONE_S = 30.0
"""Longest that processes may outlive the one that has started them."""
MARK = "IFPREF_TORTURE"
"""In the environment of a command and of all that it starts: who carries it belongs to it."""
SET = " ".join(f"{name}={json.dumps(value)}" for name, value in TINY.items())


def study(home: Path, *more: str) -> int:
    """`make reproduce` without its notebooks, in this process: its exit code."""
    from ifpref.study import main

    os.environ[paths.HOME_VARIABLE] = str(home)
    return main(["smoke", "--set", " ".join((SET, *more)), "--workers", "0"])


def start(home: Path, mark: str, *more: str, workers: int = 2) -> subprocess.Popen:
    """The same as a command. What it says goes to `<home>/said.txt`."""
    command = [
        sys.executable,
        "-m",
        "ifpref.study",
        "smoke",
        "--set",
        " ".join((SET, *more)),
        "--workers",
        f"{workers}",
    ]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {paths.HOME_VARIABLE: str(home), "PYTHONPATH": path, MARK: mark}
    with (home / "said.txt").open("wb") as said:
        return subprocess.Popen(command, env=environment, stdout=said, stderr=said, cwd=ROOT)


def ended(process: subprocess.Popen, limit_s: float = LIMIT_S) -> int | None:
    """Its exit code; None where it hung and was killed."""
    if came(lambda: process.poll() is not None, limit_s):
        return process.returncode
    process.kill()
    process.wait()
    return None


def said(home: Path) -> str:
    return (home / "said.txt").read_text(errors="replace")


@cache
def computed() -> Path:
    """A project folder with the study in it, computed once. Nobody writes to it."""
    home = Path(tempfile.mkdtemp(prefix="ifpref-torture-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    shutil.copytree(ROOT / "params", home / "params")
    done = guarded(study, home, limit_s=3 * LIMIT_S)
    if done.value != 0:
        raise RuntimeError(f"the study that is to be tortured does not end by itself: {done.error}\n{done.said}")
    return home


def copied(home: Path, to: Path, without: tuple[str, ...] = ()) -> Path:
    """A copy of a project folder, without the artefacts of some stages."""
    shutil.copytree(home, to)
    for stage in without:
        shutil.rmtree(store(to) / stage)
    return to


def store(home: Path) -> Path:
    return home / "outputs" / "store"


def contents(home: Path) -> dict[str, bytes]:
    """Every finished artefact: its files by name, and its manifest but for "made", where two runs may differ."""
    found: dict[str, bytes] = {}
    for folder in sorted(store(home).glob("*/*")):
        if len(folder.name) == 16:
            manifest = _manifest(folder)
            name = f"{folder.parent.name}/{folder.name}"
            found[f"{name}/manifest.json"] = json.dumps(manifest).encode()
            for file in manifest.get("files", {}):
                found[f"{name}/{file}"] = (folder / file).read_bytes() if (folder / file).is_file() else b"no file"
    return found


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        return {name: value for name, value in manifest.items() if name != "made"}
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        return {"error": f"{type(error).__name__}: {error}"}


def differences(expected: dict[str, bytes], found: dict[str, bytes], *, whole: bool = True) -> list[str]:
    """What is not as it should be, in words; unless it is to be whole, artefacts may be missing."""
    wrong = [f"{name} has other bytes" for name in expected if name in found and found[name] != expected[name]]
    if whole:
        wrong += [f"{name} is lost" for name in expected if name not in found]
    wrong += [f"{name} was never there" for name in found if name not in expected]
    return wrong[:5]


def left_behind(home: Path) -> list[str]:
    """What a study that has ended leaves in its store beside artefacts: nothing."""
    ends = (".partial", ".journal", ".lock", ".new", ".checkpoints")
    names = (path.relative_to(home).as_posix() for path in store(home).glob("*/*"))
    return [f"left behind: {name}" for name in names if name.endswith(ends)]


def marked(mark: str) -> list[psutil.Process]:
    """The processes that carry this mark."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def outlived(mark: str) -> list[str]:
    """Processes that are still there after `GONE_S`, in words; they are ended now."""
    came(lambda: not marked(mark), GONE_S)
    left = marked(mark)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    return [f"process {process.pid} was left behind" for process in left]
