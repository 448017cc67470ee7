"""Prompts: unique, satisfiable, balanced, split without leaks, the same for any number of workers."""

import itertools
import json
import os
import random
import re
import subprocess
import sys
from collections import Counter

import pytest

from ifpref.constraints import CONSTRAINT_SETS, Constraint
from ifpref.constraints.checks import verify
from ifpref.constraints.conflicts import conflicts
from ifpref.prompts import build_prompts, constraints_of, without_ids
from ifpref.prompts.build import TRANSFER_IDS, build, to_rows
from ifpref.prompts.combinations import (
    Balance,
    count_combinations,
    share_out,
    split_of,
    together,
)
from ifpref.prompts.domain import get_domain

COUNTS = {"train": 240, "dev": 60, "test": 120, "transfer": 60}


@pytest.fixture(scope="module", params=["pocket", "open"])
def built(request):
    return request.param, build(COUNTS, seed=3, domain=request.param, workers=1)


def test_every_prompt_has_a_witness_that_the_verifier_accepts(built):
    for prompt in built[1].prompts:
        assert all(verify(prompt.witness, prompt.constraints)), prompt


def test_no_prompt_comes_twice(built):
    prompts = built[1].prompts
    assert len({" ".join(p.text.lower().split()) for p in prompts}) == len(prompts) == sum(COUNTS.values())
    assert len({(p.task, p.topic, frozenset(p.constraints)) for p in prompts}) == len(prompts)
    assert len({row["prompt_id"] for row in to_rows(prompts)}) == len(prompts)


def test_no_id_comes_twice_and_no_pair_is_in_conflict(built):
    for prompt in built[1].prompts:
        ids = [c.id for c in prompt.constraints]
        assert len(set(ids)) == len(ids)
        assert all(together(a, b) for a, b in itertools.combinations(ids, 2))
        assert conflicts(prompt.constraints) == []


def test_splits_share_no_topic_and_no_combination_of_three_or_more(built):
    topics, combinations = {}, {}
    for prompt in built[1].prompts:
        split = "test" if prompt.split == "transfer" else prompt.split
        assert topics.setdefault(prompt.topic, split) == split
        if len(prompt.constraints) >= 3:
            ids = tuple(sorted(c.id for c in prompt.constraints))
            assert combinations.setdefault(ids, split) == split


def test_every_split_has_each_k_equally_often_and_difficulty_follows_k(built):
    for split, count in COUNTS.items():
        numbers = Counter(len(p.constraints) for p in built[1].prompts if p.split == split)
        assert numbers == dict.fromkeys(range(1, 7), count // 6)
    level = {1: "easy", 2: "easy", 3: "moderate", 4: "moderate", 5: "hard", 6: "hard"}
    assert all(p.difficulty == level[len(p.constraints)] for p in built[1].prompts)


def test_transfer_prompts_hold_a_type_that_training_can_leave_out(built):
    domain, result = built
    transfer = [p for p in result.prompts if p.split == "transfer"]
    assert all({c.id for c in p.constraints} & set(TRANSFER_IDS) for p in transfer)
    rows = build_prompts({"train": 60}, seed=3, domain=domain, workers=1)
    kept = without_ids(rows, TRANSFER_IDS)
    assert 0 < len(kept) < len(rows)
    assert not any(c["id"] in TRANSFER_IDS for row in kept for c in row["constraints"])


def test_ids_are_balanced(built):
    prompts = built[1].prompts
    count = Counter(c.id for p in prompts for c in p.constraints)
    assert set(count) == set(CONSTRAINT_SETS["study"])
    assert min(count.values()) >= 0.06 * len(prompts)  # the goal at 48,000 is 4 %
    assert max(count.values()) <= 0.30 * len(prompts)


@pytest.mark.parametrize("domain", ["pocket", "open"])
def test_the_same_seed_gives_the_same_rows_with_any_number_of_workers(domain):
    one = build({"train": 420, "test": 30}, seed=5, domain=domain, workers=1)
    two = build({"train": 420, "test": 30}, seed=5, domain=domain, workers=2)
    other = build({"train": 420, "test": 30}, seed=6, domain=domain, workers=1)
    assert list(to_rows(one.prompts)) == list(to_rows(two.prompts))
    assert one.rejected == two.rejected
    assert list(to_rows(one.prompts)) != list(to_rows(other.prompts))


def test_the_sentence_counter_at_hand_does_not_change_the_rows(ifeval):
    code = (
        "import hashlib, json, sys; from ifpref.constraints.text import backends; from ifpref.prompts.build import *;"
        "rows = [json.dumps(r) for d in ('open', 'pocket') for r in to_rows(build(150, 7, domain=d).prompts)];"
        "print(backends()['sentences']['backend'], hashlib.sha256(''.join(rows).encode()).hexdigest())"
    )

    def run(data):
        environment = {**os.environ, "NLTK_DATA": str(data)}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env=environment
        )
        return done.stdout.split()

    with_data, without = run(ifeval / "nltk_data"), run(ifeval / "nowhere")
    assert (with_data[0], without[0]) == ("punkt", "punkt-lite")
    assert with_data[1] == without[1]


