"""The engine behind an OpenAI-style completions server: vLLM or SGLang, in an environment of its own.

    vllm serve owner/name --revision 5fd3… --dtype bfloat16 --max-model-len 4096 --host 127.0.0.1 --port 8000

    engine = HttpEngine("http://127.0.0.1:8000", read_tokenizer("owner/name", "5fd3…"), concurrency=256)
    engine.sample([Request("p-17", engine.encode("Tell a story about a fox."), n=8)], Settings(seed=0))

One request to the server, and what is read of its answer:

    {"model": "owner/name", "prompt": [151644, 8948, …], "seed": 291039292328718758, "max_tokens": 512, "logprobs": 0}
    {"choices": [{"token_ids": [785, 38835, …, 151645], "logprobs": {"token_logprobs": [-0.3, …]}, …}]}

Decisions
- *Token ids both ways*: text would be tokenised again. A server that does not give the sampled ids is refused.
- *A response is one request*, with a seed from (seed, stream, sample) as in other engines. So it depends on what is
  served beside it through rounding alone, and can be asked for again: when the server dies, what was under way is asked
  for again once it is back, and every response has one place, which is filled once.
- *The connection*, and the shape of an answer, are server.py's; what an answer must be for its request is checked here.
- *All sampling parameters are sent*, since servers take those left out from the model's generation_config.json.
- *The server holds the base alone*: policies are sampled where their adapters are, by another engine.
- *SGLang* ignores the seed of a request unless it is started with --enable-deterministic-inference: a response that is
  asked for again is another one then.
- *Log-probabilities* are at temperature 1 in vLLM. In SGLang they are so at another temperature only if it is started
  with SGLANG_RETURN_ORIGINAL_LOGPROB=1. One that rounding has lifted above 0 (server.ROUNDING) is stored as 0.
"""

import logging
import re
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from typing import Any

from anyio import Semaphore
from anyio.from_thread import start_blocking_portal
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_exponential

from ifpref.progress import track
from ifpref.sampling.protocol import Completion, Engine, Request, SamplingError, Settings
from ifpref.sampling.server import Choice, Server, ServerFailed, ServerGone
from ifpref.sampling.streams import stream_key

log = logging.getLogger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
FIRST_ATTEMPTS = 3  # to learn what a server serves that has not answered yet
SAME_FAILURES = 8  # with the waits between them, a minute

UNCHANGED = {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}
"""What leaves the model's distribution as it is."""
ANSWER = {"n": 1, "stream": False, "logprobs": 0, "return_token_ids": True, "return_tokens_as_token_ids": True}
"""What is wanted: the sampled tokens' ids and log-probabilities, and no others; older servers know the last name."""


@dataclass(frozen=True)
class Vocabulary:
    """Of a model, its tokenizer and end tokens: all that this engine needs of it here.

    size  how many token ids the model has, where it has more than the tokenizer
    """

    id: str
    revision: str | None
    tokenizer: Any
    eos_ids: tuple[int, ...]
    size: int = 0


def read_tokenizer(id: str, revision: str | None = None) -> Vocabulary:
    """The tokenizer of "pocket", a folder or a hub model, without its weights."""
    from ifpref.models import end_ids, load_config, load_generation, load_tokenizer

    tokenizer, config = (load(id, revision=revision) for load in (load_tokenizer, load_config))
    eos_ids = tuple(sorted(end_ids(load_generation(id, revision=revision), tokenizer)))
    return Vocabulary(id, revision, tokenizer, eos_ids, config.get_text_config(decoder=True).vocab_size)


