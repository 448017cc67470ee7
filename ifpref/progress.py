"""Progress: a bar where someone watches, plain lines where only a log does.

    for row in track(rows, total=len(rows), what="prompts"):
        ...

papermill, make and CI have no live front end: a bar would fill their logs with carriage returns, so a line is
written now and then instead (`prompts: 12,000 of 48,000, 310/s, 116 s left`).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

EVERY_S = 15.0
"""Seconds between two plain lines."""

WORKER_VARIABLE = "IFPREF_WORKER"
"""Set to 1 in the environment of a worker: nothing is shown, neither there nor in the processes that it starts."""

_silent = False


def silence() -> None:
    """From now on nothing is shown in this process: for workers, whose owner shows what they do."""
    global _silent
    _silent = True


def is_live() -> bool:
    """Whether a person watches: a terminal, or a notebook with a front end (papermill has none)."""
    return sys.stderr.isatty()


def track(
    items: Iterable[T], *, total: int, what: str, unit: int = 1, note: Callable[[float], str] | None = None
) -> Iterator[T]:
    """Yield the items and show how far it is; each item counts for `unit` of the `total`.

    note  what else to show, given the seconds since the start: tokens per second, say
    """
    if _silent or os.environ.get(WORKER_VARIABLE) == "1":
        yield from items
        return
    if is_live():
        from tqdm import tqdm

        start = time.monotonic()
        with tqdm(total=total, desc=what, leave=False) as bar:
            for item in items:
                yield item
                if note:
                    bar.set_postfix_str(note(time.monotonic() - start), refresh=False)
                bar.update(unit)
        return
    start = last = time.monotonic()
    done = 0
    for item in items:
        yield item
        done = min(total, done + unit)
        now = time.monotonic()
        if now - last >= EVERY_S:
            last, rate = now, done / (now - start)
            left = f"{(total - done) / rate:,.0f} s left" if rate else "time left unknown"
            more = f", {note(now - start)}" if note else ""
            print(f"{what}: {done:,} of {total:,}, {rate:,.0f}/s{more}, {left}", file=sys.stderr, flush=True)
