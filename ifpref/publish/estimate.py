"""What a study will cost on this machine: a small sample of each stage is timed, and scaled by the study's own tasks.

    python -m ifpref.publish.estimate pocket --set "n_replicates=5" --workers 2
    python -m ifpref.publish.estimate pocket --actual            # afterwards: what it took, beside the estimate

It writes outputs/<name>/estimate.json, one row for each stage, or for each arm of a comparison:

    {"stage": "run", "what": "sharing mcts/high/all", "tasks": 3, "seconds": 61.2, "tokens": 93000, "bytes": 1.1e7}

Decisions
- What is counted are the tasks that the study's schedule lacks, so the two cannot drift apart; what is there is free.
- The sample is the study itself, cut to a few prompts and one replicate, in a store that is thrown away (probe.py):
  the same code, model, engine and batch sizes.
- Time on the wall is that of a schedule: the tasks are played through, each when what it needs is done, by as many
  workers as there will be. Workers of a CPU compute in one thread each, and so does the sample.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ifpref import paths
from ifpref.models import ModelError
from ifpref.params import ParamsError, parse_overrides
from ifpref.pipeline import preflight
from ifpref.pipeline.pipeline import STAGES
from ifpref.pipeline.probe import Cost, Rates, measure
from ifpref.pipeline.schedule import Schedule, duration, say_to_stderr, wall_seconds
from ifpref.pipeline.sizes import GIB
from ifpref.pipeline.stage import Stage
from ifpref.pipeline.workers import gpus
from ifpref.store import StoreError
from ifpref.study import Study, StudyError

FILE = "estimate.json"


def cost(study: Study, task: Stage, rates: Rates) -> Cost:
    """What one task takes: its units, by the rates that were measured."""
    n_train = study.params.n_train_prompts
    units = task.work(study.params, lambda name, arm: rates.n_pairs(name, arm, n_train))
    return sum((rates.of.get(unit, Cost()) * count for unit, count in units.items()), Cost())


def estimate(study: Study, *, workers: int | None = None, say: Any = say_to_stderr) -> dict[str, Any]:
    """Measure, scale, and return what goes into estimate.json; nothing is left of the sample.

    What a study would refuse is refused here too, before the model is loaded (preflight.py).
    """
    schedule = Schedule(study.pipeline, study.at_hand(study.tasks(), say))
    n_gpus = gpus(study.params)
    n = max(1, min(study.n_workers(n_gpus, workers), len(schedule.needs) or 1))
    if not schedule.needs:
        return {"study": study.name, "workers": n, "wall_seconds": 0.0, "rows": [], "cached": len(schedule.cached)}
    preflight.check(study.pipeline, schedule.needs, n_gpus, lambda line: say(f"estimate: {line}"))
    rates = measure(study.params, "cuda:0" if n_gpus else "cpu", say=say)
    costs = {task: cost(study, task, rates) for task in schedule.needs}
    rows: dict[tuple[str, str], list[Cost]] = defaultdict(list)
    for task, found in costs.items():
        rows[task.name, task.label].append(found)
    order = [stage.name for stage in STAGES]
    table = [
        {"stage": stage, "what": what, "tasks": len(each), **asdict(sum(each, Cost()))}
        for (stage, what), each in sorted(rows.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
    ]
    return {
        "study": study.name,
        "machine": rates.machine,
        "workers": n,
        "cached": len(schedule.cached),
        "wall_seconds": wall_seconds(schedule.needs, {task: one.seconds for task, one in costs.items()}, n),
        "peak_bytes": rates.peak_bytes * (1 if n_gpus else n),
        "peak_of": rates.peak_of,
        "measured_seconds": rates.seconds,
        "rows": table,
    }


def actual(study: Study, estimated: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of an estimate, each with what its tasks took: `actual_seconds`, of those that are there now.

    From the manifests: "made", seconds. A task whose parts another one had made already took less.
    """
    seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
    for task in study.pipeline.needs(study.tasks()):
        if handle := study.pipeline.find(task):
            seconds[task.name, task.label].append(handle.manifest["made"]["seconds"])
    rows = []
    for row in estimated["rows"]:
        found = seconds.get((row["stage"], row["what"]), [])
        mean = sum(found) / len(found) if found else None
        rows.append({**row, "there": len(found), "actual_seconds": None if mean is None else mean * row["tasks"]})
    return rows


def shown(found: Mapping[str, Any]) -> str:
    """The estimate as a table."""
    lines = [f"{'stage':15}{'what':38}{'tasks':>6}{'time':>9}{'tokens':>15}{'disk':>10}"]
    for row in found["rows"]:
        took = "" if row.get("actual_seconds") is None else f"   took {duration(row['actual_seconds'])}"
        tokens, megabytes = f"{row['tokens']:,.0f}" if row["tokens"] else "", row["bytes"] / 2**20
        lines.append(
            f"{row['stage']:15}{row['what']:38}{row['tasks']:>6}{duration(row['seconds']):>9}{tokens:>15}"
            f"{f'{megabytes:,.1f} MiB' if megabytes >= 0.05 else '':>12}{took}"
        )
    total = {part: sum(row[part] for row in found["rows"]) for part in ("tasks", "seconds", "tokens", "bytes")}
    lines.append(
        f"\n{found['study']}: {total['tasks']} artefacts to make, {found['cached']} are there. "
        f"{duration(total['seconds'])} of computing, {duration(found['wall_seconds'])} on the wall with "
        f"{found['workers']} workers; {total['tokens']:,.0f} tokens; {total['bytes'] / GIB:.2f} GiB on disk"
    )
    if "peak_bytes" in found:
        lines.append(f"peak memory: about {found['peak_bytes'] / GIB:.1f} GiB of {found['peak_of']}")
    known = [row for row in found["rows"] if row.get("actual_seconds") is not None]
    if known:
        there, then = (sum(row[part] for row in known) for part in ("actual_seconds", "seconds"))
        lines.append(f"of what is there: estimated {duration(then)}, took {duration(there)} ({there / then - 1:+.0%})")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ifpref.publish.estimate", description=__doc__.split("\n")[0])
    parser.add_argument("profile", help="a name in params/, or a YAML file")
    parser.add_argument("--set", default="", help="parameters, such as 'beta=0.05 seed=1'")
    parser.add_argument("--workers", type=int, help="as the study is to be run with (default: as `make reproduce`)")
    parser.add_argument("--actual", action="store_true", help="what it took, beside the estimate that was written")
    options = parser.parse_args(arguments)
    try:
        study = Study(options.profile, **parse_overrides(options.set))
        file = paths.outputs_folder(study.name) / FILE
        if options.actual:
            found = _written(file)
            found["rows"] = actual(study, found)
        else:
            found = estimate(study, workers=options.workers)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    except (ParamsError, ModelError, StudyError, StoreError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(shown(found))
    return 0


def _written(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StudyError(f"{paths.shown(file)}: no estimate; it is made without --actual, before a run") from None


if __name__ == "__main__":
    sys.exit(main())
