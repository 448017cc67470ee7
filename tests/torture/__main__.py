"""What `make torture` runs: python -m tests.torture [part ...]

Every case that did not survive as it comes, and a table of what was tried at the end; every case, as it comes, in
outputs/torture/<part>.json. The exit code is 1 if anything wrong was accepted, lost, hung, or ended in a traceback, and
where a part tried fewer cases than it must.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

from ifpref import paths
from tests.torture import PARTS, ROOT, Row

OUT = ROOT / "outputs" / "torture"


def main(names: list[str]) -> int:
    for name in names:
        if name not in PARTS:
            print(f"error: unknown part {name!r}; known: {', '.join(PARTS)}", file=sys.stderr)
            return 2
    OUT.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    table = ["part          tried  survived  wrong  minutes  of these"]
    for part in names or PARTS:
        start = time.monotonic()
        found: list[Row] = []
        for row in rows_of(part):
            found.append(row)
            text = json.dumps([asdict(one) for one in found], indent=1)
            (OUT / f"{part}.json").write_text(text + "\n", encoding="utf-8")
            if row.wrong or not row.tried:
                print(f"    {part}, {row.case}: {'; '.join(row.wrong) or row.outcome}", flush=True)
        rows += found
        table.append(line(part, found, time.monotonic() - start))
        print(table[-1], flush=True)
    print("\n".join(["", *table, line("all", rows, sum(row.seconds for row in rows))]))
    print(f"every case is in {paths.shown(OUT)}")
    return int(any(row.wrong for row in rows))


def rows_of(part: str) -> Iterator[Row]:
    tried = 0
    for row in importlib.import_module(f"tests.torture.{part}").run():
        tried += row.tried
        yield row
    if tried < PARTS[part]:
        yield Row(part, "all", "", [f"{tried} were tried; needed: {PARTS[part]}"], tried=0)


def line(part: str, rows: list[Row], seconds: float) -> str:
    """Of the table; a case may try more than once, and survives as a whole."""
    tried, wrong = (sum(row.tried for row in some) for some in (rows, [row for row in rows if row.wrong]))
    outcomes = Counter(row.outcome for row in rows if not row.wrong)
    counts = ", ".join(f"{n} {outcome}" for outcome, n in outcomes.items()) if part != "all" else ""
    n_wrong = sum(bool(row.wrong) for row in rows)
    return f"{part:12} {tried:6} {tried - wrong:9} {n_wrong:6} {seconds / 60:8.1f}  {counts}".rstrip()


if __name__ == "__main__":
    sys.exit(main([name for words in sys.argv[1:] for name in words.split()]))
