"""`score_file`: joins, counts, accuracies worked out by hand, and one clear line for every malformed file."""

import dataclasses
import gzip
import json
import math
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError

import pytest

from ifpref.evaluation import Accuracy, ScoreError, Scores, score_file, sets
from ifpref.evaluation.files import main

COMMA, WORDS, TITLE = "punctuation:no_comma", "length_constraints:number_words", "detectable_format:title"
THREE_WORDS = {"num_words": 3, "relation": "at least"}

PROMPTS = [
    {"key": 1, "prompt": "One.", "instruction_id_list": [COMMA], "kwargs": [{}]},
    {"key": 2, "prompt": "Two.", "instruction_id_list": [COMMA, WORDS], "kwargs": [{}, THREE_WORDS]},
    {"key": 3, "prompt": "Three.", "instruction_id_list": [WORDS, WORDS], "kwargs": [THREE_WORDS, {**THREE_WORDS}]},
    {"key": 4, "prompt": "Four.", "instruction_id_list": [TITLE], "kwargs": [None]},
]
RESPONSES = [
    {"prompt": "One.", "response": "No commas."},  # yes
    {"prompt": "Two.", "response": "Well, here:\nno commas are here"},  # no (loosely yes), yes
    {"prompt": "Three.", "response": "Two words"},  # no, no
    {"prompt": "Four.", "response": "<<A title>>"},  # yes
]


def write(path: Path, rows: list) -> Path:
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def prompts(tmp_path) -> Path:
    return write(tmp_path / "prompts.jsonl", PROMPTS)


@pytest.fixture
def responses(tmp_path) -> Path:
    return write(tmp_path / "responses.jsonl", RESPONSES)


def test_accuracies(responses, prompts):
    scores = score_file(responses, prompts)
    error = math.sqrt(0.5 * 0.5 / 3)
    assert scores.prompt_level_strict == Accuracy(0.5, 2, 4, pytest.approx(error))
    assert scores.prompt_level_loose == Accuracy(0.75, 3, 4, pytest.approx(math.sqrt(0.75 * 0.25 / 3)))
    assert scores.instruction_level_strict == Accuracy(3 / 6, 3, 6)
    assert scores.instruction_level_loose == Accuracy(4 / 6, 4, 6)
    assert scores.ids == {
        WORDS: {"strict": Accuracy(1 / 3, 1, 3), "loose": Accuracy(1 / 3, 1, 3)},  # a repeated id counts twice
        TITLE: {"strict": Accuracy(1.0, 1, 1), "loose": Accuracy(1.0, 1, 1)},
        COMMA: {"strict": Accuracy(0.5, 1, 2), "loose": Accuracy(1.0, 2, 2)},
    }
    assert list(scores.groups) == ["length_constraints", "detectable_format", "punctuation"]
    assert scores.groups["punctuation"] == scores.ids[COMMA]
    assert scores.unanswered == scores.unmatched == scores.repeated == ()
    assert scores.backends["language"]["seed"] == 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        scores.unanswered = (1,)


def test_a_group_pools_its_ids(tmp_path):
    one = {"instruction_id_list": [WORDS, "length_constraints:number_sentences"]}
    one["kwargs"] = [THREE_WORDS, {"num_sentences": 2, "relation": "at least"}]
    path = write(tmp_path / "r.jsonl", [{"prompt": "p", "response": "Only one sentence.", **one}])
    assert score_file(path).groups == {"length_constraints": dict.fromkeys(("strict", "loose"), Accuracy(0.5, 1, 2))}


def test_what_does_not_join_is_counted_and_not_scored(tmp_path, prompts):
    rows = [*RESPONSES[:2], {"prompt": "one.", "response": "x"}, {"prompt": "Five.", "response": "x"}]
    scores = score_file(write(tmp_path / "r.jsonl", rows), prompts)
    assert scores.prompt_level_strict.n == 2
    assert scores.unanswered == (3, 4)
    assert scores.unmatched == (3, 4)  # line numbers; prompts join exactly, case and all
    assert "prompts without a response, not scored: 2 (keys 3, 4)" in scores.table()
    assert "responses to none of the prompts, not scored: 2 (lines 3, 4)" in scores.table()