class HttpEngine(Engine):
    """Samples from a server; `vocabulary` is that of the model it serves.

    url          of the server, with or without /v1
    concurrency  requests under way at a time; the server makes its own batches of them
    timeout_s    the longest that one request to the server may take
    patience_s   how long a response is asked for again, from its first failure on; the same `ServerFailed`,
                 SAME_FAILURES times in a row, ends it sooner. So none takes longer than patience_s, 2 timeout_s and
                 a minute together
    """

    def __init__(
        self,
        url: str,
        vocabulary: Vocabulary,
        *,
        concurrency: int = 128,
        timeout_s: float = 600,
        patience_s: float = 600,
    ) -> None:
        size = max(vocabulary.size, len(vocabulary.tokenizer))
        super().__init__(vocabulary.tokenizer, vocabulary.eos_ids, size)
        self.server = Server(url, vocabulary.id, vocabulary.revision, timeout_s=timeout_s)
        self.concurrency, self.patience_s = concurrency, patience_s

    def meet(self) -> int | None:
        """Asks the server what it serves; the most tokens of prompt and response together, where it says so.

        SamplingError where none answers within seconds, and for one that serves another model.
        """
        try:
            with start_blocking_portal() as portal:
                served = portal.call(_asking, stop_after_attempt(FIRST_ATTEMPTS), self.server.meet)
        except ServerGone as error:
            raise SamplingError(f"{error}. Start it with: {self.server.command}") from None
        self.room = served[0].max_model_len
        return self.room

    def sample(self, requests: Sequence[Request], settings: Settings) -> list[list[Completion]]:
        """The completions of each request, in the order of the requests and of their samples.

        Raises SamplingError where no server answers within seconds at first, or within `patience_s` later, and for one
        that serves another model, gives no token ids or wrong ones, or refuses a request, or fails again and again.
        """
        self.meet()
        return super().sample(requests, settings)

    def _completions(self, requests: Sequence[Request], settings: Settings) -> list[Completion]:
        slots = [(request, request.first_sample + j) for request in requests for j in range(request.n)]
        places = Semaphore(self.concurrency)
        with start_blocking_portal() as portal:  # a thread with an event loop; where one fails, the others are stopped
            futures = [portal.start_task_soon(self._response, *slot, settings, places) for slot in slots]
            for future in track(as_completed(futures), total=len(futures), what="responses"):
                future.result()
        found = [future.result() for future in futures]
        return self._completed([ids for ids, _ in found], [logprobs for _, logprobs in found])

    async def _response(
        self, request: Request, sample: int, settings: Settings, places: Semaphore
    ) -> tuple[list[int], list[float]]:
        """Tokens and log-probabilities of one response, asked for until it is there."""
        body = {
            "prompt": list(request.ids),
            "max_tokens": request.limit(settings),
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "seed": stream_key(settings.seed, request.stream, sample) % 2**63,
            "stop_token_ids": list(self.eos_ids),
            **UNCHANGED,
            **ANSWER,
        }
        patience = _Patience(self.patience_s, self.server)
        async with places:
            try:
                choice = await _asking(patience, self.server.complete, body)
            except ServerGone as error:
                raise SamplingError(
                    f"{error} (request {request.stream!r}, {len(patience.failures)} times in a row; asked again for at "
                    f"most {self.patience_s:g} s). Shards that are written are kept. Start the server with: "
                    f"{self.server.command}, then the same command again"
                ) from None
        return self._read(request, request.limit(settings), choice)

    def _read(self, request: Request, limit: int, choice: Choice) -> tuple[list[int], list[float]]:
        """Tokens and log-probabilities of a response, or SamplingError."""

        def wrong(found: str, allowed: str) -> SamplingError:
            return self.server.error(f"request {request.stream!r}: {found}; allowed: {allowed}")

        logprobs = choice.logprobs.token_logprobs if choice.logprobs else []
        words = (choice.logprobs and choice.logprobs.tokens) or []
        numbers = [int(word[9:]) for word in words if re.fullmatch("token_id:[0-9]{1,9}", word)]
        ids = choice.token_ids if choice.token_ids is not None else numbers
        if choice.token_ids is None and len(numbers) < max(len(words), 1):
            raise wrong("texts but no token ids", "vLLM from 0.10.2 on, or an SGLang that knows `return_token_ids`")
        if numbers and numbers != ids:
            raise wrong("two lists of token ids, which differ", "one response")
        if len(logprobs) != len(ids):
            raise wrong(f"{len(ids)} tokens with {len(logprobs)} log-probabilities", "one each")
        read = choice.prompt_token_ids
        if read is not None and tuple(read) != request.ids:
            raise wrong(
                f"{len(request.ids)} prompt tokens were sent, others ({len(read)}) were read",
                "a server that takes them as they are",
            )
        if max(ids, default=0) >= self.vocabulary_size:
            raise wrong(f"token {max(ids)}", f"0 to {self.vocabulary_size - 1}, the model's vocabulary")
        has_ended = [id in self.eos_ids for id in ids]
        is_whole = any(has_ended[-1:]) or (len(ids) == limit and choice.finish_reason == "length")
        if not ids or len(ids) > limit or any(has_ended[:-1]) or not is_whole:
            raise wrong(
                f"{len(ids)} of at most {limit} tokens, {sum(has_ended)} of them end tokens, the last "
                f"{ids[-1:]}, finish {choice.finish_reason!r}",
                f"one end token ({list(self.eos_ids)}), at the end, or as many tokens as may be and 'length'",
            )
        return ids, [min(value, 0.0) for value in logprobs]


async def _asking(stop: Any, ask: Callable, *args: Any) -> Any:
    """What a coroutine gives, called again while `ServerGone` says that it may help; that, where `stop` ends it."""
    again, wait = retry_if_exception_type(ServerGone), wait_exponential(FIRST_WAIT_S, max=LONGEST_WAIT_S)
    return await AsyncRetrying(retry=again, stop=stop, wait=wait, reraise=True)(ask, *args)


class _Patience:
    """When a response is given up, as tenacity's `stop`: after a time, or after the same failure again and again."""

    def __init__(self, patience_s: float, server: Server) -> None:
        self.patience_s, self.server, self.failures = patience_s, server, []

    def __call__(self, state: RetryCallState) -> bool:
        error = state.outcome.exception()
        self.failures.append((state.outcome_timestamp, str(error)))
        if self.server.forget() and len(self.failures) == 1:
            log.warning("%s: trying again", error)
        last = [words for _, words in self.failures[-SAME_FAILURES:]]
        is_lasting = isinstance(error, ServerFailed) and last == [str(error)] * SAME_FAILURES
        return is_lasting or state.outcome_timestamp - self.failures[0][0] > self.patience_s
