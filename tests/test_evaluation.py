"""Policy evaluation: tables and summaries by hand, log-probabilities against plain torch, a run that was killed."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from urllib.error import URLError

import numpy as np
import pytest
from scripted import ScriptedEngine
from tiny_models import ASSISTANT, BOS, EOS, USER, save_base

from ifpref.constraints import verify
from ifpref.evaluation import ScoreError, Table
from ifpref.evaluation.policy import evaluate, measured, write_evaluation
from ifpref.evaluation.sets import ifeval_prompts
from ifpref.evaluation.side_effects import side_effects
from ifpref.evaluation.table import is_empty
from ifpref.evaluation.temperature import Matched, entropy_curve, matched_temperature
from ifpref.prompts.build import build, constraints_of, to_rows
from ifpref.sampling import Settings
from ifpref.store import Artefact, Store

GREEDY, SAMPLED = Settings(temperature=0.0, max_tokens=12, seed=5), Settings(max_tokens=12, seed=5)
COMMA = {"id": "punctuation:no_comma", "kwargs": {}}
RAIN = {"id": "keywords:existence", "kwargs": {"keywords": ["rain"]}}
SUN = {"id": "keywords:existence", "kwargs": {"keywords": ["sun"]}}


def make_prompt(id, constraints, difficulty="easy"):
    return {
        "prompt_id": id,
        "text": f"Tell story {id}.",
        "constraints": constraints,
        "n_constraints": len(constraints),
        "difficulty": difficulty,
    }


# ---- tables, by hand


def make_row(prompt_id, sample, strict, loose=None, text="The sun is out.", tokens=4, finish="stop", **more):
    row = {"prompt_id": prompt_id, "sample": sample, "token_ids": list(range(tokens)), "text": text, "finish": finish}
    row |= {"strict": strict, "loose": strict if loose is None else loose, "n_tokens": tokens}
    return row | {"logprob": -2.0, **side_effects(text, set()), **more}


PROMPTS = [make_prompt("a", [COMMA]), make_prompt("b", [RAIN, COMMA, SUN], "hard"), make_prompt("c", [COMMA, RAIN])]
ROWS = [
    make_row("a", 0, [True], logprob=-1.5, base_logprob=-2.0, entropy=0.5),
    make_row("a", 1, [False], [True], logprob=-3.0, base_logprob=-2.5, entropy=0.25),
    make_row("b", 0, [True, True, False], logprob=-123456.5, base_logprob=-123455.25, entropy=1.0, tokens=12),
    make_row("b", 1, [True, True, True], text="* -", logprob=-4.0, base_logprob=-4.0, entropy=0.0),
    make_row("c", 0, [False, False], finish="length", logprob=-1.0, base_logprob=-3.0, entropy=0.5),
    make_row("c", 1, [False, True], text="So it rains.\nso it rains", logprob=-1.0, base_logprob=-1.0, entropy=0.75),
]
IDS = [[constraint["id"] for constraint in prompt["constraints"]] for prompt in PROMPTS]


@pytest.fixture
def table():
    return Table.from_rows(ROWS)


def test_levels_worked_out_by_hand(table):
    assert table.prompt_ids == ("a", "b", "c") and len(table) == 3 and table.n_samples == 2
    assert table.prompt_level().tolist() == [1 / 2, 1 / 2, 0]
    assert table.prompt_level("loose").tolist() == [1, 1 / 2, 0]
    assert table.score() == pytest.approx([1 / 2, 5 / 6, 1 / 4])
    assert table.instruction_level() == 7 / 12  # 1 of 2, 5 of 6, 1 of 4
    assert table.instruction_level("loose") == 8 / 12
    assert table.n_tokens.tolist() == [[4, 4], [12, 4], [4, 4]]
    assert table.truncated.tolist() == [[False, False], [False, False], [True, False]]
    assert table.empty.tolist() == [[False, False], [False, True], [False, False]]
    assert table.repeated.tolist() == [[False, False], [False, False], [False, True]]
    assert table.kl.tolist() == [[0.5, -0.5], [-1.25, 0], [2, 0]]


def test_verdicts_of_one_id(table):
    met, where = table.of_id(IDS, "keywords:existence")
    assert where.tolist() == [1, 2]
    assert met.tolist() == [3 / 4, 1 / 2]  # twice in b: true false, true true; once in c: false, true
    met, where = table.of_id(IDS, "punctuation:no_comma", "loose")
    assert where.tolist() == [0, 1, 2] and met.tolist() == [1, 1, 0]
    met, where = table.of_id(IDS, "detectable_format:title")
    assert met.shape == where.shape == (0,)
    with pytest.raises(ValueError, match="ids do not fit the table"):
        table.of_id(IDS[::-1], "keywords:existence")


def test_a_table_goes_to_json_and_back(table):
    written = json.loads(json.dumps(table.to_dict()))
    assert written["strict"] == "10" + "110111" + "0001" and written["n_constraints"] == [1, 3, 2]
    assert written["truncated"] == "000010" and written["n_tokens"] == [4, 4, 12, 4, 4, 4]
    assert written["logprob"][2] == -123460.0 and written["kl"][2] == -1.25  # the difference keeps its own digits
    back = Table.from_dict(written)
    assert back.to_dict() == written and back.kl == pytest.approx(table.kl)
    for mode in ("strict", "loose"):
        for one, other in zip(back.verdicts(mode), table.verdicts(mode), strict=True):
            assert one.dtype == bool and np.array_equal(one, other)
    for name in ("n_tokens", "truncated", "empty", "repeated", "entropy"):
        assert np.array_equal(getattr(back, name), getattr(table, name)), name


def test_a_greedy_table_holds_neither_base_nor_entropy():
    table = Table.from_rows([make_row("a", 0, [True])])
    assert table.base_logprob is table.entropy is table.kl is None
    back = Table.from_dict(table.to_dict())
    assert back.kl is back.entropy is None and "kl" not in table.to_dict()


@pytest.mark.parametrize("rows", [[], ROWS[1:], ROWS[:-1], [*ROWS, ROWS[0]], [ROWS[1], ROWS[0]]])
def test_samples_that_are_missing_or_twice_there_are_refused(rows):
    with pytest.raises(ValueError, match=r"without rows|prompt '[ac]' has samples \[.*\]; allowed: 0 to"):
        Table.from_rows(rows)


def test_an_unknown_mode_is_refused(table):
    with pytest.raises(ValueError, match="mode 'lose'; allowed: 'strict', 'loose'"):
        table.prompt_level("lose")


def test_what_is_empty():
    assert [is_empty(text) for text in ("", " \n", "* - ?!", "7", "é", "…a")] == [True, True, True, False, False, False]


# ---- rows, from a scripted model

STORIES = {"The sun is out.": 2.0, "Well, yes:\nrain no sun": 1.0, "Rain": 0.5}


class Watched(ScriptedEngine):
    """Notes what it is asked; raises KeyboardInterrupt instead of its call number `last`."""

    def __init__(self, stories=STORIES, last=None):
        super().__init__({prompt["text"]: stories for prompt in PROMPTS})
        self.last, self.asked = last, []

    def sample(self, requests, settings):
        if self.calls == self.last:
            raise KeyboardInterrupt
        self.asked.append((tuple(requests), settings))
        return super().sample(requests, settings)


def test_rows_worked_out_by_hand():
    engine = Watched()
    rows = evaluate(PROMPTS, engine, replace(SAMPLED, max_tokens=20), 6)
    assert engine.calls == 1
    assert [(row["prompt_id"], row["sample"]) for row in rows] == [
        (p["prompt_id"], j) for p in PROMPTS for j in range(6)
    ]
    assert {row["text"] for row in rows} == set(STORIES)
    expected = {  # of b: rain, no comma, sun; loosely without its first line
        "The sun is out.": ([False, True, True], [False, True, True], 2.0),
        "Well, yes:\nrain no sun": ([True, False, True], [True, True, True], 1.0),
        "Rain": ([True, True, False], [True, True, False], 0.5),
    }
    for row in rows[6:12]:
        assert (row["strict"], row["loose"]) == expected[row["text"]][:2]
        assert row["logprob"] == pytest.approx(math.log(expected[row["text"]][2] / 3.5))
        assert row["n_tokens"] == len(row["token_ids"]) and row["finish"] == "stop"
        assert (row["unasked"], row["repeated"], row["nearly_repeated"]) == ([], False, False)
        assert engine.decode(row["token_ids"]) == row["text"]
    assert json.loads(json.dumps(rows)) == rows
    cut = evaluate(PROMPTS, Watched(), replace(GREEDY, max_tokens=2), 1)
    assert {(row["text"], row["finish"], row["n_tokens"]) for row in cut} == {("The sun", "length", 2)}
    assert Table.from_rows(cut).truncated.all()


def test_base_and_policy_draw_from_the_same_streams():
    base, policy = Watched(), Watched(stories={**STORIES, "Rain": 3.0})
    ours, theirs = evaluate(PROMPTS, base, SAMPLED, 8), evaluate(PROMPTS, policy, SAMPLED, 8)
    assert base.asked == policy.asked
    assert {request.stream for request in base.asked[0][0]} == {"a", "b", "c"}
    assert {settings.seed for _, settings in base.asked} == {5}
    assert [row["text"] for row in ours] != [row["text"] for row in theirs]
    # A response depends on its prompt and number alone, so a set of other prompts is paired too.
    assert evaluate(PROMPTS[2:0:-1], Watched(), SAMPLED, 3) == [
        row for id in "cb" for row in ours if row["prompt_id"] == id and row["sample"] < 3
    ]


# ---- the artefact


def write(store, engine, settings=GREEDY, n=1, loaded=None, prompts=PROMPTS, shard_prompts=2, tag=""):
    artefact = Artefact("evaluation", {"tag": tag})
    return store.get(
        artefact,
        lambda writer: write_evaluation(writer, prompts, loaded, engine, settings, n=n, shard_prompts=shard_prompts),
    )


def content(handle):
    return {name: handle.path(name).read_bytes() for name in handle.manifest["files"]}


def test_a_killed_evaluation_goes_on_with_the_same_bytes(tmp_path):
    whole = write(Store(tmp_path / "whole"), Watched())
    assert set(whole.manifest["files"]) == {"evaluation-00000.jsonl", "evaluation-00001.jsonl", "table.json"}
    assert whole.read_jsonl("evaluation.jsonl") == evaluate(PROMPTS, Watched(), GREEDY, 1)
    assert whole.read_json("table.json") == Table.from_rows(whole.read_jsonl("evaluation.jsonl")).to_dict()
    store = Store(tmp_path / "killed")
    with pytest.raises(KeyboardInterrupt):
        write(store, Watched(last=1))
    engine = Watched()
    assert content(write(store, engine)) == content(whole)
    assert [[request.stream for request in requests] for requests, _ in engine.asked] == [["c"]]


@pytest.mark.parametrize(
    ("prompts", "size", "message"),
    [([], 2, "there are no prompts"), ([PROMPTS[0]] * 2, 2, "'a' is given twice")],
)
def test_prompts_that_cannot_be_evaluated_are_refused(tmp_path, prompts, size, message):
    with pytest.raises(ValueError, match=message):
        write(Store(tmp_path), Watched(), prompts=prompts, shard_prompts=size)


# ---- log-probabilities and entropy, on a tiny random Llama


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A base with peaked predictions, and the folder of an adapter of it."""
    from peft import LoraConfig, get_peft_model

    from ifpref.models import BASE_FILE, load_model, remove_adapter

    folder, adapter = tmp_path_factory.mktemp("base"), tmp_path_factory.mktemp("adapter")
    loaded = load_model(str(save_base(folder)))
    lora = LoraConfig(r=4, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False)
    get_peft_model(loaded.model, lora).save_pretrained(adapter)
    (adapter / BASE_FILE).write_text(json.dumps(loaded.identity))
    remove_adapter(loaded.model)
    return loaded, adapter