def test_the_last_of_several_answers_counts(tmp_path, prompts):
    rows = [{"prompt": "One.", "response": "a, b"}, RESPONSES[3], {"prompt": "One.", "response": "a b"}]
    scores = score_file(write(tmp_path / "r.jsonl", rows), prompts)
    assert scores.prompt_level_strict == Accuracy(1.0, 2, 2, 0.0)
    assert scores.repeated == (1,)
    assert "replaced by a later one to the same prompt: 1 (lines 1)" in scores.table()


def test_a_prompt_that_stands_twice_is_scored_once_and_counted(tmp_path, responses):
    again = {**PROMPTS[1], "key": 9}
    again["instruction_id_list"], again["kwargs"] = PROMPTS[1]["instruction_id_list"][::-1], [THREE_WORDS, None]
    path = write(tmp_path / "p.jsonl", [*PROMPTS, again, PROMPTS[0]])
    scores = score_file(responses, path)
    assert scores.duplicates == (5, 6) and scores.unanswered == ()
    assert scores.prompt_level_strict.n == 4 and scores.instruction_level_strict.n == 6
    assert "prompts that an earlier line has too, scored once: 2 (lines 5, 6)" in scores.table()
    assert score_file(responses, write(path, PROMPTS)) == dataclasses.replace(scores, duplicates=())


@pytest.mark.parametrize(
    "change",
    [
        {"instruction_id_list": [TITLE]},
        {"instruction_id_list": [COMMA, COMMA], "kwargs": [{}, {}]},
        {"instruction_id_list": [WORDS], "kwargs": [THREE_WORDS]},
    ],
)
def test_a_prompt_that_stands_twice_with_other_constraints_is_refused(tmp_path, responses, change):
    path = write(tmp_path / "p.jsonl", [PROMPTS[0], "", {**PROMPTS[0], **change}])
    with pytest.raises(ScoreError, match=r"p.jsonl:3: the prompt of line 1 with other constraints; allowed: the same"):
        score_file(responses, path)


def test_responses_may_carry_their_constraints(tmp_path, responses, prompts):
    own = [{**prompt, **response} for prompt, response in zip(PROMPTS, RESPONSES, strict=True)]
    assert score_file(write(tmp_path / "own.jsonl", own)) == score_file(responses, prompts)
    # Every line is scored then, several samples of one prompt too.
    assert score_file(write(tmp_path / "own.jsonl", own * 3)).prompt_level_strict.n == 12
    # A file of prompts goes before what the responses carry.
    other = write(tmp_path / "other.jsonl", [{**PROMPTS[0], "instruction_id_list": [TITLE]}])
    assert list(score_file(tmp_path / "own.jsonl", other).ids) == [TITLE]


def test_blank_lines_and_a_byte_order_mark_are_fine(tmp_path, prompts):
    path = tmp_path / "r.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(RESPONSES[0]).encode() + b"\r\n\n  \n")
    assert score_file(path, prompts).prompt_level_strict.n == 1


def test_line_separators_within_a_response_do_not_end_its_line(tmp_path, prompts):
    path = write(tmp_path / "r.jsonl", [{"prompt": "One.", "response": "a\u2028b\x85c"}])
    assert score_file(path, prompts).prompt_level_strict.n == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"prompt": "One.", "response": ', r"r.jsonl:2: Invalid JSON: .*, found "),
        ('["One."]', r"r.jsonl:2: Input should be an object, found \['One.'\]"),
        ("null", r"r.jsonl:2: Input should be an object, found None"),
        ('{"prompt": "One.", "answer": "x"}', r"r.jsonl:2: response: Field required, found .*'answer': 'x'"),
        ('{"prompt": "One.", "response": null}', r"r.jsonl:2: response: Input should be a valid string, found None"),
        ('{"prompt": 5, "response": "x"}', r"r.jsonl:2: prompt: Input should be a valid string, found 5"),
        ("[" * 100_000, r"r.jsonl:2: Invalid JSON: recursion limit exceeded"),
    ],
)
def test_a_malformed_response_is_refused_by_number(tmp_path, prompts, line, message):
    path = write(tmp_path / "r.jsonl", [RESPONSES[0], line, RESPONSES[1]])
    with pytest.raises(ScoreError, match=message):
        score_file(path, prompts)


