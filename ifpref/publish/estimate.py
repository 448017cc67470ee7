"""What a study will cost on this machine: a small sample of each stage is timed, and scaled by the study's own tasks.

    python -m ifpref.publish.estimate pocket --set "n_replicates=5" --workers 2
    python -m ifpref.publish.estimate pocket --actual            # afterwards: what it took, beside the estimate

It writes outputs/<name>/estimate.json, one row for each stage, or for each arm of a comparison:

    {"stage": "run", "what": "sharing mcts/high/all", "tasks": 3, "seconds": 61.2, "tokens": 93000, "bytes": 1.1e7}

Decisions
- What is counted are the tasks that the study's schedule lacks, so the two cannot drift apart; what is there is free.
- The sample is the study itself, cut to a few prompts and one replicate, in a store that is thrown away (probe.py):
  the same code, model, engine and batch sizes.
- Time on the wall is the longer one of two: of the longest chain of tasks that need each other, and of all of them
  shared out to the workers. Workers of a CPU compute in one thread each, and so does the sample.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from statistics import fmean
from typing import Any

import pandas as pd

from ifpref import paths
from ifpref.command import command, parser_of
from ifpref.params import parse_overrides
from ifpref.pipeline import preflight
from ifpref.pipeline.model import first_device, gpus
from ifpref.pipeline.pipeline import STAGES
from ifpref.pipeline.probe import Cost, Rates, measure
from ifpref.pipeline.schedule import Schedule, duration, say_to_stderr, wall_seconds
from ifpref.pipeline.sizes import GIB
from ifpref.pipeline.stage import Stage
from ifpref.pipeline.workers import n_workers
from ifpref.store import StoreError, files
from ifpref.study import Study, StudyError

FILE = "estimate.json"
COLUMNS = ("seconds", "tokens", "bytes")
FORMATS = {"tokens": "{:,.0f}".format, "disk": lambda size: f"{size / 2**20:,.1f} MiB", "time": duration}
FORMATS |= {"stage": "{:<12}".format, "what": "{:<40}".format}
FORMATS |= {"took": lambda seconds: "" if pd.isna(seconds) else duration(seconds)}


def cost(study: Study, task: Stage, rates: Rates) -> Cost:
    """What one task takes: its units, by the rates that were measured."""
    units = task.work(study.params, lambda name, arm: rates.n_pairs(name, arm, study.params))
    return sum((rates.of[unit] * count for unit, count in units.items() if count), Cost())


def estimate(study: Study, *, workers: int | None = None, say: Callable[[str], None] = say_to_stderr) -> dict[str, Any]:
    """Measure, scale, and return what goes into estimate.json; nothing is left of the sample.

    What a study would refuse is refused here too, before the model is loaded (preflight.py).
    """
    started = time.monotonic()
    schedule = Schedule(study.pipeline, study.at_hand(study.tasks(), say))
    n_gpus = gpus(study.params)
    n = max(1, min(n_workers(study.params, n_gpus, workers), len(schedule.needs) or 1))
    found = {"study": study.name, "workers": n, "cached": len(schedule.cached)}
    if not schedule.needs:
        return found | {"wall_seconds": 0.0, "rows": []}
    preflight.check(study.pipeline, schedule.needs, n_gpus, lambda line: say(f"estimate: {line}"))
    device = first_device(n_gpus)
    rates = measure(study.params, device, say=say)
    costs = {task: cost(study, task, rates) for task in schedule.needs}
    ordered = sorted(costs, key=lambda task: (STAGES.index(type(task)), task.label))
    table = pd.DataFrame({"stage": t.name, "what": t.label, "tasks": 1, **asdict(costs[t])} for t in ordered)
    peak, peak_of = _peak(device)
    return found | {
        "machine": f"{platform.machine()}, {sys.platform}, {peak_of}",
        "wall_seconds": wall_seconds(schedule.needs, {task: one.seconds for task, one in costs.items()}, n),
        "peak_bytes": peak * (1 if n_gpus else n),
        "peak_of": peak_of,
        "measured_seconds": time.monotonic() - started,
        "rows": table.groupby(["stage", "what"], sort=False).sum().reset_index().to_dict("records"),
    }


def _peak(device: str) -> tuple[int, str]:
    """The most bytes that this process has held, and of what."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.max_memory_allocated(device), torch.cuda.get_device_name(device)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, "memory"


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
        took = seconds[row["stage"], row["what"]]
        rows.append(row | {"there": len(took), "actual_seconds": fmean(took) * row["tasks"] if took else None})
    return rows


def shown(found: Mapping[str, Any]) -> str:
    """The estimate as a table, and what it comes to."""
    rows = pd.DataFrame(found["rows"], columns=["stage", "what", "tasks", *COLUMNS, "actual_seconds"])
    total, known = rows[["tasks", *COLUMNS]].sum(), rows.dropna(subset="actual_seconds")
    table = rows.rename(columns={"seconds": "time", "bytes": "disk", "actual_seconds": "took"})
    table = table.dropna(axis="columns", how="all")
    lines = [table.to_string(index=False, formatters=FORMATS, justify="left") + "\n"] if found["rows"] else []
    lines.append(
        f"{found['study']}: {total.tasks:.0f} artefacts to make, {found['cached']} are there. "
        f"{duration(total.seconds)} of computing, {duration(found['wall_seconds'])} on the wall with "
        f"{found['workers']} workers; {total.tokens:,.0f} tokens; {total.bytes / GIB:.2f} GiB on disk"
    )
    if "peak_bytes" in found:
        lines.append(f"peak memory: about {found['peak_bytes'] / GIB:.1f} GiB of {found['peak_of']}")
    if len(known):
        there, then = known.actual_seconds.sum(), known.seconds.sum()
        lines.append(f"of what is there: estimated {duration(then)}, took {duration(there)} ({there / then - 1:+.0%})")
    return "\n".join(lines)


@command(StudyError, StoreError)
def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of("ifpref.publish.estimate", __doc__, study=True)
    parser.add_argument("--workers", type=int, help="as the study is to be run with (default: as `make reproduce`)")
    parser.add_argument("--actual", action="store_true", help="what it took, beside the estimate that was written")
    options = parser.parse_args(arguments)
    study = Study(options.profile, **parse_overrides(options.set))
    file = paths.outputs_folder(study.name) / FILE
    if options.actual:
        if not file.is_file():
            raise StudyError(f"{paths.shown(file)}: no estimate; it is made without --actual, before a run")
        found = json.loads(file.read_bytes())
        found["rows"] = actual(study, found)
    else:
        found = estimate(study, workers=options.workers)
    file.parent.mkdir(parents=True, exist_ok=True)
    files.replace(file, files.json_line(found, indent=1))
    print(shown(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
