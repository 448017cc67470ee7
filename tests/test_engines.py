"""The other engines: continuous batching and a server give what the default engine gives; chat settings."""

import asyncio
import gc
import gzip
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, nullcontext, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, pairwise

import pytest
import test_sampling as tiny
from hostile_server import BEHAVIOURS, Behaviour, face

from ifpref.models import ModelError
from ifpref.params import ParamsError, load_params
from ifpref.sampling import ChatEngine, HttpEngine, Request, SamplingError, Settings, TransformersEngine
from ifpref.sampling.http import Vocabulary, read_tokenizer
from ifpref.sampling.server import KEY
from ifpref.sampling.streams import stream_key

torch = pytest.importorskip("torch")

TEMPLATE = (
    "{% for m in messages %}{{ '<user>' + m['role'] + ' says ' + m['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
)
GREEDY = Settings(temperature=0, max_tokens=24)
SECRET = "hf_" + "x1Y2" * 8  # looks like a token of the hub


@pytest.fixture(scope="module", autouse=True)
def short_collections():
    """The library collects garbage after every round: with what pytest and torch hold set aside, that takes no time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny random Llama with a chat template that has a place for a system prompt."""
    folder = tiny.save(tmp_path_factory.mktemp("llama"), "llama")
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return folder


@pytest.fixture(scope="module")
def loaded(folder):
    from ifpref.models import load_model

    return load_model(str(folder))


@pytest.fixture(scope="module")
def vocabulary(folder):
    return read_tokenizer(str(folder))


@pytest.fixture(scope="module")
def reference(loaded):
    """Greedy, by the default engine: requests of unequal length, with limits of their own."""
    engine = TransformersEngine(loaded, 16)
    requests = [Request(r.stream, r.ids, 1 + i % 2, max_tokens=20 + i) for i, r in enumerate(tiny.ask(engine))]
    return requests, engine.sample(requests, GREEDY)


def assert_alike(found, expected):
    assert tiny.ids_of(found) == tiny.ids_of(expected)
    for mine, other in zip(chain(*found), chain(*expected), strict=True):
        assert (mine.text, mine.finish) == (other.text, other.finish)
        assert mine.logprobs == pytest.approx(other.logprobs, abs=1e-4)


# ---- continuous batching


@pytest.fixture
def batching(loaded):
    from ifpref.sampling import BatchingEngine

    return BatchingEngine(loaded, 8)


@pytest.mark.parametrize("kept", [False, True])
def test_batching_is_greedy_like_the_default_engine(batching, reference, kept):
    requests, expected = reference
    with batching.keep_prefixes() if kept else nullcontext():
        assert_alike(batching.sample(requests, GREEDY), expected)
        if kept:  # goes on from the middle of a response, with the manager of the round before
            i = max(range(len(requests)), key=lambda i: len(expected[i][0].token_ids))
            first = expected[i][0]
            middle = Request("on", requests[i].ids + first.token_ids[:5], max_tokens=len(first.token_ids) - 5)
            [[rest]] = batching.sample([middle], GREEDY)
            assert first.token_ids[:5] + rest.token_ids == first.token_ids
    assert (batching.calls, batching.sampled_tokens > 0) == (1 + kept, True)


def test_a_round_of_batching_repeats_and_leaves_nothing_behind(loaded, batching):
    attention = loaded.model.config._attn_implementation
    loaded.model.set_attn_implementation("eager")  # which the library replaces by its paged form
    try:
        requests = [*tiny.ask(batching, n=2)[:2], Request("none", (5, 6), max_tokens=0)]
        settings = Settings(temperature=0.7, top_p=0.9, max_tokens=12, seed=3)
        torch.manual_seed(7)
        before = torch.get_rng_state()
        first = batching.sample(requests, settings)
        assert torch.equal(torch.get_rng_state(), before)
        assert loaded.model.config._attn_implementation == "eager"
        torch.manual_seed(8)
        assert batching.sample(requests, settings) == first
        assert tiny.ids_of(batching.sample(requests[:2], Settings(0.7, 0.9, 12, seed=4))) != tiny.ids_of(first[:2])
        assert [completion.token_ids for completion in first[2]] == [()]
    finally:
        loaded.model.set_attn_implementation(attention)