def test_bytes_that_are_no_text_are_refused_by_number(tmp_path, prompts):
    (tmp_path / "r.jsonl").write_bytes(json.dumps(RESPONSES[0]).encode() + b'\n{"prompt": "\xff"}\n')
    with pytest.raises(ScoreError, match=r"r.jsonl:2: Invalid JSON: invalid unicode code point at line 1 column 13"):
        score_file(tmp_path / "r.jsonl", prompts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"instruction_id_list": ["keywords:existance"]}, r"p.jsonl:1: unknown constraint id .*keywords:existence"),
        ({"instruction_id_list": [WORDS]}, r"p.jsonl:1: length_constraints:number_words: argument 'num_words' is miss"),
        ({"kwargs": []}, r"p.jsonl:1: 1 ids in instruction_id_list and 0 entries in kwargs"),
        ({"instruction_id_list": [], "kwargs": []}, r"p.jsonl:1: 0 ids in instruction_id_list"),
        ({"kwargs": [5]}, r"p.jsonl:1: punctuation:no_comma: kwargs must be a mapping"),
        ({"kwargs": "{}"}, r"p.jsonl:1: kwargs: Input should be a valid array, found '\{\}'"),
        (
            {"instruction_id_list": [[COMMA]]},
            r"p.jsonl:1: instruction_id_list: 0: .* valid string, found \['punct",
        ),
        ({"kwargs": [{"colour": 5}]}, r"p.jsonl:1: punctuation:no_comma: unknown argument 'colour'"),
    ],
)
def test_a_malformed_prompt_is_refused_by_number(tmp_path, responses, change, message):
    path = write(tmp_path / "p.jsonl", [{**PROMPTS[0], **change}])
    with pytest.raises(ScoreError, match=message):
        score_file(responses, path)


def test_a_prompt_without_a_response_is_checked_too(tmp_path, responses):
    path = write(tmp_path / "p.jsonl", [*PROMPTS, {**PROMPTS[0], "prompt": "New.", "instruction_id_list": ["x:y"]}])
    with pytest.raises(ScoreError, match=r"p.jsonl:5: unknown constraint id 'x:y'"):
        score_file(responses, path)


def test_nothing_to_score(tmp_path, prompts):
    with pytest.raises(ScoreError, match="holds no responses"):
        score_file(write(tmp_path / "r.jsonl", []), prompts)
    with pytest.raises(ScoreError, match=r"none of its 1 prompts is among the 4 of .*prompts.jsonl"):
        score_file(write(tmp_path / "r.jsonl", [{"prompt": "Six.", "response": "x"}]), prompts)
    with pytest.raises(ScoreError, match=r"no.jsonl: cannot be read: No such file"):
        score_file(tmp_path / "no.jsonl", prompts)


def test_prompts_may_be_named_by_the_environment(responses, prompts, monkeypatch):
    monkeypatch.setenv("IFEVAL_PROMPTS", str(prompts))
    assert score_file(responses) == score_file(responses, prompts)


@pytest.mark.parametrize("offline", [True, False], ids=["offline", "unreachable"])
def test_without_prompts_and_hub_an_error_says_what_to_do(responses, monkeypatch, tmp_path, capsys, offline):
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.delenv("IFEVAL_PROMPTS", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)

    def unreachable(url: str, timeout: float) -> None:
        assert url.endswith("/ifeval_input_data.jsonl") and timeout <= 10
        raise URLError("no route to host")

    monkeypatch.setattr("ifpref.evaluation.sets.urlopen", unreachable)
    assert main([str(responses)]) == 1
    error = capsys.readouterr().err
    assert ("HF_HUB_OFFLINE is set" if offline else "no route to host") in error
    assert "IFEval's prompts cannot be fetched" in error and "PROMPTS=input_data.jsonl" in error


