"""What `make torture` runs: python -m tests.torture [part ...]

Every case that did not survive as it comes, and a line for each part; case by case in outputs/torture.json.
The exit code is 1 if anything wrong was accepted, lost, hung, or ended in a traceback.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from dataclasses import asdict

from tests.torture import PARTS, ROOT, Row

OUT = ROOT / "outputs" / "torture.json"


def main(names: list[str]) -> int:
    for name in names:
        if name not in PARTS:
            print(f"error: unknown part {name!r}; known: {', '.join(PARTS)}", file=sys.stderr)
            return 2
    rows: list[Row] = []
    for part in names or PARTS:
        start = time.monotonic()
        found: list[Row] = []
        for row in importlib.import_module(f"tests.torture.{part}").run():
            found.append(row)
            if row.wrong or not row.tried:
                print(f"    {part}, {row.case}: {'; '.join(row.wrong) or row.outcome}", flush=True)
        rows += found
        print(f"{summary(part, found)}  {time.monotonic() - start:4.0f} s", flush=True)
    print(summary("all", rows))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    print(f"every case is in {OUT.relative_to(ROOT)}")
    return int(any(row.wrong for row in rows))


def summary(part: str, rows: list[Row]) -> str:
    tried, wrong = sum(row.tried for row in rows), sum(bool(row.wrong) for row in rows)
    outcomes: dict[str, int] = {}
    for row in rows:
        if not row.wrong:
            outcomes[row.outcome] = outcomes.get(row.outcome, 0) + 1
    counts = ", ".join(f"{n} {outcome}" for outcome, n in outcomes.items()) if part != "all" else ""
    return f"{part:12} tried {tried:4}, wrong {wrong:3}{': ' if counts else ''}{counts}"


if __name__ == "__main__":
    sys.exit(main([name for words in sys.argv[1:] for name in words.split()]))