@pytest.fixture
def policy(tiny):
    from ifpref.models import attach_adapter, detach_adapter

    adapted = attach_adapter(*tiny)
    yield adapted
    detach_adapter(adapted)


ITEMS = [  # of unlike lengths, so that batches are padded on both sides
    ((BOS, USER, 20, 30, ASSISTANT), (41, 52, 63, EOS)),
    ((BOS, USER, 20, 30, 33, 71, 20, ASSISTANT), (99,)),
    ((BOS,), tuple(range(100, 117))),
    ((BOS, USER, 20, 30, ASSISTANT), (41, 52, 63, 64, 65, EOS)),
]


def read_alone(model, prompt, response, temperature=1.0):
    """By nothing but the model's own logits, one token after another."""
    import torch

    logprob, entropies = 0.0, []
    for i, token in enumerate(response):
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([[*prompt, *response[:i]]])).logits[0, -1].double().numpy()
        logprob += logits[token] - np.log(np.exp(logits).sum())
        p = np.exp(logits / temperature) / np.exp(logits / temperature).sum()
        entropies.append(-(p * np.log(p)).sum())
    return logprob, sum(entropies) / len(entropies)


@pytest.mark.parametrize("temperature", [1.0, 0.5, 1.3])
@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_log_probabilities_and_entropy_are_those_of_plain_torch(tiny, temperature, batch_size):
    from ifpref.evaluation.distribution import read_tokens

    found = read_tokens(tiny[0], ITEMS, temperature=temperature, batch_size=batch_size)
    expected = [read_alone(tiny[0].model, *item, temperature) for item in ITEMS]
    assert found[0] == pytest.approx([logprob for logprob, _ in expected], abs=1e-4)
    assert found[1] == pytest.approx([entropy for _, entropy in expected], abs=1e-5)


