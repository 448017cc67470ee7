"""A server of completions that misbehaves, on 127.0.0.1: a table of behaviours, and what an engine must make of each.

    found = face(BEHAVIOURS["a token beyond the vocabulary"], vocabulary)
    found.outcome, found.message, found.seconds        # "refused", "http://127.0.0.1:40001: request 'a': token 99999…"

A behaviour is met by a real `HttpEngine` that asks for two responses. Its outcome is

    accepted   both responses are those of the server, nothing was asked twice
    retried    the same, though something had to be asked again
    refused    a `SamplingError`

`wrong` says what is wrong with an outcome, in words; an empty list is right. Nothing here needs longer than `LIMIT_S`.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch

from ifpref.sampling import HttpEngine, Request, SamplingError, Settings
from ifpref.sampling.http import Vocabulary
from ifpref.sampling.server import KEY, MAX_BYTES

SECRET = "sk-" + "x1Y2" * 8
PROMPT, LIMIT = (5, 6), 24
LIMIT_S = 10.0
"""Longest that the engine may take for any of them, on a busy machine; most take milliseconds."""
PATIENCE_S, LATE_S = 1.5, 0.4
"""How long the engine asks again; the same, and its deadline for a request, where a behaviour is late."""


@dataclass
class Exchange:
    """One request to the server, and the ways of answering it."""

    socket: socket.socket
    url: str
    body: dict[str, Any]
    attempt: int  # of this path, the first is 0
    stop: threading.Event

    @property
    def good(self) -> dict[str, Any]:
        """A right answer, of this prompt and seed."""
        ids = response(self.body)
        logprobs = {"token_logprobs": [-0.5] * len(ids)}
        choice = {"index": 0, "token_ids": ids, "logprobs": logprobs, "finish_reason": "stop", "text": "ignored"}
        return {"id": "cmpl-1", "object": "text_completion", "model": "tiny", "choices": [choice]}

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def head(self, status: str = "200 OK", **headers: Any) -> None:
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        self.send(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1"))

    def reply(self, body: Any, status: str = "200 OK", **headers: Any) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.head(status, **{"Content_Length": len(data), **headers})
        self.send(data)

    def drip(self, data: bytes) -> None:
        """A byte every 20 ms, for ever."""
        while not self.stop.is_set():
            for byte in data:
                self.send(bytes([byte]))
                if self.stop.wait(0.02):
                    return


Answer = Callable[[Exchange], None]


@dataclass(frozen=True)
class Behaviour:
    """expected: an outcome; says: words of the error; is_late: the engine's deadline decides, so it is short."""

    answer: Answer
    expected: str
    says: str = ""
    models: Answer | None = None
    is_late: bool = False


@dataclass
class Found:
    outcome: str
    message: str = ""
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


def response(body: dict[str, Any]) -> list[int]:
    return [40 + body["seed"] % 97, 40 + body["prompt"][0], body["stop_token_ids"][0]]


def good_models(exchange: Exchange) -> None:
    exchange.reply({"object": "list", "data": [{"id": "tiny", "root": "tiny", "max_model_len": 200}]})


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[tuple[str, dict[str, int], list[str]]]:
    """The server: its address, how often each path was asked for, and the requests that reached the trap beside it, to
    which it may try to send the engine."""
    asked: dict[str, int] = {}
    trapped: list[str] = []
    stop, lock = threading.Event(), threading.Lock()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head, sent = b"", b""
            with contextlib.suppress(OSError):
                while b"\r\n\r\n" not in head:
                    if not (part := self.request.recv(65536)):
                        return
                    head += part
                head, _, sent = head.partition(b"\r\n\r\n")
                method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
                if self.server is trap:
                    trapped.append(head.decode())
                    return
                length = next((int(line[15:]) for line in head.split(b"\r\n") if line[:15].lower() == LENGTH), 0)
                while len(sent) < length:
                    sent += self.request.recv(65536)
                with lock:
                    attempt = asked[path] = asked.get(path, -1) + 1
                answer = behaviour.answer if method == "POST" else behaviour.models or good_models
                exchange = Exchange(self.request, trap_url, json.loads(sent or b"{}"), attempt, stop)
                answer(exchange)

    class Listener(socketserver.ThreadingTCPServer):
        daemon_threads, block_on_close, request_queue_size = True, False, 64

    with Listener(("127.0.0.1", 0), Handler) as server, Listener(("127.0.0.1", 0), Handler) as trap:
        trap_url = f"http://127.0.0.1:{trap.server_address[1]}"
        for listener in (server, trap):
            threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked, trapped
        finally:
            stop.set()
            for listener in (server, trap):
                listener.shutdown()


