"""The base, as stages are given it: known by its identity, loaded when it is first asked for.

    model = Model(identify("pocket"), Machine(device="cpu", ...), fitting)
    model.loaded                                     # ifpref.models.LoadedModel
    model.engine(Speaking(engine="transformers"))    # what samples from it

Everything of a model computes in `THREADS` threads on a CPU, whoever asks: the kernels of some CPUs round by their
number, and an artefact must not depend on who made it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ifpref.models import LoadedModel, ModelError, identify, is_local, load_model
from ifpref.params import Params
from ifpref.pipeline.fitting import FittedEngine, Fitting
from ifpref.pipeline.kept import Kept

BF16_FROM = (8, 0)
"""The first compute capability of a GPU that computes in bfloat16."""
BF16_UNITS = {"avx512_bf16", "amx_bf16"}
"""What a CPU says of itself that does: there it is 5 to 15 times as fast as float32, elsewhere slower."""
CPU_INFO = Path("/proc/cpuinfo")
THREADS = 1
"""Threads that a process computes an artefact with: on small models two processes do twice the work of two threads."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """How artefacts are computed, not what: none of it is in a key. `device` is "cpu" or "cuda:1"."""

    device: str
    sampling_batch_size: int
    engine_url: str | None
    training_processes: int


@dataclass(frozen=True, kw_only=True)
class Speaking:
    """What samples from a model, and how prompts are put to it (sampling/chat.py)."""

    engine: str
    system_prompt: str | None
    thinking_end: str | None
    stop_strings: tuple[str, ...]

    def here(self) -> Speaking:
        """The same for a model that is loaded here, which a server's engine is not for."""
        return replace(self, engine="transformers") if self.engine == "http" else self


class Model:
    """The base of a study, in one process."""

    def __init__(self, identity: Mapping[str, Any], machine: Machine, fitting: Fitting) -> None:
        self.id, self.revision = identity["id"], identity["revision"]
        self.identity, self.machine, self.fitting = identity, machine, fitting

    @cached_property
    def loaded(self) -> LoadedModel:
        dtype = self.identity["dtype"]
        loaded = load_model(self.id, revision=self.revision, dtype=dtype, device=self.machine.device)
        if loaded.identity != self.identity:
            raise ModelError(
                f"model {self.id!r} was changed while this process runs; start again, or take the change back"
            )
        return loaded

    def engine(self, how: Speaking, loaded: LoadedModel | None = None) -> Any:
        """What samples from the base, or from a policy that is loaded here."""
        from ifpref.sampling import BatchingEngine, TransformersEngine

        if how.engine == "http" and loaded is None:
            return self._put_to(self.server(), how)
        kind = BatchingEngine if how.engine == "batching" else TransformersEngine
        return self._put_to(
            FittedEngine(kind(loaded or self.loaded, self.machine.sampling_batch_size), self.fitting), how
        )

    def server(self) -> Any:
        """The engine behind `engine_url`; nothing is asked yet."""
        from ifpref.sampling import HttpEngine

        return HttpEngine(self.machine.engine_url, self._vocabulary, concurrency=self.machine.sampling_batch_size)

    def encoder(self, how: Speaking) -> Any:
        """An engine that encodes and decodes without weights; it is not to sample."""
        from ifpref.sampling import Engine

        known = self._vocabulary
        return self._put_to(Engine(known.tokenizer, known.eos_ids, known.size), how)

    @cached_property
    def _vocabulary(self) -> Any:
        from ifpref.sampling.http import read_tokenizer

        return read_tokenizer(self.id, self.revision)

    def _put_to(self, engine: Any, how: Speaking) -> Any:
        from ifpref.sampling.chat import with_chat_template

        chat = {"system_prompt": how.system_prompt, "thinking_end": how.thinking_end, "stop_strings": how.stop_strings}
        return with_chat_template(engine, **chat)


def kept_identity(commits: Path, id: str, revision: str | None, dtype: str) -> dict[str, str | None]:
    """`models.identify`, with the commit of a hub model as it was first resolved: for all processes and later runs a
    model stays what it was, though its branch moves on or the hub cannot be asked.

    commits  the file that keeps them. KeptError where it cannot be read
    """
    if is_local(id):
        return identify(id, None, dtype)
    allowed = "an object, of each model@revision its commit; without the file, all are resolved anew"
    asked = f"{id}@{revision or 'default branch'}"
    with Kept(commits, dict[str, str], allowed).changed() as known:
        if asked not in known:
            known[asked] = identify(id, revision)["revision"]
    return {"id": id, "revision": known[asked], "content": None, "dtype": dtype}


def gpus(params: Params) -> int:
    """How many GPUs this process may use, as `device` allows. ValueError for cuda where there is none."""
    has_driver = any(Path("/dev").glob("nvidia*"))
    if params.device == "cpu" or (params.device == "auto" and not has_driver):
        return 0
    import torch

    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if params.device == "cuda" and not found:
        raise ValueError("device = 'cuda', and no GPU that torch can use is here; allowed: auto, cpu")
    return found


def first_device(n_gpus: int) -> str:
    """Where one process computes: the first of so many GPUs, or the CPU."""
    return "cuda:0" if n_gpus else "cpu"


def with_dtype(params: Params) -> Params:
    """The same with a dtype for `auto`: bfloat16 where the GPUs, or the CPU where none is used, compute in it, else
    float32. Settled once, where a study begins: keys, manifests and workers hold what was found."""
    return (
        params.replace(dtype="bfloat16" if _has_bfloat16(params) else "float32") if params.dtype == "auto" else params
    )


def _has_bfloat16(params: Params) -> bool:
    if n := gpus(params):
        import torch

        return all(torch.cuda.get_device_capability(number) >= BF16_FROM for number in range(n))
    flags = (line for line in _lines(CPU_INFO) if line.startswith("flags"))
    return bool(BF16_UNITS & set(next(flags, "").split()))


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.is_file() else []  # a system other than Linux


@contextmanager
def fixed_threads() -> Iterator[None]:
    """Within it, torch computes in `THREADS` threads on a CPU."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        yield
    finally:
        torch.set_num_threads(before)
