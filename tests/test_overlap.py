"""Near-duplicates and shared word runs, on texts whose answers are worked out by hand."""

import dataclasses
import gzip
import http.server
import json
import logging
import os
import random
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifpref.prompts import ifeval_prompts
from ifpref.prompts.ifeval_prompts import load_ifeval_prompts
from ifpref.prompts.overlap import near_duplicates, ngram_overlap, words_of

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def line(words: str) -> str:
    """A text of one-letter words: "abc" is "a b c"."""
    return " ".join(words)


def test_words():
    assert words_of("Don't STOP, it’s *bold* - 3 times!") == ("don't", "stop", "it’s", "bold", "3", "times")
    assert words_of("*** [name] <<title>>_x") == ("name", "title", "x")
    assert words_of("*** --- !") == ()


def test_one_word_exchanged():
    """ab..j has the triples abc bcd ... hij (8); with x for j, 7 of them and hix: 7 shared of 9."""
    found = near_duplicates([line("abcdefghij"), line("klmnopqrst"), line("abcdefghix")], threshold=7 / 9)
    assert (found.with_neighbour, found.pairs) == (2, 1)
    assert found.examples == ((7 / 9, 0, 2),)
    assert near_duplicates([line("abcdefghij"), line("abcdefghix")], threshold=0.78).pairs == 0


@pytest.mark.parametrize(
    ("exchanged", "similarity"),
    [
        ([30], 55 / 61),
        ([20, 40], 52 / 64),
        ([15, 30, 45], 49 / 67),
        (range(24, 36), 44 / 72),
        ([59], 57 / 59),
    ],
)
def test_the_figures_of_the_docstring(exchanged, similarity):
    words = [f"w{n}" for n in range(60)]
    other = [f"x{n}" if n in exchanged else word for n, word in enumerate(words)]
    ((found, *_),) = near_duplicates([" ".join(words), " ".join(other)], threshold=0.5).examples
    assert found == pytest.approx(similarity)


def test_a_word_exchanged_in_a_short_prompt():
    words = list(LETTERS[:20])
    words[10] = "zz"
    ((found, *_),) = near_duplicates([line(LETTERS[:20]), " ".join(words)], threshold=0.6).examples
    assert found == pytest.approx(15 / 21)


def test_identical_texts_are_counted_in_pairs():
    """Three copies (capitals and punctuation aside) are 3 pairs; with one near-duplicate of them, 3 more."""
    texts = [
        line("abcdefghij"),
        line("ABCDEFGHIJ") + "!",
        line("abcdefghij"),
        line("abcdefghix"),
        line("klmno"),
    ]
    found = near_duplicates(texts, threshold=0.7)
    assert (found.with_neighbour, found.pairs) == (4, 6)
    assert [pair for _, *pair in found.examples] == [[0, 1], [0, 2], [1, 2], [0, 3], [1, 3]]


def test_the_order_of_words_counts():
    assert near_duplicates([line("abcdef"), line("fedcba")], threshold=0.1).pairs == 0
    assert near_duplicates([line("aaabbb"), line("aaaabbbb")], threshold=1).pairs == 1  # the same triples


def test_short_and_empty_texts():
    """A text shorter than a shingle is one shingle; texts without a word are like no other."""
    found = near_duplicates(["a b", "a b!", "a", "***", "", "b a"], threshold=0.5)
    assert (found.with_neighbour, found.pairs) == (2, 1)
    assert near_duplicates([]).pairs == 0
    assert near_duplicates([line("abc")]).pairs == 0


def test_repeated_shingles_count_once():
    """a a a a a has one triple, so it is the same set as a a a."""
    found = near_duplicates(["a a a a a", "a a a"], threshold=1)
    assert (found.pairs, found.examples[0]) == (1, (1.0, 0, 1))


def random_texts(seed: int, n: int, length: int = 30) -> list[str]:
    """Texts and, for two thirds of them, a copy with a few words exchanged."""
    rng = random.Random(seed)
    texts = []
    for _ in range(n):
        words = [
            rng.choice(["river", "stone", "mill", "bridge", "fox", "lamp"]) + str(rng.randrange(30))
            for _ in range(length)
        ]
        texts.append(" ".join(words))
        for _ in range(rng.choice((0, 1, 1))):
            texts.append(" ".join("other" if rng.random() < 0.06 else word for word in words))
    return texts


def by_brute_force(texts: list[str], threshold: float) -> set[tuple[int, int]]:
    sets = [set(zip(w, w[1:], w[2:], strict=False)) for w in map(words_of, texts)]
    return {
        (i, j)
        for j in range(len(sets))
        for i in range(j)
        if len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= threshold
    }


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.8, 0.9])
def test_as_many_as_by_brute_force(threshold):
    """No pair too many, and at most one in a hundred too few."""
    texts = random_texts(seed=1, n=500)
    expected = by_brute_force(texts, threshold)
    found = near_duplicates(texts, threshold)
    assert len(expected) > 40
    assert 0.99 * len(expected) <= found.pairs <= len(expected)
    assert {(first, second) for _, first, second in found.examples} <= expected


