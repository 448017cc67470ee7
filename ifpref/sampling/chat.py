"""Chat settings around any engine: system prompt, thinking blocks, stop strings.

    engine = ChatEngine(TransformersEngine(loaded), system_prompt="Answer briefly.", thinking_end="</think>")
    engine.encode("Name a fruit.")                          # system and user message in the chat template
    [[answer]] = engine.sample([Request("p-17", engine.encode("Name a fruit."))], Settings(max_tokens=2048))
    engine.decode(answer.token_ids), answer.text            # "A pear.", "A pear."; the thinking is in token_ids alone

Decisions
- *Only the text changes*, which is what verifiers see: `token_ids`, `logprobs` and `finish` are the engine's, whole, so
  that training is on what was sampled, thinking included, and what was taken away can be read from any stored row.
  `count` counts it; artefacts of responses, trees and evaluations keep the counts in chat.json.
- *Thinking* begins with the token `<think>`, in the response or at the end of the template's prompt, and ends with the
  one token `thinking_end`; the answer is what follows, without the blank lines before it. A response that was cut while
  it thought has no answer: its text is empty. One without a block is all answer.
- *Stop strings* cut the text before the first of them; nothing stops earlier, so `finish` stays what it was.
- *Search* cuts a response into nodes, whose texts must begin each other: what may still become a stop string is
  held back until the next tokens say, or the end does, and a thinking block belongs to the first node. So the response
  must open its block itself; a template that does is refused there.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from ifpref.sampling.protocol import Completion, Engine, Request, SamplingError, Settings


class WrappedEngine:
    """Around an engine: what a kind of it does not say anew is the engine's."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)


class ChatEngine(WrappedEngine):
    """An engine with chat settings. What is left at None, or empty, changes nothing.

    system_prompt  the message before the user's; SamplingError in `encode` where the chat template has no place for it
    thinking_end   a token of the vocabulary, such as "</think>"; the one that begins the block is it without the slash
    stop_strings   texts, none of them empty
    """

    def __init__(
        self,
        engine: Engine,
        *,
        system_prompt: str | None = None,
        thinking_end: str | None = None,
        stop_strings: Sequence[str] = (),
    ) -> None:
        super().__init__(engine)
        self.system_prompt, self.stop_strings = system_prompt, tuple(stop_strings)
        if "" in self.stop_strings:
            raise SamplingError(f"stop_strings = {list(stop_strings)}; allowed: texts of one character or more")
        self._end = self._begin = None
        if thinking_end is not None:
            self._end = self._token(thinking_end)
            self._begin = self._token(thinking_end.replace("/", "", 1))

    def encode(self, prompt: str) -> tuple[int, ...]:
        """The prompt as a user's message, after the system prompt, up to where the response begins."""
        if self.system_prompt is None:
            return self.engine.encode(prompt)
        from jinja2 import TemplateError

        try:
            return self.engine.encode(prompt, self.system_prompt)
        except TemplateError as error:
            raise SamplingError(
                f"system_prompt: the model's chat template refuses it ({error}); allowed: null for this model"
            ) from None

    def decode(self, ids: Sequence[int]) -> str:
        """The answer in a response, or in the beginning of one: what verifiers see."""
        return self._answer(ids, False)

    def sample(self, requests: Sequence[Request], settings: Settings) -> list[list[Completion]]:
        """The engine's completions, each with the answer alone as its text."""
        rounds = self.engine.sample(requests, settings)
        return [
            [replace(completion, text=self._answer(completion.token_ids, thinks)) for completion in row]
            for row, thinks in zip(rounds, (self._is_thinking(request.ids) for request in requests), strict=True)
        ]

    def keep_prefixes(self) -> AbstractContextManager[None]:
        """As the engine's. SamplingError where the template begins the thinking block: see *Search*."""
        if self._is_thinking(self.encode("a")):
            raise SamplingError(
                "thinking_end: the chat template begins the thinking block itself, so that the nodes of a search have "
                "no texts; allowed: comparisons of `rs` alone, or a template that leaves it to the response"
            )
        return self.engine.keep_prefixes()

    def count(self, responses: Iterable[Sequence[int]], prompt: str = "a") -> dict[str, int]:
        """Of whole responses, as token ids: how many hold thinking, were cut in it, and were cut at a stop string."""
        thinks = self._is_thinking(self.encode(prompt))
        counts = {"responses": 0, "thinking": 0, "cut_in_thinking": 0, "stop_string": 0}
        for ids in responses:
            answer = self._after_thinking(ids, thinks)
            counts["responses"] += 1
            counts["thinking"] += answer is None or len(answer) < len(ids)
            counts["cut_in_thinking"] += answer is None
            text = "" if answer is None else self.engine.decode(answer)
            counts["stop_string"] += any(stop in text for stop in self.stop_strings)
        return counts

    def _answer(self, ids: Sequence[int], thinks: bool) -> str:
        answer = self._after_thinking(ids, thinks)
        if answer is None:
            return ""
        text = self.engine.decode(answer)
        if len(answer) < len(ids):
            text = text.lstrip()
        at = min((at for stop in self.stop_strings if (at := text.find(stop)) >= 0), default=None)
        if at is not None:
            return text[:at]
        if set(self.eos_ids).intersection(ids[-1:]):  # nothing comes after it
            return text
        return text[: len(text) - max((_overlap(text, stop) for stop in self.stop_strings), default=0)]

    def _after_thinking(self, ids: Sequence[int], thinks: bool) -> Sequence[int] | None:
        """The tokens of the answer; None while there is none. `thinks`: the prompt has begun the block."""
        if self._end is None:
            return ids
        if self._end in ids:
            return ids[list(ids).index(self._end) + 1 :]
        return None if thinks or self._begin in ids[:1] else ids

    def _is_thinking(self, prefix: Sequence[int]) -> bool:
        """Whether a block is open at the end of a prefix."""
        if self._end is None:
            return False
        marks = [id for id in prefix if id in (self._begin, self._end)]
        return marks[-1:] == [self._begin]

    def _token(self, text: str) -> int:
        """The one token of a text."""
        ids = self.tokenizer.encode(text, add_special_tokens=False)
        if len(ids) != 1:
            raise SamplingError(
                f"thinking_end: {text!r} is {len(ids)} tokens of this model; allowed: one token, such as '</think>', "
                "of a model that thinks, or null"
            )
        return ids[0]


def _overlap(text: str, stop: str) -> int:
    """Characters at the end of the text that a stop string begins with."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)


def with_chat_template(engine: Engine, **chat: Any) -> Engine | ChatEngine:
    """The engine, in a `ChatEngine` where one of the chat settings (its keywords) is set."""
    return ChatEngine(engine, **chat) if any(chat.values()) else engine