def test_no_batch_holds_more_logits_than_allowed(tiny, monkeypatch):
    from ifpref.evaluation import distribution
    from ifpref.sampling import reading

    expected = distribution.read_tokens(tiny[0], ITEMS)
    batches = list(reading.batches(ITEMS, 64, 280))
    assert batches == [[2, 3, 0, 1]]  # longest first
    monkeypatch.setattr(reading, "LOGITS", 280 * 12)
    assert list(reading.batches(ITEMS, 64, 280)) == [[2], [3, 0], [1]]  # 17 in one row, 2 of 6, what is left
    assert distribution.read_tokens(tiny[0], ITEMS) == pytest.approx(np.array(expected), abs=1e-4)


@pytest.mark.parametrize(
    ("items", "temperature", "message"),
    [
        ([*ITEMS, ((BOS,), ())], 1.0, "item 4 has 1 prompt and 0 response tokens"),
        ([((), (5,))], 1.0, "item 0 has 0 prompt and 1 response tokens"),
        (ITEMS, 0.0, "temperature = 0.0; allowed: a positive number"),
    ],
)
def test_what_cannot_be_read_is_refused(tiny, items, temperature, message):
    from ifpref.evaluation.distribution import read_tokens

    with pytest.raises(ValueError, match=message):
        read_tokens(tiny[0], items, temperature=temperature)


