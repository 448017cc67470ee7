"""The checks, side by side with a plain use of IFEval's semantics (reference.py), on the conformance responses.

Both do each piece of work in turn in one process, ours first on every other response, three times over. Times are
of the processor, not of the wall, and of three the shortest counts: other programs only ever add to them. What we
remember by text is forgotten before each pass, so that every text is new; within a pass a response is seen with all
of its constraints, as in use. `Constraint`s are built outside, as in use (each judges many responses); what building
costs is given too.
"""

from __future__ import annotations

import gc
import gzip
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from time import thread_time
from typing import Any

from ifpref.constraints import CONSTRAINT_SETS, Constraint, text, verify
from tests.hard_texts import HARD, UNDETECTED, hard

DATA = Path(__file__).resolve().parents[3] / "shared" / "ifeval"
DETECTING = ("language:response_language", "change_case:english_capital", "change_case:english_lowercase")
PASSES = 3
Item = tuple[str, list[Constraint]]


def run() -> dict[str, Any]:
    if not DATA.is_dir():
        return {"skipped": "the IFEval reference data (../shared/ifeval) is not there"}
    import nltk

    nltk.data.path.insert(0, str(DATA / "nltk_data"))
    with gzip.open(DATA / "conformance.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    started = thread_time()
    items = [
        (row["response"], [Constraint(id, k) for id, k in zip(row["instruction_id_list"], row["kwargs"], strict=True)])
        for row in rows
    ]
    building = (thread_time() - started) / sum(len(constraints) for _, constraints in items)
    warm_up(items)

    plain = [(response, [c for c in constraints if c.id not in DETECTING]) for response, constraints in items]
    detecting = [(response, [c for c in constraints if c.id in DETECTING]) for response, constraints in items]
    one_of_each = list({c.id: c for _, constraints in plain for c in constraints}.values())
    each = [(response, one_of_each) for response, _ in items[::4]]

    by_id = per_id(items)
    return {
        "data": f"{len(items)} responses, {sum(len(c) for _, c in items)} constraints; {text.backends()}",
        "without_language_detection": [
            totals("own constraints, strict", plain),
            totals("own constraints, loose", plain, loose=True),
            totals(f"all {len(one_of_each)} ids on each of {len(each)} responses", each),
        ],
        "with_language_detection": [
            totals("own constraints, strict", detecting),
            totals("own constraints, loose", detecting, loose=True),
            totals("the same, texts seen before", detecting, forget=False),
        ],
        "by_id": by_id,
        "where_our_time_goes": where(by_id),
        "worst_of_10_kB": worst(),
        "also": {"microseconds to build a Constraint": building * 1e6},
    }


def forget() -> None:
    """As if no text had been seen."""
    text.count_sentences.cache_clear()
    text.detect_language.cache_clear()


def warm_up(items: list[Item]) -> None:
    """Load the data and the profiles, compile the patterns: neither side pays for that."""
    for response, constraints in items[:100]:
        ours(response, constraints, False)
        theirs(response, constraints, False)
    reference_check("length_constraints:number_sentences", {"num_sentences": 1, "relation": "at least"}, "A text.")
    text.detect_language("A text.")
    forget()


def reference_check(id: str, kwargs: dict, response: str, loose: bool = False) -> bool:
    from tests.bench import reference  # imports nltk, which must know the data's place first

    return bool(reference.check(id, kwargs, response, loose))


def ours(response: str, constraints: list[Constraint], loose: bool) -> list[bool]:
    return verify(response, constraints, loose)


def theirs(response: str, constraints: list[Constraint], loose: bool) -> list[bool]:
    return [reference_check(c.id, c.kwargs, response, loose) for c in constraints]


def seconds(side: Callable, response: str, constraints: list[Constraint], loose: bool) -> float:
    started = thread_time()
    side(response, constraints, loose)
    return thread_time() - started


def measure(items: list[Item], loose: bool = False, fresh: bool = True) -> list[tuple[float, float]]:
    """Seconds of each item, ours and theirs."""
    best = [(float("inf"), float("inf"))] * len(items)
    gc.disable()
    for _ in range(PASSES):
        if fresh:
            forget()
        for index, (response, constraints) in enumerate(items):
            if index % 2:
                b = seconds(theirs, response, constraints, loose)
                a = seconds(ours, response, constraints, loose)
            else:
                a = seconds(ours, response, constraints, loose)
                b = seconds(theirs, response, constraints, loose)
            best[index] = min(best[index][0], a), min(best[index][1], b)
    gc.enable()
    return best


def totals(name: str, items: list[Item], loose: bool = False, forget: bool = True) -> dict[str, Any]:
    items = [(response, constraints) for response, constraints in items if constraints]
    best = measure(items, loose, fresh=forget)
    checks = sum(len(constraints) for _, constraints in items)
    mine, plain = (sum(side) for side in zip(*best, strict=True))
    return {
        "": name,
        "checks": checks,
        "ours/s": checks / mine,
        "reference/s": checks / plain,
        "times": plain / mine,
    }


def per_id(items: list[Item]) -> list[dict[str, Any]]:
    """Each check alone, strict, by the time that ours takes in all."""
    single = [(response, [c]) for response, constraints in items for c in constraints]
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for (_, (constraint,)), pair in zip(single, measure(single), strict=True):
        found[constraint.id].append(pair)
    rows = []
    for id in sorted(CONSTRAINT_SETS["ifeval"], key=lambda id: -sum(mine for mine, _ in found[id])):
        mine, plain = (sum(side) / len(found[id]) for side in zip(*found[id], strict=True))
        row = {"id": id, "checks": len(found[id]), "ours us": mine * 1e6, "reference us": plain * 1e6}
        rows.append({**row, "times": plain / mine})
    return rows


def where(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Shares of our time over the responses' own constraints."""
    spent = {row["id"]: row["ours us"] * row["checks"] for row in rows}
    rest = {id: time for id, time in spent.items() if id not in DETECTING}
    shares = {"language detection, of all": 1 - sum(rest.values()) / sum(spent.values())}
    shares |= {f"{id.partition(':')[2]}, of the rest": time / sum(rest.values()) for id, time in rest.items()}
    return {name: f"{share:.0%}" for name, share in shares.items() if share >= 0.02}


def worst() -> list[dict[str, Any]]:
    """The slowest of the hard texts for each check that detects no language; the shortest of three times."""
    rows = []
    texts = {name: hard(name, 10_000)[:10_000] for name in HARD}
    for constraint in UNDETECTED:
        slowest = (0.0, "")
        for name, response in texts.items():
            times = []
            for _ in range(PASSES):
                forget()
                times.append(seconds(ours, response, [constraint], False))
            slowest = max(slowest, (min(times), name))
        rows.append({"id": constraint.id, "ms": slowest[0] * 1e3, "text": slowest[1]})
    return sorted(rows, key=lambda row: -row["ms"])