LENGTH = b"content-length:"


def face(behaviour: Behaviour, vocabulary: Vocabulary) -> Found:
    """What a real engine makes of a server that behaves so, and what is wrong with that."""
    known = Vocabulary("tiny", "5fd3", vocabulary.tokenizer, vocabulary.eos_ids, vocabulary.size)
    requests = [Request("a", PROMPT, n=2)]
    waits = {"ifpref.sampling.http.FIRST_WAIT_S": 0.01, "ifpref.sampling.http.LONGEST_WAIT_S": 0.05}
    with contextlib.ExitStack() as stack:
        for name, value in waits.items():
            stack.enter_context(patch(name, value))
        stack.enter_context(patch.dict(os.environ, {KEY: SECRET, "HTTP_PROXY": "http://127.0.0.1:9"}))
        url, asked, trapped = stack.enter_context(serving(behaviour))
        timeout_s, patience_s = (LATE_S, LATE_S) if behaviour.is_late else (LIMIT_S, PATIENCE_S)
        engine = HttpEngine(url, known, concurrency=2, timeout_s=timeout_s, patience_s=patience_s)
        start = time.monotonic()
        try:
            [row] = engine.sample(requests, Settings(1.0, 1.0, LIMIT, seed=3))
            twice = sum(asked.values()) > 1  # counts are of the second request on: 0 for models, 1 for completions
            found = Found("retried" if twice else "accepted")
        except SamplingError as error:
            row, found = [], Found("refused", str(error))
        except Exception as error:
            row, found = [], Found("crashed", f"{type(error).__name__}: {error}")
        found.seconds = time.monotonic() - start
    wrong = found.wrong
    if found.outcome != behaviour.expected:
        wrong.append(f"{found.outcome} ({found.message}), expected: {behaviour.expected}")
    for completion in row:
        sound = completion.finish == ("stop" if completion.token_ids[-1] in known.eos_ids else "length")
        if not (sound and len(completion.token_ids) == len(completion.logprobs) <= LIMIT):
            wrong.append(f"accepted {completion}")
        if completion.logprobs and not -1e4 <= min(completion.logprobs) <= max(completion.logprobs) <= 0:
            wrong.append(f"accepted log-probabilities {completion.logprobs}")
        if max(completion.token_ids) >= known.size or set(completion.token_ids[:-1]) & set(known.eos_ids):
            wrong.append(f"accepted tokens {completion.token_ids}")
    if found.outcome == "refused" and (url not in found.message or "\n" in found.message or "\x1b" in found.message):
        wrong.append(f"an error that is not one clean line that names the server: {found.message!r}")
    if len(found.message) > 700:
        wrong.append(f"an error of {len(found.message)} characters")
    if behaviour.says not in found.message:
        wrong.append(f"an error without {behaviour.says!r}: {found.message}")
    if SECRET[:9] in found.message or trapped:
        wrong.append("the key got out")
    if found.seconds > LIMIT_S:
        wrong.append(f"took {found.seconds:.1f} s")
    return found


# ---- ways of answering


def right(exchange: Exchange) -> None:
    exchange.reply(exchange.good)


def then_right(answer: Answer) -> Answer:
    """Wrong at the first requests (one for each response), right afterwards."""
    return lambda exchange: (answer if exchange.attempt < 2 else right)(exchange)


def choice(**changes: Any) -> Answer:
    """A right answer but for some values of its choice; a function gives one from the right tokens."""

    def answer(exchange: Exchange) -> None:
        found = exchange.good
        ids = found["choices"][0]["token_ids"]
        made = {name: change(ids) if callable(change) else change for name, change in changes.items()}
        exchange.reply(found | {"choices": [found["choices"][0] | made]})

    return answer


def tokens(change: Callable[[list[int]], list[Any]], finish: str = "stop") -> Answer:
    """Other token ids, each with a log-probability."""
    return choice(
        token_ids=change,
        logprobs=lambda ids: {"token_logprobs": [-0.5] * len(change(ids))},
        finish_reason=finish,
    )


def logprob(value: Any) -> Answer:
    """One log-probability of a response; JSON of Python writes NaN and Infinity as such."""
    return choice(logprobs=lambda ids: {"token_logprobs": [-0.5] * (len(ids) - 1) + [value]})


