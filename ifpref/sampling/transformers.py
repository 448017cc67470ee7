"""The engine for any causal language model of transformers: our own decoding loop around the model's forward pass.

    engine = TransformersEngine(load_model("pocket"), batch_size=128)
    engine.sample([Request("p-17", engine.encode("Tell a story about a fox."), n=8)], Settings(seed=0))

Decisions
- *Batches* hold prompts of like lengths. Rows that have ended leave once they are an eighth of the batch; `generate`
  computes them to the end. (Filling their places with waiting prompts was slower: attention is the largest part of a
  step, and its cost is that of the longest row.)
- *A prompt is read once* for its n samples. In search (`keep_prefixes`) nothing is read twice: a request that goes on
  from an earlier response begins with its keys and values.
- *A step* is one forward pass with our own masks and positions, the logits of the last column, one choice
  (tokens.py) and a handful of operations on whole columns; nothing is done row by row.
- *Out of memory*: the batch is halved, what was under way starts again, and its random streams make it what it
  would have been.
- Batches are composed from the requests alone, in their order and of their lengths, so a round repeated is the same.
"""

import itertools
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields

import torch

from ifpref.models import LoadedModel
from ifpref.progress import track
from ifpref.sampling.cache import HubCache, Kept, Pieces, RowCache, forward, in_blocks, is_plain, read_prefixes
from ifpref.sampling.protocol import Completion, Engine, Request, SamplingError, Settings
from ifpref.sampling.streams import stream_key
from ifpref.sampling.tokens import choose

log = logging.getLogger(__name__)

KEEP_BYTES = 4 * 2**30
"""Most memory that `keep_prefixes` takes; pocket needs half a gigabyte for 128 trees of 16 responses."""
LEAVE = 0.125
"""Share of a batch that must have ended before it closes up; measured: an eighth or less is best, and flat."""


class TransformersEngine(Engine):
    """Samples from a loaded model; `batch_size` is the most rows at a time, and shrinks when memory runs out."""

    def __init__(self, loaded: LoadedModel, batch_size: int = 128) -> None:
        super().__init__(loaded.tokenizer, loaded.eos_ids, loaded.model.get_input_embeddings().num_embeddings)
        self.model, self.batch_size = loaded.model, batch_size
        self.room = getattr(self.model.config.get_text_config(decoder=True), "max_position_embeddings", None)
        self.plain = is_plain(self.model)
        self.buffer: RowCache | None = None
        self.kept: Kept | None = None

    @contextmanager
    def keep_prefixes(self) -> Iterator[None]:
        """Within it, keys and values are kept, and a request that goes on from an earlier response reads one token.

        For search: its first round reads the prompts, later ones begin where they branch. What is kept was computed in
        other shapes, which moves logits by 1e-5 or so: a shard of a search opens its own, so as to repeat exactly.
        """
        self.kept = Kept(KEEP_BYTES)
        try:
            yield
        finally:
            self.kept = self.buffer = None

    def _completions(self, requests: Sequence[Request], settings: Settings) -> list[Completion]:
        was_training = self.model.training
        self.model.eval()
        try:
            with torch.inference_mode(), in_blocks(self.model, self.plain):
                work = _Round(self, requests, settings)
                for _ in track(work.run(), total=len(work.owner), what="responses", note=work.speed):
                    pass
                return self._completed(*work.sampled())
        finally:
            self.model.train(was_training)
            if self.kept is None:
                self.buffer = None

    def read(self, prefixes: Mapping[tuple[int, ...], str]) -> list[Pieces]:
        """Keys and values of each prefix but its last token, which the first step reads; what is kept is not computed.

        prefixes  with the random stream of each
        """
        known = {ids: self.kept.find(stream, ids[:-1]) if self.kept else None for ids, stream in prefixes.items()}
        missing = [ids for ids, pieces in known.items() if pieces is None]
        for ids, own in zip(missing, read_prefixes(self.model, missing), strict=True):
            if self.kept:
                self.kept.add(prefixes[ids], ids, (own,))
            known[ids] = (self.kept and self.kept.find(prefixes[ids], ids[:-1])) or (own[:, :, :, :-1],)
        return list(known.values())


