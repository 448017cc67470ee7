"""A language model written down by hand, for tests and teaching: a table of prompts and their weighted responses.

    engine = ScriptedEngine({"Tell a story.": {"The fox ran. It slept.": 3, "The fox ran. It sang!": 1}})
    request = Request("p-0", engine.encode("Tell a story."), n=4)
    [completions] = engine.sample([request], Settings(seed=0))
    completions[0].text, completions[0].logprob        # "The fox ran. It slept.", log(3/4)

It is a model like any other, with exact probabilities: the next token is drawn from the responses that begin as the
prefix does, by weight, so temperature, top-p, greedy decoding and prefixes in mid-response mean what they always do.
Instead of a table, a function of (prompt, response so far) may give the weighted continuations. Same streams as the
other engines, same protocol, no torch.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

from ifpref.sampling.protocol import Completion, Request, SamplingError, Settings
from ifpref.sampling.streams import BITS, FIRST, GOLDEN, SECOND, signed, stream_key

Weighted = Mapping[str, float] | str
"""Texts with weights (any positive numbers), or the only text."""


class WordCodec:
    """Text to token ids and back without loss: a token is a word with the blank before it, a mark, or a blank.

    Words that it was not built with are spelled in bytes, so that ids depend on its texts only.
    """

    EOS, BOS, ASSISTANT = 0, 1, 2
    _FIRST_BYTE, _FIRST_WORD = 3, 259

    def __init__(self, texts: Iterable[str]) -> None:
        self.words = sorted({word for text in texts for word in self._split(text)})
        self._id = {word: self._FIRST_WORD + i for i, word in enumerate(self.words)}

    @staticmethod
    def _split(text: str) -> list[str]:
        return re.findall(r" ?\w+|\s|[^\w\s]", text)

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids without special tokens."""
        ids: list[int] = []
        for word in self._split(text):
            ids += [self._id[word]] if word in self._id else [self._FIRST_BYTE + byte for byte in word.encode()]
        return tuple(ids)

    def decode(self, ids: Sequence[int]) -> str:
        """The text, special tokens left out."""
        return b"".join(self._bytes(id) for id in ids).decode(errors="replace")

    def _bytes(self, id: int) -> bytes:
        if id >= self._FIRST_WORD:
            return self.words[id - self._FIRST_WORD].encode()
        return bytes([id - self._FIRST_BYTE]) if id >= self._FIRST_BYTE else b""


def uniform(key: int, step: int) -> float:
    """The number of a step, in [0, 1), in plain Python: `streams.uniforms`."""
    z = _mixed(signed(_mixed(signed(key + GOLDEN * (step + 1))) + GOLDEN))
    return (z & (2**BITS - 1)) * 2.0**-BITS


def _mixed(z: int) -> int:
    z = signed((z ^ z >> 30) * FIRST)
    z = signed((z ^ z >> 27) * SECOND)
    return z ^ z >> 31


class _Path(NamedTuple):
    """One way on: the tokens after the prefix, the end token included."""

    ids: tuple[int, ...]
    weight: float