def whole(**changes: Any) -> Answer:
    """A right answer but for some of its fields."""
    return lambda exchange: exchange.reply(exchange.good | changes)


def raw(body: bytes, status: str = "200 OK", **headers: Any) -> Answer:
    return lambda exchange: exchange.reply(body, status, **headers)


def status(line: str, body: Any = None, **headers: Any) -> Answer:
    return lambda exchange: exchange.reply({"message": "no"} if body is None else body, line, **headers)


def onto(line: str, where: str = "{trap}/v1/completions") -> Answer:
    """A redirect to the trap."""
    return lambda exchange: exchange.reply(b"", line, Location=where.format(trap=exchange.url))


def silent(exchange: Exchange) -> None:
    exchange.stop.wait(LIMIT_S)


def reset(exchange: Exchange) -> None:
    exchange.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    exchange.socket.close()


def cut_off(exchange: Exchange) -> None:
    data = json.dumps(exchange.good).encode()
    exchange.head(Content_Length=len(data))
    exchange.send(data[: len(data) // 2])


def too_short_a_length(exchange: Exchange) -> None:
    data = json.dumps(exchange.good).encode()
    exchange.head(Content_Length=len(data) // 2)
    exchange.send(data)


def until_it_closes(exchange: Exchange) -> None:
    exchange.head()
    exchange.send(json.dumps(exchange.good).encode())


def chunked(*, chunk: Callable[[bytes], bytes] | None = None, ends: bool = True) -> Answer:
    def answer(exchange: Exchange) -> None:
        exchange.head(Transfer_Encoding="chunked")
        data = json.dumps(exchange.good).encode()
        for part in (data[:20], data[20:]):
            exchange.send(chunk(part) if chunk else b"%x\r\n%s\r\n" % (len(part), part))
        if ends:
            exchange.send(b"0\r\n\r\n")

    return answer


def compressed(encoding: str) -> Answer:
    return lambda exchange: exchange.reply(gzip.compress(json.dumps(exchange.good).encode()), Content_Encoding=encoding)


def bomb(exchange: Exchange) -> None:
    exchange.reply(_bomb(), Content_Encoding="gzip")


@cache
def _bomb() -> bytes:
    """64 KiB that become 64 MiB."""
    return gzip.compress(bytes(4 * MAX_BYTES), 1)


def endless(exchange: Exchange) -> None:
    exchange.head(Transfer_Encoding="chunked")
    while not exchange.stop.is_set():
        exchange.send(b"10000\r\n" + b" " * 65536 + b"\r\n")


def endless_headers(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    while not exchange.stop.is_set():
        exchange.send(b"X-More: " + b"x" * 1000 + b"\r\n")


def endless_continue(exchange: Exchange) -> None:
    while not exchange.stop.is_set():
        exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")


def dripping_headers(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    exchange.drip(b"X-More: x\r\n")


def dripping_body(exchange: Exchange) -> None:
    exchange.head(Transfer_Encoding="chunked")
    exchange.drip(b"1\r\n \r\n")


def dripping_chunk_size(exchange: Exchange) -> None:
    exchange.head(Transfer_Encoding="chunked")
    exchange.drip(b"0")


def dripping_error(exchange: Exchange) -> None:
    exchange.head("400 Bad Request", Content_Length=9999)
    exchange.drip(b"no ")


def slow_but_in_time(exchange: Exchange) -> None:
    data = json.dumps(exchange.good).encode()
    exchange.head(Content_Length=len(data))
    for start in range(0, len(data), 50):
        exchange.send(data[start : start + 50])
        exchange.stop.wait(0.01)


def two_answers(exchange: Exchange) -> None:
    """The second one must not be taken for that of the next request."""
    exchange.reply(exchange.good, Connection="keep-alive")
    other = exchange.good["choices"][0] | {"token_ids": [41, 41, exchange.body["stop_token_ids"][0]]}
    exchange.reply(exchange.good | {"choices": [other]}, Connection="keep-alive")


def continues_first(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    right(exchange)


def big(body: bytes) -> Answer:
    return lambda exchange: exchange.reply(body * (MAX_BYTES + 1))


def events(exchange: Exchange) -> None:
    exchange.reply(b"data: " + json.dumps(exchange.good).encode() + b"\n\ndata: [DONE]\n\n")


def twice(exchange: Exchange) -> None:
    exchange.reply(json.dumps(exchange.good).encode() * 2)


def behind_a_mark(exchange: Exchange) -> None:
    exchange.reply(json.dumps(exchange.good).encode("utf-16"))


def listing(*models: Any, **changes: Any) -> Answer:
    return lambda exchange: exchange.reply({"data": list(models)} | changes)


def words(mark: str) -> Answer:
    """Token ids as older servers give them, within texts."""
    said = {"token_logprobs": [-0.5] * 3}
    return choice(token_ids=None, logprobs=lambda ids: said | {"tokens": [f"{mark}{id}" for id in ids]})


def as_many_as_may_be(ids: list[int]) -> list[int]:
    return (ids[:2] * LIMIT)[:LIMIT]


ACCEPTED: dict[str, Answer] = {
    "right": right,
    "token ids within texts": words("token_id:"),
    "in chunks": chunked(),
    "no length, closes": until_it_closes,
    "unknown fields": whole(usage={"a": [1]}, service_tier=None),
    "no model named": whole(model=None),
    "no index": choice(index=0, stop_reason=None),
    "blanks around": lambda exchange: exchange.reply(b"\n \t" + json.dumps(exchange.good).encode() + b"\n"),
    "a log-probability rounded above 0": logprob(1e-7),
    "a log-probability of -0.0": logprob(-0.0),
    "a log-probability that is an integer": logprob(-2),
    "as many tokens as may be": tokens(as_many_as_may_be, "length"),
    "an end token at the limit": tokens(lambda ids: [*as_many_as_may_be(ids)[:-1], ids[-1]], "length"),
    "the prompt repeated": choice(prompt_token_ids=list(PROMPT)),
    "two answers to one request": two_answers,
    "continues first": continues_first,
    "cookies": lambda exchange: exchange.reply(exchange.good, Set_Cookie="a=b; Domain=.local"),
    "slow but in time": slow_but_in_time,
}
RETRIED: dict[str, Answer] = {
    "bad UTF-8": raw(b'{"choices": "\xff\xfe"}'),
    "UTF-16": behind_a_mark,
    "no JSON": raw(b"<html>captive portal</html>"),
    "half of a JSON": raw(b'{"choices": [{"token_ids": [1'),
    "an empty body": raw(b""),
    "JSON twice": twice,
    "events": events,
    "nested too deep": raw(b"[" * 100_000),
    "a number too long": raw(b'{"choices": 1' + b"0" * 6000 + b"}"),
    "cut off": cut_off,
    "a length too short": too_short_a_length,
    "chunks without an end": chunked(ends=False),
    "chunks of no size": chunked(chunk=lambda part: b"zz\r\n" + part + b"\r\n"),
    "compressed": compressed("gzip"),
    "compressed, and said wrongly": compressed("br"),
    "an encoding that is not there": lambda exchange: exchange.reply(exchange.good, Content_Encoding="gzip"),
    "an encoding nobody knows": lambda exchange: exchange.reply(exchange.good, Content_Encoding="x\x7f"),
    "no HTTP": lambda exchange: exchange.send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "nothing": lambda exchange: None,
    "reset": reset,
    "aborted": choice(finish_reason="abort"),
    "an error inside": choice(finish_reason="error"),
    **{line: status(line) for line in ("408 Late", "429 Busy", "500 Oops", "502 Gateway", "503 Away", "504 Late")},
}
LATE: dict[str, Answer] = {
    "silent": silent,
    "headers by the byte": dripping_headers,
    "a body by the byte": dripping_body,
    "a chunk's size by the byte": dripping_chunk_size,
    "an error by the byte": dripping_error,
    "continues for ever": endless_continue,
}
REFUSED: dict[str, tuple[Answer, str]] = {
    "a token beyond the vocabulary": (tokens(lambda ids: [99999, *ids]), "token 99999; allowed: 0 to "),
    "a token of 64 bits": (tokens(lambda ids: [2**70, *ids]), "allowed"),
    "a negative token": (tokens(lambda ids: [-1, *ids]), "token_ids.0 is -1; allowed: "),
    "a token that is true": (tokens(lambda ids: [True, *ids]), "token_ids.0 is True; allowed: "),
    "a token that is no integer": (tokens(lambda ids: [7.5, *ids]), "token_ids.0 is 7.5; allowed: "),
    "a token with a point": (tokens(lambda ids: [7.0, *ids]), "token_ids.0 is 7.0; allowed: "),
    "a token that is text": (tokens(lambda ids: ["7", *ids]), "token_ids.0 is '7'; allowed: "),
    "a token that is null": (tokens(lambda ids: [None, *ids]), "token_ids.0 is None; allowed: "),
    "a token that is a list": (tokens(lambda ids: [[7], *ids]), "token_ids.0 is [7]; allowed: "),
    "tokens that are text": (choice(token_ids="7 8"), "token_ids is '7 8'; allowed: "),
    "texts and no token ids": (words("the"), "no token ids; allowed: "),
    "a token id that is not one": (words("token_id:²"), "no token ids; allowed: "),
    "two lists of tokens": (
        choice(logprobs=lambda ids: {"token_logprobs": [-0.5] * 3, "tokens": ["token_id:7"] * 3}),
        "which differ",
    ),
    "a log-probability of 7": (logprob(7), "token_logprobs.2 is 7"),
    "a log-probability above rounding": (logprob(1e-3), "token_logprobs.2 is 0.001"),
    "a log-probability that is no number": (logprob(float("nan")), "is nan"),
    "infinity": (logprob(float("inf")), "is inf"),
    "minus infinity": (logprob(float("-inf")), "is -inf"),
    "a log-probability beyond floats": (logprob(-1e300), "is -1e+300"),
    "a log-probability of 401 digits": (logprob(-(10**400)), "token_logprobs.2 is -1000"),
    "a log-probability too small for floats": (
        lambda exchange: exchange.reply(json.dumps(exchange.good).replace("-0.5]", "-1e999]").encode()),
        "is -inf",
    ),
    "a log-probability that is false": (logprob(False), "is False"),
    "a log-probability that is text": (logprob("-0.5"), "is '-0.5'"),
    "a log-probability that is null": (logprob(None), "is None"),
    "no log-probabilities": (choice(logprobs=None), "3 tokens with 0 log-probabilities; allowed: one each"),
    "too few log-probabilities": (choice(logprobs={"token_logprobs": [-0.5]}), "3 tokens with 1 log-prob"),
    "too many log-probabilities": (choice(logprobs={"token_logprobs": [-0.5] * 4}), "3 tokens with 4 log-prob"),
    "an end token in the middle": (tokens(lambda ids: [ids[-1], *ids]), "2 of them end tokens"),
    "an end token twice": (tokens(lambda ids: [*ids, ids[-1]]), "2 of them end tokens"),
    "an end token in the middle, cut": (tokens(lambda ids: [*ids, *as_many_as_may_be(ids)][:LIMIT], "length"), "1 of"),
    "stopped without an end token": (tokens(lambda ids: ids[:2]), "2 of at most 24 tokens"),
    "stopped at the limit without one": (tokens(as_many_as_may_be), "24 of at most 24 tokens, 0 of them end"),
    "cut before the limit": (tokens(lambda ids: ids[:2], "length"), "2 of at most 24 tokens"),
    "too many tokens": (tokens(lambda ids: [*as_many_as_may_be(ids), ids[-1]]), "25 of at most 24 tokens"),
    "no tokens": (tokens(lambda ids: []), "0 of at most 24 tokens"),
    "a finish nobody knows": (choice(finish_reason="banana"), "finish_reason is 'banana'; allowed: "),
    "a finish that is null": (choice(finish_reason=None), "finish_reason is None; allowed: "),
    "another prompt": (choice(prompt_token_ids=[1, 5]), "2 prompt tokens were sent, others (2) were read"),
    "no choices": (whole(choices=[]), "choices is []"),
    "two choices": (lambda exchange: exchange.reply({"choices": exchange.good["choices"] * 2}), "choices is ["),
    "choices that are none": (whole(choices=None), "choices is None"),
    "choices by name": (whole(choices={"0": {}}), "choices is {"),
    "another index": (choice(index=1), "index is 1"),
    "an index that is false": (choice(index=False), "index is False"),
    "an index that is text": (choice(index="0"), "index is '0'"),
    "another model": (whole(model="other/model"), "answer of the model 'other/model'; allowed: 'tiny'"),
    "a list": (raw(b"[]"), "the answer is []"),
    "null": (raw(b"null"), "the answer is None"),
    "an error with 200": (raw(b'{"error": {"message": "no"}}'), "choices"),
    "moved for ever": (onto("301 Moved"), "301"),
    "moved": (onto("302 Found"), "allowed: an engine_url that answers by itself"),
    "moved, to be asked the same": (onto("307 Temporary"), "307"),
    "moved for ever, to be asked the same": (onto("308 Permanent"), "308"),
    "moved to nowhere": (onto("302 Found", "http://[::1"), "302"),
    "moved to a file": (onto("302 Found", "file:///etc/passwd"), "302"),
    "400": (status("400 Bad"), "400 Bad"),
    "401": (status("401 Who", SECRET.encode()), KEY),
    "403": (status("403 No"), KEY),
    "404": (status("404 Not Found"), "404"),
    "413": (status("413 Too Large"), "413"),
    "422": (status("422 What"), "422"),
    "204": (lambda exchange: exchange.head("204 No Content"), "204"),
    "206": (lambda exchange: exchange.reply(exchange.good, "206 Partial Content"), "206"),
    "an error that shows the key": (status("400 Bad", f"bad key {SECRET}".encode()), "bad key ***"),
    "an error that shows the key late": (status("400 Bad", b"a" + b" " * 1990 + SECRET.encode()), "400"),
    "a model that is the key": (whole(model=SECRET), "***"),
    "an error with colours": (status("400 Bad", b"\x1b[31mred\r\nX: y\x1b[0m\x00"), "red X: y"),
    "an error of a page": (status("400 Bad", b"x" * 100_000), "xxx"),
    "a body too large": (big(b" "), f"allowed: {MAX_BYTES}"),
    "a body without an end": (endless, f"allowed: {MAX_BYTES}"),
    "always no JSON": (raw(b"<html>"), "8 times in a row"),
    "always bad UTF-8": (raw(b'{"a": "\xff"}'), "8 times in a row"),
    "always cut off": (cut_off, "8 times in a row"),
    "always an error inside": (status("500 Oops", SECRET.encode()), "8 times in a row"),
    "always away": (status("503 Away"), "times in a row; asked again for at most 1.5 s"),
    "always reset": (reset, "times in a row"),
    "always aborted": (choice(finish_reason="abort"), "8 times in a row"),
    "always compressed": (compressed("gzip"), "8 times in a row"),
    "a bomb": (bomb, "8 times in a row"),
    "headers without an end": (endless_headers, "8 times in a row"),
}
MODELS: dict[str, tuple[Answer, str]] = {
    "serves another model": (listing({"id": "other/model"}), "serves 'other/model'; allowed: 'tiny'"),
    "serves nothing": (listing(), "serves nothing"),
    "serves the key": (listing({"id": SECRET}), "serves '***'"),
    "a listing without data": (raw(b"{}"), "data"),
    "a listing that is no JSON": (raw(b"<html>"), "no whole JSON"),
    "a listing that is a list": (raw(b"[]"), "the answer is []"),
    "a model without a name": (listing({"id": None}), "data.0.id is None"),
    "a model that is a number": (listing(7), "data.0 is 7"),
    "room that is true": (listing({"id": "tiny", "max_model_len": True}), "max_model_len is True"),
    "no room": (listing({"id": "tiny", "max_model_len": -1}), "max_model_len is -1"),
    "a listing that is moved": (onto("302 Found", "{trap}/v1/models"), "302"),
    "a listing that is too large": (big(b" "), f"allowed: {MAX_BYTES}"),
    "a listing that is away": (status("503 Away"), "503"),
    "a listing that needs a key": (status("401 Who"), KEY),
}

BEHAVIOURS: dict[str, Behaviour] = {
    **{name: Behaviour(answer, "accepted") for name, answer in ACCEPTED.items()},
    "served under another name": Behaviour(
        whole(model="served"), "accepted", models=listing({"id": "served", "root": "tiny"})
    ),
    **{f"{name}, then right": Behaviour(then_right(answer), "retried") for name, answer in RETRIED.items()},
    **{f"{name}, then right": Behaviour(then_right(answer), "retried", is_late=True) for name, answer in LATE.items()},
    **{
        f"always {name}": Behaviour(answer, "refused", "no whole answer within", is_late=True)
        for name, answer in LATE.items()
    },
    **{name: Behaviour(answer, "refused", says) for name, (answer, says) in REFUSED.items()},
    **{name: Behaviour(right, "refused", says, models=answer) for name, (answer, says) in MODELS.items()},
    "a listing by the byte": Behaviour(right, "refused", "no whole answer", models=dripping_body, is_late=True),
    "a listing that is silent": Behaviour(right, "refused", "no whole answer", models=silent, is_late=True),
}
