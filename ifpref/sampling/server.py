"""A server that speaks OpenAI's completions protocol: what model it serves, and its answers as they come.

    server = Server("http://localhost:8000", "owner/name", "5fd3…")
    server.complete({"prompt": [151644, 8948], "max_tokens": 512, "seed": 3})    # {"choices": [{...}]}

Decisions
- *Two kinds of failure*: `ServerGone` where asking again may help (away, busy, cut off in the middle), `SamplingError`
  where not. How long to ask again is the engine's matter (http.py).
- *What it serves* is asked before the first request and after every failure: it may be another one that answers then.
- *Contexts* of MAX_MODEL_LEN tokens, in the command that starts the server: the model's own maximum (131,072, say)
  may need more memory than there is, and then vLLM does not start.
- *A key*, where the server asks for one, is read from the environment (VLLM_API_KEY), and shown nowhere.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from http.client import HTTPException
from threading import Lock
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from ifpref.sampling.protocol import SamplingError

KEY = "VLLM_API_KEY"
TRY_AGAIN = (408, 409, 425, 429, 500, 502, 503, 504)
MAX_MODEL_LEN = 4096


class ServerGone(SamplingError):
    """No usable answer for now: the server is away, or busy. What is asked of it is asked again."""


class ServerFailed(ServerGone):
    """An error inside the server (500). It may pass; the same one again and again does not."""


class Server:
    """One that serves the model `id`; it may be asked from several threads.

    url        with or without /v1; SamplingError for what is no address
    revision   of the model, for the command that starts the server
    timeout_s  the longest that one answer may take
    """

    def __init__(self, url: str, id: str, revision: str | None = None, *, timeout_s: float = 600.0) -> None:
        if not re.fullmatch(r"https?://[^\s@/:]+(:\d+)?(/v1)?/?", url):
            raise SamplingError(  # which does not show it: there may be a password in it
                "engine_url is no address of a server; allowed: http://host:port, with or without /v1, without a name "
                f"or password in it (a key is read from the environment, {KEY})"
            )
        self.url = url.rstrip("/").removesuffix("/v1")
        self.id, self.revision, self.timeout_s = id, revision, timeout_s
        self._opener = build_opener(ProxyHandler({}))  # a server of one's own is behind no proxy
        self._served: dict[str, Any] | None = None
        self._lock = Lock()

    @property
    def command(self) -> str:
        """What starts the server."""
        revision = f" --revision {self.revision}" if self.revision else ""
        port = urlsplit(self.url).port or 80
        return f"vllm serve {self.id}{revision} --dtype bfloat16 --max-model-len {MAX_MODEL_LEN} --port {port}"

    @property
    def room(self) -> int | None:
        """Most tokens of prompt and response together, where the server has said so."""
        return (self._served or {}).get("max_model_len")

    def complete(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one request for a completion. ServerGone, SamplingError."""
        return self._ask("/v1/completions", {**body, "model": self.meet()["id"]})

    def forget(self) -> None:
        """After a failure: what it serves is asked again."""
        with self._lock:
            self._served = None

    def meet(self) -> dict[str, Any]:
        """What the server says of the model: asked once, and again after every failure."""
        with self._lock:
            if self._served is None:
                listed = self._ask("/v1/models", timeout_s=10.0).get("data") or []
                found = next((one for one in listed if self.id in (one.get("id"), one.get("root"))), None)
                if found is None:
                    names = ", ".join(repr(one.get("id")) for one in listed) or "nothing"
                    raise SamplingError(
                        f"{self.url}: serves {names}; allowed: {self.id!r}. Start it with: {self.command}"
                    )
                self._served = found
            return self._served

    def _ask(self, path: str, body: Mapping[str, Any] | None = None, timeout_s: float | None = None) -> dict[str, Any]:
        """The server's answer. ServerGone where asking again may help, SamplingError where not."""
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get(KEY):
            headers["Authorization"] = f"Bearer {key}"
        call = Request(self.url + path, json.dumps(body).encode() if body else None, headers)
        try:
            with self._opener.open(call, timeout=timeout_s or self.timeout_s) as stream:
                answer = json.loads(stream.read())
        except HTTPError as error:
            if error.code in (401, 403):
                raise SamplingError(
                    f"{self.url}: {error.code}: asks for a key; allowed: {KEY} in the environment"
                ) from None
            if error.code in TRY_AGAIN and error.code != 500:
                raise ServerGone(f"{self.url}: {error.code} {error.reason}") from None
            said = self._body(error)
            said = said.replace(key, "***") if key else said
            kind = ServerFailed if error.code == 500 else SamplingError
            raise kind(f"{self.url}{path}: {error.code} {error.reason}: {said}") from None
        except (OSError, HTTPException, json.JSONDecodeError) as error:  # refused, timed out, cut off in the middle
            reason = getattr(error, "reason", None) or error
            raise ServerGone(f"{self.url}: no answer ({type(error).__name__}: {reason})") from None
        if not isinstance(answer, dict):
            raise SamplingError(f"{self.url}{path}: a {type(answer).__name__}; allowed: an OpenAI-style server")
        return answer

    def _body(self, error: HTTPError) -> str:
        """What the server says of an error, on one line. ServerGone where it is cut off."""
        try:
            return " ".join(error.read(2000).decode(errors="replace").split())[:300]
        except (OSError, HTTPException) as cut:
            raise ServerGone(f"{self.url}: {error.code}, cut off ({type(cut).__name__}: {cut})") from None
