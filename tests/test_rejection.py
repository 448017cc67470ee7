"""Rejection sampling, and what it shares with trees: artefacts in shards, killed and continued.

The process that is killed for real is this file, run as a script.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from scripted import ScriptedEngine

from ifpref.constraints import Constraint, verify
from ifpref.curation import SearchSettings, respond
from ifpref.pipeline.samples import Responses, ResponseSettings, Trees, TreeSettings
from ifpref.sampling import Settings
from ifpref.store import Artefact, Store
from ifpref.store.shards import write_shards

SAMPLING = Settings(max_tokens=12, seed=5)
STORIES = {"The sun is out.": 2.0, "The sun is out. Rain!": 1.0, "No rain, no sun. The end.": 1.0, "Rain": 0.5}
RAIN, COMMA = (
    {"id": "keywords:existence", "kwargs": {"keywords": ["rain"]}},
    {"id": "punctuation:no_comma", "kwargs": {}},
)
# kwargs come as objects, and as JSON where a Dataset holds them
PROMPTS = [{"prompt_id": f"p{n}", "text": f"Tell story {n}.", "constraints": [RAIN, COMMA]} for n in range(10)]
PROMPTS[3]["constraints"] = [
    {"id": constraint["id"], "kwargs": json.dumps(constraint["kwargs"])} for constraint in (RAIN, COMMA)
]
N = 6


class Interrupted(ScriptedEngine):
    """Raises KeyboardInterrupt instead of its call number `last`; `delay` seconds a call."""

    def __init__(self, last=None, delay=0.0):
        super().__init__({prompt["text"]: STORIES for prompt in PROMPTS})
        self.last, self.delay = last, delay

    def sample(self, requests, settings):
        if self.calls == self.last:
            raise KeyboardInterrupt
        time.sleep(self.delay)
        return super().sample(requests, settings)


def test_rows_worked_out_by_hand():
    engine = Interrupted()
    rows = respond(PROMPTS, engine, SAMPLING, N)
    assert engine.calls == 1 and len(rows) == 10 * N
    assert [(row["prompt_id"], row["sample"]) for row in rows] == [(f"p{n}", j) for n in range(10) for j in range(N)]
    expected = {  # rain?, no comma?
        "The sun is out.": ([False, True], 0.5),
        "The sun is out. Rain!": ([True, True], 1.0),
        "No rain, no sun. The end.": ([True, False], 0.5),
        "Rain": ([True, True], 1.0),
    }
    assert {row["text"] for row in rows} == set(expected)
    constraints = [Constraint(one["id"], one["kwargs"]) for one in (RAIN, COMMA)]
    for row in rows:
        assert (row["verdicts"], row["score"]) == expected[row["text"]]
        assert row["verdicts"] == verify(row["text"], constraints)
        assert row["finish"] == "stop" and row["token_ids"][-1] in engine.eos_ids
        assert engine.decode(row["token_ids"]) == row["text"] and row["logprob"] < 0
    assert json.loads(json.dumps(rows)) == rows


def test_a_response_depends_on_its_prompt_and_number_alone():
    rows = respond(PROMPTS, Interrupted(), SAMPLING, N)
    few = respond(PROMPTS[4:6][::-1], Interrupted(), SAMPLING, 2)
    assert few == [row for n in (5, 4) for row in rows if row["prompt_id"] == f"p{n}" and row["sample"] < 2]
    assert rows != respond(PROMPTS, Interrupted(), Settings(max_tokens=12, seed=6), N)


def test_a_response_that_is_cut_is_judged_as_it_is():
    rows = respond(PROMPTS, Interrupted(), Settings(max_tokens=3), N)
    assert {row["finish"] for row in rows if not row["text"].startswith("Rain")} == {"length"}
    assert {row["text"]: row["score"] for row in rows if row["finish"] == "length"} == {
        "The sun is": 0.5,
        "No rain,": 0.5,
    }


@pytest.mark.parametrize(
    ("prompts", "size", "message"),
    [
        ([], 4, "x.jsonl: there are no prompts"),
        ([PROMPTS[1], PROMPTS[0], PROMPTS[1]], 4, "x.jsonl: prompt_id 'p1' is given twice"),
    ],
)
def test_what_cannot_be_cut_into_shards(prompts, size, message):
    with pytest.raises(ValueError, match=message):
        write_shards(None, "x.jsonl", prompts, list, size=size)


# ---- killed and continued; shards of 4, 4 and 2 prompts

KINDS = ("rs", "mcts", "rs_branched")


def stage(kind, engine, prompts=PROMPTS):
    """What makes the artefact of responses or trees: the stage's `make`, of this engine and these prompts."""
    how = {"temperature": 1.0, "top_p": 1.0, "max_tokens": SAMPLING.max_tokens, "shard_prompts": 4, "speaking": None}
    if kind == "rs":
        make, settings = Responses.make, ResponseSettings(n_responses=N, stream="", **how)
    else:
        make, settings = Trees.make, TreeSettings(search=SearchSettings(kind, budget=N), scorer="verifier", **how)
    job = SimpleNamespace(
        settings=settings,
        inputs={"prompts": SimpleNamespace(read_jsonl=lambda name: prompts)},
        model=SimpleNamespace(engine=lambda speaking: engine),
        seed=SAMPLING.seed,
    )
    return lambda writer: make(job, writer)