def test_batching_knows_log_probabilities_at_temperature_1(loaded, batching):
    """At other temperatures they are read again; the evaluation's own reading of them is the reference."""
    from ifpref.evaluation.distribution import read_tokens

    requests = tiny.ask(batching, n=1)[:3]
    for settings in (Settings(0.7, 0.9, 12, seed=3), Settings(max_tokens=12)):
        rows = [row[0] for row in batching.sample(requests, settings)]
        items = [(request.ids, row.token_ids) for request, row in zip(requests, rows, strict=True)]
        assert [row.logprob for row in rows] == pytest.approx(read_tokens(loaded, items)[0].tolist(), abs=1e-3)


def test_batching_samples_at_the_temperature(loaded, batching):
    """600 first tokens of one prompt, forked from one reading of it: the likeliest as often as it should be."""
    ids = batching.encode("Tell a story about a fox.")
    with torch.inference_mode():
        p = torch.softmax(loaded.model(torch.tensor([ids])).logits[0, -1] / 0.5, dim=-1)
    [row] = batching.sample([Request("p", ids, n=600)], Settings(temperature=0.5, max_tokens=1))
    share = sum(completion.token_ids[0] == int(p.argmax()) for completion in row) / 600
    expected = float(p.max())
    assert 0.02 < expected < 0.98
    assert abs(share - expected) < 4 * (expected * (1 - expected) / 600) ** 0.5


def test_batching_halves_its_batch_when_memory_runs_out(batching, reference, monkeypatch):
    requests, expected = reference
    whole = batching._round

    def short_of_memory(*args):
        if batching.batch_size > 2:
            raise MemoryError("no room")
        return whole(*args)

    monkeypatch.setattr(batching, "_round", short_of_memory)
    assert_alike(batching.sample(requests[:3], GREEDY), expected[:3])
    assert batching.batch_size == 2
    batching.batch_size = 1
    monkeypatch.setattr(batching, "_round", lambda *args: (_ for _ in ()).throw(MemoryError("no room")))
    with pytest.raises(SamplingError, match="single row"):
        batching.sample(requests, GREEDY)


# ---- a server


