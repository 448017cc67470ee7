"""A policy, taken out of the study: a folder that `peft` and vLLM load, with a model card.

    python -m ifpref.publish.export 3f0c51a97be2d846 --out adapters/mine
    python -m ifpref.publish.export pocket sharing mcts/high/all --replicate 0 --out adapters/mine

    adapter_model.safetensors, adapter_config.json    peft's; the config names the base, by its hub id and commit
    base.json                                         what `attach_adapter` holds a base against
    README.md                                         the card: base, data, parameters, results, how to load

A key is that of an artefact `policy`, or of a `run`. Named by profile, comparison and arm, the card has the
study's results too: the arm's gain over the base with its interval, over all replicates that are there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ifpref.analysis.results import gains
from ifpref.curation.pairs import Arm
from ifpref.evaluation.table import Table
from ifpref.models import BASE_FILE, ModelError
from ifpref.params import ParamsError, parse_overrides
from ifpref.pipeline.runs import RECORD
from ifpref.pipeline.schedule import study_store
from ifpref.prompts.card import table
from ifpref.store import Handle, Store, StoreError
from ifpref.study import Study

FILES = ("adapter_model.safetensors", "adapter_config.json", BASE_FILE)
VLLM_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM allows as --max-lora-rank."""
TRAINED_WITH = (
    "loss_type",
    "beta",
    "learning_rate",
    "num_train_epochs",
    "effective_batch_size",
    "lora_r",
    "lora_alpha",
)
SETS = {
    "test": "held-out prompts",
    "transfer": "prompts with constraint types left out of training",
    "ifeval": "IFEval",
}


class ExportError(ValueError):
    """A policy that cannot be taken out; the message says what was found and what is allowed."""


