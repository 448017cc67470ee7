"""A policy, taken out of the study: a folder that `peft` and vLLM load, with a model card.

    python -m ifpref.publish.export 3f0c51a97be2d846 --out adapters/mine
    python -m ifpref.publish.export pocket sharing mcts/high/all --replicate 0 --out adapters/mine

    adapter_model.safetensors, adapter_config.json    peft's; the config names the base, by its hub id and commit
    base.json                                         what `attach_adapter` holds a base against
    README.md                                         the card: base, data, parameters, results, how to load

A key is that of an artefact `policy`, or of a `run`. Named by profile, comparison and arm, the card has the
study's results too: the arm's gain over the base with its interval, over all replicates that are there. The folder is
there whole or not at all.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jinja2 import Environment, StrictUndefined

from ifpref.analysis.results import gains
from ifpref.analysis.words import code
from ifpref.command import command, in_words, parser_of
from ifpref.curation.pairs import Arm, require
from ifpref.evaluation.table import Table
from ifpref.models import BASE_FILE
from ifpref.params import parse_overrides
from ifpref.pipeline.runs import RECORD, Run
from ifpref.pipeline.workers import study_store
from ifpref.store import Handle, Store, StoreError
from ifpref.store.store import KEY_PATTERN
from ifpref.study import Study

FILES = ("adapter_model.safetensors", "adapter_config.json", BASE_FILE)
VLLM_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM allows as --max-lora-rank."""
TRAINED_WITH = "loss_type beta learning_rate num_train_epochs effective_batch_size lora_r lora_alpha".split()
SETS = {
    "test": "held-out prompts",
    "transfer": "prompts with constraint types left out of training",
    "ifeval": "IFEval",
}
CARD = """\
---
library_name: peft
base_model: {{ base.id | tojson }}
tags: [dpo, lora, instruction-following]
---

# A LoRA policy of {{ base.id | code }}, trained by DPO on verifiable constraints

Base: {{ base.id | code }}, \
{% if base.revision %}commit `{{ base.revision }}`{% else %}content `{{ base.content }}`{% endif %}. \
Made by ifpref, artefact `{{ key }}`.

## Data

{{ data }} {{ "{:,}".format(training.n_pairs) }} preference pairs of the base's own responses, scored by verifiable \
constraints; no human and no other model judged them.

## Training

| parameter | value |
| --- | --- |
{% for name in trained_with %}| {{ name }} | {{ params[name] }} |
{% endfor %}
{{ "{:,}".format(training.steps) }} steps, {{ training.state }}\
{% if training.reason %} ({{ training.reason }}){% endif %}; \
the adapter has {{ "{:,}".format(training.adapter_step) }} updates and \
{{ "{:,}".format(training.trainable_parameters) }} parameters; seed {{ training.seed }}.

## Results

{% if accuracies %}Prompt-level accuracy of this very policy:

| prompts | decoding | n | strict | loose |
| --- | --- | --- | --- | --- |
{% for row in accuracies %}| {{ row | join(" | ") }} |
{% endfor %}{% else %}None: no run that evaluated this policy is in the store.
{% endif %}
{% for gain in gains %}Gain of the arm {{ gain.label | code }} over the base, {{ gain.metric }}, strict, greedy, over \
all replicates that are there: {{ "%+.1f" | format(gain.estimate) }} \
{% if gain.low is none %}no interval{% else %}[{{ "%+.1f, %+.1f" | format(gain.low, gain.high) }}]{% endif %} points.

{% endfor %}
## Use

{{ use }}

## Licence

An adapter is a derivative of its base: the base's licence holds for it. Look it up at the base before you pass this on.
"""
USE = """\
{% if base == "pocket" %}```python
from ifpref.models import attach_adapter, load_model

policy = attach_adapter(load_model("pocket"), "path/to/this/folder")
```{% else %}```python
from peft import PeftModel
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained({{ base | tojson }}{% if revision %}, revision="{{ revision }}"{% endif %})
model = PeftModel.from_pretrained(model, "path/to/this/folder")
```

{% if allowed %}```bash
vllm serve {{ base | quoted }}{% if revision %} --revision {{ revision }}{% endif %} --enable-lora \
--max-lora-rank {{ allowed }} --lora-modules policy=path/to/this/folder
```{% else %}vLLM does not serve it: its rank is {{ rank }}, and {{ largest }} is the largest allowed there.
{%- endif %}{% endif %}"""
MARKDOWN = Environment(keep_trailing_newline=True, undefined=StrictUndefined)
MARKDOWN.filters |= {"code": code, "quoted": shlex.quote}


class ExportError(ValueError):
    """A policy that cannot be taken out; the message says what was found and what is allowed."""


def export(policy: Handle, out: Path, card: str) -> Path:
    """Copy a policy's adapter into `out`, an absent or empty folder, with the card beside it; whole or not at all."""
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise ExportError(f"{out}: is there and not empty; allowed: a folder that is empty, or not there yet")
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as beside:
            made = Path(beside) / "adapter"
            made.mkdir()
            for name in FILES:
                shutil.copyfile(policy.path(f"adapter/{name}"), made / name)
            (made / "README.md").write_text(card, encoding="utf-8")
            made.rename(out)
    except OSError as error:
        raise ExportError(
            f"{out}: cannot be written ({in_words(error)}); allowed: a folder that you may make"
        ) from None
    return out