@contextmanager
def serving(answer, model="tiny", host="127.0.0.1"):
    """A server in this process; `answer` makes the reply to a completions request. Gives its address and headers."""
    headers = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            headers.append(dict(self.headers))
            self.reply({"data": [{"id": model, "max_model_len": 200}]})

        def do_POST(self):
            self.reply(answer(json.loads(self.rfile.read(int(self.headers["Content-Length"])))))

        def reply(self, found):
            status, found = found if isinstance(found, tuple) else (200, found)
            body = json.dumps(found).encode()
            with suppress(ConnectionError):  # of an engine that has given up
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

    class Listener(ThreadingHTTPServer):
        address_family, block_on_close = socket.AF_INET6 if ":" in host else socket.AF_INET, False

    server = Listener((host, 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{server.server_port}", headers
    finally:
        server.shutdown()
        server.server_close()


def choice(ids, logprobs=None, finish="stop"):
    """A reply as vLLM and SGLang give it."""
    values = [-0.5] * len(ids) if logprobs is None else list(logprobs)
    return {"choices": [{"token_ids": list(ids), "logprobs": {"token_logprobs": values}, "finish_reason": finish}]}


@pytest.fixture
def talking(vocabulary):
    def to(url, **options):
        options = {"concurrency": 4, "timeout_s": 20.0, "patience_s": 5.0} | options
        known = Vocabulary("tiny", "5fd3", vocabulary.tokenizer, vocabulary.eos_ids)
        return HttpEngine(url, known, **options)

    return to


def test_a_tokenizer_is_read_without_the_model(loaded, vocabulary):
    assert vocabulary.eos_ids == loaded.eos_ids
    assert vocabulary.tokenizer.chat_template == loaded.tokenizer.chat_template


def test_a_tokenizer_with_code_of_its_own_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: "y")  # nobody is asked
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    config |= {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["own.Own", None]}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text("raise RuntimeError('it was run')")
    with pytest.raises(ModelError, match="it needs Python code of its own"):
        read_tokenizer(str(tmp_path))


def test_a_server_is_sampled_like_the_default_engine(loaded, reference, talking):
    requests, expected = reference
    behind, lock = TransformersEngine(loaded, 16), threading.Lock()

    def answer(body):
        with lock:
            settings = Settings(body["temperature"], body["top_p"], body["max_tokens"])
            [[found]] = behind.sample([Request("any", tuple(body["prompt"]))], settings)
        return choice(found.token_ids, found.logprobs, found.finish)

    with serving(answer) as (url, _):
        engine = talking(url + "/v1/")
        assert engine.encode("Tell a story.") == behind.encode("Tell a story.")
        assert_alike(engine.sample(requests, GREEDY), expected)


def test_every_response_has_its_own_seed_and_all_parameters_are_sent(loaded, talking):
    bodies = []

    def answer(body):
        bodies.append(body)
        tokens = [f"token_id:{id}" for id in (7, loaded.eos_ids[0])]  # as an older server says it
        return {"choices": [{"logprobs": {"tokens": tokens, "token_logprobs": [-1.0, -2.0]}, "finish_reason": "stop"}]}

    with serving(answer) as (url, _):
        requests = [Request("a", (5, 6), n=2, first_sample=3), Request("b", (5,), max_tokens=0)]
        found = talking(url).sample(requests, Settings(0.8, 0.95, 9, seed=2))
    assert tiny.ids_of(found) == [[(7, loaded.eos_ids[0])] * 2, [()]]
    assert found[0][0].logprobs == (-1.0, -2.0)
    assert {body["seed"] for body in bodies} == {stream_key(2, "a", sample) % 2**63 for sample in (3, 4)}
    sent = {name: bodies[0][name] for name in ("temperature", "top_p", "max_tokens", "top_k", "repetition_penalty")}
    assert sent == {"temperature": 0.8, "top_p": 0.95, "max_tokens": 9, "top_k": -1, "repetition_penalty": 1.0}
    assert bodies[0]["stop_token_ids"] == list(loaded.eos_ids)


SERVER = """
import json, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def do_GET(self): self.reply({"data": [{"id": "tiny"}]})
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(0.03)
        ids = [40 + body["seed"] % 97, 40 + body["prompt"][0], body["stop_token_ids"][0]]
        open(sys.argv[2], "a").write(f"{body['seed']}\\n")
        found = {"token_ids": ids, "logprobs": {"token_logprobs": [-1, -1, -1]}, "finish_reason": "stop"}
        self.reply({"choices": [found]})
    def reply(self, found):
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_no_response_is_lost_or_doubled_when_the_server_dies_and_comes_back(loaded, talking, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script, asked = tmp_path / "server.py", tmp_path / "asked.txt"
    script.write_text(SERVER)
    asked.touch()

    def start():
        process = subprocess.Popen([sys.executable, script, str(port), asked])
        for _ in range(400):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return process
            time.sleep(0.05)
        raise AssertionError("the server does not start")

    def count():
        return len(asked.read_text().splitlines())

    requests = [Request(f"p-{i}", (10 + i,), n=15) for i in range(4)]
    found = []
    process = start()
    try:
        engine = talking(f"http://127.0.0.1:{port}", patience_s=60.0)
        thread = threading.Thread(target=lambda: found.extend(engine.sample(requests, Settings(max_tokens=9, seed=1))))
        thread.start()
        while count() < 10:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = count()
        assert before < 60
        time.sleep(0.3)
        process = start()
        thread.join(60)
    finally:
        process.kill()
        process.wait()
    seeds = [[stream_key(1, request.stream, sample) % 2**63 for sample in range(15)] for request in requests]
    end = loaded.eos_ids[0]
    assert tiny.ids_of(found) == [
        [(40 + seed % 97, 40 + request.ids[0], end) for seed in row]
        for row, request in zip(seeds, requests, strict=True)
    ]
    assert set(map(int, asked.read_text().split())) == set(chain(*seeds))
    assert count() <= 60 + engine.concurrency  # what was under way when it died is all that was asked for twice


def test_a_busy_server_is_asked_again(loaded, talking):
    replies = iter([(503, {}), (429, {}), choice([7, loaded.eos_ids[0]])])
    with serving(lambda body: next(replies)) as (url, _):
        assert talking(url, concurrency=1).sample([Request("a", (5,))], GREEDY)[0][0].token_ids[0] == 7


def test_an_error_500_that_stays_the_same_ends_the_round(talking, monkeypatch):
    monkeypatch.setattr("ifpref.sampling.http.FIRST_WAIT_S", 0.0)
    monkeypatch.setenv(KEY, SECRET)
    bodies = []

    def answer(body):
        bodies.append(body)
        return 500, {"message": f"no such kernel, {SECRET}"}

    with serving(answer) as (url, _), pytest.raises(SamplingError, match="8 times in a row") as caught:
        talking(url, concurrency=1).sample([Request("a", (5,))], GREEDY)
    assert len(bodies) == 8 and "no such kernel, ***" in str(caught.value)


def test_errors_500_that_differ_are_asked_again(loaded, talking, monkeypatch):
    monkeypatch.setattr("ifpref.sampling.http.FIRST_WAIT_S", 0.0)
    same = [(500, {"message": "busy"})] * 7
    replies = iter([*same, (500, {"message": "starting"}), *same, choice([7, loaded.eos_ids[0]])])
    with serving(lambda body: next(replies)) as (url, _):
        assert talking(url, concurrency=1).sample([Request("a", (5,))], GREEDY)[0][0].token_ids[0] == 7


def end(**more):
    """A server that is right, but for what is given."""
    return lambda body: {"choices": [choice([7, body["stop_token_ids"][0]])["choices"][0] | more]}


@pytest.mark.parametrize(
    ("answer", "model", "words"),
    [
        (end(), "other/model", ["serves 'other/model'", "'tiny'", "vllm serve tiny --revision 5fd3"]),
        (end(token_ids=None), "tiny", ["no token ids", "0.10.2"]),
        (lambda body: choice([7, 8], [-1.0]), "tiny", ["2 tokens with 1 log-probabilities", "allowed: one each"]),
        (end(prompt_token_ids=[1, 5]), "tiny", ["1 prompt tokens were sent", "(2)"]),
        (lambda body: choice([7, 8]), "tiny", ["2 of at most 24 tokens"]),
        (lambda body: {"object": "list"}, "tiny", ["choices", "Field required"]),
        (lambda body: (400, {"message": f"bad key {SECRET}"}), "tiny", ["400", "bad key ***"]),
        (lambda body: (401, {"message": SECRET}), "tiny", ["401", KEY]),
    ],
)
def test_what_a_server_does_wrong_is_said_at_once(talking, monkeypatch, answer, model, words):
    monkeypatch.setenv(KEY, SECRET)
    with serving(answer, model) as (url, headers), pytest.raises(SamplingError) as caught:
        talking(url).sample([Request("a", (5,), n=3)], GREEDY)
    assert all(word in str(caught.value) for word in words) and SECRET not in str(caught.value)
    assert headers[0]["Authorization"] == f"Bearer {SECRET}"


def test_a_server_that_is_not_there_is_said_within_seconds(talking):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # nobody listens
        engine = talking(f"http://127.0.0.1:{probe.getsockname()[1]}")
        start = time.monotonic()
        with pytest.raises(
            SamplingError,
            match=r"vllm serve tiny --revision 5fd3 .*--max-model-len 4096 --host 127\.0\.0\.1 --port \d+",
        ):
            engine.sample([Request("a", (5,))], GREEDY)
    assert time.monotonic() - start < 5


def test_a_server_that_stays_away_ends_the_round(talking):
    with (
        serving(lambda body: (503, {})) as (url, _),
        pytest.raises(SamplingError, match="times in a row; asked again for at most 1 s"),
    ):
        talking(url, patience_s=1.0).sample([Request("a", (5,), n=9)], GREEDY)


def test_too_long_for_the_server(talking):
    with serving(end()) as (url, _), pytest.raises(SamplingError, match="allowed: 200 together"):
        talking(url).sample([Request("a", (5,) * 190)], GREEDY)


@pytest.mark.parametrize(
    "url",
    [
        f"http://me:{SECRET}@host:8000",
        "localhost:8000",
        "ftp://host",
        "http://",
        "http://host:99999",
        "http://host:0",
        "http://host/v2",
        "http://host?key=a",
        "http://[::1",
        "http://a b",
        "http://host\\@other",
        None,
    ],
)
def test_addresses(talking, url):
    with pytest.raises(SamplingError, match="engine_url") as caught:
        talking(url)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://localhost:8000/v1", "127.0.0.1 --port 8000"),
        ("http://[::1]:8000/", "::1 --port 8000"),
        ("https://[2001:db8::7]", "2001:db8::7 --port 443"),
        ("http://gpu-3.lab:9000", "gpu-3.lab --port 9000"),
    ],
)
def test_the_command_that_starts_a_server_names_its_host(talking, url, host):
    assert talking(url).server.command.endswith(f" --host {host}")


def test_a_server_at_an_address_of_version_6(loaded, talking):
    if not has_ipv6():
        pytest.skip("no IPv6 here")
    with serving(lambda body: choice([7, loaded.eos_ids[0]]), host="::1") as (url, _):
        assert url.startswith("http://[::1]:")
        assert talking(url).sample([Request("a", (5,))], GREEDY)[0][0].token_ids[0] == 7


def has_ipv6():
    with socket.socket(socket.AF_INET6) as probe:
        return probe.connect_ex(("::1", 9)) in (0, 111)  # refused: there is one


def test_a_key_that_no_header_can_hold_is_refused_and_not_shown(talking, monkeypatch):
    monkeypatch.setenv(KEY, f"{SECRET}\r\nX-More: a")
    with serving(end()) as (url, headers), pytest.raises(SamplingError, match=f"{KEY} holds characters") as caught:
        talking(url).sample([Request("a", (5,))], GREEDY)
    assert SECRET not in str(caught.value) and not headers


def test_the_key_goes_to_the_server_and_not_by_a_proxy_or_from_a_netrc(talking, loaded, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("default login me password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with serving(end(), "proxy") as (proxy, reached), serving(end()) as (url, headers):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        assert talking(url).sample([Request("a", (5,))], GREEDY)[0][0].finish == "stop"
    assert not reached and "Authorization" not in headers[0]


def test_a_server_is_sampled_where_an_event_loop_runs_already(talking):
    """As in a notebook; with more responses than places."""

    async def cell():
        with serving(end()) as (url, _):
            return talking(url).sample([Request("a", (5,), n=20)], GREEDY)

    [row] = asyncio.run(cell())
    assert [completion.token_ids[0] for completion in row] == [7] * 20


def test_one_wrong_answer_ends_the_round_though_others_are_under_way(talking):
    """Whose deadline is a minute: they are stopped."""
    asked = []

    def answer(body):
        asked.append(body)
        if len(asked) > 1:
            time.sleep(2)
        return choice([99999])

    start = time.monotonic()
    with serving(answer) as (url, _), pytest.raises(SamplingError, match="token 99999; allowed: 0 to"):
        talking(url, timeout_s=60.0).sample([Request("a", (5,), n=4)], GREEDY)
    assert time.monotonic() - start < 2


# ---- a hostile server

SAMPLE = [name for i, (name, one) in enumerate(BEHAVIOURS.items()) if i % (9 if one.is_late else 3) == 0]
"""A third of the table; `make torture` faces all of it."""


@pytest.mark.parametrize("name", SAMPLE)
def test_a_hostile_server(vocabulary, name):
    assert face(BEHAVIOURS[name], vocabulary).wrong == []


def test_the_table_is_long_and_of_all_kinds():
    assert len(BEHAVIOURS) >= 150
    assert {(one.expected, one.is_late) for one in BEHAVIOURS.values()} == {
        ("accepted", False),
        ("retried", False),
        ("retried", True),
        ("refused", False),
        ("refused", True),
    }


def test_a_behaviour_that_is_judged_wrongly_is_said(vocabulary):
    found = face(Behaviour(BEHAVIOURS["right"].answer, "refused"), vocabulary)
    assert found.outcome == "accepted" and found.wrong == ["accepted (), expected: refused"]


# ---- chat settings


class Letters:
    """An engine and a tokenizer of one token a character; 1 ends, 2 and 3 are <think> and </think>."""

    eos_ids, calls, sampled_tokens = (1,), 0, 0

    def __init__(self, responses=(), prompt="?"):
        self.tokenizer, self.responses, self.prompt = self, list(responses), prompt

    def encode(self, text, add_special_tokens=False):
        if text == "a":  # a prompt
            text = self.prompt
        for mark, id in (("<think>", 2), ("</think>", 3)):
            text = text.replace(mark, chr(id))
        return [ord(letter) for letter in text]

    def decode(self, ids):
        return "".join(chr(id) for id in ids if id > 3)

    def keep_prefixes(self):
        return nullcontext()

    def sample(self, requests, settings):
        from ifpref.sampling import Completion

        ids = [tuple(self.encode(text)) for text in self.responses]
        return [[Completion(each, "whole", (-1.0,) * len(each), "stop") for each in ids] for _ in requests]


RESPONSES = {  # as sampled, as verified; \x01 is the end token
    "<think>Hm. So?</think>\n\nA pear.\x01": "A pear.",
    "<think>Hm. So": "",
    "A pear.\x01": "A pear.",
    "A pear. ##": "A pear. ",
    "A pear. ##\x01": "A pear. ##",
    "A pear. ### B": "A pear. ",
    "<think>###</think>Pear###User: x###": "Pear",
}


def test_thinking_and_what_follows_a_stop_string_are_not_verified():
    letters = Letters(RESPONSES)
    engine = ChatEngine(letters, thinking_end="</think>", stop_strings=["###", "User:"])
    [row] = engine.sample([Request("p", (63,))], GREEDY)
    assert [completion.text for completion in row] == list(RESPONSES.values())
    assert [completion.token_ids for completion in row] == [tuple(letters.encode(text)) for text in RESPONSES]
    assert {(completion.finish, completion.logprobs[0]) for completion in row} == {("stop", -1.0)}
    counts = engine.count(completion.token_ids for completion in row)
    assert counts == {"responses": 7, "thinking": 3, "cut_in_thinking": 1, "stop_string": 2}


def test_a_block_that_the_template_has_begun():
    letters = Letters(["So?</think>A pear.\x01", "So?"], prompt="?<think>")
    engine = ChatEngine(letters, thinking_end="</think>")
    [row] = engine.sample([Request("p", tuple(letters.encode("a")))], GREEDY)
    assert [completion.text for completion in row] == ["A pear.", ""]
    with pytest.raises(SamplingError, match="begins the thinking block itself"):
        engine.keep_prefixes()
    assert engine.count(completion.token_ids for completion in row)["cut_in_thinking"] == 1


@pytest.mark.parametrize("response", RESPONSES)
def test_the_text_of_a_beginning_begins_the_text(response):
    """Or a search tree could not cut the response into nodes."""
    letters = Letters()
    engine = ChatEngine(letters, thinking_end="</think>", stop_strings=["###", "User:"])
    ids = letters.encode(response)
    texts = [engine.decode(ids[:end]) for end in range(len(ids) + 1)]
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert texts[-1] == RESPONSES[response]


def test_a_search_over_thinking_responses():
    from ifpref.curation.boundaries import Boundaries
    from ifpref.curation.scoring import Judgement
    from ifpref.curation.tree import Tree, insert

    letters = Letters(["<think>Hm. So?</think>A pear fell. It was ripe. ### no.\x01"])
    engine = ChatEngine(letters, thinking_end="</think>", stop_strings=["###"])
    [[completion]] = engine.sample([Request("p", (63,))], GREEDY)
    tree = Tree("p", (63,))
    judged = []

    def judge(text):
        judged.append(text)
        return Judgement((True,), 1.0)

    insert(tree, 0, completion, Boundaries(engine.decode), max_depth=9, judge=judge)
    assert judged == ["A pear fell. It was ripe. "]
    assert [node.text for node in tree.nodes[1:3]] == ["A pear fell.", " It was ripe."]
    assert sum((node.token_ids for node in tree.nodes), ()) == completion.token_ids


def test_the_system_prompt_stands_in_the_chat_template(loaded):
    engine = ChatEngine(TransformersEngine(loaded, 4), system_prompt="Answer briefly.")
    text = loaded.tokenizer.decode(engine.encode("Name a fruit."))
    assert text == "<user>system says Answer briefly.<user>user says Name a fruit.<assistant>"
    plain = ChatEngine(engine.engine, stop_strings=["#"])
    assert plain.encode("Name a fruit.") == engine.engine.encode("Name a fruit.")


def test_what_a_model_has_no_place_for_is_refused(loaded):
    from ifpref.models import load_model

    pocket = TransformersEngine(load_model("pocket"), 4)
    with pytest.raises(SamplingError, match=r"system_prompt: the model's chat template refuses it.*found system"):
        ChatEngine(pocket, system_prompt="Answer briefly.").encode("Name a fruit.")
    with pytest.raises(SamplingError, match=r"'</think>' is \d+ tokens of this model"):
        ChatEngine(TransformersEngine(loaded, 4), thinking_end="</think>")
    with pytest.raises(SamplingError, match="stop_strings"):
        ChatEngine(pocket, stop_strings=[""])


# ---- in a study


def pipeline(store, **overrides):
    from ifpref.pipeline.pipeline import Pipeline
    from ifpref.store import Store

    small = {"n_train_prompts": 2, "n_responses": 2, "shard_prompts": 2, "max_tokens": 24}
    return Pipeline(load_params("smoke", **small | overrides), Store(store))


def test_engines_are_in_the_keys_of_what_they_sample(tmp_path):
    from ifpref.pipeline.policies import Base
    from ifpref.pipeline.samples import Prompts, Responses, Trees

    def keys(**overrides):
        one = pipeline(tmp_path, **overrides)
        sampled = [one.key(Responses(0)), one.key(Trees("mcts", 0))]
        return sampled, one.key(Base("test", 0.0)), one.key(Prompts(0))

    plain, away = keys(), {"engine": "http", "engine_url": "http://a"}
    assert plain == keys(engine_url="http://a", sampling_batch_size=3)
    others = [keys(engine="batching"), keys(**away), keys(stop_strings=["#"]), keys(system_prompt="Be brief.")]
    assert len({key for sampled, _, _ in [plain, *others] for key in sampled}) == 10
    assert [other[1] == plain[1] for other in others] == [False, True, False, False]  # http evaluates as ever
    assert all(other[2] == plain[2] for other in others)
    assert keys(**away) == keys(engine="http", engine_url="http://b")


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"engine": "vllm"}, "one of transformers, batching, http"),
        ({"engine": "http"}, "engine_url = None"),
        ({"engine_url": f"http://me:{SECRET}@host"}, "holds a name or a password"),
        ({"system_prompt": ""}, "system_prompt = ''"),
        ({"stop_strings": [""]}, "stop_strings"),
    ],
)
def test_parameters(overrides, words):
    with pytest.raises(ParamsError, match=words) as caught:
        load_params("smoke", **overrides)
    assert SECRET not in str(caught.value)


def test_a_study_samples_from_a_server_and_writes_no_key(tmp_path, monkeypatch):
    from ifpref.pipeline.samples import Responses, Trees

    monkeypatch.setenv("HF_TOKEN", SECRET)
    monkeypatch.setenv(KEY, SECRET)
    pocket = read_tokenizer("pocket")
    ids = [*pocket.tokenizer.encode("The fox sleeps. # The end.", add_special_tokens=False), pocket.eos_ids[0]]
    with serving(lambda body: choice(ids), "pocket") as (url, headers):
        study = pipeline(tmp_path, engine="http", engine_url=url, stop_strings=["#"])
        handle, trees = study.get(Responses(0)), study.get(Trees("mcts", 0))
    rows = handle.read_jsonl("responses.jsonl.gz")
    assert [(row["token_ids"], row["text"], row["finish"]) for row in rows] == [(ids, "The fox sleeps. ", "stop")] * 4
    assert handle.read_json("chat.json") == {"responses": 4, "thinking": 0, "cut_in_thinking": 0, "stop_string": 4}
    of_trees = {"responses": 2, "thinking": 0, "cut_in_thinking": 0, "stop_string": 2}  # one and the same, of 2 prompts
    assert trees.read_json("chat.json") == of_trees
    assert "loaded" not in vars(study.model)  # no model was loaded here
    assert headers[0]["Authorization"] == f"Bearer {SECRET}"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    written = [gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in files]
    assert len(written) > 4 and not any(SECRET.encode() in each or url.encode() in each for each in written)