def make(kind, root, engine):
    """The artefact of responses or trees under `root`."""
    return Store(root).get(Artefact(kind), stage(kind, engine))


def contents(handle):
    """All bytes; of the manifest all but "made", which is about the run."""
    files = {path.name: path.read_bytes() for path in handle.folder.iterdir()}
    manifest = json.loads(files.pop("manifest.json"))
    del manifest["made"]
    return files | {"manifest": manifest}


@pytest.mark.parametrize("kind", KINDS)
def test_stopped_at_any_call_and_continued_it_is_the_same(kind, tmp_path):
    engine = Interrupted()
    whole = contents(make(kind, tmp_path / "whole", engine))
    a_shard = 1 if kind == "rs" else N
    assert engine.calls == 3 * a_shard
    assert len(whole) == 4  # three shards, the manifest
    for last in range(engine.calls):
        again = Interrupted()
        with pytest.raises(KeyboardInterrupt):
            make(kind, tmp_path / f"{last}", Interrupted(last))
        assert contents(make(kind, tmp_path / f"{last}", again)) == whole
        assert again.calls == engine.calls - last + last % a_shard  # only the shard under way is made again


def test_a_shard_of_other_prompts_is_made_again(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        Store(tmp_path).get(Artefact("responses"), stage("rs", Interrupted(2), PROMPTS[::-1]))
    again = Store(tmp_path).get(Artefact("responses"), stage("rs", Interrupted()))
    assert again.read_jsonl("responses.jsonl.gz") == respond(PROMPTS, Interrupted(), SAMPLING, N)


@pytest.mark.parametrize("kind", ["rs", "mcts"])
def test_killed_for_real_and_continued_it_is_the_same(kind, tmp_path, root):
    whole = contents(make(kind, tmp_path / "whole", Interrupted()))
    folder = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, __file__, kind, str(folder)], env=os.environ | {"PYTHONPATH": str(root)}
    )
    try:
        deadline = time.monotonic() + 60
        while not list(folder.rglob("*-00001.jsonl.gz")):  # the second shard is there
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert not list(folder.rglob("manifest.json"))
    engine = Interrupted()
    assert contents(make(kind, folder, engine)) == whole
    assert engine.calls <= (2 if kind == "rs" else 2 * N)


if __name__ == "__main__":
    make(sys.argv[1], Path(sys.argv[2]), Interrupted(delay=0.1 if sys.argv[1] == "mcts" else 0.6))
