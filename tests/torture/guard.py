"""A function in a process of its own, under a time limit: what it returned, raised and printed, or that it hung.

    ended = guarded(study, home, limit_s=120)
    ended.value, ended.error, ended.said, ended.is_hung

The process is forked from a server that has loaded the libraries and done nothing else: it takes milliseconds, and
nothing that a case leaves behind in memory reaches the next one.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

PRELOAD = [
    "tests.torture.warm",
    "ifpref.study",
    "torch",
    "transformers",
    "peft",
    "trl",
    "ifpref.training.trainer",
    "ifpref.sampling",
]
TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True)
class Ended:
    """error: "KeyError: 'x'" of what was raised; said: all of stdout and stderr."""

    value: Any
    error: str
    said: str
    seconds: float
    is_hung: bool = False

    @property
    def wrong(self) -> list[str]:
        """What is wrong with any case that ends so: it hung, raised, or printed a traceback."""
        if self.is_hung:
            return [f"hung for {self.seconds:.0f} s: {self.said[-300:]}"]
        return [f"crashed: {self.error}"] if self.error else ["a traceback"] if TRACEBACK in self.said else []


def guarded(function: Callable[..., Any], *arguments: Any, limit_s: float) -> Ended:
    """`function` and what it is given travel by pickle. After its limit (`came`) it is killed, and what it started."""
    start = time.monotonic()
    ours, theirs = _context().Pipe(duplex=False)
    with tempfile.NamedTemporaryFile() as log:
        process = _context().Process(target=_run, args=(function, arguments, theirs, log.name))
        process.start()
        theirs.close()
        value, error, is_hung = None, "", not came(lambda: ours.poll(0.2), limit_s)
        with contextlib.suppress(EOFError):  # it died before it could say a word
            value, error = (None, "") if is_hung else ours.recv()
        if is_hung:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
        process.join()
        if process.exitcode and not is_hung:
            error = f"ended with {process.exitcode}"
        said = Path(log.name).read_text(errors="replace")
    return Ended(value, error, said, time.monotonic() - start, is_hung)


def came(look: Callable[[], object], limit_s: float) -> bool:
    """Whether `look` says so in time: a limit is for quiet cores, and longer where processes wait for one."""
    start = time.monotonic()
    while not (found := look()) and time.monotonic() - start < limit_s * max(1, os.getloadavg()[0] / os.cpu_count()):
        time.sleep(0.02)
    return bool(found)


@cache
def _context() -> BaseContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


def _run(function: Callable[..., Any], arguments: tuple, pipe: Any, log: str) -> None:
    os.setsid()
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    try:
        found = function(*arguments), ""
    except Exception as error:
        traceback.print_exc()
        found = None, f"{type(error).__name__}: {error}"
    pipe.send(found)
