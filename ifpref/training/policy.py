"""A policy: a LoRA adapter trained by DPO on one set of pairs, as an artefact.

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

A killed run goes on from its last checkpoint (beside the artefact, in <key>.checkpoints), with the same result. Several
processes are started by `accelerate launch`; what a step averages over is the same for any number of them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from ifpref.models import BASE_FILE, LoadedModel, load_model
from ifpref.store import Artefact, Handle, Store, Writer
from ifpref.training.checks import check_pairs
from ifpref.training.reference_model import Reference, read_reference, reference_log_probs
from ifpref.training.settings import TrainingError, TrainingSettings

STAGE = "policy"
CODE = ("ifpref.training",)  # what the model is stands in its identity; how it is loaded changes nothing
OUT_OF_MEMORY = "out_of_memory.txt"
IDS = ("prompt_ids", "chosen_ids", "rejected_ids")
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
        check_pairs(pairs, loaded, settings.max_length)
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
    check_pairs(pairs, loaded, settings.max_length)
    rows = training_rows(pairs, reference)
    checkpoints_folder.mkdir(parents=True, exist_ok=True)
    if processes == 1:
        from ifpref.training.trainer import train

        record = train(loaded, rows, settings, seed=seed, folder=checkpoints_folder)
    else:
        record = launch(loaded, rows, settings, seed=seed, folder=checkpoints_folder, processes=processes)
    record |= {"settings": settings.to_dict(), "seed": seed, "processes": processes, "n_pairs": len(pairs)}
    record |= {"base": loaded.identity}
    writer.write_jsonl("log.jsonl", record.pop("log"))
    writer.write_json("training.json", record)
    _write_adapter(checkpoints_folder / "adapter", writer, loaded)
    shutil.rmtree(checkpoints_folder)


def training_rows(pairs: Sequence[Pair], reference: Reference) -> list[dict[str, Any]]:
    """The columns that the trainer reads, one row for each pair."""
    rows = []
    for pair in pairs:
        chosen, rejected = reference.of(pair)
        ids = {name: list(pair[name]) for name in IDS}
        rows.append(ids | {"ref_chosen_logps": chosen, "ref_rejected_logps": rejected})
    return rows


def _write_adapter(folder: Path, writer: Writer, loaded: LoadedModel) -> None:
    """peft's files, without what would differ between two machines: the base's path, the order of a set."""
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    config["base_model_name_or_path"], config["revision"] = loaded.id, loaded.identity["revision"]
    config["target_modules"] = sorted(config["target_modules"])
    writer.write_json("adapter/adapter_config.json", config)
    weights = (folder / "adapter_model.safetensors").read_bytes()
    writer.write_bytes("adapter/adapter_model.safetensors", weights)
    writer.write_json(f"adapter/{BASE_FILE}", loaded.identity)


# ---- several processes


def launch(
    loaded: LoadedModel,
    rows: Sequence[Mapping[str, Any]],
    settings: TrainingSettings,
    *,
    seed: int,
    folder: Path,
    processes: int,
) -> dict[str, Any]:
    """As `trainer.train`, in `processes` processes under `accelerate launch`; it, too, may run out of GPU memory."""
    import torch

    device = loaded.model.device.type
    settings.micro_batches(processes)  # says what is allowed
    if device == "cuda" and processes > torch.cuda.device_count():
        raise TrainingError(f"processes = {processes}; allowed: at most {torch.cuda.device_count()}, the visible GPUs")
    job = {"settings": asdict(settings), "seed": seed, "rows": rows, "identity": loaded.identity, "device": device}
    job |= {"dtype": str(loaded.model.dtype).removeprefix("torch."), "id": str(loaded.folder or loaded.id)}
    for name in ("record.json", OUT_OF_MEMORY):
        (folder / name).unlink(missing_ok=True)
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", str(processes)]
    command += ["--num_machines", "1", "--mixed_precision", "bf16" if settings.bf16 else "no", "--dynamo_backend", "no"]
    command += ["--main_process_port", "0", "-m", "ifpref.training", str(folder)]
    environment = dict(os.environ) | {"TOKENIZERS_PARALLELISM": "false"}
    environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    last = deque(maxlen=30)
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr:
                last.append(line)
                if line.startswith("training steps"):  # the progress of the first process
                    sys.stderr.write(line)
        finally:
            if process.poll() is None:
                process.terminate()
    if (note := folder / OUT_OF_MEMORY).is_file():
        raise torch.cuda.OutOfMemoryError(note.read_text(encoding="utf-8"))
    record = folder / "record.json"
    if process.returncode != 0 or not record.is_file():
        raise TrainingError(f"accelerate launch ended with {process.returncode}; its last lines:\n{''.join(last)}")
    found = json.loads(record.read_text(encoding="utf-8"))
    if "error" in found:
        raise TrainingError(found["error"])
    return found


def run_job(folder: Path) -> None:
    """What each process of `launch` does: read folder/job.json, train, and, in the first, write folder/record.json.

    One that runs out of GPU memory leaves a note of it; the exit status alone would not tell.
    """
    import torch

    from ifpref.training.trainer import train

    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    identity = job["identity"]
    loaded = load_model(job["id"], revision=identity["revision"], dtype=job["dtype"])
    first = int(os.environ.get("RANK", 0)) == 0
    try:
        if loaded.identity["weights"] != identity["weights"]:
            raise TrainingError(f"{job['id']}: its weights have changed since this run was started; allowed: none")
        settings = TrainingSettings(
            **job["settings"] | {"lora_target_modules": tuple(job["settings"]["lora_target_modules"])}
        )
        record = train(loaded, job["rows"], settings, seed=job["seed"], folder=folder, on_cpu=job["device"] == "cpu")
    except TrainingError as error:
        record = {"error": str(error)}
    except torch.cuda.OutOfMemoryError as error:
        (folder / OUT_OF_MEMORY).write_text(str(error), encoding="utf-8")
        raise
    if first:
        (folder / "record.json").write_text(json.dumps(record), encoding="utf-8")
    if torch.distributed.is_initialized():  # else what gloo still does at the end can abort the process
        torch.distributed.destroy_process_group()
