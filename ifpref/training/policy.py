"""A policy: a LoRA adapter trained on one set of pairs.

    make_policy(writer, loaded, pairs, reference, settings, seed=0, checkpoints_folder=Path("work"))
    policy.path("adapter")                       # of the artefact: for ifpref.models.attach_adapter
    policy.read_json("training.json")["state"]   # "finished", or "diverged" with a reason
    policy.read_jsonl("log.jsonl")               # one row for each step, see trainer.py

Files:

    adapter/adapter_model.safetensors, adapter/adapter_config.json    for peft and vLLM
    adapter/base.json                                                 what the base is: its identity
    training.json                                                     state, reason, steps, adapter_step, settings, ...
    log.jsonl

A killed run goes on from its last whole checkpoint, with the same result. What a step averages over is the same for any
number of processes.
"""

import json
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

from ifpref.models import BASE_FILE, LoadedModel
from ifpref.store import Writer, files
from ifpref.training.algorithms import Row, find_algorithm
from ifpref.training.processes import launch
from ifpref.training.reference_model import Reference
from ifpref.training.settings import TrainingSettings


def make_policy(
    writer: Writer,
    loaded: LoadedModel,
    pairs: Sequence[Row],
    reference: Reference | None,
    settings: TrainingSettings,
    *,
    seed: int,
    processes: int = 1,
    checkpoints_folder: Path,
) -> None:
    """Train a policy and write its files; it knows neither keys nor the store.

    loaded              the base, without adapter; given back as it was
    pairs               rows of a pairs artefact, which `check_data` of the algorithm has seen
    reference           log-probabilities of the pairs under `loaded`; None for an algorithm that needs none
    seed                of LoRA's initial weights, its dropout, and the order of the pairs
    processes           above 1: as many, one for each GPU, or sharing the CPU
    checkpoints_folder  kept by a killed run, and taken up by the next call; removed once the policy is written

    Raises `TrainingError` before training for settings or numbers at step 0 that cannot be right. A run that diverges
    raises nothing: it ends with its last finite adapter and says so in training.json.
    """
    rows = find_algorithm(settings.algorithm).rows(pairs, reference)
    files.keep_only(checkpoints_folder, stat.S_ISDIR)
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
    shutil.copyfile(folder / "adapter_model.safetensors", writer.path("adapter/adapter_model.safetensors"))
    writer.write_json(f"adapter/{BASE_FILE}", loaded.identity)
