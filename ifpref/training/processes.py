"""Several processes that train one adapter together: one for each GPU, or sharing the CPU.

    record = launch(loaded, rows, settings, seed=0, folder=Path("work"), processes=2)     # as trainer.train

Decisions
- New processes, never a fork of a kernel. They live as long as the one that started them, and as long as one another:
  `torch.multiprocessing` sees to both. accelerate finds its place in the environment, as after `accelerate launch`.
- That command itself is not used: its store of addresses listens on all interfaces, and torch lets nobody choose. Here
  addresses go through a file, and processes talk over loopback alone.
- Each computes in one thread of the CPU, whatever the environment says: the last bits depend on the number.
"""

import json
import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ifpref.models import LoadedModel, load_model
from ifpref.store import files
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

    for name in (ADDRESSES, OUTCOME):
        (folder / name).unlink(missing_ok=True)
    training = {"rows": rows, "settings": settings, "seed": seed, "folder": folder}
    job = (processes, loaded.model.device.type, loaded.identity, training)
    started = start_processes(run_job, job, processes, join=False, start_method="spawn")
    try:
        while not started.join():
            pass
    except (ProcessExitedException, ProcessRaisedException) as error:
        if not (folder / OUTCOME).is_file():
            raise ProcessDied(f"of {processes} processes of training one died: {error}") from None
    finally:
        for process in started.processes:
            process.kill()
    outcome = json.loads((folder / OUTCOME).read_bytes())
    if "error" in outcome:
        raise (torch.cuda.OutOfMemoryError if outcome["out_of_memory"] else TrainingError)(outcome["error"])
    return outcome


def run_job(
    rank: int, processes: int, device: str, identity: Mapping[str, str | None], training: Mapping[str, Any]
) -> None:
    """What each process does. The first leaves its record in the folder, or one that fails an error that is to be told.

    identity  of the model, when this run was started
    training  what `trainer.train` is told beside the model
    """
    import torch
    from torch.distributed import FileStore

    from ifpref.training import trainer

    folder = training["folder"]
    loopback = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
    os.environ |= dict.fromkeys(("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"), loopback)
    os.environ |= dict.fromkeys(("RANK", "LOCAL_RANK"), str(rank))
    os.environ |= dict.fromkeys(("WORLD_SIZE", "LOCAL_WORLD_SIZE"), str(processes))
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    torch.set_num_threads(1)
    backend, own = ("gloo", "cpu") if device == "cpu" else ("nccl", f"{device}:{rank}")
    if device == "cuda":
        torch.cuda.set_device(rank)
    try:
        store = FileStore(str(folder / ADDRESSES), processes)
        torch.distributed.init_process_group(backend, store=store, rank=rank, world_size=processes)
        loaded = load_model(identity["id"], revision=identity["revision"], dtype=identity["dtype"], device=own)
        if loaded.identity != identity:
            raise TrainingError(f"{loaded.id}: found {loaded.identity}; allowed: as this run was started, {identity}")
        outcome = trainer.train(loaded, **training)
    except (TrainingError, torch.cuda.OutOfMemoryError) as error:
        outcome = {"error": str(error), "out_of_memory": isinstance(error, torch.cuda.OutOfMemoryError)}
        with files.lock(folder / f"{OUTCOME}.lock"):  # others fail alike
            files.replace(folder / OUTCOME, files.json_line(outcome))
        raise
    if rank == 0:
        files.replace(folder / OUTCOME, files.json_line(outcome))
    torch.distributed.destroy_process_group()  # else what gloo still does at the end can abort the process