@dataclass
class _Rows:
    """The rows of a batch, (B,) each.

    response, key   whose row it is, and the key of its random stream
    step, limit     tokens sampled so far, and the most there may be
    token, position the last one, and its place in the whole sequence
    alive           whether it goes on
    """

    response: torch.Tensor
    key: torch.Tensor
    step: torch.Tensor
    limit: torch.Tensor
    token: torch.Tensor
    position: torch.Tensor
    alive: torch.Tensor

    def keep(self, rows: Sequence[int]) -> None:
        index = torch.tensor(rows, device=self.step.device)
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name).index_select(0, index))


class _Round:
    """One call of `sample`: its responses, numbered in the order of requests and samples, and what has been sampled."""

    def __init__(self, engine: TransformersEngine, requests: Sequence[Request], settings: Settings) -> None:
        self.engine, self.model, self.settings = engine, engine.model, settings
        self.device = self.model.device
        samples = [(request, request.first_sample + j) for request in requests for j in range(request.n)]
        self.owner = [request for request, _ in samples]
        self.limits = [request.limit(settings) for request in self.owner]
        self.lengths: list[int | None] = [None] * len(samples)  # None: not sampled yet
        keys = [stream_key(settings.seed, request.stream, sample) for request, sample in samples]
        self.keys = torch.tensor(keys, dtype=torch.long, device=self.device)
        width = max(self.limits) + 1  # one column more: where ended rows write until they leave
        self.token_ids = torch.zeros(len(samples), width, dtype=torch.long, device=self.device)
        self.logprobs = torch.zeros(len(samples), width, device=self.device)
        self.is_end = torch.zeros(engine.vocabulary_size, dtype=torch.bool, device=self.device)
        self.is_end[list(engine.eos_ids)] = True
        self.count_every = 8 if self.device.type == "cuda" else 1  # counting waits for the GPU

    def speed(self, seconds: float) -> str:
        """Tokens per second, of the responses that have ended."""
        return f"{sum(filter(None, self.lengths)) / max(seconds, 1e-9):,.0f} tokens/s"

    def run(self) -> Iterator[int]:
        """Samples everything, batch by batch; yields the responses as they end."""
        while batches := self._batches():
            rows, message = len(batches[0]), None
            try:
                for batch in batches:
                    yield from self._decode(batch)
            except torch.cuda.OutOfMemoryError as error:
                message = str(error)
            if message is not None:  # out here, where no traceback holds tensors any more
                self._halve(rows, message)

    def _batches(self) -> list[list[int]]:
        """The responses not sampled yet, longest prefix first, in batches of equal size."""
        waiting = [response for response, length in enumerate(self.lengths) if length is None]
        waiting.sort(key=lambda response: -len(self.owner[response].ids))
        count = math.ceil(len(waiting) / self.engine.batch_size)
        return [waiting[len(waiting) * i // count : len(waiting) * (i + 1) // count] for i in range(count)]

    def _decode(self, responses: list[int]) -> Iterator[int]:
        """Samples one batch to the end; yields responses as they leave it."""
        rows, cache = self._begin(responses)
        for step in itertools.count():
            if step % self.count_every == 0:
                size, alive = len(rows.alive), int(rows.alive.sum())
                if alive == 0 or size - alive >= LEAVE * size:
                    yield from self._leave(rows, cache)
                    if alive == 0:
                        return
                    kept = _closed_up(rows.alive.tolist())
                    rows.keep(kept)
                    cache.keep(kept)
            tokens, positions = rows.token[:, None], rows.position[:, None]
            logits = forward(self.model, tokens, cache.attention_mask, positions, cache.cache, cache.blocks)
            self._record(rows, logits)

    def _begin(self, responses: list[int]) -> tuple[_Rows, RowCache | HubCache]:
        """Rows with their prefixes read up to the last token, which the first step reads, or with their first token."""
        owners = [self.owner[response] for response in responses]
        streams = {owner.ids: owner.stream for owner in owners}
        number = {ids: i for i, ids in enumerate(streams)}
        row_prefix = [number[owner.ids] for owner in owners]
        tokens, last = [owner.ids[-1] for owner in owners], [len(owner.ids) - 1 for owner in owners]
        limits = [self.limits[response] for response in responses]
        response, token, position, limit = torch.tensor([responses, tokens, last, limits], device=self.device)
        zero, alive = torch.zeros_like(response), torch.ones_like(response, dtype=torch.bool)
        rows = _Rows(response, self.keys[response], zero, limit, token, position, alive)
        spare = max(limits) + self.count_every
        if self.engine.plain:
            pieces = self.engine.read(streams)
            cache = self.engine.buffer = RowCache([pieces[i] for i in row_prefix], spare, self.engine.buffer)
        else:
            cache, logits = HubCache.read(self.model, list(streams), row_prefix, spare)
            self._record(rows, logits[row_prefix])
        return rows, cache

    def _record(self, rows: _Rows, logits: torch.Tensor) -> None:
        """Chooses each row's next token from its logits (B, V) and notes it. Rows that have ended stay as they are."""
        rows.token, logprob = choose(logits, rows.key, rows.step, self.settings.temperature, self.settings.top_p)
        self.token_ids[rows.response, rows.step] = rows.token
        self.logprobs[rows.response, rows.step] = logprob
        rows.step = rows.step + rows.alive
        rows.position = rows.position + rows.alive
        rows.alive = rows.alive & ~self.is_end[rows.token] & (rows.step < rows.limit)

    def _leave(self, rows: _Rows, cache: RowCache | HubCache) -> list[int]:
        """Notes the lengths of the rows that have ended, and keeps what they hold for who goes on; their responses."""
        places = (~rows.alive).nonzero().flatten()
        ended, steps = torch.stack([rows.response, rows.step])[:, places].tolist()
        for place, response, length in zip(places.tolist(), ended, steps, strict=True):
            self.lengths[response] = length
            if self.engine.kept and self.engine.plain:
                owner = self.owner[response]
                ids = (*owner.ids, *self.token_ids[response, : length - 1].tolist())  # the last one was never read
                self.engine.kept.add(owner.stream, ids, cache.pieces(place, len(ids)))
        return ended

    def _halve(self, rows: int, message: str) -> None:
        """After running out of memory with a batch of so many rows."""
        if rows == 1:
            raise SamplingError(f"out of GPU memory with a single row; a smaller model or dtype would do: {message}")
        self.engine.batch_size = rows // 2
        log.warning("out of GPU memory with %d rows at a time: going on with %d", rows, rows // 2)
        self.engine.buffer, self.engine.kept = None, self.engine.kept and Kept(KEEP_BYTES)
        torch.cuda.empty_cache()

    def sampled(self) -> tuple[list[list[int]], list[list[float]]]:
        """Tokens and log-probabilities of all responses, in their order."""
        token_ids = [ids[:n] for ids, n in zip(self.token_ids.tolist(), self.lengths, strict=True)]
        logprobs = [row[:n] for row, n in zip(self.logprobs.tolist(), self.lengths, strict=True)]
        for request, row in zip(self.owner, logprobs, strict=True):
            if not all(map(math.isfinite, row)):
                raise SamplingError(f"request {request.stream!r}: the model's logits are not finite numbers")
        return token_ids, logprobs


def _closed_up(alive: Sequence[bool]) -> list[int]:
    """The rows that are kept, in places: those among the first stay, the last ones fill the gaps."""
    count = sum(alive)
    last = iter([row for row in range(count, len(alive)) if alive[row]])
    return [row if alive[row] else next(last) for row in range(count)]