def test_without_its_adapter_a_policy_is_its_base_bit_for_bit(tiny, policy):
    from ifpref.evaluation.distribution import read_tokens
    from ifpref.models import without_adapter

    adapted = read_tokens(policy, ITEMS)
    expected = [read_alone(policy.model, *item) for item in ITEMS]
    assert adapted[0] == pytest.approx([logprob for logprob, _ in expected], abs=1e-4)
    flags = [parameter.requires_grad for parameter in policy.model.parameters()]
    with without_adapter(policy.model):
        bare = read_tokens(policy, ITEMS)
    with pytest.raises(KeyboardInterrupt), without_adapter(policy.model):
        raise KeyboardInterrupt
    assert np.array_equal(read_tokens(policy, ITEMS), adapted)  # the adapter is back
    assert flags == [parameter.requires_grad for parameter in policy.model.parameters()]
    assert abs(adapted[0] - bare[0]).min() > 1e-2

    from ifpref.models import detach_adapter

    base = detach_adapter(policy)
    assert np.array_equal(read_tokens(base, ITEMS), bare)
    with without_adapter(base.model):  # nothing to take away
        assert np.array_equal(read_tokens(base, ITEMS), bare)


def test_a_sampled_evaluation_has_base_and_entropy(tiny, policy, tmp_path):
    from ifpref.sampling import TransformersEngine

    engine, settings = TransformersEngine(policy), replace(SAMPLED, temperature=0.7)
    handle = write(Store(tmp_path), engine, settings, n=2, loaded=policy)
    rows = handle.read_jsonl("evaluation.jsonl")
    plain = evaluate(PROMPTS, engine, settings, 2)
    for row, before in zip(rows, plain, strict=True):
        assert row | {"logprob": 0} == before | {"logprob": 0} | {
            part: row[part] for part in ("base_logprob", "entropy")
        }
        assert row["logprob"] == pytest.approx(before["logprob"], abs=1e-4)
        prompt = engine.encode(next(p["text"] for p in PROMPTS if p["prompt_id"] == row["prompt_id"]))
        _, entropy = read_alone(policy.model, prompt, row["token_ids"], 0.7)
        assert row["entropy"] == pytest.approx(entropy, abs=1e-4)

    from ifpref.models import detach_adapter

    base = detach_adapter(policy)
    for row in rows:
        prompt = engine.encode(next(p["text"] for p in PROMPTS if p["prompt_id"] == row["prompt_id"]))
        logprob, _ = read_alone(base.model, prompt, row["token_ids"])
        assert row["base_logprob"] == pytest.approx(logprob, abs=1e-3)
    table = Table.from_dict(handle.read_json("table.json"))
    assert table.kl.shape == (3, 2) and np.all(abs(table.kl) > 1e-3)


