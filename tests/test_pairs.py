"""Pairs: toy responses and trees worked out by hand, then rules that hold for any records."""

import hashlib
import itertools
import random
from collections import Counter
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from scripted import ScriptedEngine

from ifpref.constraints import Constraint, verify
from ifpref.curation import matching
from ifpref.curation.arms import by_pass_rate, compare, shuffled
from ifpref.curation.balance import balance, yields
from ifpref.curation.contrast import DESIGNS, triples
from ifpref.curation.equal import assign_sides, equal_prompts, first_pairs, halves
from ifpref.curation.matching import matched, separated, swaps
from ifpref.curation.mcts import SearchSettings, grow
from ifpref.curation.pairs import (
    CURATIONS,
    REASONS,
    Arm,
    Pair,
    PairSettings,
    Response,
    candidates,
    pair_id,
    read_responses,
    read_trees,
    shared_prefix,
    to_row,
)
from ifpref.curation.rejection import respond
from ifpref.params import load_params
from ifpref.sampling import Settings

IDS = ("punctuation:no_comma", "startend:quotation", "detectable_format:title", "keywords:existence", "x:five", "x:six")
DEFAULTS = {
    "n_pairs": None,
    "min_high_gap": 0.5,
    "max_low_gap": 0.34,
    "chosen_quality": "best",
    "unshared_length_tolerance": 0.25,
    "unshared_max_prefix": 2,
}


def asked(**changed):
    return PairSettings(**{**DEFAULTS, **changed})


def encode(text):
    return [1000 + ord(letter) for letter in text]


def prompt(prompt_id, k, difficulty=None):
    constraints = [{"id": id, "kwargs": {}} for id in IDS[:k]]
    level = difficulty or ("easy" if k <= 2 else "moderate" if k <= 4 else "hard")
    return {
        "prompt_id": prompt_id, "text": f"Do {prompt_id}.", "constraints": constraints, "n_constraints": k,
        "difficulty": level,
    }  # fmt: skip


def verdicts(marks):
    """ "++-" -> [True, True, False]"""
    return [mark == "+" for mark in marks]


def worth(marks):
    return marks.count("+") / len(marks)


def text(ids):
    return "".join(f"<{id}>" for id in ids)


def sample(prompt_id, number, ids, marks, finish="stop"):
    return {
        "prompt_id": prompt_id, "sample": number, "token_ids": list(ids), "text": text(ids), "logprob": -1.0,
        "finish": finish, "verdicts": verdicts(marks), "score": worth(marks),
    }  # fmt: skip


def samples(prompt_id, *marks):
    """Responses that differ in their first token, one for each string of marks."""
    return [sample(prompt_id, n, [n + 1, 7, 0], each) for n, each in enumerate(marks)]


def tree(prompt_id, leaves):
    """A trees row from {segments: marks}: {((5, 6), (7, 0)): "+-"} has one inner node and one leaf."""
    nodes, known = [dict(node=0, parent=None, token_ids=[], text="", finish=None, verdicts=None)], {(): 0}
    for path, marks in leaves.items():
        for depth in range(1, len(path) + 1):
            if path[:depth] not in known:
                known[path[:depth]] = len(nodes)
                last = depth == len(path)
                nodes.append(
                    {
                        "node": len(nodes),
                        "parent": known[path[: depth - 1]],
                        "token_ids": list(path[depth - 1]),
                        "text": text(path[depth - 1]),
                        "finish": "stop" if last else None,
                        "verdicts": verdicts(marks) if last else None,
                        "value": worth(marks) if last else 0.5,
                    }
                )
    return {"prompt_id": prompt_id, "nodes": nodes}


def response(ids, marks, source="rs/0", branch=None):
    return Response(source, tuple(ids), text(ids), tuple(verdicts(marks)), worth(marks), "stop", branch)


def found(*marks):
    """Candidates of RS for one response of each string of marks."""
    return candidates(read_responses(samples("p", *marks))["p"], CURATIONS["rs"].shares)


def sides(row):
    return row["chosen_source"], row["rejected_source"]


# The example of the docstring of pairs.py.
RS = [sample("p", n, [n + 1, 2, 0], marks) for n, marks in enumerate(("+++", "++-", "+--", "-+-"))]
TREE = tree("p", {((5, 6), (7, 0)): "+++", ((5, 6), (8, 2, 0)): "-+-", ((9, 8, 6, 0),): "-+-"})


# ---- the worked example


def test_shared_prefix():
    assert shared_prefix([5, 6, 7], [5, 6, 8]) == 2
    assert shared_prefix([5, 6], [5, 6, 8]) == shared_prefix((5, 6, 8), [5, 6]) == 2
    assert shared_prefix([4], [5]) == shared_prefix([], [5]) == 0


def test_a_triple_of_rs():
    arms = [Arm("rs", "high"), Arm("rs", "low"), Arm("rs", "mixed")]
    seen = set()
    for seed in range(20):
        made = compare(arms, [prompt("p", 3)], {"rs": RS}, encode, asked(), seed=seed, design="triples")
        (high,), (low,), (mixed,) = (made.rows[arm] for arm in arms)
        assert sides(low) == ("rs/0", "rs/1") and low["gap"] == 1 / 3
        assert high["chosen_source"] == "rs/0" and high["gap"] == 2 / 3
        assert mixed["contrast"] == "mixed" and mixed["pair_id"] in (high["pair_id"], low["pair_id"])
        seen |= {high["rejected_source"], "high" if mixed["pair_id"] == high["pair_id"] else "low"}
    assert seen == {"rs/2", "rs/3", "high", "low"}


def test_a_pair_of_mcts_its_unshared_control_and_its_row():
    arms = [Arm("mcts"), Arm("mcts_unshared")]
    made = compare(arms, [prompt("p", 3)], {"mcts": [TREE]}, encode, asked(), seed=3, replicate=2)
    (shared,), (unshared,) = made.rows[arms[0]], made.rows[arms[1]]
    # Nodes are numbered in the order of their making: 1 is inner, 2 and 3 its leaves, 4 the other leaf.
    assert sides(shared) == ("mcts/2", "mcts/3") and sides(unshared) == ("mcts/2", "mcts/4")
    assert unshared["shared_prefix_tokens"] == 0 and unshared["rejected_verdicts"] == shared["rejected_verdicts"]
    assert shared == {
        "pair_id": pair_id(shared),
        "prompt_id": "p",
        "replicate": 2,
        "curation": "mcts",
        "contrast": "high",
        "difficulty": "all",
        "prompt_ids": encode("Do p."),
        "chosen_ids": [5, 6, 7, 0],
        "rejected_ids": [5, 6, 8, 2, 0],
        "chosen_text": "<5><6><7><0>",
        "rejected_text": "<5><6><8><2><0>",
        "chosen_score": 1.0,
        "rejected_score": 1 / 3,
        "chosen_verdicts": [True, True, True],
        "rejected_verdicts": [False, True, False],
        "chosen_source": "mcts/2",
        "rejected_source": "mcts/3",
        "chosen_finish": "stop",
        "rejected_finish": "stop",
        "gap": 2 / 3,
        "shared_prefix_tokens": 2,
        "shared_prefix_fraction": 0.5,
    }


def test_pair_id_is_that_of_what_training_sees():
    row = {"prompt_ids": [1, 2], "chosen_ids": [3, 0], "rejected_ids": (4, 0)}
    assert pair_id(row) == hashlib.sha256(b"[[1,2],[3,0],[4,0]]").hexdigest()[:16] == "4ee65811e62ad375"
    assert pair_id({**row, "curation": "rs", "replicate": 7}) == pair_id(row)
    assert pair_id({**row, "chosen_ids": [4, 0], "rejected_ids": [3, 0]}) != pair_id(row)