def test_examples_are_the_most_similar_first():
    texts = random_texts(seed=2, n=100)
    similarities = [similarity for similarity, *_ in near_duplicates(texts, 0.5).examples]
    assert similarities == sorted(similarities, reverse=True)
    assert len(similarities) == 5


def test_the_same_seed_gives_the_same_result_in_another_process():
    texts = random_texts(seed=3, n=60)
    code = (
        "import dataclasses, json, sys; from ifpref.prompts.overlap import near_duplicates;"
        "print(json.dumps(dataclasses.asdict(near_duplicates(json.load(sys.stdin), 0.6))))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(texts),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == json.loads(json.dumps(dataclasses.asdict(near_duplicates(texts, 0.6))))


def test_runs_that_are_shared():
    """The second text shares b c d e with the first reference; the third shares d e f g h with the second."""
    texts = [line("xyz"), "B, c. d *e*! x", "x " + line("defgh") + " y"]
    found = ngram_overlap(texts, [line("abcdef"), line("cdefghi")], n=4)
    assert (found.texts, found.references, found.n, found.hit) == (3, 2, 4, (1, 2))
    assert found.longest == ("d e f g h", "b c d e")


def test_runs_within_a_longer_one_are_left_out():
    found = ngram_overlap(["a b c a b", "a b", "b c", "z a b"], ["a b c"], n=2)
    assert found.hit == (0, 1, 2, 3)
    assert found.longest == ("a b c",)  # "a b" and "b c" are parts of it


def test_n_is_the_shortest_run_that_counts():
    text, ref = line(LETTERS[:7]), line("z" + LETTERS[:7] + "z")
    assert ngram_overlap([text], [ref], n=7).hit == (0,)
    assert ngram_overlap([text], [ref], n=8).hit == ()
    assert ngram_overlap([line(LETTERS[:7])], [line(LETTERS[:6])], n=7).hit == ()


def test_a_run_does_not_go_on_across_references():
    """b c d e f is in neither reference, though each of its triples is in one of them."""
    found = ngram_overlap([line("bcdef")], [line("bcde"), line("cdef")], n=3)
    assert sorted(found.longest) == ["b c d e", "c d e f"]


def test_nothing_to_compare():
    empty = ngram_overlap([], ["a b c"], n=2)
    assert (empty.hit, empty.longest) == ((), ())
    assert ngram_overlap(["a b c"], [], n=2).hit == ()


@settings(max_examples=200, database=None)
@given(
    st.lists(st.text("abc ", max_size=12), max_size=4),
    st.lists(st.text("abc ", max_size=12), max_size=4),
    st.integers(1, 4),
)
def test_hits_are_those_of_the_definition(texts, references, n):
    def grams(text):
        words = text.split()
        return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}

    known = set().union(*map(grams, references))
    found = ngram_overlap(texts, references, n)
    assert found.hit == tuple(i for i, text in enumerate(texts) if grams(text) & known)
    runs = found.longest
    assert bool(runs) == bool(found.hit) and not any(f" {a} " in f" {b} " for a in runs for b in runs if a != b)
    for run in runs:
        assert len(run.split()) >= n
        assert any(f" {run} " in f" {' '.join(texts[position].split())} " for position in found.hit)
        assert any(f" {run} " in f" {' '.join(reference.split())} " for reference in references)


def rows(*prompts: str) -> bytes:
    return b"".join(json.dumps({"key": 1, "prompt": p}, ensure_ascii=False).encode() + b"\n" for p in prompts)


def test_prompts_from_a_file(tmp_path):
    """A line separator inside a prompt does not end its line; blank lines are no rows."""
    content = rows("Write a\u2028song.", 'Say "hi".') + b"\n"
    (tmp_path / "a.jsonl").write_bytes(content)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(content))
    for name in ("a.jsonl", "b.jsonl.gz"):
        assert load_ifeval_prompts(tmp_path / name) == ["Write a\u2028song.", 'Say "hi".']
        assert load_ifeval_prompts(str(tmp_path / name)) == ["Write a\u2028song.", 'Say "hi".']


def test_the_541_prompts(ifeval):
    prompts = load_ifeval_prompts(ifeval / "input_data.jsonl")
    assert len(prompts) == 541
    assert prompts[0].startswith("Write a 300+ word summary")
    assert ngram_overlap(prompts[:3], prompts, n=13).hit == (0, 1, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"prompt": "a"}\n{"prompt": \n', "a.jsonl, line 2: not JSON"),
        (
            b'{"text": "a"}\n',
            'a.jsonl, line 1: expected an object with a string \'prompt\', found {"text": "a"}',
        ),
        (b'\n["a"]\n', "a.jsonl, line 2: expected an object"),
        (b'{"prompt": null}\n', "a.jsonl, line 1: expected an object with a string 'prompt'"),
        (b"\xff\n", "a.jsonl, line 1: not JSON"),
    ],
)
def test_a_line_that_is_no_row(tmp_path, content, message):
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_ifeval_prompts(tmp_path / "a.jsonl")


