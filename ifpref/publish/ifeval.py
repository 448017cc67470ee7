"""IFEval of a base: its 541 prompts, greedy, as lm-eval asks them, scored by our verifiers.

    python -m ifpref.publish.ifeval smollm2             # the model of a profile, a folder, or a hub id

    responses.jsonl   {"key": 1000, "prompt": ..., "response": ..., "instruction_id_list": [...], "kwargs": [...]}
    results.json      model, settings, the four accuracies with standard errors, what was published beside them

in outputs/ifeval/<model>/. The responses are those of the stage `Base("ifeval", 0.0)`, made now if they are not there:
a study with the same settings reads the same artefact. `make score`, lm-eval's scorer and the official one read the
file.

Decisions
- Standard errors are over prompts, of instruction-level too: the constraints of a prompt share one response. (lm-eval
  gives none for it.)
- A model that is not a profile's is asked as the profile smollm2 says.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ifpref import paths
from ifpref.command import command, parser_of
from ifpref.constraints.text import backends
from ifpref.evaluation.policy import ROWS
from ifpref.evaluation.table import MODES, Table
from ifpref.params import load_params, parse_overrides, profiles
from ifpref.pipeline import preflight
from ifpref.pipeline.model import first_device, gpus
from ifpref.pipeline.pipeline import Pipeline
from ifpref.pipeline.policies import IFEVAL, Base, Evaluation
from ifpref.pipeline.samples import PROMPTS, IFEvalPrompts
from ifpref.pipeline.schedule import say_to_stderr
from ifpref.pipeline.workers import study_store
from ifpref.store import Handle, StoreError, files

PROFILE = "smollm2"
LEVELS = ("prompt_level", "instruction_level")
PUBLISHED: Mapping[str, float] = dict.fromkeys(("smollm2", "HuggingFaceTB/SmolLM2-135M-Instruct"), 29.9)
"""What the makers of a model say on its card: the mean of prompt- and instruction-level, percent, not quantised."""


def pipeline_of(model: str, **overrides: Any) -> Pipeline:
    """The artefacts of this model, with the settings that it is asked with."""
    params = load_params(model, **overrides) if model in profiles() else load_params(PROFILE, model=model, **overrides)
    return Pipeline(params, study_store(), first_device(gpus(params)))


def answers(pipeline: Pipeline) -> Handle:
    """The evaluation of the base on IFEval's prompts, made now if it is not there; each row has its text."""
    task, inputs = Base(IFEVAL, 0.0), {"prompts": pipeline.get(IFEvalPrompts())}
    if pipeline.find(task) is None:
        preflight.check(pipeline, [task], gpus(pipeline.params), say_to_stderr)
        pipeline.get(task)
    settings = task.settings(pipeline.params)
    return pipeline.nested(Evaluation, settings.evaluation, inputs=inputs, seed=settings.held_out_seed)


def responses(prompts: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The lines of responses.jsonl; each carries its constraints, so that it can be scored without the prompts."""
    texts = {row["prompt_id"]: row["text"] for row in rows}
    return [
        {
            "key": int(prompt["topic"]),
            "prompt": prompt["text"],
            "response": texts[prompt["prompt_id"]],
            "instruction_id_list": [one["id"] for one in prompt["constraints"]],
            "kwargs": [one["kwargs"] for one in prompt["constraints"]],
        }
        for prompt in prompts
    ]


def accuracies(table: Table) -> dict[str, dict[str, float]]:
    """The four accuracies, and of each mode the mean of prompt- and instruction-level: percent, with standard errors
    over prompts (of a ratio of sums, Cochran 1977, 6.3, for instruction-level)."""
    found = {}
    for mode in MODES:
        met = np.array([verdicts.sum() for verdicts in table.verdicts(mode)], dtype=float)
        asked = np.array([verdicts.size for verdicts in table.verdicts(mode)], dtype=float)
        whole, n = table.prompt_level(mode), len(table)
        values = {"prompt_level": whole.mean(), "instruction_level": met.sum() / asked.sum()}
        parts = {
            "prompt_level": whole - whole.mean(),
            "instruction_level": (met - values["instruction_level"] * asked) / asked.mean(),
        }
        values["mean"], parts["mean"] = sum(values.values()) / 2, sum(parts.values()) / 2
        for name, value in values.items():
            error = math.sqrt(float(np.sum(parts[name] ** 2)) / (n - 1) / n) if n > 1 else math.nan
            found[f"{name}_{mode}"] = {"percent": 100 * float(value), "standard_error": 100 * error}
    return found


def results(pipeline: Pipeline, made: Handle) -> dict[str, Any]:
    """What goes into results.json."""
    table = Table.from_rows(made.iter_jsonl(ROWS))
    return {
        "model": pipeline.identity,
        "max_tokens": made.manifest["recipe"]["settings"]["max_tokens"],
        "decoding": "greedy",
        "prompts": len(table),
        "ended_by_themselves_percent": 100 * float(1 - table.truncated.mean()),
        "tokens": float(table.n_tokens.mean()),
        **accuracies(table),
        "published_mean": PUBLISHED.get(pipeline.params.model),
        "backends": backends(),
        "artefact": made.key,
    }


def shown(found: Mapping[str, Any]) -> str:
    """The results for a terminal."""
    head = (
        f"{found['model']['id']} ({found['model']['dtype']}) on {found['prompts']} prompts of IFEval, greedy, at most "
    )
    head += f"{found['max_tokens']:,} tokens; {found['ended_by_themselves_percent']:.0f} % end by themselves"
    lines = [head, f"{'percent':22}{'strict':>16}{'loose':>16}"]
    for name in (*LEVELS, "mean"):
        cells = (found[f"{name}_{mode}"] for mode in MODES)
        label = "mean of both" if name == "mean" else name.replace("_", "-")
        lines.append(f"{label:22}" + "".join(f"{one['percent']:8.1f} ± {one['standard_error']:5.2f}" for one in cells))
    if found["published_mean"] is not None:
        lines.append(f"{'published, mean':22}{found['published_mean']:8.1f}   by its makers; weights not quantised")
    return "\n".join([*lines, "± one standard error over prompts"])


def folder_of(model: str) -> Path:
    """outputs/ifeval/<model>/, of a folder or a hub id with its slashes replaced."""
    return paths.outputs_folder() / "ifeval" / (re.sub(r"[^A-Za-z0-9._-]+", "--", model).strip("-.") or "model")


@command(StoreError, code=2)
def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of("ifpref.publish.ifeval", __doc__)
    parser.add_argument("model", help="the model of a profile, such as smollm2, a folder with safetensors, or a hub id")
    parser.add_argument("--set", default="", help="parameters, such as 'dtype=float32 system_prompt=...'")
    options = parser.parse_args(arguments)
    pipeline = pipeline_of(options.model, **parse_overrides(options.set))
    made = answers(pipeline)
    lines = responses(pipeline.rows(IFEvalPrompts(), PROMPTS), made.read_jsonl(ROWS))
    found, folder = results(pipeline, made), folder_of(options.model)
    folder.mkdir(parents=True, exist_ok=True)
    files.replace(folder / "responses.jsonl", b"".join(map(files.json_line, lines)))
    files.replace(folder / "results.json", files.json_line(found, indent=1))
    print(shown(found))
    print(f"{paths.shown(folder)}: responses.jsonl (make score RESPONSES=...), results.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