def test_the_rows_of_sampling_and_search_make_pairs():
    starts, ends = ("The sun.", "A river!"), (" Stones.", " The sun.", " A river.", " Stones, sun, river.")
    language = {start + end + last: 1.0 for start in starts for end in ends for last in ("", *ends)}
    keywords = [{"id": "keywords:existence", "kwargs": {"keywords": [word]}} for word in ("sun", "stones")]
    prompts = [{**prompt(f"p{n}", 2), "constraints": keywords} for n in range(6)]
    engine = ScriptedEngine({one["text"]: language for one in prompts})
    sampling = Settings(max_tokens=32, seed=0)
    sources = {"rs": respond(prompts, engine, sampling, n=16)}
    for curation in ("mcts", "rs_branched"):
        sources[curation] = grow(prompts, engine, sampling, SearchSettings(curation, budget=16))
    design, arms = COMPARED["curation"]
    made = compare(arms, prompts, sources, engine.encode, asked(), seed=0, design=design)
    for arm in arms:
        assert len(made.rows[arm]) >= 2
        for row in made.rows[arm]:
            assert row["prompt_ids"] == list(engine.encode(f"Do {row['prompt_id']}."))
            assert row["chosen_text"] == engine.decode(row["chosen_ids"])
            asked_for = [Constraint(one["id"], one["kwargs"]) for one in keywords]
            assert row["rejected_verdicts"] == verify(row["rejected_text"], asked_for)
    for row in made.rows[Arm("mcts")]:
        assert row["chosen_text"].split(" ")[:2] == row["rejected_text"].split(" ")[:2]


# ---- candidates


def test_leaves_that_part_at_the_root_are_no_pair_though_their_tokens_begin_alike():
    rows = [tree("p", {((5, 6), (7, 0)): "++", ((5, 8), (7, 0)): "--"})]
    leaves = read_trees(rows)["p"]
    assert shared_prefix(leaves[0].token_ids, leaves[1].token_ids) == 1
    assert candidates(leaves, CURATIONS["mcts"].shares) == "no shared prefix"
    assert len(candidates(leaves, CURATIONS["rs"].shares)) == 1


def test_leaves_of_different_depth_pair_below_one_child_of_the_root():
    rows = [tree("p", {((5,), (6,), (7, 0)): "++", ((5,), (6,), (8, 0)): "+-", ((5,), (9, 0)): "--"})]
    pairs = candidates(read_trees(rows, "rs_branched")["p"], CURATIONS["rs_branched"].shares)
    names = {(pair.chosen.source, pair.rejected.source): pair.gap for pair in pairs}
    assert names == {
        ("rs_branched/3", "rs_branched/4"): 0.5,
        ("rs_branched/3", "rs_branched/5"): 1.0,
        ("rs_branched/4", "rs_branched/5"): 0.5,
    }


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        ([], "no responses"),
        (["+-"], "duplicates"),
        (["++", "++"], "all perfect"),
        (["+-", "-+", "+-"], "equal scores"),
    ],
)
def test_reasons_for_no_candidates(marks, reason):
    responses = [response([n + 1, 0], each) for n, each in enumerate(marks)]
    assert candidates(responses, CURATIONS["rs"].shares) == reason
    assert candidates(responses * 2, CURATIONS["rs"].shares) == reason


def test_a_response_with_a_barred_token_makes_no_pair_and_is_counted():
    rows = [sample("p", 0, [5, 1, 0], "+++"), sample("p", 1, [6, 0], "++-"), sample("p", 2, [7, 0], "---")]
    only = [sample("q", 0, [1, 0], "+++"), sample("q", 1, [8, 1, 0], "---")]
    prompts, sources = [prompt("p", 3), prompt("q", 3)], {"rs": rows + only}
    made = compare([Arm("rs")], prompts, sources, encode, asked(), seed=0, barred=[1])
    [row] = made.rows[Arm("rs")]
    assert (row["chosen_source"], row["rejected_source"]) == ("rs/1", "rs/2")
    assert made.outcomes[Arm("rs")] == {"p": "pair", "q": "no responses"}
    assert made.dropped == {"rs": 3}
    free = compare([Arm("rs")], prompts, sources, encode, asked(), seed=0)
    assert free.dropped == {"rs": 0} and len(free.rows[Arm("rs")]) == 2


def test_a_response_that_came_often_is_drawn_no_oftener():
    often = [response([1, 0], "++", f"rs/{n}") for n in range(50)] + [response([2, 0], "++", "rs/50")]
    pairs = candidates([*often, response([3, 0], "+-", "rs/51")], CURATIONS["rs"].shares)
    assert [pair.chosen.token_ids for pair in pairs] == [(1, 0), (2, 0)]


# ---- contrast


@pytest.mark.parametrize(
    ("design", "marks", "changed", "expected"),
    [  # expected: the gaps in thirds and quarters, or the reason, by contrast
        ("single", ["++", "+-", "--"], {}, {"high": 1.0, "low": "k < 3", "low_imperfect": "k < 3"}),
        ("single", ["+++", "++-", "+--", "---"], {}, {"high": 1.0, "low": 1 / 3, "low_imperfect": 1 / 3}),
        ("single", ["+++", "++-"], {}, {"high": "no high gap", "low": 1 / 3, "low_imperfect": "no imperfect chosen"}),
        ("single", ["+++", "---"], {}, {"high": 1.0, "low": "no low gap", "low_imperfect": "no imperfect chosen"}),
        ("single", ["++-", "---"], {"chosen_quality": "perfect"}, {
            "high": "no perfect chosen", "low": "no perfect chosen", "low_imperfect": "no low gap"}),
        ("single", ["+++", "+++"], {}, dict.fromkeys(("high", "low", "low_imperfect"), "all perfect")),
        # 1/2 is high and 1/4 is low; the highest chosen goes before the larger gap
        ("single", ["++++", "++--", "+++-", "----"], {}, {"high": 1.0, "low": 1 / 4, "low_imperfect": 1 / 4}),
        ("single", ["++++", "++--"], {"min_high_gap": 0.51}, {
            "high": "no high gap", "low": "no low gap", "low_imperfect": "no imperfect chosen"}),
        # 1/6 and 2/6 are low: the smaller goes first
        ("single", ["++++++", "+++++-", "++++--", "------"], {}, {"high": 1.0, "low": 1 / 6, "low_imperfect": 1 / 6}),
        ("triples", ["++", "+-", "--"], {}, dict.fromkeys(("high", "low"), "k < 3")),
        ("triples", ["+++", "++-", "+--"], {}, {"high": 2 / 3, "low": 1 / 3}),
        ("triples", ["+++", "++-"], {}, dict.fromkeys(("high", "low"), "no high gap")),
        ("triples", ["+++", "+--"], {}, dict.fromkeys(("high", "low"), "no low gap")),
        # 5/6 over 4/6 is low, 6/6 over 3/6 is high: no chosen has both
        ("triples", ["++++++", "+++---", "++++--"], {"max_low_gap": 0.2}, {
            "high": "no common chosen", "low": "no common chosen"}),
        ("triples", ["++-", "+--", "---"], {}, {"high": 2 / 3, "low": 1 / 3}),
        ("triples", ["++-", "+--", "---"], {"chosen_quality": "perfect"}, {
            "high": "no perfect chosen", "low": "no perfect chosen"}),
        ("quality", ["+++", "++-", "+--"], {}, {"low": 1 / 3, "low_imperfect": 1 / 3}),
        ("quality", ["++", "+-", "--"], {}, dict.fromkeys(("low", "low_imperfect"), "k < 3")),
        ("quality", ["++-", "+--"], {}, dict.fromkeys(("low", "low_imperfect"), "no perfect chosen")),
        ("quality", ["+++", "++-"], {}, dict.fromkeys(("low", "low_imperfect"), "no imperfect chosen")),
        ("quality", ["+++", "+--", "---"], {}, dict.fromkeys(("low", "low_imperfect"), "no low gap")),
        # perfect over imperfect 2/6, imperfect pairs 1/6 only
        ("quality", ["++++++", "++++--", "+++---"], {}, dict.fromkeys(("low", "low_imperfect"), "no equal gap")),
        ("quality", ["++++++", "++++--", "++----"], {}, {"low": 2 / 6, "low_imperfect": 2 / 6}),
    ],
)  # fmt: skip
def test_contrasts(design, marks, changed, expected):
    chosen = DESIGNS[design].rule(found(*marks), len(marks[0]), asked(**changed), random.Random(0))
    assert {name: one if isinstance(one, str) else one.gap for name, one in chosen.items()} == expected
    assert {reason for reason in expected.values() if isinstance(reason, str)} <= set(REASONS)


