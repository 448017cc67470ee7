"""Several processes that train one adapter together: one for each GPU, or sharing the CPU.

    record = launch(loaded, rows, settings, seed=0, folder=Path("work"), processes=2)     # as trainer.train

Decisions
- New processes, never a fork of a kernel. They live as long as the one that started them, and as long as one another:
  `torch.multiprocessing` sees to both. accelerate finds its place in the environment, as after `accelerate launch`.
- That command itself is not used: its store of addresses listens on all interfaces, and torch lets nobody choose. Here
  addresses go through a file, and processes talk over loopback alone.
- On a CPU each computes in one thread, whatever the environment says: the last bits depend on the number.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ifpref.models import LoadedModel, load_model
from ifpref.training.algorithms import Row
from ifpref.training.checks import TrainingError
from ifpref.training.settings import TrainingSettings

ADDRESSES, OUTCOME = "addresses", "outcome.json"


class ProcessDied(TrainingError):
    """One of several processes ended before its time. gloo was seen to abort (SIGABRT) on a busy machine."""


def launch(
    loaded: LoadedModel, rows: Sequence[Row], settings: TrainingSettings, *, seed: int, folder: Path, processes: int
) -> dict[str, Any]:
    """As `trainer.train`, in `processes` processes; it, too, may run out of GPU memory."""
    import torch
    from torch.multiprocessing import ProcessExitedException, ProcessRaisedException, start_processes

    device = loaded.model.device.type
    settings.micro_batches(processes)  # says what is allowed
    if device == "cuda" and processes > torch.cuda.device_count():
        raise TrainingError(f"processes = {processes}; allowed: at most {torch.cuda.device_count()}, the visible GPUs")
    for name in (ADDRESSES, OUTCOME):
        (folder / name).unlink(missing_ok=True)
    dtype = str(loaded.model.dtype).removeprefix("torch.")
    base = (str(loaded.folder or loaded.id), dtype, loaded.identity)
    job = (processes, device, base, rows, settings, seed, folder)
    started = start_processes(run_job, job, processes, join=False, start_method="spawn")
    died = None
    try:
        while not started.join():
            pass
    except (ProcessExitedException, ProcessRaisedException) as error:
        died = error
    finally:
        for process in started.processes:
            process.kill()
    if not (folder / OUTCOME).is_file():
        raise ProcessDied(f"of {processes} processes of training one died: {died}")
    outcome = json.loads((folder / OUTCOME).read_bytes())
    if "error" in outcome:
        raise (torch.cuda.OutOfMemoryError if outcome["out_of_memory"] else TrainingError)(outcome["error"])
    return outcome


def run_job(
    rank: int,
    processes: int,
    device: str,
    base: tuple[str, str, Mapping[str, str | None]],
    rows: Sequence[Row],
    settings: TrainingSettings,
    seed: int,
    folder: Path,
) -> None:
    """What each process does. The first leaves its record in the folder, or one that fails an error that is to be told.

    base  id or folder of the model, its dtype, its identity
    """
    import torch
    from torch.distributed import FileStore

    from ifpref.training import trainer

    def leave(outcome: Mapping[str, Any]) -> None:
        whole = folder / f"{OUTCOME}.{rank}"
        whole.write_text(json.dumps(outcome), encoding="utf-8")
        whole.replace(folder / OUTCOME)

    loopback = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
    os.environ |= {"GLOO_SOCKET_IFNAME": loopback, "NCCL_SOCKET_IFNAME": loopback, "TOKENIZERS_PARALLELISM": "false"}
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"}
    os.environ |= {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
    backend = "gloo" if device == "cpu" else "nccl"
    if device == "cpu":
        torch.set_num_threads(1)
    else:
        torch.cuda.set_device(rank)
    try:
        store = FileStore(str(folder / ADDRESSES), processes)
        torch.distributed.init_process_group(backend, store=store, rank=rank, world_size=processes)
        name, dtype, identity = base
        loaded = load_model(name, revision=identity["revision"], dtype=dtype)
        if loaded.identity["content"] != identity["content"]:
            raise TrainingError(f"{name}: its weights have changed since this run was started; allowed: none")
        record = trainer.train(loaded, rows, settings, seed=seed, folder=folder, on_cpu=device == "cpu")
        if rank == 0:
            leave(record)
    except (TrainingError, torch.cuda.OutOfMemoryError) as error:
        leave({"error": str(error), "out_of_memory": isinstance(error, torch.cuda.OutOfMemoryError)})
        raise
    torch.distributed.destroy_process_group()  # else what gloo still does at the end can abort the process
