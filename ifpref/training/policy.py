"""A policy: a LoRA adapter trained on one set of pairs, as an artefact.

    policy = train_policy(store, loaded, pairs, TrainingSettings.from_params(params), seed=0)
    policy.path("adapter")                       # for ifpref.models.attach_adapter
    policy.read_json("training.json")["state"]   # "finished", or "diverged" with a reason
    policy.read_jsonl("log.jsonl")               # one row for each step, see trainer.py

The key holds the token ids of the pairs in their order, the settings, the seed, the base and the code: the same pairs
under another name are the same policy. Files:

    adapter/adapter_model.safetensors, adapter/adapter_config.json    for peft and vLLM
    adapter/base.json                                                 id, revision and weight hash of the base
    training.json                                                     state, reason, steps, adapter_step, settings, ...
    log.jsonl

A killed run goes on from its last whole checkpoint (beside the artefact, in <key>.checkpoints), with the same result.
What a step averages over is the same for any number of processes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from ifpref.models import BASE_FILE, LoadedModel
from ifpref.store import Artefact, Handle, Store, Writer, files
from ifpref.training.algorithms import find_algorithm
from ifpref.training.checks import IDS
from ifpref.training.processes import launch
from ifpref.training.reference_model import Reference, read_reference, reference_log_probs
from ifpref.training.settings import TrainingSettings

STAGE = "policy"
CODE = ("ifpref.training",)  # what the model is stands in its identity; how it is loaded changes nothing
Pair = Mapping[str, Any]


def policy_artefact(
    loaded: LoadedModel,
    pairs: Sequence[Pair],
    settings: TrainingSettings,
    *,
    seed: int,
    inputs: Mapping[str, Any] | None = None,
) -> Artefact:
    """What `train_policy` makes: its key is known before anything is trained."""
    ids = repr([[list(pair[name]) for name in IDS] for pair in pairs])
    params = settings.key_fields() | {"seed": seed, "pairs": sha256(ids.encode()).hexdigest()[:16]}
    return Artefact(STAGE, params, inputs=inputs or {}, code=CODE, model=loaded.identity)


def train_policy(
    store: Store,
    loaded: LoadedModel,
    pairs: Sequence[Pair],
    settings: TrainingSettings,
    *,
    seed: int,
    inputs: Mapping[str, Any] | None = None,
    processes: int = 1,
) -> Handle:
    """The policy, from the store or trained now.

    loaded     the base, without adapter; given back as it was
    pairs      rows of a pairs artefact: `pair_id, prompt_ids, chosen_ids, rejected_ids`, and `chosen_finish`,
               `rejected_finish` where they are known
    seed       of LoRA's initial weights, its dropout, and the order of the pairs
    inputs     artefacts that the pairs come from, for the record
    processes  above 1: as many, one for each GPU, or sharing the CPU

    Raises `TrainingError` before training for pairs, settings or numbers at step 0 that cannot be right. A run that
    diverges raises nothing: it ends with its last finite adapter and says so in training.json.
    """
    artefact = policy_artefact(loaded, pairs, settings, seed=seed, inputs=inputs)

    def make(writer: Writer) -> None:
        reference, algorithm = None, find_algorithm(settings.algorithm)
        algorithm.check_data(pairs, loaded, settings)
        if algorithm.needs_reference:
            reference = read_reference(reference_log_probs(store, loaded, pairs, bf16=settings.bf16))
        folder = writer.folder.with_name(f"{artefact.key}.checkpoints")
        make_policy(
            writer, loaded, pairs, reference, settings, seed=seed, processes=processes, checkpoints_folder=folder
        )

    return store.get(artefact, make)


def make_policy(
    writer: Writer,
    loaded: LoadedModel,
    pairs: Sequence[Pair],
    reference: Reference | None,
    settings: TrainingSettings,
    *,
    seed: int,
    processes: int = 1,
    checkpoints_folder: Path,
) -> None:
    """Train a policy and write its files; it knows neither keys nor the store.

    reference           log-probabilities of the pairs under `loaded`; None for an algorithm that needs none
    checkpoints_folder  kept by a killed run, and taken up by the next call; removed once the policy is written

    The other arguments, and what is raised: see `train_policy`.
    """
    algorithm = find_algorithm(settings.algorithm)
    algorithm.check_data(pairs, loaded, settings)
    rows = algorithm.rows(pairs, reference)
    files.keep_folder(checkpoints_folder)
    checkpoints_folder.mkdir(parents=True, exist_ok=True)
    if processes == 1:
        from ifpref.training import trainer

        record = trainer.train(loaded, rows, settings, seed=seed, folder=checkpoints_folder)
    else:
        record = launch(loaded, rows, settings, seed=seed, folder=checkpoints_folder, processes=processes)
    record |= {"settings": settings.to_dict(), "seed": seed, "processes": processes, "n_pairs": len(pairs)}
    record |= {"base": loaded.identity}
    writer.write_jsonl("log.jsonl", record.pop("log"))
    writer.write_json("training.json", record)
    _write_adapter(checkpoints_folder / "adapter", writer, loaded)
    shutil.rmtree(checkpoints_folder)


def _write_adapter(folder: Path, writer: Writer, loaded: LoadedModel) -> None:
    """peft's files, without what would differ between two machines: the base's path, the order of a set."""
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    config["base_model_name_or_path"], config["revision"] = loaded.id, loaded.identity["revision"]
    config["target_modules"] = sorted(config["target_modules"])
    writer.write_json("adapter/adapter_config.json", config)
    weights = (folder / "adapter_model.safetensors").read_bytes()
    writer.write_bytes("adapter/adapter_model.safetensors", weights)
    writer.write_json(f"adapter/{BASE_FILE}", loaded.identity)