def test_the_highest_chosen_goes_before_the_largest_gap():
    # ++++ over ++-- (1/2) and over +++- (1/4); +++- over ---- would be 3/4, but ---- is not in its branch.
    leaves = {
        ((1,), (2, 0)): "++++", ((1,), (3, 0)): "++--", ((1,), (4, 0)): "+++-",
        ((9,), (2, 0)): "+++-", ((9,), (3, 0)): "----",
    }  # fmt: skip
    made = compare([Arm("mcts")], [prompt("p", 4)], {"mcts": [tree("p", leaves)]}, encode, asked(), seed=0)
    assert made.rows[Arm("mcts")][0]["chosen_score"] == 1.0 and made.rows[Arm("mcts")][0]["gap"] == 0.5


def test_of_two_chosen_as_good_the_larger_high_gap_goes_first_and_then_the_smaller_low_gap():
    first = {((1,), (2, 0)): "+++++-", ((1,), (3, 0)): "------", ((1,), (4, 0)): "+++---"}  # 5/6 and 2/6
    second = {((2,), (2, 0)): "-+++++", ((2,), (3, 0)): "+-----", ((2,), (4, 0)): "++++--"}  # 4/6 and 1/6
    third = {((3,), (2, 0)): "+-++++", ((3,), (3, 0)): "------", ((3,), (4, 0)): "++++--"}  # 5/6 and 1/6
    for leaves, gaps in ((first | second, (5 / 6, 2 / 6)), (first | second | third, (5 / 6, 1 / 6))):
        arms = [Arm("mcts", "high"), Arm("mcts", "low")]
        made = compare(arms, [prompt("p", 6)], {"mcts": [tree("p", leaves)]}, encode, asked(), seed=0, design="triples")
        assert tuple(made.rows[arm][0]["gap"] for arm in arms) == gaps


def test_quality_has_the_same_gap_and_only_the_chosen_differs_in_quality():
    arms = [Arm("rs", "low"), Arm("rs", "low_imperfect")]
    rows = samples("p", "++++++", "+++++-", "++++--", "+++---")
    made = compare(arms, [prompt("p", 6)], {"rs": rows}, encode, asked(), seed=0, design="quality")
    (low,), (imperfect,) = made.rows[arms[0]], made.rows[arms[1]]
    assert sides(low) == ("rs/0", "rs/1") and sides(imperfect) == ("rs/1", "rs/2")
    assert low["gap"] == imperfect["gap"] == 1 / 6


def test_the_seed_decides_ties_and_a_replicate_draws_again():
    rows = samples("p", "+++", "++-", "++-", "+-+", "+--", "-+-", "--+")
    drawn = {}
    for seed, replicate in itertools.product(range(4), range(4)):
        made = compare(
            [Arm("rs")], [prompt("p", 3)], {"rs": rows}, encode, asked(), seed=seed, replicate=replicate
        ).rows[Arm("rs")]
        again = compare(
            [Arm("rs")], [prompt("p", 3)], {"rs": rows[::-1]}, encode, asked(), seed=seed, replicate=replicate
        ).rows[Arm("rs")]
        assert made == again
        drawn[seed, replicate] = made[0]["rejected_source"]
    assert set(drawn.values()) == {"rs/4", "rs/5", "rs/6"}
    assert len({drawn[0, replicate] for replicate in range(4)}) > 1


# ---- equal numbers and halves


@pytest.mark.parametrize(("n", "fewest"), [(0, 0), (1, 0), (2, 1), (7, 3), (10, 5)])
def test_halves_are_exact(n, fewest):
    of_kind = [
        sorted(
            Counter({0: 0, 1: 0, **Counter(halves(dict.fromkeys(map(str, range(n)), 3), str(seed)).values())}).values()
        )
        for seed in range(8)
    ]
    assert all(counts == [fewest, n - fewest] for counts in of_kind)


def test_the_odd_one_is_drawn_and_so_is_who_is_in_which_half():
    prompts = dict.fromkeys("abcde", 3)
    dealt = [halves(prompts, str(seed)) for seed in range(30)]
    assert {sum(each.values()) for each in dealt} == {2, 3}
    assert all({each[prompt_id] for each in dealt} == {0, 1} for prompt_id in prompts)
    assert halves(dict(reversed(prompts.items())), "0") == dealt[0]


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.integers(1, 6)), st.text(max_size=2))
def test_each_stratum_is_halved_within_one(strata, seed):
    dealt = halves(strata, seed)
    for k in set(strata.values()):
        kinds = [dealt[prompt_id] for prompt_id in strata if strata[prompt_id] == k]
        assert abs(2 * sum(kinds) - len(kinds)) <= 1


def test_equal_prompts_takes_shared_ones_first_and_then_fills_up():
    available = {"rs": set("abcdef"), "mcts": set("defgh"), "other": set("dexyz")}
    kept = equal_prompts(available, None, "0")
    assert {name: len(prompt_ids) for name, prompt_ids in kept.items()} == {"rs": 5, "mcts": 5, "other": 5}
    assert all({"d", "e"} <= set(prompt_ids) for prompt_ids in kept.values())
    assert "f" in kept["rs"] and "f" in kept["mcts"]
    assert equal_prompts(available, 2, "0") == {"rs": ["d", "e"], "mcts": ["d", "e"], "other": ["d", "e"]}
    assert equal_prompts({**available, "none": set()}, None, "0") == {"rs": [], "mcts": [], "other": [], "none": []}
    ones = {equal_prompts({"rs": set("abc"), "mcts": set("abc")}, 1, str(seed))["rs"][0] for seed in range(20)}
    assert ones == set("abc")


def test_the_first_pairs_are_among_more_and_are_of_the_same_prompts_in_every_arm():
    prompts = [f"p{n}" for n in range(20)]
    arms = [[{"prompt_id": p, "pair_id": f"{arm} {p}"} for p in prompts] for arm in ("rs", "mcts")]
    of_size = {n: [[row["prompt_id"] for row in first_pairs(rows, n, 7)] for rows in arms] for n in (5, 10, 20)}
    assert all(
        one == two and len(one) == n and one == sorted(one, key=prompts.index) for n, (one, two) in of_size.items()
    )
    assert set(of_size[5][0]) < set(of_size[10][0]) and of_size[10][0] != prompts[:10]
    assert first_pairs(arms[0], None, 7) == arms[0] and first_pairs(arms[0], 21, 7) == []
    assert {first_pairs(arms[0], 1, seed)[0]["prompt_id"] for seed in range(200)} == set(prompts)


