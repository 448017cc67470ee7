"""Benchmark: 48,000 open prompts, each with its verified witness, as `make prompts` makes them.

The goal is under 3 minutes and 2 GB on 2 cores; each id in at least 4 % of the prompts; no exact duplicate.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

N = 48_000


def run(n: int = N) -> dict:
    """Wall time, memory of the largest process, and what was made."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "prompts.jsonl"
        command = [sys.executable, "-m", "ifpref.prompts", "--n", str(n), "--out", str(out), "--ifeval", "none"]
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - start
        rows = [json.loads(line) for line in out.open(encoding="utf-8")]
        megabytes = {path.suffix: round(path.stat().st_size / 2**20, 1) for path in Path(folder).iterdir()}
    shares = Counter(c["id"] for row in rows for c in row["constraints"])
    rarest, count = shares.most_common()[-1]
    texts = {" ".join(row["text"].lower().split()) for row in rows}
    return {
        "prompts": len(rows),
        "seconds": round(seconds, 1),
        "build": next(line for line in done.stderr.splitlines() if "verified witness" in line),
        "peak_mib_of_the_largest_process": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
        "exact_duplicates": len(rows) - len(texts),
        "rarest_id": rarest,
        "rarest_id_share": round(count / len(rows), 4),
        "k": {f"k = {k}": n for k, n in sorted(Counter(row["n_constraints"] for row in rows).items())},
        "mib": megabytes,
    }