def test_rows_of_the_dataset_hold_their_constraints():
    data = build_prompts(12, seed=0, domain="pocket", workers=1)
    assert len(data) == 12
    for row in data:
        constraints = constraints_of(row)
        assert all(isinstance(c, Constraint) for c in constraints)
        assert all(verify(row["witness"], constraints))
        kwargs = row["constraints"][0]["kwargs"]
        assert kwargs == json.dumps(json.loads(kwargs), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize(
    ("n", "options", "message"),
    [
        (0, {}, "1 or more, found 0"),
        ({"trian": 5}, {}, r"unknown split 'trian' \(did you mean 'train'\?\); allowed: train, dev"),
        ({"train": -5}, {}, "train: .* found -5"),
        (10, {"ids": ["startend:quotatoin"]}, r"did you mean 'startend:quotation'\?"),
        (10, {"ids": ["startend:quotation"] * 2}, "twice"),
        (10, {"k": (4, 2)}, "found 4 to 2"),
        (10, {"k": (1, 40)}, "at most 23"),
        (10, {"difficulty": (4, 2)}, "found easy 4, moderate 2"),
        (10, {"transfer_ids": ["punctuation:comma"]}, r"did you mean 'punctuation:no_comma'\?"),
        ({"transfer": 5}, {"ids": ["punctuation:no_comma"], "k": (1, 1)}, "none of transfer_ids is among"),
        (
            10**9,
            {},
            r"prompts of 1 constraints asked for, and there are [\d,]+ \(\d+ topics .* combinations: 23",
        ),
        (10, {"domain": "closed"}, "allowed: 'open', 'pocket'"),
    ],
)
def test_bad_input_is_refused_before_work_starts(n, options, message):
    with pytest.raises(ValueError, match=message):
        build(n, **{"domain": "pocket", **options})


def test_balance_keeps_ids_and_pairs_even():
    balance = Balance(CONSTRAINT_SETS["study"], "test")
    for _ in range(2000):
        balance.draw(3)
    assert max(balance.alone.values()) < 1.6 * min(balance.alone.values())
    possible = sum(together(a, b) for a, b in itertools.combinations(CONSTRAINT_SETS["study"], 2))
    assert len(balance.pairs) == possible


def test_draws_belong_to_the_split_asked_for():
    balance = Balance(CONSTRAINT_SETS["study"], "test")
    for split in ("train", "dev", "test"):
        assert split_of(balance.draw(4, split)) == split
    assert "startend:quotation" in balance.draw(2, "test", required=("startend:quotation",))
    with pytest.raises(ValueError, match="no combination of 2"):
        Balance(("change_case:english_capital", "change_case:english_lowercase"), "x").draw(2)


def test_combinations_are_counted_by_hand():
    ids = ("change_case:english_capital", "change_case:english_lowercase", "punctuation:no_comma")
    assert count_combinations(ids, 1) == 3
    assert count_combinations(ids, 2) == 2  # not both cases
    assert count_combinations(ids, 3) == 0
    assert count_combinations(ids, 2, required=("change_case:english_capital",)) == 1


def test_topics_are_dealt_once_and_for_all():
    topics = [f"t{i:02}" for i in range(20)]
    dealt = share_out(topics)
    assert {name: len(part) for name, part in dealt.items()} == {"train": 12, "dev": 3, "test": 5}
    assert sorted(itertools.chain(*dealt.values())) == topics
    assert dealt == share_out(topics[::-1])


def test_the_embedded_worlds_topics_share_their_words():
    domain = get_domain("pocket")
    dealt = share_out([topic.id for topic in domain.topics])
    by_id = {topic.id: topic for topic in domain.topics}
    words = {split: set() for split in dealt}
    for split, ids in dealt.items():
        for topic in map(by_id.get, ids):
            words[split] |= {*topic.text.split(), *topic.words}
    rng = random.Random(0)
    for _ in range(3000):  # what texts on the training topics say
        source = domain.source(rng.choice(domain.tasks), by_id[rng.choice(dealt["train"])])
        words["train"] |= set(re.findall(r"\w+", source.sentence(rng).lower()))
    assert words["dev"] | words["test"] <= words["train"]


def test_the_command_writes_three_files_twice_the_same(tmp_path):
    def run(name, *extra):
        (tmp_path / name).mkdir()
        command = [
            sys.executable,
            "-m",
            "ifpref.prompts",
            "--n",
            "60",
            "--out",
            str(tmp_path / name / "p.jsonl"),
        ]
        command += ["--set", "domain=pocket seed=2", "--ifeval", "none", *extra]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}

    one, two = run("one", "--workers", "1"), run("two", "--workers", "2")
    assert sorted(one) == ["p.jsonl", "p.md", "p.parquet"]
    assert one == two
    rows = [json.loads(line) for line in one["p.jsonl"].splitlines()]
    assert len(rows) == 60 and isinstance(rows[0]["constraints"][0]["kwargs"], dict)
    card = one["p.md"].decode()
    assert all(f"`{id}`" in card for id in CONSTRAINT_SETS["study"])
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(tmp_path / "one" / "p.parquet").to_pylist()
    assert [row["prompt_id"] for row in table] == [row["prompt_id"] for row in rows]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--n", "60", "--out", "{}/x.csv"], "must be a file that ends in .jsonl"),
        (["--n", "60", "--out", "{}/no/x.jsonl"], "there is no folder"),
        (["--n", "60", "--out", "{}/x.jsonl", "--set", "domian=open"], "did you mean 'domain'?"),
        (["--n", "60", "--out", "{}/x.jsonl", "--set", "min_constraints=9"], "min_constraints"),
        (["--n", "900000000", "--out", "{}/x.jsonl", "--ifeval", "none"], "asked for, and there are"),
        (["--n", "60", "--out", "{}/x.jsonl", "--ifeval", "{}/ifeval.jsonl"], "ifeval.jsonl"),
    ],
)
def test_the_command_refuses_bad_input_in_one_line(arguments, message, tmp_path, capsys):
    from ifpref.prompts.__main__ import main

    assert main([argument.format(tmp_path) for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())