def can(**sides):
    """{"a": "c", "b": "cr"}: a can be swapped on the chosen side, b on both."""
    names = {"c": "chosen", "r": "rejected"}
    return {prompt_id: frozenset(names[letter] for letter in letters) for prompt_id, letters in sides.items()}


@pytest.mark.parametrize(
    ("letters", "size"),
    [
        (["c", "c", "r", "r"], 4),
        (["c", "c", "c", "r"], 3),  # two and one
        (["c", "c", "c"], 1),
        (["c", "c", "c", "cr"], 3),
        (["c", "c", "c", "cr", "cr"], 5),
        (["cr"] * 5, 5),
        ([], 0),
    ],
)
def test_how_many_can_be_swapped_in_halves(letters, size):
    assert len(assign_sides(can(**{f"p{n}": letter for n, letter in enumerate(letters)}), "0")) == size


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.sampled_from(["c", "r", "cr"])), st.integers(0, 9))
def test_sides_are_swapped_in_exact_halves_of_as_many_as_can_be(letters, at_most):
    sides = can(**letters)
    side = assign_sides(sides, "0")
    assert all(side[prompt_id] in sides[prompt_id] for prompt_id in side)
    assert abs(2 * list(side.values()).count("chosen") - len(side)) <= 1
    chosen, rejected = (sum(one in each for each in sides.values()) for one in ("chosen", "rejected"))
    for larger in range(len(side) + 1, len(sides) + 1):  # Hall: no split of any larger number
        splits = {(larger // 2, larger - larger // 2), (larger - larger // 2, larger // 2)}
        assert not any(of_chosen <= chosen and of_rejected <= rejected for of_chosen, of_rejected in splits)
    [kept] = equal_prompts({"unshared": side}, at_most, "0", {"unshared": side}).values()
    assert len(kept) == min(at_most, len(side))
    assert abs(2 * [side[prompt_id] for prompt_id in kept].count("chosen") - len(kept)) <= 1


def test_the_odd_side_is_drawn():
    counts = {list(assign_sides(can(a="cr", b="cr", c="cr"), str(seed)).values()).count("chosen") for seed in range(20)}
    assert counts == {1, 2}
    assert assign_sides(can(a="c", b="c", c="r"), "0") == {"a": "chosen", "b": "chosen", "c": "rejected"}


# ---- mcts_unshared


PAIR = Pair(response([5, 6, 7, 8, 0], "++-", "mcts/2", 1), response([5, 6, 9, 8, 0], "-+-", "mcts/3", 1))


@pytest.mark.parametrize(
    ("ids", "marks", "side"),
    [
        ([5, 6, 1, 2, 0], "-+-", "rejected"),  # two tokens in common with the chosen
        ([5, 6, 7, 2, 0], "-+-", None),  # three
        ([4, 1, 1, 0], "-+-", "rejected"),  # a fifth shorter
        ([4, 1, 0], "-+-", None),  # two fifths shorter
        ([4, 1, 1, 1, 1, 0], "-+-", "rejected"),
        ([4, 1, 1, 1, 1, 1, 0], "-+-", None),
        ([4, 1, 1, 1, 0], "+--", None),  # the score, but not the verdicts
        ([4, 1, 1, 1, 0], "++-", "chosen"),
        ([5, 6, 9, 1, 0], "++-", None),  # three tokens in common with the rejected
    ],
)
def test_what_matches(ids, marks, side):
    pool = [PAIR.chosen, PAIR.rejected, response(ids, marks, "rs/9")]
    swapped = swaps(PAIR, pool, asked(), random.Random(0))
    assert list(swapped) == ([side] if side else [])
    if side:
        assert getattr(swapped[side], side).source == "rs/9"


def test_a_leaf_goes_before_a_sample_and_then_the_nearest_in_length():
    leaf = response([4, 1, 1, 0], "-+-", "mcts/7", 6)
    sampled = response([3, 1, 1, 1, 0], "-+-", "rs/1")
    assert swaps(PAIR, [sampled, leaf], asked(), random.Random(0))["rejected"].rejected == leaf
    near, far = response([2, 1, 1, 1, 0], "-+-", "mcts/8", 8), response([1, 1, 1, 0], "-+-", "mcts/9", 9)
    assert swaps(PAIR, [far, near], asked(), random.Random(0))["rejected"].rejected == near
    ties = [response([n, 1, 1, 1, 0], "-+-", f"mcts/{n}", n) for n in (10, 11, 12)]
    drawn = {swaps(PAIR, ties, asked(), random.Random(n))["rejected"].rejected.source for n in range(30)}
    assert drawn == {"mcts/10", "mcts/11", "mcts/12"}


def test_pairs_without_a_match_leave_both_arms():
    lonely = tree("q", {((5, 6), (7, 0)): "+++", ((5, 6), (8, 0)): "-+-"})
    arms, prompts = [Arm("mcts"), Arm("mcts_unshared"), Arm("shuffled")], [prompt("p", 3), prompt("q", 3)]
    made = compare(arms, prompts, {"mcts": [TREE, lonely]}, encode, asked(), seed=0)
    assert made.outcomes[arms[0]] == made.outcomes[arms[1]] == {"p": "pair", "q": "no match"}
    assert made.outcomes[arms[2]] == {"p": "pair", "q": "equal numbers"}
    # A sample of RS can be the match that the tree has not; p has one for its rejected, q for its chosen.
    rs = [sample("q", 0, [4, 8, 6, 0], "+++")]
    made = compare(arms, prompts, {"mcts": [TREE, lonely], "rs": rs}, encode, asked(), seed=0)
    assert [sides(row) for row in made.rows[arms[1]]] == [("mcts/2", "mcts/4"), ("rs/0", "mcts/3")]
    # Both for the rejected: half of them would have the chosen swapped, so one leaves.
    rs = [sample("q", 0, [4, 8, 6, 0], "-+-")]
    made = compare(arms, prompts, {"mcts": [TREE, lonely], "rs": rs}, encode, asked(), seed=0)
    assert [sorted(made.outcomes[arm].values()) for arm in arms] == [["equal numbers", "pair"]] * 3


# ---- shuffled


def rows_of(n, k=3):
    """n pairs of RS, gap 2/3, over prompts p0, p1 and so on."""
    prompts = [prompt(f"p{i}", k) for i in range(n)]
    responses = [row for each in prompts for row in samples(each["prompt_id"], "+" * k, "-" * (k - 1) + "+")]
    return compare([Arm("rs")], prompts, {"rs": responses}, encode, asked(), seed=0).rows[Arm("rs")]


@pytest.mark.parametrize(("n", "fewest"), [(0, 0), (1, 0), (6, 3), (9, 4)])
def test_half_of_shuffled_is_turned_round(n, fewest):
    rows = rows_of(n)
    mixed = shuffled(rows, "0")
    turned = [(row, new) for row, new in zip(rows, mixed, strict=True) if new != row]
    assert len(turned) in (fewest, n - fewest)
    for row, new in turned:
        for end in ("ids", "text", "score", "verdicts", "source", "finish"):
            assert new[f"chosen_{end}"] == row[f"rejected_{end}"] and new[f"rejected_{end}"] == row[f"chosen_{end}"]
        assert new["gap"] == -row["gap"] and new["pair_id"] == pair_id(new) != row["pair_id"]
        same = ("prompt_id", "prompt_ids", "shared_prefix_tokens", "shared_prefix_fraction", "replicate")
        assert all(new[key] == row[key] for key in same)


# ---- matched


def row_for(prompt_id, chosen, rejected):
    pair = Pair(response([1, 0], chosen), response([2, 0], rejected))
    return to_row(prompt(prompt_id, len(chosen)), encode(prompt_id), Arm("rs"), pair, 0)


def test_matched_by_hand(monkeypatch):
    ids = {prompt_id: IDS[:2] for prompt_id in ("a", "b", "c")} | {
        prompt_id: IDS[:4] for prompt_id in ("v", "w", "x", "y")
    }
    easy = [row_for("a", "++", "-+"), row_for("b", "++", "+-"), row_for("c", "++", "--")]
    hard = [
        row_for("v", "++++", "-+-+"),  # as a, and separates one id more
        row_for("w", "++++", "+--+"),  # as b
        row_for("x", "+++-", "++--"),  # chosen score 3/4, gap 1/4
        row_for("y", "++++", "++--"),  # gap 1/2, but no id in common with any
    ]
    made = matched({"easy": easy, "hard": hard}, ids, 0)
    partners = {a["prompt_id"]: b["prompt_id"] for a, b in zip(made["easy"], made["hard"], strict=True)}
    assert partners == {"a": "v", "b": "w"}
    monkeypatch.setattr(matching, "CALIPER", 0.5)
    wide = matched({"easy": easy, "hard": hard}, ids, 0)
    assert (
        len(wide["easy"]) == 2
    )  # c separates what v and w do, but those are taken and there are as many pairs without
    assert matched({"easy": [], "hard": hard}, ids, 0) == {"easy": [], "hard": []}


def test_matched_prefers_the_same_prompt_and_makes_as_many_pairs_as_there_can_be():
    ids = {name: IDS[:2] for name in "abc"}
    one = [row_for(name, "++", "-+") for name in "abc"]
    made = matched({"one": one, "two": one[::-1]}, ids, 0)
    assert made["one"] == made["two"] and len(made["one"]) == 3
    # p fits r and s, q fits r only: greedy could give r to p and leave q without.
    ids = {"p": IDS[:4], "q": IDS[:4], "r": IDS[:4], "s": IDS[:4]}
    first = [row_for("p", "++++", "--++"), row_for("q", "++++", "-++-")]
    second = [row_for("r", "++++", "--++"), row_for("s", "++++", "+--+")]
    made = matched({"first": first, "second": second}, ids, 0)
    partners = {a["prompt_id"]: b["prompt_id"] for a, b in zip(made["first"], made["second"], strict=True)}
    assert partners == {"p": "s", "q": "r"}


def test_the_same_prompt_is_a_nearer_partner_than_the_same_ids():
    ids = {"a": IDS[:4], "b": IDS[:4]}
    one = [row_for("a", "++++", "--++"), row_for("b", "++++", "+--+")]
    two = [row_for("a", "++++", "+--+"), row_for("b", "++++", "--++")]
    made = matched({"one": one, "two": two}, ids, 0)
    assert [row["prompt_id"] for row in made["one"]] == [row["prompt_id"] for row in made["two"]]


@examples(max_examples=40)
@given(st.lists(st.lists(st.text("+-", min_size=4, max_size=4), min_size=1, max_size=8), min_size=2, max_size=2))
def test_there_are_as_many_partners_as_there_can_be(marks):
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    arms = [
        [row_for(f"{n}{i}", "++++", each) for i, each in enumerate(side) if "-" in each] for n, side in enumerate(marks)
    ]
    ids = {row["prompt_id"]: IDS[:4] for rows in arms for row in rows}
    near = np.array(
        [
            [a["gap"] == b["gap"] and bool(separated(a, IDS[:4]) & separated(b, IDS[:4])) for b in arms[1]]
            for a in arms[0]
        ]
    ).reshape(len(arms[0]), len(arms[1]))
    most = int((maximum_bipartite_matching(csr_array(near)) >= 0).sum()) if near.size else 0
    assert len(matched(dict(enumerate(arms)), ids, 0)[0]) == most


def test_separated():
    row = row_for("p", "+-+", "-++")
    assert separated(row, IDS[:3]) == {IDS[0]} and separated(row, IDS[:3], by="rejected") == {IDS[1]}


def test_compare_matched_by_difficulty():
    arms = [Arm("rs", "high", level) for level in ("easy", "moderate")]
    prompts = [prompt("a", 2), prompt("b", 2), prompt("v", 4), prompt("w", 4), prompt("x", 4)]
    rs = [
        *samples("a", "++", "-+"), *samples("b", "++", "--"),
        *samples("v", "++++", "-+-+"), *samples("w", "++++", "++--"), *samples("x", "+++-", "----"),
    ]  # fmt: skip
    made = compare(arms, prompts, {"rs": rs}, encode, asked(), seed=0, match="ids")
    assert [[row["prompt_id"] for row in made.rows[arm]] for arm in arms] == [["a"], ["v"]]
    assert made.outcomes[arms[0]] == {"a": "pair", "b": "no partner"}
    assert made.outcomes[arms[1]] == {"v": "pair", "w": "no partner", "x": "no partner"}
    natural = compare(arms, prompts, {"rs": rs}, encode, asked(), seed=0)
    assert [len(natural.rows[arm]) for arm in arms] == [2, 2]


# ---- alike in all arms, prompt by prompt


def alike(match, rs, leaves, *contrast, k=3, seed=0):
    """The pairs of `rs` and `mcts` for one prompt: (source, source) of chosen and rejected, or the reason."""
    arms = [Arm("rs", *contrast), Arm("mcts", *contrast)]
    sources = {"rs": samples("p", *rs), "mcts": [tree("p", leaves)]}
    made = compare(arms, [prompt("p", k)], sources, encode, asked(), seed=seed, match=match)
    return [sides(made.rows[arm][0]) if made.rows[arm] else made.outcomes[arm]["p"] for arm in arms]


def test_scores_that_both_arms_have_by_hand():
    # The tree has 4/4 over 1/4, and 3/4 over 1/4; rs has 3/4 over 1/4, 3/4 over 0 and 1/4 over 0.
    leaves = {((1,), (2, 0)): "++++", ((1,), (3, 0)): "--+-", ((1,), (4, 0)): "-+++"}
    [sampled, searched] = alike("scores", ["+++-", "+---", "----"], leaves, k=4)
    assert sampled == ("rs/0", "rs/1") and searched == ("mcts/4", "mcts/3")
    # As they come, rs would take its larger gap and the tree its perfect chosen.
    made = compare([Arm("rs")], [prompt("p", 4)], {"rs": samples("p", "+++-", "+---", "----")}, encode, asked(), seed=0)
    assert sides(made.rows[Arm("rs")][0]) == ("rs/0", "rs/2")


def test_of_several_common_scores_the_best_by_the_rule_of_the_contrast():
    leaves = {((1,), (2, 0)): "+++++-", ((1,), (3, 0)): "++++--", ((1,), (4, 0)): "+++---", ((1,), (5, 0)): "------"}
    marks = ["+++++-", "++++--", "+++---", "------"]
    assert alike("scores", marks, leaves, k=6) == [
        ("rs/0", "rs/3"),
        ("mcts/2", "mcts/5"),
    ]  # 5/6 over 0: the largest gap
    assert alike("scores", marks, leaves, "low", k=6) == [("rs/0", "rs/1"), ("mcts/2", "mcts/3")]  # the smallest
    assert alike("scores", marks[1:], leaves, "low", k=6) == [("rs/0", "rs/1"), ("mcts/3", "mcts/4")]


def test_verdicts_that_both_arms_have_by_hand():
    leaves = {((1,), (2, 0)): "++-", ((1,), (3, 0)): "---", ((1,), (4, 0)): "+-+"}
    [sampled, searched] = alike("verdicts", ["-++", "+-+", "---", "+++"], leaves)
    assert sampled == ("rs/1", "rs/2") and searched == ("mcts/4", "mcts/3")  # ++- has the score alone
    both = ["++-", "+-+", "---"]
    drawn = {tuple(alike("verdicts", both, leaves, seed=seed)) for seed in range(20)}
    assert drawn == {(("rs/0", "rs/2"), ("mcts/2", "mcts/3")), (("rs/1", "rs/2"), ("mcts/4", "mcts/3"))}


def test_a_prompt_without_common_scores_says_so_and_the_others_stay():
    leaves = {((1,), (2, 0)): "+++", ((1,), (3, 0)): "---"}
    arms, prompts = [Arm("rs"), Arm("mcts")], [prompt("p", 3), prompt("q", 3), prompt("r", 3)]
    sources = {
        "rs": [*samples("p", "+++", "+--"), *samples("q", "+++", "---"), *samples("r", "+++", "---")],
        "mcts": [tree("p", leaves), tree("q", leaves)],
    }
    made = compare(arms, prompts, sources, encode, asked(), seed=0, match="scores")
    assert made.outcomes[arms[0]] == {"p": "no common scores", "q": "pair", "r": "no common scores"}
    assert made.outcomes[arms[1]] == {"p": "no common scores", "q": "pair", "r": "no responses"}
    for match, what in (("scores", "scores"), ("verdicts", "verdicts")):
        message = (
            rf"no prompt has common {what} .*\(prompts with a pair: rs/high/all: 1, mcts/high/all: 1\); allowed: .*"
        )
        with pytest.raises(ValueError, match=message):
            compare(arms, prompts[:1], sources, encode, asked(), seed=0, match=match)
    # where an arm has no pair by itself, nothing is wrong with the match: that is a yield
    none = compare(arms, prompts[2:], sources, encode, asked(), seed=0, match="scores")
    assert none.rows == {arm: [] for arm in arms}


@examples(max_examples=60)
@given(seed=st.integers(0, 10**6), match=st.sampled_from(["scores", "verdicts"]), low=st.booleans())
def test_pairs_are_alike_prompt_by_prompt_and_the_best_that_all_arms_have(seed, match, low):
    prompts, sources = world(seed)
    contrast = "low" if low else "high"
    arms = [Arm(curation, contrast) for curation in ("rs", "mcts", "rs_branched")]
    try:
        made = compare(arms, prompts, sources, encode, asked(), seed=seed, match=match)
    except ValueError as error:
        assert "no prompt has common" in str(error)
        return

    def key(pair):
        sides = (pair.chosen, pair.rejected)
        return tuple(side.score if match == "scores" else side.verdicts for side in sides)

    def value(pair):
        return pair.chosen.score, -pair.gap if low else pair.gap

    tables = [by_prompt(made.rows[arm]) for arm in arms]
    for one in prompts:
        p, k, of_arms = one["prompt_id"], one["n_constraints"], []
        for arm in arms:
            read = (read_responses if arm.curation == "rs" else read_trees)(sources[arm.curation])
            pairs = candidates(read.get(p, ()), CURATIONS[arm.curation].shares)
            pairs = [] if isinstance(pairs, str) else pairs
            fits = [pair for pair in pairs if (pair.gap <= 0.341 and k >= 3 if low else pair.gap >= 0.499)]
            of_arms.append({key(pair): value(pair) for pair in fits})
        common = set.intersection(*map(set, of_arms))
        assert [p in table for table in tables] == [bool(common)] * 3
        if common:
            column = "score" if match == "scores" else "verdicts"
            assert len({(str(t[p][f"chosen_{column}"]), str(t[p][f"rejected_{column}"])) for t in tables}) == 1
            row = tables[0][p]
            best = max(of_arms[0][one] for one in common)
            assert (row["chosen_score"], -row["gap"] if low else row["gap"]) == pytest.approx(best)


# ---- difficulty, yields, balance


def test_terciles_of_the_pass_rate_at_each_number_of_constraints():
    prompts = [prompt(name, 2) for name in "abc"] + [prompt(name, 6) for name in "xyz"]
    rates = {"a": ["++", "++"], "b": ["++", "--"], "c": ["--", "--"]}
    rates |= {"x": ["------", "+-----"], "y": ["++++++", "------"], "z": ["+++++-", "+++++-"]}
    rows = [row for name, marks in rates.items() for row in samples(name, *marks)]
    labelled = {row["prompt_id"]: row["difficulty"] for row in by_pass_rate(prompts, rows, seed=0)}
    assert labelled == {"a": "easy", "b": "moderate", "c": "hard", "y": "easy", "z": "moderate", "x": "hard"}
    with pytest.raises(ValueError, match="prompt q has no response"):
        by_pass_rate([*prompts, prompt("q", 2)], rows, seed=0)


def test_yields_by_hand():
    prompts = [prompt("a", 2), prompt("b", 2), prompt("c", 2), prompt("h", 6)]
    rs = [
        *samples("a", "++", "--"),
        *samples("b", "++", "++"),
        *samples("c", "+-", "-+"),
        *samples("h", "++++++", "-" * 6),
    ]
    arms = [Arm("rs"), Arm("rs", "high", "hard")]
    made = compare(arms, prompts, {"rs": rs}, encode, asked(), seed=0)
    arm = {"curation": "rs", "contrast": "high", "difficulty": "all"}
    assert made.outcomes[arms[0]]["h"] == "pair"  # in both arms, so it goes first; one pair an arm is all that hard has
    assert yields(made.outcomes, prompts) == [
        {**arm, "prompt_difficulty": "easy", "outcome": "pair", "prompts": 0, "share": 0.0},
        {**arm, "prompt_difficulty": "easy", "outcome": "all perfect", "prompts": 1, "share": 1 / 3},
        {**arm, "prompt_difficulty": "easy", "outcome": "equal numbers", "prompts": 1, "share": 1 / 3},
        {**arm, "prompt_difficulty": "easy", "outcome": "equal scores", "prompts": 1, "share": 1 / 3},
        {**arm, "prompt_difficulty": "hard", "outcome": "pair", "prompts": 1, "share": 1.0},
        {**arm, "difficulty": "hard", "prompt_difficulty": "hard", "outcome": "pair", "prompts": 1, "share": 1.0},
    ]


def test_balance_by_hand():
    prompts = [prompt("a", 2), prompt("b", 4)]
    one = [row_for("a", "++", "-+"), row_for("b", "++++", "+---")]
    two = [row_for("b", "+-++", "-+--")]
    table = {(row["group"], row["quantity"], row["arm"]): row for row in balance({"one": one, "two": two}, prompts)}

    def cell(group, quantity, arm):
        row = table[group, quantity, arm]
        return row["mean"], row["sd"], row["difference"], row["smd"]

    assert cell("prompts", "k", "one") == (3.0, 2**0.5, 0.0, 0.0)
    assert cell("prompts", "k", "two") == (4.0, None, 1.0, None)
    assert cell("prompts", "in all arms", "one")[0] == 0.5
    assert cell("scores", "gap", "one")[0] == 0.625 and cell("scores", "gap", "two")[0] == 0.5
    assert cell("tokens", "chosen", "one")[0] == 2.0 and cell("finish", "chosen stopped", "one")[0] == 1.0
    assert cell("separates", IDS[0], "one")[0] == 0.5 and cell("separates", IDS[0], "two")[0] == 1.0
    assert cell("separates", IDS[1], "one")[0] == 0.5 and cell("separates", IDS[1], "two")[0] == 0.0
    assert cell("reverses", IDS[1], "two")[0] == 1.0 and cell("reverses", IDS[1], "one")[0] == 0.0
    assert cell("has", IDS[3], "one")[0] == 0.5 and table["has", IDS[3], "one"]["pairs"] == 2
    assert cell("sharing", "shared prefix fraction", "one")[0] == 0.0
    both = {(row["quantity"], row["arm"]): row for row in balance({"one": one, "again": one}, prompts)}
    assert both["gap", "again"]["smd"] == 0.0 and both["in all arms", "one"]["mean"] == 1.0
    empty = {(row["quantity"], row["arm"]): row for row in balance({"one": one, "none": []}, prompts)}
    assert empty["gap", "none"]["mean"] is None and empty["gap", "none"]["pairs"] == 0


def test_the_smd_is_over_the_root_of_the_mean_variance():
    prompts = [prompt(name, 4) for name in "abcd"]
    one = [row_for("a", "++++", "+++-"), row_for("b", "++++", "+---")]  # gaps 1/4, 3/4: mean 1/2, variance 1/8
    two = [row_for("c", "++++", "+++-"), row_for("d", "++++", "+++-")]  # gaps 1/4: variance 0
    table = {(row["quantity"], row["arm"]): row for row in balance({"one": one, "two": two}, prompts)}
    assert table["gap", "two"]["difference"] == -0.25
    assert table["gap", "two"]["smd"] == pytest.approx(-0.25 / (1 / 16) ** 0.5)


# ---- what is refused


@pytest.mark.parametrize(
    ("arms", "changed", "message"),
    [
        ([Arm("mcts")], {}, r"mcts/high/all needs the source 'mcts'; given: rs"),
        ([Arm("rs", "mixed")], {}, "design 'single' has no contrast 'mixed'; it has high, low, low_imperfect"),
        ([Arm("rs"), Arm("rs")], {}, "arm rs/high/all is given twice"),
        ([Arm("rs")], {"design": "tripels"}, r"design 'tripels' is unknown \(did you mean 'triples'\?\)"),
        ([Arm("rs")], {"prompts": [prompt("p", 3), prompt("p", 3)]}, "prompt p is given twice"),
        ([Arm("rs")], {"prompts": [prompt("p", 2)]}, "prompt p, rs/0: 3 verdicts for 2 constraints"),
        ([Arm("rs")], {"sources": {"rs": RS, "mtcs": []}}, r"source 'mtcs' is unknown \(did you mean 'mcts'\?\)"),
        ([Arm("rs", "mixed")], {"design": "triples", "match": "ids"}, "rs/mixed/all is made of halves"),
        ([Arm("shuffled")], {"sources": {"mcts": [TREE]}, "match": "scores"}, "shuffled/high/all is made of halves"),
        ([Arm("mcts_unshared", "mixed")], {"sources": {"mcts": [TREE]}, "design": "triples"}, "is made of halves"),
        ([Arm("rs")], {"match": "score"}, r"match 'score' is unknown \(did you mean 'scores'\?\)"),
        ([Arm("rs"), Arm("rs", "low")], {"match": "scores"}, "allowed: arms that differ in curation alone"),
        (
            [Arm("rs")],
            {"design": "quality", "match": "verdicts"},
            "design 'single' has|has no contrast|design 'single'",
        ),
    ],
)
def test_refused(arms, changed, message):
    given = {"prompts": [prompt("p", 3)], "sources": {"rs": RS}, "seed": 0, **changed}
    with pytest.raises(ValueError, match=message):
        compare(arms, encode=encode, settings=asked(), **given)


def test_unknown_levels_and_settings():
    with pytest.raises(
        ValueError, match=r"Arm: curation 'mtcs' is unknown \(did you mean 'mcts'\?\); allowed: rs, mcts"
    ):
        Arm("mtcs")
    with pytest.raises(ValueError, match="Arm: contrast 'higher' is unknown"):
        Arm("rs", "higher")
    with pytest.raises(ValueError, match="Arm: difficulty"):
        Arm("rs", "high", "simple")
    with pytest.raises(ValueError, match=r"chosen_quality\n  Input should be 'best' or 'perfect' .*'prefect'"):
        asked(chosen_quality="prefect")
    with pytest.raises(ValueError, match="allowed: max_low_gap < min_high_gap"):
        load_params("smoke", max_low_gap=0.5, min_high_gap=0.5)


def test_one_text_with_two_scores_is_refused():
    pair = Pair(response([1, 0], "++"), Response("rs/1", (2, 0), "<1><0>", (True, False), 0.5, "stop"))
    with pytest.raises(ValueError, match=r"prompt p: rs/0 and rs/1 have one text and two scores, 1 and 0.5"):
        to_row(prompt("p", 2), [], Arm("rs"), pair, 0)


def test_settings_are_those_of_the_profile():
    made = PairSettings.from_params(load_params("smoke", n_pairs=7, chosen_quality="perfect"))
    assert asdict(made) == {**DEFAULTS, "n_pairs": 7, "chosen_quality": "perfect"}


# ---- rules that hold for any records


def world(seed):
    """Prompts with k = 1..4, RS responses, and two trees for each; verdicts are a function of prompt and tokens."""
    rng = random.Random(seed)
    prompts = [
        prompt(f"p{n}", rng.choice((1, 2, 3, 3, 4, 4)), rng.choice(("easy", "moderate", "hard"))) for n in range(14)
    ]

    def marks(one, ids):
        chance = random.Random(f"{seed}/{one['prompt_id']}/{ids}")
        return "".join("+" if chance.random() < 0.6 else "-" for _ in range(one["n_constraints"]))

    rs, trees, branched = [], [], []
    for one in prompts:
        for n in range(rng.randrange(0, 9)):
            ids = (*(rng.randrange(1, 4) for _ in range(rng.randrange(3, 6))), 0)
            rs.append(sample(one["prompt_id"], n, ids, marks(one, ids)))
        for rows in (trees, branched):
            leaves = {}
            for _ in range(rng.randrange(1, 14)):
                first = (rng.randrange(1, 4), 9)
                second = ((rng.randrange(1, 4), 8),) * rng.randrange(2)
                path = (first, *second, (rng.randrange(1, 7), rng.randrange(1, 7), 0))
                leaves[path] = marks(one, tuple(id for segment in path for id in segment))
            rows.append(tree(one["prompt_id"], leaves))
    return prompts, {"rs": rs, "mcts": trees, "rs_branched": branched}


SINGLE = [Arm(curation, contrast) for curation in CURATIONS for contrast in ("high", "low")]
TRIPLES = [Arm(*levels) for levels in itertools.product(CURATIONS, ("high", "low", "mixed"))]
TRIPLES.remove(Arm("mcts_unshared", "mixed"))
DIFFICULTY = [Arm("mcts", "high", level) for level in ("easy", "moderate", "hard", "all")]
COMPARED = {
    "curation": ("single", [Arm("rs"), Arm("mcts"), Arm("rs_branched"), Arm("mcts_unshared"), Arm("shuffled")]),
    "sharing": ("single", [Arm("mcts"), Arm("mcts_unshared")]),
    "single": ("single", SINGLE),
    "contrast": ("triples", [Arm("rs", "high"), Arm("rs", "low"), Arm("rs", "mixed")]),
    "triples": ("triples", TRIPLES),
    "quality": ("quality", [Arm("mcts", "low"), Arm("mcts", "low_imperfect")]),
    "difficulty": ("single", DIFFICULTY),
}


@pytest.mark.parametrize("name", COMPARED)
@examples(max_examples=40)
@given(seed=st.integers(0, 10**6), n=st.sampled_from([None, None, 3]), perfect=st.booleans())
def test_any_comparison(name, seed, n, perfect):
    design, arms = COMPARED[name]
    prompts, sources = world(seed)
    settings = asked(n_pairs=n, chosen_quality="perfect" if perfect else "best")
    made = compare(arms, prompts, sources, encode, settings, seed=seed, design=design)
    by_id = {one["prompt_id"]: one for one in prompts}

    # equal numbers, one pair a prompt, all prompts accounted for
    assert len({len(rows) for rows in made.rows.values()}) == 1
    for arm in arms:
        level = {p for p in by_id if arm.difficulty in ("all", by_id[p]["difficulty"])}
        with_pair = [prompt_id for prompt_id, outcome in made.outcomes[arm].items() if outcome == "pair"]
        assert sorted(with_pair) == [row["prompt_id"] for row in made.rows[arm]]
        assert set(made.outcomes[arm]) == level
        assert set(made.outcomes[arm].values()) <= {"pair", *REASONS}
    counted = Counter()
    for row in yields(made.outcomes, prompts):
        counted[str(Arm(row["curation"], row["contrast"], row["difficulty"]))] += row["prompts"]
    assert counted == Counter({str(arm): len(made.outcomes[arm]) for arm in arms})

    for arm, rows in made.rows.items():
        for row in rows:
            assert row["chosen_ids"] != row["rejected_ids"] and row["chosen_text"] != row["rejected_text"]
            assert row["gap"] == pytest.approx(row["chosen_score"] - row["rejected_score"])
            assert row["shared_prefix_tokens"] == shared_prefix(row["chosen_ids"], row["rejected_ids"])
            if arm.curation != "shuffled":
                assert row["chosen_score"] > row["rejected_score"]
            if arm.curation in ("mcts", "rs_branched"):
                assert row["shared_prefix_tokens"] >= 2  # the first segment of a toy tree
            if arm.contrast in ("high", "low"):
                assert row["shared_prefix_fraction"] == row["shared_prefix_tokens"] / min(
                    len(row["chosen_ids"]), len(row["rejected_ids"])
                )
                assert abs(row["gap"]) >= 0.5 if arm.contrast == "high" else abs(row["gap"]) <= 0.34
            if perfect and design != "quality" and arm.curation != "shuffled":
                assert row["chosen_score"] == 1
        if arm.curation == "shuffled":
            assert abs(2 * sum(row["gap"] < 0 for row in rows) - len(rows)) <= 1

    # the order of what is read does not matter
    backwards = {
        source: [{**row, "nodes": row["nodes"][::-1]} if "nodes" in row else row for row in rows[::-1]]
        for source, rows in sources.items()
    }
    assert compare(arms[::-1], prompts[::-1], backwards, encode, settings, seed=seed, design=design).rows == made.rows


def by_prompt(rows):
    return {row["prompt_id"]: row for row in rows}


@examples(max_examples=60)
@given(seed=st.integers(0, 10**6), design=st.sampled_from(["single", "triples"]), n=st.sampled_from([None, 4]))
def test_unshared_pairs_differ_from_their_originals_in_sharing_alone(seed, design, n):
    prompts, sources = world(seed)
    for contrast in ("high", "low"):
        arms = [Arm("mcts", contrast), Arm("mcts_unshared", contrast), Arm("rs", contrast)]
        made = compare(arms, prompts, sources, encode, asked(n_pairs=n), seed=seed, design=design)
        shared, unshared = by_prompt(made.rows[arms[0]]), by_prompt(made.rows[arms[1]])
        assert shared.keys() == unshared.keys()
        swapped = Counter()
        for prompt_id, row in unshared.items():
            original = shared[prompt_id]
            kept = [side for side in ("chosen", "rejected") if row[f"{side}_ids"] == original[f"{side}_ids"]]
            assert len(kept) == 1
            side = "rejected" if kept == ["chosen"] else "chosen"
            swapped[side] += 1
            assert row["shared_prefix_tokens"] <= 2
            assert row["chosen_verdicts"] == original["chosen_verdicts"]
            assert row["rejected_verdicts"] == original["rejected_verdicts"]
            lengths = len(row[f"{side}_ids"]), len(original[f"{side}_ids"])
            assert abs(lengths[0] - lengths[1]) <= 0.25 * lengths[1]
        assert abs(swapped["chosen"] - swapped["rejected"]) <= 1


@examples(max_examples=60)
@given(seed=st.integers(0, 10**6), curation=st.sampled_from(["rs", "mcts", "rs_branched"]))
def test_high_low_and_mixed_differ_in_the_rejected_alone(seed, curation):
    prompts, sources = world(seed)
    arms = [Arm(curation, contrast) for contrast in ("high", "low", "mixed")]
    made = compare(arms, prompts, sources, encode, asked(), seed=seed, design="triples")
    high, low, mixed = (by_prompt(made.rows[arm]) for arm in arms)
    assert high.keys() == low.keys() == mixed.keys()
    kinds = Counter()
    for prompt_id in high:
        assert high[prompt_id]["chosen_ids"] == low[prompt_id]["chosen_ids"] == mixed[prompt_id]["chosen_ids"]
        assert high[prompt_id]["gap"] > low[prompt_id]["gap"]
        kinds[mixed[prompt_id]["pair_id"] == high[prompt_id]["pair_id"]] += 1
        assert mixed[prompt_id]["pair_id"] in (high[prompt_id]["pair_id"], low[prompt_id]["pair_id"])
    assert abs(kinds[True] - kinds[False]) <= 1


def satisfied(one):
    return sum(one.verdicts)


@examples(max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_a_prompt_has_a_triple_exactly_if_there_is_one_and_it_is_a_best_one(seed):
    prompts, sources = world(seed)
    read = read_trees(sources["mcts"])
    for one in prompts:
        leaves, k = read[one["prompt_id"]], one["n_constraints"]
        chosen = triples(candidates(leaves, CURATIONS["mcts"].shares), k, asked(), random.Random(seed))
        best = [
            (satisfied(a), satisfied(a) - satisfied(b), satisfied(c) - satisfied(a))
            for a, b, c in itertools.permutations(leaves, 3)
            if a.branch == b.branch == c.branch and k >= 3
            and (a.score - b.score) >= 0.499 and 0 < a.score - c.score <= 0.341
        ]  # fmt: skip
        assert isinstance(chosen["high"], Pair) == bool(best)
        if best:
            high, low = chosen["high"], chosen["low"]
            gaps = satisfied(high.chosen) - satisfied(high.rejected), satisfied(low.rejected) - satisfied(low.chosen)
            assert (satisfied(high.chosen), *gaps) == max(best)


@examples(max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_matched_arms_are_alike(seed):
    prompts, sources = world(seed)
    arms = [Arm("mcts", "high", level) for level in ("easy", "moderate")]
    made = compare(arms, prompts, sources, encode, asked(), seed=seed, match="ids")
    assert len(made.rows[arms[0]]) == len(made.rows[arms[1]])
    ids = {one["prompt_id"]: [constraint["id"] for constraint in one["constraints"]] for one in prompts}
    natural = {arm: compare([arm], prompts, sources, encode, asked(), seed=seed).rows[arm] for arm in arms}
    assert all(sorted(by_prompt(rows)) == list(by_prompt(rows)) for rows in made.rows.values())
    for a, b in zip(*matched(natural, ids, seed).values(), strict=True):
        assert abs(a["gap"] - b["gap"]) <= 0.1001 and abs(a["chosen_score"] - b["chosen_score"]) <= 0.1001
        assert separated(a, ids[a["prompt_id"]]) & separated(b, ids[b["prompt_id"]])


def test_the_toy_worlds_are_not_empty():
    """The rules above say nothing of arms without pairs."""
    numbers = Counter()
    for seed in range(10):
        prompts, sources = world(seed)
        for name, (design, arms) in COMPARED.items():
            made = compare(arms, prompts, sources, encode, asked(), seed=seed, design=design)
            numbers[name] += len(made.rows[arms[0]])
    assert all(numbers[name] >= 5 for name in COMPARED), numbers
