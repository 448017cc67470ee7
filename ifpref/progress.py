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
"""Set to 1 in the environment of a worker, whose owner shows what it does: nothing is shown, there and in the processes
that it starts."""


def is_live() -> bool:
    """Whether a person watches: a terminal, or a notebook with a front end (papermill has none)."""
    return sys.stderr.isatty()


def track(
    items: Iterable[T], *, total: int, what: str, unit: int = 1, note: Callable[[float], str] | None = None
) -> Iterator[T]:
    """Yield the items and show how far it is; each item counts for `unit` of the `total`.

    note  what else to show, given the seconds since the start: tokens per second, say
    """
    if os.environ.get(WORKER_VARIABLE) == "1":
        yield from items
        return
    from tqdm import tqdm

    start = last = time.monotonic()
    done = 0
    with tqdm(total=total, desc=what, leave=False, disable=not is_live()) as bar:
        for item in items:
            yield item
            done, now = min(total, done + unit), time.monotonic()
            bar.update(unit)
            if not bar.disable and note:
                bar.set_postfix_str(note(now - start), refresh=False)
            elif bar.disable and now - last >= EVERY_S:
                last, rate = now, done / (now - start)
                left = f"{(total - done) / rate:,.0f} s left" if rate else "time left unknown"
                more = f", {note(now - start)}" if note else ""
                print(f"{what}: {done:,} of {total:,}, {rate:,.0f}/s{more}, {left}", file=sys.stderr, flush=True)