# ---- the matched temperature

CURVE = [
    {"temperature": 0.4, "entropy": 0.2},
    {"temperature": 0.6, "entropy": 0.4},
    {"temperature": 1.0, "entropy": 0.8},
]


@pytest.mark.parametrize(
    ("entropy", "expected"),
    [
        (0.4, Matched(0.6, False)),
        (0.3, Matched(0.5, False)),
        (0.415, Matched(0.62, False)),  # 0.615
        (0.2, Matched(0.4, False)),
        (0.8, Matched(1.0, False)),
        (0.19, Matched(0.4, True)),
        (0.81, Matched(1.0, True)),
    ],
)
def test_matched_temperatures_by_hand(entropy, expected):
    assert matched_temperature(CURVE, entropy) == expected
    assert matched_temperature(CURVE[::-1], entropy) == expected


def test_a_matched_temperature_stays_on_the_curve():
    assert matched_temperature(CURVE, 0.28, step=0.2) == Matched(0.4, False)  # 0.48, down to a multiple of 0.2
    assert matched_temperature(CURVE, 0.27, step=0.3) == Matched(0.6, False)  # 0.47, up to a multiple of 0.3
    assert matched_temperature(CURVE, 0.21, step=0.3) == Matched(0.4, False)  # 0.41, to 0.3, which lies outside
    noisy = [*CURVE[:2], {"temperature": 0.7, "entropy": 0.35}, CURVE[2]]  # 0.4 stands at 0.7 too
    assert matched_temperature(noisy, 0.62) == Matched(0.86, False)  # 0.865
    for curve, entropy in ((CURVE[:1], 0.2), (CURVE, float("nan"))):
        with pytest.raises(ValueError, match="allowed: a number, two points or more"):
            matched_temperature(curve, entropy)


def test_the_entropy_curve_is_that_of_a_table_at_its_temperature(tiny):
    from ifpref.sampling import TransformersEngine

    engine = TransformersEngine(tiny[0])
    curve = entropy_curve(tiny[0], engine, PROMPTS, SAMPLED, temperatures=(0.2, 1.0, 3.0))
    assert [point["temperature"] for point in curve] == [0.2, 1.0, 3.0]
    rows = measured(evaluate(PROMPTS, engine, SAMPLED, 1), PROMPTS, tiny[0], engine, 1.0)
    table = Table.from_rows(rows)
    assert curve[1]["entropy"] == pytest.approx(table.entropy.mean(), abs=1e-6)
    assert np.array_equal(table.kl, np.zeros((3, 1)))  # the base against itself
    assert curve[0]["entropy"] < curve[1]["entropy"] < curve[2]["entropy"] < math.log(280)
    with pytest.raises(ValueError, match="needs prompts"):
        entropy_curve(tiny[0], engine, [], SAMPLED, (1.0,))


# ---- the embedded model