@pytest.mark.parametrize(
    "path",
    [
        "prompts.jsonl",
        "data/prompts.jsonl",
        "/no/such/file.jsonl",
        "a/b/c",
        "IFEval",
        "../x",
        "data/rows.jsonl.gz",
    ],
)
def test_a_path_that_is_not_there(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=path):
        load_ifeval_prompts(path)
    with pytest.raises(FileNotFoundError, match="owner/name"):
        load_ifeval_prompts(tmp_path / "google" / "IFEval")


class Hub:
    """A hub on this machine that answers every request with one status and body, and counts them.

    delay  seconds before the answer; `drip` seconds between two bytes of it
    """

    def __init__(
        self,
        status: int,
        delay: float = 0,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b'{"id": "google/IFEval"}',
        drip: float = 0,
    ) -> None:
        hub, self.asked = self, []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                hub.asked.append(self.path)
                time.sleep(delay)
                self.send_response(status)
                for header in headers:
                    self.send_header(*header)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                for byte in body if drip else (body,):
                    self.wfile.write(bytes([byte]) if drip else byte)
                    time.sleep(drip)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def point_to(monkeypatch):
    """Makes an address the hub, online, without a proxy."""

    def point(url: str) -> None:
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "ENDPOINT", url)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("no_proxy", "*")

    return point


@pytest.fixture
def hub(point_to):
    servers = []

    def start(status: int, **options) -> Hub:
        servers.append(Hub(status, **options))
        point_to(servers[-1].url)
        return servers[-1]

    yield start
    for started in servers:
        started.server.shutdown()
        started.server.server_close()


def test_a_hub_that_refuses_connections(point_to, caplog):
    point_to("http://127.0.0.1:9")
    started = time.perf_counter()
    with caplog.at_level(logging.WARNING):
        assert load_ifeval_prompts("google/IFEval") is None
    assert time.perf_counter() - started < 5
    (record,) = caplog.records
    assert record.getMessage().startswith("google/IFEval: the hub is out of reach (")
    assert "\n" not in record.getMessage()


def test_a_hub_that_does_not_answer(hub, monkeypatch):
    hub(200, delay=1.5)
    monkeypatch.setattr(ifeval_prompts, "_PATIENCE", 0.2)
    started = time.perf_counter()
    assert load_ifeval_prompts("google/IFEval") is None
    assert time.perf_counter() - started < 1.4


def test_a_hub_that_answers_in_drops(hub, monkeypatch):
    hub(200, drip=0.1)
    monkeypatch.setattr(ifeval_prompts, "_PATIENCE", 0.4)
    started = time.perf_counter()
    assert load_ifeval_prompts("google/IFEval") is None
    assert time.perf_counter() - started < 1.5


def test_a_page_in_place_of_the_hub(hub, caplog):
    hub(200, body=b"<html>Welcome to the hotel. Please sign in.</html>")
    with caplog.at_level(logging.WARNING):
        assert load_ifeval_prompts("google/IFEval") is None
    assert "the hub is out of reach" in caplog.text


@pytest.mark.parametrize("status", [500, 503, 429, 403, 404])
def test_a_hub_that_is_down_or_a_proxy_that_refuses(hub, status):
    hub(status)
    assert load_ifeval_prompts("google/IFEval") is None


@pytest.mark.parametrize(("status", "headers"), [(401, ()), (404, (("X-Error-Code", "RepoNotFound"),))])
def test_an_id_that_the_hub_does_not_know(hub, status, headers):
    hub(status, headers=headers)
    with pytest.raises(ValueError, match=rf"google/IFEvl: the hub has no such dataset.*{status}"):
        load_ifeval_prompts("google/IFEvl")


def test_a_hub_that_is_there(hub, monkeypatch):
    import datasets

    asked = hub(200).asked
    calls = []

    def load_dataset(name, split):
        calls.append((name, split))
        return datasets.Dataset.from_dict({"key": [1, 2], "prompt": ["Sing.", "Dance."]})

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    assert load_ifeval_prompts("google/IFEval") == ["Sing.", "Dance."]
    assert calls == [("google/IFEval", "train")]
    assert asked == ["/api/datasets/google/IFEval"]


def test_a_dataset_without_prompts(hub, monkeypatch):
    import datasets

    hub(200)
    other = datasets.Dataset.from_dict({"text": ["Sing."]})
    monkeypatch.setattr(datasets, "load_dataset", lambda name, split: other)
    with pytest.raises(ValueError, match="google/IFEval: expected a column 'prompt', found text"):
        load_ifeval_prompts("google/IFEval")


def test_offline_the_hub_is_not_asked(hub, monkeypatch, tmp_path):
    import datasets
    from huggingface_hub import constants

    asked = hub(200).asked
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    def load_dataset(name, split):
        raise ConnectionError("offline, and not in the cache")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    assert load_ifeval_prompts("google/IFEval") is None
    assert asked == []