class ScriptedEngine:
    """Samples from a table or a function.

    script  {prompt: {response: weight}}; a key may also be the token ids of a whole prefix, with its continuations;
            or a function of (prompt, response so far) that gives {continuation: weight}
    texts   for a function: texts whose words are single tokens
    """

    def __init__(
        self,
        script: Mapping[str | tuple[int, ...], Weighted] | Callable[[str, str], Weighted],
        texts: Iterable[str] = (),
    ) -> None:
        self.script = script
        table = {} if callable(script) else script
        prompts = [prompt for prompt in table if isinstance(prompt, str)]
        responses = [text for weighted in table.values() for text in _weights(weighted)]
        self.codec = WordCodec([*prompts, *responses, *texts])
        self.eos_ids = (WordCodec.EOS,)
        self.calls = self.sampled_tokens = 0

    def encode(self, prompt: str) -> tuple[int, ...]:
        """The prompt as a user's message, up to where the response begins."""
        return (WordCodec.BOS, *self.codec.encode(prompt), WordCodec.ASSISTANT)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids, without special tokens."""
        return self.codec.decode(ids)

    def keep_prefixes(self) -> AbstractContextManager[None]:
        """Does nothing: a table has nothing to keep."""
        return nullcontext()

    def sample(self, requests: Sequence[Request], settings: Settings) -> list[list[Completion]]:
        """The completions of each request, in the order of the requests and of their samples."""
        self.calls += 1
        rounds = []
        for request in requests:
            paths = self._paths(request)
            samples = range(request.first_sample, request.first_sample + request.n)
            rounds.append([self._completion(request, paths, sample, settings) for sample in samples])
        self.sampled_tokens += sum(len(completion.token_ids) for row in rounds for completion in row)
        return rounds

    def _paths(self, request: Request) -> list[_Path]:
        """Every continuation of the prefix."""
        prompt_ids, so_far = self._parts(request)
        prompt = self.decode(prompt_ids)
        if callable(self.script):
            weighted, so_far = self.script(prompt, self.decode(so_far)), ()
        elif request.ids in self.script:
            weighted, so_far = self.script[request.ids], ()
        elif prompt in self.script:
            weighted = self.script[prompt]
        else:
            near = difflib.get_close_matches(prompt, [key for key in self.script if isinstance(key, str)], n=1)
            hint = f"nearest: {near[0]!r}" if near else "see `script`"
            raise SamplingError(f"request {request.stream!r}: the script has no prompt {prompt!r}; {hint}")
        paths = []
        for text, weight in _weights(weighted).items():
            ids = (*self.codec.encode(text), WordCodec.EOS)
            if ids[: len(so_far)] == so_far:
                paths.append(_Path(ids[len(so_far) :], weight))
        if not paths:
            raise SamplingError(
                f"request {request.stream!r}: no response to {prompt!r} begins with {self.decode(so_far)!r}"
            )
        return paths

    def _parts(self, request: Request) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The prompt's tokens, and those of the response so far."""
        if WordCodec.ASSISTANT not in request.ids:
            raise SamplingError(f"request {request.stream!r}: ids hold no response mark; `encode` the prompt")
        mark = request.ids.index(WordCodec.ASSISTANT)
        return request.ids[:mark], request.ids[mark + 1 :]

    def _completion(self, request: Request, paths: list[_Path], sample: int, settings: Settings) -> Completion:
        key = stream_key(settings.seed, request.stream, sample)
        limit = settings.max_tokens if request.max_tokens is None else request.max_tokens
        token_ids: list[int] = []
        logprobs: list[float] = []
        while len(token_ids) < limit and WordCodec.EOS not in token_ids[-1:]:
            step = len(token_ids)
            mass: dict[int, float] = {}
            for path in paths:
                mass[path.ids[step]] = mass.get(path.ids[step], 0.0) + path.weight
            token = _chosen(mass, settings, uniform(key, step))
            token_ids.append(token)
            logprobs.append(math.log(mass[token] / sum(mass.values())))
            paths = [path for path in paths if path.ids[step] == token]
        finish = "stop" if WordCodec.EOS in token_ids[-1:] else "length"
        return Completion(tuple(token_ids), self.decode(token_ids), tuple(logprobs), finish)


def _weights(weighted: Weighted) -> Mapping[str, float]:
    return {weighted: 1.0} if isinstance(weighted, str) else weighted


def _chosen(mass: Mapping[int, float], settings: Settings, u: float) -> int:
    """The token at which the cumulative probability passes u, tokens in order of probability, then of id."""
    ordered = sorted(mass, key=lambda token: (-mass[token], token))
    if settings.temperature == 0:
        return ordered[0]
    most = mass[ordered[0]]
    p = [(mass[token] / most) ** (1 / settings.temperature) for token in ordered]
    total = sum(p)
    kept, before = [], 0.0
    for token, share in zip(ordered, p, strict=True):
        if before < settings.top_p * total:
            kept.append((token, share))
        before += share
    u *= sum(share for _, share in kept)
    for token, share in kept:
        u -= share
        if u < 0:
            return token
    return kept[-1][0]