def test_an_evaluation_of_the_embedded_model(tmp_path):
    from ifpref.models import load_model
    from ifpref.sampling import TransformersEngine

    prompts = list(to_rows(build({"test": 24}, 0, domain="pocket", workers=1).prompts))
    loaded = load_model("pocket")
    engine, settings = TransformersEngine(loaded), Settings(temperature=0.0, seed=1)
    handle = write(Store(tmp_path), engine, settings, loaded=loaded, prompts=prompts, shard_prompts=24)
    rows = handle.read_jsonl("evaluation.jsonl")
    for row, prompt in zip(rows, prompts, strict=True):
        assert row["strict"] == verify(row["text"], constraints_of(prompt))
        assert row["finish"] == "stop" and all(a <= b for a, b in zip(row["strict"], row["loose"], strict=True))
    table = Table.from_dict(handle.read_json("table.json"))
    met, levels = table.prompt_level(), np.array([prompt["difficulty"] for prompt in prompts])
    assert 0.5 < table.instruction_level() < 0.9  # 0.68 of 512 prompts
    assert met[levels == "easy"].mean() > met[levels == "hard"].mean()
    assert not table.empty.any()

    sampled = write(
        Store(tmp_path), engine, replace(settings, temperature=1.0), loaded=loaded, prompts=prompts, tag="1"
    )
    of_ones = Table.from_dict(sampled.read_json("table.json"))
    assert np.array_equal(of_ones.kl, np.zeros((24, 1))) and 0.4 < of_ones.entropy.mean() < 1.5
    assert (of_ones.logprob < table.logprob).mean() > 0.7  # greedy responses are the likelier ones


# ---- IFEval's prompts

LINES = [
    {"key": 7, "prompt": "One.", "instruction_id_list": [COMMA["id"]], "kwargs": [{}]},
    {"key": 8, "prompt": "Two.", "instruction_id_list": [RAIN["id"], COMMA["id"]], "kwargs": [RAIN["kwargs"], None]},
]


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_prompts_in_ifevals_format_become_rows_like_ours(tmp_path, monkeypatch):
    path = write_lines(tmp_path / "prompts.jsonl", LINES)
    rows = ifeval_prompts(path)
    assert rows[1] == {
        "prompt_id": "ifeval-8",
        "text": "Two.",
        "task": "ifeval",
        "topic": "8",
        "constraints": [RAIN, COMMA],
        "n_constraints": 2,
        "difficulty": "easy",
        "split": "ifeval",
    }
    monkeypatch.setenv("IFEVAL_PROMPTS", str(path))
    assert ifeval_prompts() == rows
    engine = ScriptedEngine({"One.": "Dry, here.", "Two.": "rain"})
    table = Table.from_rows(evaluate(rows, engine, GREEDY, 1))
    assert table.prompt_level().tolist() == [0, 1]
    with pytest.raises(ScoreError, match=r"twice.jsonl:3: key 7 stands in an earlier line too"):
        ifeval_prompts(write_lines(tmp_path / "twice.jsonl", [*LINES, LINES[0]]))
    with pytest.raises(ScoreError, match=r"no.jsonl: cannot be read"):
        ifeval_prompts(tmp_path / "no.jsonl")
    with pytest.raises(ScoreError, match=r"keyless.jsonl:1: instruction_id_list: Field required, found"):
        ifeval_prompts(write_lines(tmp_path / "keyless.jsonl", [{"prompt": "One."}]))


def test_official_prompts(ifeval):
    rows = ifeval_prompts(ifeval / "input_data.jsonl")
    assert len(rows) == len({row["prompt_id"] for row in rows}) == 541
    assert sum(row["n_constraints"] for row in rows) == 834
    assert all(len(constraints_of(row)) == row["n_constraints"] for row in rows)


def test_prompts_out_of_reach_are_none_and_said_once(tmp_path, monkeypatch, caplog):
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.delenv("IFEVAL_PROMPTS", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)

    def unreachable(url, timeout):
        raise URLError("no route to host")

    monkeypatch.setattr("ifpref.evaluation.sets.urlopen", unreachable)
    assert ifeval_prompts() is None
    assert len(caplog.records) == 1 and "no route to host" in caplog.text


def test_reading_tables_needs_no_torch():
    names = ("ifpref.evaluation", "ifpref.evaluation.policy", "ifpref.evaluation.temperature", "ifpref.evaluation.sets")
    code = f"import sys, {', '.join(names)}; print(sorted({{'torch', 'transformers', 'peft'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
