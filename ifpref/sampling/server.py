"""A server of OpenAI's completions protocol: what model it serves, and its answers, checked.

    server = Server("http://localhost:8000", "owner/name", "5fd3…")
    anyio.run(server.complete, {"prompt": [151644, 8948], "max_tokens": 512, "seed": 3})         # a `Choice`

Decisions
- *Three kinds of failure*: `ServerGone` where asking again may help (away, busy, late); `ServerFailed` where it may,
  but the same failure again and again ends it (an error 500, a body that is cut off or no JSON); `SamplingError` where
  it is of no use. How often to ask again is the engine's matter (http.py).
- *One deadline for each request*, name lookup, connection, headers and body together: a server that sends a byte a
  second is late like one that sends none. That is why this is asynchronous: anyio's clock stops whatever is under way.
- *One connection for each request*, by httpx's transport alone: it follows no redirects, asks no proxies, reads no
  .netrc and keeps no cookies, so that the key goes to the address it was meant for; and what a server sends beyond one
  answer is never read as the next.
- *A body* has at most MAX_BYTES, is not compressed, and has the shape of a schema below, with values in their limits.
- *What it serves* is asked before the first request and after every failure: it may be another one that answers then.
- *Contexts* of MAX_MODEL_LEN tokens, in the command that starts the server: the model's own maximum (131,072, say)
  may need more memory than there is, and then vLLM does not start.
- *A key*, where the server asks for one, is read from the environment (VLLM_API_KEY), and shown nowhere.
"""

import os
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

import httpx
from anyio import fail_after
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ifpref.sampling.protocol import SamplingError

KEY = "VLLM_API_KEY"
MEET_S = 10.0
"""Longest that a server may take to say what it serves."""
MAX_BYTES = 2**24
"""Most of a body: 16 MiB, a hundred bytes for each of 160,000 tokens. Of an error's body, 64 KiB are read."""
TRY_AGAIN = (408, 409, 425, 429, 502, 503, 504)
MAX_MODEL_LEN = 4096
LOCAL = {"localhost": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}

LEAST_LOGPROB, ROUNDING = -1e4, 1e-6
"""What a log-probability may be: vLLM writes -9999 for minus infinity, and a probability of 1 may be rounded up."""

_tls = cache(ssl.create_default_context)  # whom this machine trusts

Schema = TypeVar("Schema", bound=BaseModel)


class ServerGone(SamplingError):
    """No usable answer for now: the server is away, busy or late. What is asked of it is asked again."""


class ServerFailed(ServerGone):
    """An error inside the server, or an answer that is damaged. It may pass; the same one again and again does not."""