def export(policy: Handle, out: Path, card: str) -> Path:
    """Copy a policy's adapter into `out`, an absent or empty folder, with the card beside it."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ExportError(f"{out}: is there and not empty; allowed: a folder that is empty, or not there yet")
    out.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (out / name).write_bytes(policy.path(f"adapter/{name}").read_bytes())
    (out / "README.md").write_text(card, encoding="utf-8")
    return out


def by_key(store: Store, key: str) -> tuple[Handle, list[dict[str, Any]]]:
    """The policy of that key, or of the run of that key, and the records of the runs that evaluated it."""
    found = store.find(key)
    if found.stage not in ("policy", "run"):
        raise ExportError(f"{key} is an artefact of the stage {found.stage}; allowed: policy, run")
    policy = store.find(_policy_of(found)) if found.stage == "run" else found
    return policy, [record for record in _records(store) if record.get("policy") == policy.key]


def _policy_of(run: Handle) -> str:
    record = run.read_json(RECORD)
    if "policy" not in record:
        raise ExportError(f"run {run.key} has no policy ({record['training']['state']}); allowed: a run with pairs")
    return record["policy"]


def _records(store: Store) -> Iterator[dict[str, Any]]:
    for root in store.roots:
        for path in sorted(root.glob(f"run/*/{RECORD}")):
            if len(path.parent.name) == 16:  # not one that is being made
                yield store.find(path.parent.name).read_json(RECORD)


def model_card(policy: Handle, records: list[dict[str, Any]], data: str, results: list[Mapping[str, Any]]) -> str:
    """The card.

    records  of the runs that evaluated it (runs.py); data: where the pairs are from; results: rows of `gains`
    """
    base, training = policy.read_json(f"adapter/{BASE_FILE}"), policy.read_json("training.json")
    params = policy.manifest["recipe"]["params"]
    at = f", commit `{base['revision']}`" if base["revision"] else f", weights `{base['weights']}`"
    front = ["library_name: peft", f"base_model: {base['id']}", "tags: [dpo, lora, instruction-following]"]
    state = training["state"] + (f" ({training['reason']})" if training["reason"] else "")
    parts = [
        "---\n" + "\n".join(front) + "\n---",
        f"# A LoRA policy of `{base['id']}`, trained by DPO on verifiable constraints",
        f"Base: `{base['id']}`{at}. Made by ifpref, artefact `{policy.key}`.",
        f"## Data\n\n{data} {training['n_pairs']:,} preference pairs of the base's own responses, scored by verifiable "
        "constraints; no human and no other model judged them.",
        "## Training\n\n" + table(("parameter", "value"), [(name, params[name]) for name in TRAINED_WITH]),
        f"{training['steps']:,} steps, {state}; the adapter has {training['adapter_step']:,} updates and "
        f"{training['trainable_parameters']:,} parameters; seed {training['seed']}.",
        "## Results\n\n" + _results(records, results),
        "## Use\n\n" + _use(base["id"], base["revision"], params["lora_r"]),
        "## Licence\n\nAn adapter is a derivative of its base: the base's licence holds for it. Look it up at the base "
        "before you pass this on.",
    ]
    return "\n\n".join(parts) + "\n"


def _results(records: list[dict[str, Any]], results: list[Mapping[str, Any]]) -> str:
    rows = []
    for name, found in sorted({**(records[0]["tables"] if records else {})}.items()):
        split, _, decoding = name.partition("/")
        one = Table.from_dict(found | {"prompt_ids": found["n_constraints"]})  # no ids in a record; as many will do
        strict, loose = (f"{100 * one.prompt_level(mode).mean():.1f} %" for mode in ("strict", "loose"))
        n = len(one.prompt_level())
        rows.append((SETS.get(split, split), decoding, n, strict, loose))
    if not rows:
        return "None: no run that evaluated this policy is in the store."
    text = "Prompt-level accuracy of this very policy:\n\n"
    text += table(("prompts", "decoding", "n", "strict", "loose"), rows)
    for row in results:
        if row["estimate"] is not None:
            interval = "no interval" if row["low"] is None else f"[{row['low']:+.1f}, {row['high']:+.1f}]"
            text += (
                f"\n\nGain of the arm `{row['label']}` over the base, prompt-level strict, greedy, over all replicates "
                f"that are there: {row['estimate']:+.1f} {interval} points."
            )
    return text


def _use(base: str, revision: str | None, rank: int) -> str:
    if base == "pocket":
        return (
            "```python\nfrom ifpref.models import attach_adapter, load_model\n\n"
            'policy = attach_adapter(load_model("pocket"), "path/to/this/folder")\n```'
        )
    at = f', revision="{revision}"' if revision else ""
    flag = f" --revision {revision}" if revision else ""
    text = (
        "```python\nfrom peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n\n"
        f'model = AutoModelForCausalLM.from_pretrained("{base}"{at})\n'
        'model = PeftModel.from_pretrained(model, "path/to/this/folder")\n```\n\n'
    )
    allowed = [one for one in VLLM_RANKS if one >= rank]
    if not allowed:
        return text + f"vLLM does not serve it: its rank is {rank}, and {VLLM_RANKS[-1]} is the largest allowed there."
    return text + (
        f"```bash\nvllm serve {base}{flag} --enable-lora --max-lora-rank {allowed[0]} "
        "--lora-modules policy=path/to/this/folder\n```"
    )


def of_study(study: Study, name: str, arm: Arm, replicate: int) -> tuple[Handle, str]:
    """The policy of a cell in one replicate, and its card. Nothing is computed: what is not there is an error."""
    one = study.comparison(name)
    if arm not in one.arms:
        raise ExportError(f"{name} has no arm {arm}; it has {', '.join(map(str, one.arms))}")
    if replicate not in study.replicates:
        raise ExportError(f"replicate {replicate}; allowed: 0 to {study.replicates[-1]}")
    record = study.record(name, arm, replicate)
    if not record or "policy" not in record:
        raise ExportError(f"{name} {arm}, replicate {replicate}: no policy is there; `make reproduce` makes it")
    policy = study.runs.store.find(record["policy"])
    data = f"Profile `{study.profile}`, comparison `{name}` ({one.question}), arm `{arm}`, replicate {replicate}."
    rows = [row for row in gains(study, name) if row["arm"] == str(arm)]
    return policy, model_card(policy, [record], data, rows)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ifpref.publish.export", description=__doc__.split("\n")[0])
    parser.add_argument("what", nargs="+", help="a key; or profile, comparison and arm: pocket sharing mcts/high/all")
    parser.add_argument("--out", required=True, type=Path, help="the folder to make")
    parser.add_argument("--replicate", type=int, default=0)
    parser.add_argument("--set", default="", help="parameters, such as 'beta=0.05 seed=1'")
    options = parser.parse_args(arguments)
    try:
        if len(options.what) == 1:
            policy, records = by_key(study_store(), options.what[0])
            arms = sorted({str(Arm(**record["arm"])) for record in records})
            data = f"Arm {' and '.join(f'`{arm}`' for arm in arms)}." if arms else ""
            card = model_card(policy, records, data, [])
        elif len(options.what) == 3:
            profile, name, arm = options.what
            study = Study(profile, **parse_overrides(options.set))
            policy, card = of_study(study, name, _arm(arm), options.replicate)
        else:
            parser.error(f"{len(options.what)} words; allowed: a key, or profile, comparison and arm")
        out = export(policy, options.out, card)
    except (ExportError, ModelError, ParamsError, StoreError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    base = json.loads((out / BASE_FILE).read_bytes())["id"]
    print(f"{out}: the adapter of {policy.key} for {base}, with its card")
    return 0


def _arm(text: str) -> Arm:
    parts = text.split("/")
    if len(parts) > 3:
        raise ExportError(f"arm {text!r}; allowed: curation, contrast and difficulty, such as mcts/high/all")
    return Arm(*parts)


if __name__ == "__main__":
    sys.exit(main())
