"""The engine on transformers' continuous batching (`generate_batch`): finished rows make room for waiting ones at once.

    engine = BatchingEngine(load_model("owner/name", dtype="bfloat16", device="cuda"), batch_size=256)
    engine.sample([Request("p-17", engine.encode("Tell a story about a fox."), n=8)], Settings(seed=0))

For long responses of unequal length on a GPU, where the default engine waits for the longest row of a batch; no
dependency beside transformers.

Decisions
- *A call is one round*: all of its requests wait before the first step, and one seed is drawn from all of their names.
  A round asked for again gives the same completions, on the same machine with the same room for its cache; but a
  response depends on what is sampled with it: `Request.stream` names no random stream here. So whole rounds are cached:
  a shard of responses is one round, a shard of trees as many as it has simulations.
- *The manager beneath `generate_batch`*, since requests of a search have a `max_tokens` each, and since
  `generate_batch` hands requests over while it decodes: its batches, and so its samples, would depend on the clock.
- *A prompt is read once* for its n samples (its cache is forked), and complete pages that requests have in common once.
- *Log-probabilities* come with the tokens, of the distribution that was sampled from. Where that is not the model's at
  temperature 1, the responses are read once more.
- *What the library changes* is put back: attention implementation, training mode, the global random state.
- *Out of memory*: the batch is halved and the round starts again.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from ifpref.models import LoadedModel
from ifpref.progress import track
from ifpref.sampling.protocol import Completion, Request, SamplingError, Settings
from ifpref.sampling.reading import Item, read_batches
from ifpref.sampling.streams import stream_key
from ifpref.sampling.transformers import TransformersEngine

log = logging.getLogger(__name__)

PAGE = {"cuda": 256, "cpu": 32}
"""Tokens of a page of the cache. Flash attention reads whole pages of 256; elsewhere small ones share more."""


class BatchingEngine(TransformersEngine):
    """Samples from a loaded model; `batch_size` is the most rows at a time, and shrinks when memory runs out.

    Encoding, decoding and the checks of requests are those of `TransformersEngine`.
    """

    def __init__(self, loaded: LoadedModel, batch_size: int = 128) -> None:
        super().__init__(loaded, batch_size)
        self._keeping = False
        self._attention = self.model.config._attn_implementation
        self._manager: Any = None
        self._built_for: tuple[Any, ...] = ()  # (temperature, top_p, n), the longest sequence, rows

    @contextmanager
    def keep_prefixes(self) -> Iterator[None]:
        """Within it, the manager of a round serves the next, with the pages and CUDA graphs that it has. Afterwards
        what the library changes is as it was."""
        if self._keeping:
            yield
            return
        self._keeping, was_training = True, self.model.training
        self._attention = self.model.config._attn_implementation
        devices = [self.model.device] if self.model.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            try:
                yield
            finally:
                self._keeping = False
                self._close()
                self.model.set_attn_implementation(self._attention)
                self.model.train(was_training)

    def _completions(self, requests: Sequence[Request], settings: Settings) -> list[Completion]:
        with self.keep_prefixes():
            outputs = self._outputs(requests, settings)
            token_ids = [output.generated_tokens for output in outputs]
            if settings.temperature == 0 or (settings.temperature == settings.top_p == 1):
                return self._completed(token_ids, [output.logprobs for output in outputs])
            owners = [request for request in requests for _ in range(request.n)]
            items = [(owner.ids, ids) for owner, ids in zip(owners, token_ids, strict=True)]
            return self._completed(token_ids, self._read_again(items))

    def _outputs(self, requests: Sequence[Request], settings: Settings) -> list[Any]:
        """The library's, of all responses; with smaller batches where memory runs out."""
        while True:
            try:
                return self._round(requests, settings)
            except (MemoryError, torch.cuda.OutOfMemoryError) as error:
                self._close()
                if self.batch_size == 1:
                    raise SamplingError(f"out of memory with a single row; a smaller model would do: {error}") from None
                self.batch_size //= 2
                log.warning("out of memory: going on with %d rows at a time", self.batch_size)

    def _round(self, requests: Sequence[Request], settings: Settings) -> list[Any]:
        """The library's outputs, n for each request."""
        forks = len({request.n for request in requests}) == 1 and settings.temperature > 0
        n = requests[0].n if forks else 1  # the library forks every request alike, and only where it draws
        single = [request for request in requests for _ in range(request.n // n)]
        longest = max(len(request.ids) + request.limit(settings) for request in requests)
        rows = min(self.batch_size, n * len(single))
        manager = self._manager_for((settings.temperature, settings.top_p, n), longest, rows)
        names = [f"{self.calls}/{i}" for i in range(len(single))]
        with manager.pause():  # or the first step would hold what was there by then
            torch.manual_seed(_seed(requests, settings))
            for name, request in zip(names, single, strict=True):
                limit = request.limit(settings)
                manager.add_request(list(request.ids), name, max_new_tokens=limit, eos_token_id=list(self.eos_ids))
        outputs: dict[str, Any] = {}
        for output in track(_finished(manager, n * len(single)), total=n * len(single), what="responses"):
            outputs[output.request_id] = output
        order = [member for name in names for member in [*(f"{name}__child#{i}" for i in range(n - 1)), name]]
        return [outputs[member] for member in order]

    def _manager_for(self, drawing: tuple[float, float, int], longest: int, rows: int) -> Any:
        """The manager that is kept, where it draws so and has the room, or a new one, started and waiting.

        drawing  temperature, top_p, and how many responses each prompt has
        """
        from transformers import GenerationConfig
        from transformers.generation import ContinuousBatchingConfig

        if self._manager is not None:
            kept_drawing, kept_longest, kept_rows = self._built_for
            if kept_drawing == drawing and kept_longest >= longest and kept_rows >= rows:
                return self._manager
            self._close()
        temperature, top_p, n = drawing
        how = {"do_sample": True, "temperature": temperature, "top_p": top_p, "top_k": 0}
        how = how if temperature > 0 else {"do_sample": False}
        config = GenerationConfig(num_return_sequences=n, eos_token_id=list(self.eos_ids), **how)
        page = PAGE["cuda" if self.model.device.type == "cuda" else "cpu"]
        batching = ContinuousBatchingConfig(
            page_size=page,
            num_blocks=rows * (-(-longest // page) + 1),
            max_batch_tokens=max(2048, rows),
            max_requests_per_batch=rows,
            return_logprobs=True,
        )
        manager = self.model.init_continuous_batching(config, batching)
        manager.warmup()  # here, where running out of memory can be seen
        manager.start()
        self._manager, self._built_for = manager, (drawing, longest, rows)
        return manager

    def _close(self) -> None:
        if self._manager is not None:
            self._manager.stop(block=True)
            self._manager.destroy()
            self._manager = None

    def _read_again(self, items: Sequence[Item]) -> list[tuple[float, ...]]:
        """The log-probability at temperature 1 of each response token, given its prompt."""
        paged = self.model.config._attn_implementation  # which reads nothing but what the manager gives it
        self.model.set_attn_implementation(self._attention)
        found: list[tuple[float, ...]] = [()] * len(items)
        with torch.inference_mode():
            for batch, logits, targets in read_batches(self.model, items, self.batch_size):
                chosen = logits.log_softmax(dim=-1).gather(-1, targets[..., None])[..., 0]  # (B, L)
                for i, row in zip(batch, chosen.tolist(), strict=True):
                    found[i] = tuple(row[-len(items[i][1]) :])
        self.model.set_attn_implementation(paged)
        return found


def _seed(requests: Sequence[Request], settings: Settings) -> int:
    """Of a round: another one for other requests."""
    names = "\x1f".join(f"{request.stream}/{request.first_sample}/{request.n}" for request in requests)
    return stream_key(settings.seed, names, 0) % 2**63


def _finished(manager: Any, count: int) -> Iterator[Any]:
    """The outputs as they finish. What ended the loop is raised again here."""
    while count:
        output = manager.get_result(timeout=1)
        if output is None:
            if not manager.is_running():
                raise _failure(manager, "the loop ended early")
        elif output.error is not None:
            raise _failure(manager, output.error)
        elif output.is_finished():
            count -= 1
            yield output


def _failure(manager: Any, message: str) -> Exception:
    fatal = manager.background_thread_status.fatal_error
    if isinstance(fatal, MemoryError | torch.cuda.OutOfMemoryError):
        return fatal
    return SamplingError(f"continuous batching failed: {fatal or message}; allowed: engine: transformers")
