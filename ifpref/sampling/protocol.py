"""What every engine takes and gives: requests of token ids in, completions of token ids out.

    request = Request(stream="p-17", ids=engine.encode("Tell a story about a fox."), n=2)
    [[first, second]] = engine.sample([request], Settings(temperature=1.0, max_tokens=64, seed=0))
    first.token_ids, first.text, first.finish      # (412, 17, …, 2), "The fox…", "stop"

Decisions
- *Prefixes are token ids*: text tokenised again moves token boundaries. A prefix may end anywhere, in the middle
  of a response too (search); a completion holds what was sampled after it.
- *Every response has its own random stream*, drawn from (seed, stream, sample, step): a response depends neither on
  what else is sampled with it, nor on batch sizes, nor on how many samples of its prompt are asked for.
  Logits do, by 1e-5 or so (matrix products round by shape), which flips a token in 100,000.
- *A call is one round*, deterministic from its requests and settings: a round that is repeated after a kill gives
  the same completions, bit for bit, on the same machine.
- *An engine* says how the tokens of responses come about (`_completions`); the chat template, decoding, the limits of
  a request and the totals are the same for all of them, and stand here.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice, repeat
from typing import Any, Literal

from ifpref.models import encode


class SamplingError(ValueError):
    """A request that cannot be sampled, or a model that cannot sample; the message says which and why."""


@dataclass(frozen=True)
class Settings:
    """How a round is sampled. `temperature` 0 is greedy; `top_p` keeps the smallest set of tokens of that mass."""

    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 128
    seed: int = 0


@dataclass(frozen=True)
class Request:
    """Completions wanted of one prefix.

    stream        names the random streams: "<prompt_id>", in search "<prompt_id>/<node>"
    ids           the prefix: the chat-templated prompt, and in search the response so far
    n             completions wanted: samples first_sample, …, first_sample + n - 1
    max_tokens    most tokens sampled after the prefix, instead of `Settings.max_tokens`; 0 gives empty completions
    """

    stream: str
    ids: tuple[int, ...]
    n: int = 1
    first_sample: int = 0
    max_tokens: int | None = None

    def limit(self, settings: Settings) -> int:
        """Most tokens of one of its completions."""
        return settings.max_tokens if self.max_tokens is None else self.max_tokens


@dataclass(frozen=True)
class Completion:
    """What was sampled after a prefix.

    token_ids   with the end token, where the model gave one (finish "stop"); without, where max_tokens cut ("length")
    text        decoded without special tokens
    logprobs    natural logarithm of each token's probability at temperature 1, whatever temperature it was sampled at
    """

    token_ids: tuple[int, ...]
    text: str
    logprobs: tuple[float, ...]
    finish: Literal["stop", "length"]

    @property
    def logprob(self) -> float:
        """The sum of `logprobs`."""
        return sum(self.logprobs)


class Engine:
    """A language model that samples.

    calls, sampled_tokens  running totals
    room                   most tokens of prefix and completion together; None where that is not known
    vocabulary_size        token ids of a prefix lie below it
    """

    room: int | None = None

    def __init__(self, tokenizer: Any, eos_ids: Sequence[int], vocabulary_size: int) -> None:
        self.tokenizer, self.eos_ids, self.vocabulary_size = tokenizer, tuple(eos_ids), vocabulary_size
        self.calls = self.sampled_tokens = 0

    def encode(self, prompt: str, system_prompt: str | None = None) -> tuple[int, ...]:
        """The prompt as a user's message in the chat template, up to where the response begins."""
        return encode(self.tokenizer, prompt, system_prompt)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids, without special tokens."""
        return self.texts([ids])[0]

    def texts(self, sequences: Sequence[Sequence[int]]) -> list[str]:
        """`decode` of many."""
        if not sequences:  # which transformers takes for one empty text
            return []
        return self.tokenizer.batch_decode(
            [list(ids) for ids in sequences], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )

    def keep_prefixes(self) -> AbstractContextManager[None]:
        """Within it, what has been computed of a prefix may be kept for requests that go on from it."""
        return nullcontext()

    def sample(self, requests: Sequence[Request], settings: Settings) -> list[list[Completion]]:
        """The completions of each request, in the order of the requests and of their samples. One round."""
        for request in requests:
            self._check(request, request.limit(settings))
        asked = [request for request in requests if request.limit(settings) > 0]
        found = iter(self._completions(asked, settings) if asked else [])
        self.calls += 1
        empty = repeat(Completion((), "", (), "length"))
        rows = [list(islice(found if r.limit(settings) > 0 else empty, r.n)) for r in requests]
        self.sampled_tokens += sum(len(completion.token_ids) for row in rows for completion in row)
        return rows

    def _completions(self, requests: Sequence[Request], settings: Settings) -> list[Completion]:
        """The completions of all requests, one after the other; every request wants one token at least."""
        raise NotImplementedError

    def _completed(self, token_ids: Sequence[Sequence[int]], logprobs: Sequence[Sequence[float]]) -> list[Completion]:
        """Completions of tokens and their log-probabilities; one whose last token is an end token has stopped."""
        return [
            Completion(tuple(ids), text, tuple(row), "stop" if ids[-1] in self.eos_ids else "length")
            for ids, text, row in zip(token_ids, self.texts(token_ids), logprobs, strict=True)
        ]

    def _check(self, request: Request, limit: int) -> None:
        """SamplingError for what would fail, or be cut, on the way."""
        if self.room is not None and len(request.ids) + limit > self.room:
            raise SamplingError(
                f"request {request.stream!r}: {len(request.ids)} prefix tokens and max_tokens = {limit}; allowed: "
                f"{self.room} together, the context of the model (of a server, its --max-model-len)"
            )
        if not 0 <= min(request.ids) <= max(request.ids) < self.vocabulary_size:
            raise SamplingError(
                f"request {request.stream!r}: token ids from {min(request.ids)} to {max(request.ids)}; allowed: 0 to "
                f"{self.vocabulary_size - 1}, the model's vocabulary"
            )