class _Strict(BaseModel):
    """No text and no true or false where a number belongs; names that are not known here are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Logprobs(_Strict):
    """Of the sampled tokens; `tokens` are "token_id:17", where a server says ids so."""

    token_logprobs: list[Annotated[float, Field(ge=LEAST_LOGPROB, le=ROUNDING, allow_inf_nan=False)]]
    tokens: list[str] | None = None


class Choice(_Strict):
    """One response."""

    index: int = Field(default=0, ge=0, le=0)
    finish_reason: Literal["stop", "length", "abort", "error"]
    token_ids: list[Annotated[int, Field(ge=0)]] | None = None
    prompt_token_ids: list[int] | None = None
    logprobs: Logprobs | None = None


class _Answer(_Strict):
    choices: list[Choice] = Field(min_length=1, max_length=1)
    model: str | None = None


class _Model(_Strict):
    id: str
    root: str | None = None
    max_model_len: int | None = Field(default=None, ge=1)


class _Models(_Strict):
    data: list[_Model]


class Server:
    """One that serves the model `id`.

    url        with or without /v1; SamplingError for what is no address
    revision   of the model, for the command that starts the server
    timeout_s  the longest that one answer may take
    """

    def __init__(self, url: str, id: str, revision: str | None = None, *, timeout_s: float = 600.0) -> None:
        self._address = _address(url)
        self.url = str(self._address).rstrip("/")
        self.id, self.revision, self.timeout_s = id, revision, timeout_s
        self._served: list[_Model] | None = None

    @property
    def command(self) -> str:
        """What starts the server, at its address alone: without --host vLLM listens at every one of its machine."""
        revision = f" --revision {self.revision}" if self.revision else ""
        host, port = self._address.host, self._address.port or {"http": 80, "https": 443}[self._address.scheme]
        options = f"--dtype bfloat16 --max-model-len {MAX_MODEL_LEN} --host {LOCAL.get(host, host)} --port {port}"
        return f"vllm serve {self.id}{revision} {options}"

    def forget(self) -> bool:
        """After a failure: what it serves is asked again. Whether it was known."""
        was_known, self._served = self._served is not None, None
        return was_known

    async def meet(self) -> list[_Model]:
        """What the server says of the model: asked once, and again after every failure."""
        if self._served is None:
            listed = (await self._ask("/v1/models", _Models, min(MEET_S, self.timeout_s))).data
            found = [model for model in listed if self.id in (model.id, model.root)]
            if not found:
                names = ", ".join(_shown(model.id) for model in listed[:9]) or "nothing"
                raise self.error(f"serves {names}; allowed: {self.id!r}. Start it with: {self.command}")
            self._served = found
        return self._served

    async def complete(self, body: Mapping[str, Any]) -> Choice:
        """The answer to one request for a completion. ServerGone, SamplingError."""
        served = await self.meet()
        answer = await self._ask("/v1/completions", _Answer, self.timeout_s, {**body, "model": served[0].id})
        names = {self.id, *(model.id for model in served)}
        if answer.model is not None and answer.model not in names:
            raise self.error(
                f"an answer of the model {_shown(answer.model)}; allowed: {served[0].id!r}, which was asked"
            )
        [choice] = answer.choices
        if choice.finish_reason in ("abort", "error"):  # of a server that is being stopped, say
            raise self.error(f"ended a response by {choice.finish_reason!r}", ServerFailed)
        return choice

    def error(self, words: str, kind: type[SamplingError] = SamplingError) -> SamplingError:
        """An error that names the server, on one line of bearable length, without the key."""
        words = _without_key(words)[:2000]
        words = "".join(letter if letter.isprintable() else " " for letter in words)
        return kind(f"{self.url}: {' '.join(words.split())[:600]}")

    async def _ask(
        self, path: str, schema: type[Schema], seconds: float, body: Mapping[str, Any] | None = None
    ) -> Schema:
        """The server's answer. ServerGone where asking again may help, SamplingError where not."""
        url = self._address.copy_with(path=path)
        request = httpx.Request("GET" if body is None else "POST", url, headers=_headers(), json=body)
        try:
            with fail_after(seconds):
                async with httpx.AsyncHTTPTransport(_tls(), trust_env=False) as transport:
                    response = await transport.handle_async_request(request)
                    found = await self._body(response)
        except TimeoutError:
            raise self.error(f"no whole answer within {seconds:g} s", ServerGone) from None
        except (httpx.HTTPError, OSError) as error:
            kind = ServerFailed if isinstance(error, httpx.ProtocolError) else ServerGone  # cut off, no HTTP; or away
            raise self.error(f"no answer ({type(error).__name__}: {error})", kind) from None
        if response.status_code != 200:
            raise self._refusal(path, response, found)
        try:
            return schema.model_validate_json(found)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
        if first["type"] == "json_invalid":
            raise self.error(f"{path}: no whole JSON ({first['msg']}; {len(found)} bytes)", ServerFailed)
        where = ".".join(map(str, first["loc"])) or "the answer"
        raise self.error(f"{path}: {where} is {_shown(first['input'])}; allowed: {first['msg']}")

    async def _body(self, response: httpx.Response) -> bytes:
        """At most MAX_BYTES; of an error, its beginning."""
        is_error, found = response.status_code != 200, bytearray()
        if not is_error and (encoding := response.headers.get("Content-Encoding", "identity")) != "identity":
            raise self.error(f"a body of the encoding {encoding!r}; allowed: identity, as asked", ServerFailed)
        async for part in response.stream:
            found += part
            if is_error and len(found) >= 2**16:
                break
            if len(found) > MAX_BYTES:
                raise self.error(f"a body of more than {MAX_BYTES} bytes; allowed: {MAX_BYTES}")
        return bytes(found)

    def _refusal(self, path: str, response: httpx.Response, body: bytes) -> SamplingError:
        """The error for an answer that is not 200."""
        status = response.status_code
        said = f"{path}: {status} {response.reason_phrase}"
        if status in (401, 403):
            return self.error(f"{said}: asks for a key; allowed: {KEY} in the environment")
        if 300 <= status < 400:
            where = response.headers.get("Location", "nowhere")
            return self.error(f"{said}; allowed: an engine_url that answers by itself, and does not send on to {where}")
        if status in TRY_AGAIN:
            return self.error(said, ServerGone)
        return self.error(f"{said}: {body.decode(errors='replace')}", ServerFailed if status >= 500 else SamplingError)


def _key() -> str:
    return os.environ.get(KEY, "").strip()


def _without_key(text: str) -> str:
    """To be called before a text is cut: half a key is one too."""
    return text.replace(key, "***") if (key := _key()) else text


def _shown(value: Any) -> str:
    return _without_key(repr(value))[:80]


def _headers() -> dict[str, str]:
    key = _key()
    if not (key.isascii() and key.isprintable()):
        raise SamplingError(f"{KEY} holds characters that no header can; allowed: printable ASCII")
    sent = {"Accept": "application/json", "Accept-Encoding": "identity", "Connection": "close"}
    return sent | ({"Authorization": f"Bearer {key}"} if key else {})


def _address(url: str) -> httpx.URL:
    """A server's address without /v1."""
    with suppress(httpx.InvalidURL):
        found = httpx.URL(url) if re.fullmatch(r"https?://[^\s@?#%\\]+", str(url), re.IGNORECASE) else None
        is_sound = found and found.host and found.path.rstrip("/") in ("", "/v1")
        if is_sound and (found.port is None or 0 < found.port < 2**16):
            return found.copy_with(path="/")
    raise SamplingError(  # which does not show it: there may be a password in it
        "engine_url is no address of a server; allowed: http://host:port, with or without /v1, without a name or "
        f"password in it (a key is read from the environment, {KEY})"
    )