def test_a_copy_in_the_hubs_cache_is_used_without_the_network(responses, prompts, monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.delenv("IFEVAL_PROMPTS", raising=False)
    asked = []
    monkeypatch.setattr(hub, "try_to_load_from_cache", lambda *names, **how: asked.append((names, how)) or str(prompts))
    assert score_file(responses) == score_file(responses, prompts)
    repository, file, revision = sets.IFEVAL_ON_HUB
    assert len(revision) == 40  # a commit: the prompts cannot change under us
    assert asked == [((repository, file), {"repo_type": "dataset", "revision": revision})]


class Hub(BaseHTTPRequestHandler):
    """Answers every request with `head`, or byte by byte with a pause where `pause` is set."""

    head, pause = b"", 0.0

    def do_GET(self):
        try:
            for byte in [self.head] if not self.pause else (self.head[i : i + 1] for i in range(len(self.head))):
                self.wfile.write(byte)
                time.sleep(self.pause)
        except OSError:
            pass  # who asked has gone

    def log_message(self, *line):
        pass


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A server of the test's own in place of the hub, and nothing in the hub's cache."""
    constants, library = pytest.importorskip("huggingface_hub.constants"), pytest.importorskip("huggingface_hub")
    monkeypatch.delenv("IFEVAL_PROMPTS", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/prompts.jsonl"
    monkeypatch.setattr(library, "hf_hub_url", lambda *names, **how: url)
    yield Hub
    Hub.head, Hub.pause = b"", 0.0
    server.shutdown()
    server.server_close()


def test_a_page_of_a_captive_portal_is_not_taken_for_prompts(hub, responses, capsys):
    hub.head = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<!DOCTYPE html><html>Log in</html>"
    assert main([str(responses)]) == 1
    error = capsys.readouterr().err
    assert "answers, but not in lines of JSON: the network may want a login" in error and error.count("\n") == 1


@pytest.mark.parametrize(
    "head", [b"HTTP/1.0 200 OK\r\n" + b"X-A: b\r\n" * 900, b"HTTP/1.0 200 OK\r\n\r\n" + b" " * 9000]
)
def test_a_hub_that_drips_is_given_up_in_time(hub, responses, monkeypatch, head):
    hub.head, hub.pause = head, 0.05
    monkeypatch.setattr(sets, "FETCH_S", 0.5)
    start = time.monotonic()
    with pytest.raises(ScoreError, match=r"cannot be fetched from the hub \(no whole answer within 0.5 s\)"):
        score_file(responses)
    assert time.monotonic() - start < 5


def test_what_is_no_http_at_all_is_an_error_of_one_line(hub, responses, capsys):
    hub.head = b"SSH-2.0-OpenSSH_9.6\r\n"
    assert main([str(responses)]) == 1
    error = capsys.readouterr().err
    assert "IFEval's prompts cannot be fetched" in error and error.count("\n") == 1


def test_the_command_prints_a_table_and_writes_json(responses, prompts, tmp_path, capsys):
    out = tmp_path / "new" / "scores.json"
    assert main([str(responses), "--prompts", str(prompts), "--out", str(out)]) == 0
    table = capsys.readouterr().out.splitlines()
    assert [line.split() for line in table[:2]] == [["strict", "loose", "n"], ["prompt-level", "0.5000", "0.7500", "4"]]
    found = json.loads(out.read_text())
    assert found["prompt_level_strict"]["accuracy"] == 0.5
    assert found["ids"][WORDS]["strict"] == {"accuracy": 1 / 3, "correct": 1, "n": 3, "standard_error": None}
    assert set(found) == {field.name for field in dataclasses.fields(Scores)}


def test_the_command_ends_with_one_line_for_a_malformed_file(tmp_path, prompts):
    path = write(tmp_path / "r.jsonl", ["{"])
    command = [sys.executable, "-m", "ifpref.evaluation", str(path), "--prompts", str(prompts)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1 and run.stdout == ""
    assert run.stderr.startswith(f"error: {path}:1: Invalid JSON: ") and run.stderr.count("\n") == 1


def test_official_prompts_and_a_real_file_of_responses(ifeval, tmp_path):
    """The four accuracies of one set are the means of IFEval's own verdicts, where those are not drawn at random."""
    with gzip.open(ifeval / "conformance.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    rows = [row for row in rows if row["set"] == "podtech-gpt4"]
    path = write(tmp_path / "r.jsonl", [{"prompt": row["prompt"], "response": row["response"]} for row in rows])
    scores = score_file(path, ifeval / "input_data.jsonl")
    assert scores.unanswered == (2785,) and scores.unmatched == ()  # a prompt that IFEval changed later
    for mode in ("strict", "loose"):
        drawn = [not all(row["deterministic"]) for row in rows]
        prompt_level = sum(all(row[f"rerun_{mode}"]) for row in rows)
        found: Accuracy = getattr(scores, f"prompt_level_{mode}")
        assert found.n == 540 and abs(found.correct - prompt_level) <= sum(drawn) == 2
        id_level = sum(row[f"rerun_{mode}"][i] for row in rows for i in range(len(row["kwargs"])))
        assert abs(getattr(scores, f"instruction_level_{mode}").correct - id_level) <= 2