def by_key(store: Store, key: str) -> tuple[Handle, str]:
    """The policy of that key, or of the run of that key, and its card."""
    found = store.find(key)
    if found.stage not in ("policy", "run"):
        raise ExportError(f"{key} is an artefact of the stage {found.stage}; allowed: policy, run")
    policy = store.find(_policy_of(found)) if found.stage == "run" else found
    folders = [path for root in store.roots for path in sorted(root.glob(f"run/{KEY_PATTERN}"))]
    runs = [store.find(path.name) for path in folders]
    runs = [run for run in runs if run.read_json(RECORD).get("policy") == policy.key]
    arms = sorted({f"`{Arm(**run.read_json(RECORD)['arm'])}`" for run in runs})
    return policy, model_card(store, policy, runs, f"Arm {' and '.join(arms)}." if arms else "")


def _policy_of(run: Handle) -> str:
    record = run.read_json(RECORD)
    if "policy" not in record:
        raise ExportError(f"run {run.key} has no policy ({record['training']['state']}); allowed: a run with pairs")
    return record["policy"]


def of_study(study: Study, name: str, arm: Arm, replicate: int) -> tuple[Handle, str]:
    """The policy of a cell in one replicate, and its card. Nothing is computed: what is not there is an error."""
    one, store = study.comparison(name), study.pipeline.store
    require(str(arm), tuple(map(str, one.arms)), f"arm of {name}")
    if replicate not in study.replicates:
        raise ExportError(f"replicate {replicate}; allowed: 0 to {study.replicates[-1]}")
    run = study.pipeline.find(Run(name, arm, replicate, study.middle(name)))
    if run is None:
        raise ExportError(f"{name} {arm}, replicate {replicate}: no policy is there; `make reproduce` makes it")
    policy = store.find(_policy_of(run))
    data = f"Profile `{study.profile}`, comparison `{name}` ({one.question}), arm `{arm}`, replicate {replicate}."
    metric = study.params.primary_metric.replace("_", "-")
    found = [row | {"metric": metric} for row in gains(study, name) if row["arm"] == str(arm)]
    results = [row for row in found if row["estimate"] is not None]
    return policy, model_card(store, policy, [run], data, results)


# ---- the card


def model_card(
    store: Store, policy: Handle, runs: Sequence[Handle], data: str, results: Sequence[Mapping[str, Any]] = ()
) -> str:
    """The card.

    runs  those that evaluated it; data: where the pairs are from; results: rows of `gains`
    """
    base, params = policy.read_json(f"adapter/{BASE_FILE}"), policy.manifest["recipe"]["settings"]["training"]
    return MARKDOWN.from_string(CARD).render(
        key=policy.key,
        base=base,
        data=data,
        params=params,
        training=policy.read_json("training.json"),
        trained_with=TRAINED_WITH,
        accuracies=list(_accuracies(store, runs[0])) if runs else [],
        gains=results,
        use=_use(base["id"], base["revision"], params["lora_r"]),
    )


def _accuracies(store: Store, run: Handle) -> Iterator[tuple[str, str, int, str, str]]:
    """(prompts, decoding, n, strict, loose) of each held-out set that a run's policy was evaluated on."""
    ids: dict[str, list[str]] = {}
    for prompt in store.find(run.manifest["recipe"]["inputs"]["prompts"]).iter_jsonl("prompts.jsonl.gz"):
        ids.setdefault(prompt["split"], []).append(prompt["prompt_id"])
    for name, found in sorted(run.read_json(RECORD)["tables"].items()):
        split, _, decoding = name.partition("/")
        one = Table.from_dict(found | {"prompt_ids": ids[split]})
        strict, loose = (f"{100 * one.prompt_level(mode).mean():.1f} %" for mode in ("strict", "loose"))
        yield SETS.get(split, split), decoding, len(one), strict, loose


def _use(base: str, revision: str | None, rank: int) -> str:
    values = {"base": base, "revision": revision, "rank": rank, "largest": VLLM_RANKS[-1]}
    return MARKDOWN.from_string(USE).render(values, allowed=next((one for one in VLLM_RANKS if one >= rank), None))


@command(StoreError)
def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of("ifpref.publish.export", __doc__)
    parser.add_argument("what", nargs="+", help="a key; or profile, comparison and arm: pocket sharing mcts/high/all")
    parser.add_argument("--out", required=True, type=Path, help="the folder to make")
    parser.add_argument("--replicate", type=int, default=0)
    parser.add_argument("--set", default="", help="parameters, such as 'beta=0.05 seed=1'")
    options = parser.parse_args(arguments)
    if len(options.what) == 1:
        policy, card = by_key(study_store(), *options.what)
    elif len(options.what) == 3:
        profile, name, arm = options.what
        study = Study(profile, **parse_overrides(options.set))
        policy, card = of_study(study, name, Arm(*arm.split("/", 2)), options.replicate)
    else:
        parser.error(f"{len(options.what)} words; allowed: a key, or profile, comparison and arm")
    out = export(policy, options.out, card)
    base = json.loads((out / BASE_FILE).read_bytes())["id"]
    print(f"{out}: the adapter of {policy.key} for {base}, with its card")
    return 0


if __name__ == "__main__":
    sys.exit(main())
