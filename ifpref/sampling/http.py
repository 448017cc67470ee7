"""The engine behind an OpenAI-style completions server: vLLM or SGLang, in an environment of its own.

    vllm serve owner/name --revision 5fd3… --dtype bfloat16 --max-model-len 4096 --port 8000    # in another shell

    engine = HttpEngine("http://localhost:8000", read_tokenizer("owner/name", "5fd3…"), concurrency=256)
    engine.sample([Request("p-17", engine.encode("Tell a story about a fox."), n=8)], Settings(seed=0))

One request to the server, and what is read of its answer:

    {"model": "owner/name", "prompt": [151644, 8948, …], "seed": 291039292328718758, "max_tokens": 512, "logprobs": 0}
    {"choices": [{"token_ids": [785, 38835, …, 151645], "logprobs": {"token_logprobs": [-0.3, …]}, …}]}

Decisions
- *Token ids both ways*: text would be tokenised again. A server that does not give the sampled ids is refused.
- *A response is one request*, with a seed from (seed, stream, sample) as in other engines. So it depends on what is
  served beside it through rounding alone, and can be asked for again: when the server dies, what was under way is asked
  for again once it is back, and every response has one place, which is filled once.
- *The connection* is server.py's: what a response is does not depend on it.
- *All sampling parameters are sent*, since servers take those left out from the model's generation_config.json.
- *The server holds the base alone*: policies are sampled where their adapters are, by another engine.
- *SGLang* ignores the seed of a request unless it is started with --enable-deterministic-inference: a response that is
  asked for again is another one then.
- *Log-probabilities* are at temperature 1 in vLLM. In SGLang they are so at another temperature only if it is started
  with SGLANG_RETURN_ORIGINAL_LOGPROB=1.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from ifpref.progress import track
from ifpref.sampling.protocol import Completion, Request, SamplingError, Settings
from ifpref.sampling.server import Server, ServerFailed, ServerGone
from ifpref.sampling.streams import stream_key

log = logging.getLogger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
SAME_FAILURES = 8  # with the waits between them, a minute
ENDED = ("stop", "length")


@dataclass(frozen=True)
class Vocabulary:
    """Of a model, its tokenizer and end tokens: all that this engine needs of it here."""

    id: str
    revision: str | None
    tokenizer: Any
    eos_ids: tuple[int, ...]


def read_tokenizer(id: str, revision: str | None = None) -> Vocabulary:
    """The tokenizer of "pocket", a folder or a hub model, without its weights."""
    from transformers import AutoTokenizer, GenerationConfig

    from ifpref.models import POCKET_FOLDER, ModelError

    where = POCKET_FOLDER if id == "pocket" else id
    options = {"revision": revision} if revision and not Path(where).is_dir() else {}
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(where), trust_remote_code=False, **options)
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise ModelError(f"model {id!r}: its tokenizer cannot be loaded: {first}") from error
    if not tokenizer.chat_template:
        raise ModelError(f"model {id!r} has no chat template: it is a base model; take an instruct model")
    try:
        ends = GenerationConfig.from_pretrained(str(where), **options).eos_token_id
    except OSError:  # a model without generation_config.json
        ends = None
    ends = ends if isinstance(ends, list | tuple) else [ends]
    eos_ids = tuple(sorted({end for end in [*ends, tokenizer.eos_token_id] if end is not None}))
    if not eos_ids:
        raise ModelError(f"model {id!r}: its tokenizer has no end-of-sequence token, so no response would end")
    return Vocabulary(id, revision, tokenizer, eos_ids)


class HttpEngine:
    """Samples from a server; `vocabulary` is that of the model it serves.

    url          of the server, with or without /v1
    concurrency  requests under way at a time; the server makes its own batches of them
    timeout_s    the longest that one response may take
    patience_s   how long a server that has answered may be away before a round gives up; the same error 500 to one
                 request, SAME_FAILURES times in a row, ends it sooner
    """

    def __init__(
        self,
        url: str,
        vocabulary: Vocabulary,
        *,
        concurrency: int = 128,
        timeout_s: float = 600.0,
        patience_s: float = 600.0,
    ) -> None:
        self.server = Server(url, vocabulary.id, vocabulary.revision, timeout_s=timeout_s)
        if concurrency < 1:
            raise SamplingError(f"concurrency = {concurrency}; allowed: at least 1")
        self.vocabulary, self.tokenizer, self.eos_ids = vocabulary, vocabulary.tokenizer, vocabulary.eos_ids
        self.concurrency, self.patience_s = concurrency, patience_s
        self.calls = self.sampled_tokens = 0

    def encode(self, prompt: str) -> tuple[int, ...]:
        """The prompt as a user's message in the chat template, up to where the response begins."""
        messages = [{"role": "user", "content": prompt}]
        ids = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)["input_ids"]
        return tuple(ids)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids, without special tokens."""
        return self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)

    def keep_prefixes(self) -> AbstractContextManager[None]:
        """Does nothing: the server keeps prefixes by itself (vLLM and SGLang do unless told not to)."""
        return nullcontext()

    def sample(self, requests: Sequence[Request], settings: Settings) -> list[list[Completion]]:
        """The completions of each request, in the order of the requests and of their samples.

        Raises SamplingError where no server answers within seconds at first, or within `patience_s` later, and for one
        that serves another model, gives no token ids, or refuses a request, or fails at it again and again.
        """
        try:
            self.server.meet()
        except ServerGone as error:
            raise SamplingError(f"{error}. Start it with: {self.server.command}") from None
        self._check(requests, settings)
        slots = [(request, request.first_sample + j) for request in requests for j in range(request.n)]
        stop = Event()
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="sampling") as pool:
            futures = [pool.submit(self._complete, request, sample, settings, stop) for request, sample in slots]
            try:
                for _ in track(_done(futures), total=len(futures), what="responses"):
                    pass
            finally:
                stop.set()  # what waits for the server gives up; does nothing when all are there
                pool.shutdown(cancel_futures=True)
        completions = [future.result() for future in futures]
        self.calls += 1
        self.sampled_tokens += sum(len(completion.token_ids) for completion in completions)
        remaining = iter(completions)
        return [[next(remaining) for _ in range(request.n)] for request in requests]

    # ---- one response

    def _complete(self, request: Request, sample: int, settings: Settings, stop: Event) -> Completion:
        """One response, asked for until it is there."""
        limit = settings.max_tokens if request.max_tokens is None else request.max_tokens
        if limit == 0:
            return Completion((), "", (), "length")
        body = {
            "prompt": list(request.ids),
            "max_tokens": limit,
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "top_k": -1,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "seed": stream_key(settings.seed, request.stream, sample) % 2**63,
            "stop_token_ids": list(self.eos_ids),
            "logprobs": 0,  # of the token that was sampled, and no others
            "return_token_ids": True,
            "return_tokens_as_token_ids": True,  # older servers know this one
            "n": 1,
            "stream": False,
        }
        said: list[str] = []
        gone_since = None
        while True:
            try:
                return self._read(request, limit, self.server.complete(body))
            except ServerGone as error:
                self.server.forget()
                gone_since = gone_since or time.monotonic()
                said.append(str(error))
                if isinstance(error, ServerFailed) and said[-SAME_FAILURES:] == [said[-1]] * SAME_FAILURES:
                    raise SamplingError(
                        f"{error} (request {request.stream!r}, {SAME_FAILURES} times in a row; the server's own log "
                        "says more)"
                    ) from None
                if stop.is_set() or time.monotonic() - gone_since > self.patience_s:
                    raise SamplingError(
                        f"{error}. It did not come back within {self.patience_s:.0f} s; shards that are written are "
                        f"kept. Start it with: {self.server.command}, then the same command again"
                    ) from None
                if len(said) == 1:
                    log.warning("%s: trying again", error)
                stop.wait(min(FIRST_WAIT_S * 2 ** (len(said) - 1), LONGEST_WAIT_S))

    def _read(self, request: Request, limit: int, answer: Mapping[str, Any]) -> Completion:
        """The completion in an answer, or SamplingError."""
        url = self.server.url
        if not answer.get("choices"):
            raise SamplingError(f"{url}: an answer without choices; allowed: an OpenAI-style completions server")
        choice = answer["choices"][0]
        if choice.get("finish_reason") not in ENDED:  # "abort", say, of a server that is being stopped
            raise ServerGone(f"{url}: ended a response by {choice.get('finish_reason')!r}")
        logprobs = choice.get("logprobs") or {}
        ids = choice.get("token_ids")
        if ids is None:
            marked = [token.partition("token_id:") for token in logprobs.get("tokens") or ()]
            ids = [int(id) for _, mark, id in marked if mark and id.isdigit()]
            if not marked or len(ids) < len(marked):
                raise SamplingError(
                    f"{url}: gives texts but no token ids; allowed: vLLM from 0.10.2 on, or an SGLang that knows "
                    "`return_token_ids`"
                )
        values = logprobs.get("token_logprobs") or ()
        if len(values) != len(ids) or None in values:
            raise SamplingError(
                f"{url}: request {request.stream!r}: {len(ids)} tokens with {len(values)} log-probabilities; "
                "allowed: one each"
            )
        if (read := choice.get("prompt_token_ids")) is not None and tuple(read) != request.ids:
            raise SamplingError(
                f"{url}: request {request.stream!r}: {len(request.ids)} prompt tokens were sent, others "
                f"({len(read)}) were read; allowed: a server that takes them as they are"
            )
        has_ended = bool(set(self.eos_ids).intersection(ids[-1:]))
        if not ids or len(ids) > limit or not (has_ended or len(ids) == limit):
            raise SamplingError(
                f"{url}: request {request.stream!r}: {len(ids)} of at most {limit} tokens, the last of them "
                f"{list(ids[-1:])}, finish {choice['finish_reason']!r}; allowed: an end token ({list(self.eos_ids)}), "
                "or as many as may be"
            )
        return Completion(tuple(ids), self.decode(ids), tuple(values), "stop" if has_ended else "length")

    def _check(self, requests: Sequence[Request], settings: Settings) -> None:
        room = self.server.room
        for request in requests:
            limit = settings.max_tokens if request.max_tokens is None else request.max_tokens
            if room is not None and len(request.ids) + limit > room:
                raise SamplingError(
                    f"request {request.stream!r}: {len(request.ids)} prefix tokens and max_tokens = {limit}; "
                    f"allowed: {room} together, what the server was started with (--max-model-len)"
                )


def _done(futures: Sequence[Future]) -> Iterator[Future]:
    """The futures as they are done; the first error is raised."""
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=1.0, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
            yield future
