"""A scorer of one's own: one function, and one line in `SCORERS`. Arms that name it get pairs by its scores."""

import math
import random
from collections import defaultdict
from dataclasses import replace
from itertools import combinations
from types import MappingProxyType

import numpy as np
import pytest
from scripted import ScriptedEngine

from ifpref import design
from ifpref.curation import Arm, PairSettings, SearchSettings, compare, grow, respond
from ifpref.curation.matching import swaps
from ifpref.curation.pairs import Pair, Response, read_trees
from ifpref.curation.scoring import SCORERS, Judge, ScorerError, scored_again
from ifpref.params import load_params
from ifpref.pipeline import pairs, runs
from ifpref.pipeline.pairs import PAIRS, Pairs
from ifpref.pipeline.pipeline import Pipeline
from ifpref.pipeline.runs import Run
from ifpref.pipeline.samples import RESPONSES, TREES, Responses, Trees
from ifpref.sampling import Settings
from ifpref.store import Store

SIZE = {"n_train_prompts": 6, "n_responses": 4, "shard_prompts": 6, "max_tokens": 40}
GAPS = {"min_high_gap": 0.02, "max_low_gap": 0.01}
TOYS = (Arm("rs", scorer="toy"), Arm("mcts", scorer="toy"))


def shorter_is_better(prompt, text, verdicts):
    return (50 - min(len(text.split()), 50)) / 50


@pytest.fixture
def toy(monkeypatch):
    """The scorer, for one test, and a comparison of the arms that name it."""
    monkeypatch.setitem(SCORERS, "toy", shorter_is_better)
    toys = design.Comparison("toys", "prefix", "Are shorter responses better?", TOYS)
    for module in (design, pairs, runs):
        monkeypatch.setattr(module, "COMPARISONS", MappingProxyType({**design.COMPARISONS, "toys": toys}))


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    return Pipeline(load_params("smoke", **SIZE, **GAPS), Store(tmp_path_factory.mktemp("store")))


# ---- by hand

SUN = {"id": "keywords:existence", "kwargs": {"keywords": ["sun"]}}
PROMPTS = [
    {"prompt_id": f"p{n}", "text": f"Do {n}.", "constraints": [SUN], "n_constraints": 1, "difficulty": "easy"}
    for n in range(5)
]
SCRIPT = {
    start + end: 1.0 for start in ("Rain.", "The sun is up.") for end in ("", " It is late.", " So we all go on.")
}
SETTINGS = PairSettings(None, **GAPS, chosen_quality="best", unshared_length_tolerance=0.25, unshared_max_prefix=2)


def test_pairs_by_the_scores_of_a_scorer(toy):
    engine, sampling = ScriptedEngine({one["text"]: SCRIPT for one in PROMPTS}), Settings(max_tokens=32)
    responses = respond(PROMPTS, engine, sampling, 12)
    trees = grow(PROMPTS, engine, sampling, SearchSettings(budget=12), "toy")
    sources = {"rs": responses, "rs/toy": scored_again(responses, PROMPTS, "toy"), "mcts/toy": trees}
    usual = Arm("rs")
    made = compare([usual, *TOYS], PROMPTS, sources, engine.encode, SETTINGS, seed=0)
    texts = defaultdict(set)
    for row in responses:
        texts[row["prompt_id"]].add(row["text"])
    assert len(made.rows[usual]) >= 3
    for row in made.rows[TOYS[0]]:
        by_words = sorted(texts[row["prompt_id"]], key=lambda text: len(text.split()))
        assert (row["chosen_text"], row["rejected_text"]) == (by_words[0], by_words[-1])
        assert row["scorer"] == "toy" and row["chosen_score"] == shorter_is_better(None, row["chosen_text"], None)
        assert row["gap"] == round(row["chosen_score"] - row["rejected_score"], 12)
        assert row["chosen_verdicts"] == ["sun" in row["chosen_text"]]  # those of the verifier, as ever
    for row in made.rows[TOYS[1]]:
        assert row["chosen_text"].split(".")[0] == row["rejected_text"].split(".")[0]
        assert len(row["chosen_text"]) < len(row["rejected_text"])
    assert "scorer" not in made.rows[usual][0] and "sun" in made.rows[usual][0]["chosen_text"]


def test_a_swapped_side_has_the_score_of_the_response_that_it_stands_in_for():
    """Equal verdicts are an equal score of the verifier only."""
    chosen = Response("mcts/2", (5, 6, 7, 0), "a", (True,), 0.8, "stop", 1)
    rejected = Response("mcts/3", (5, 6, 8, 0), "b", (True,), 0.4, "stop", 1)
    for score, sides in ((0.4, ["rejected"]), (0.8, ["chosen"]), (0.6, [])):
        other = Response("mcts/4", (9, 1, 1, 0), "c", (True,), score, "stop", 4)
        pool = [chosen, rejected, other]
        found = swaps(Pair(chosen, rejected), pool, replace(SETTINGS, unshared_max_prefix=1), random.Random(0))
        assert list(found) == sides


def test_the_search_goes_by_the_scores_of_a_scorer(toy):
    engine, sampling = ScriptedEngine({one["text"]: SCRIPT for one in PROMPTS}), Settings(max_tokens=32)
    toys, usual = (grow(PROMPTS, engine, sampling, SearchSettings(budget=12), name) for name in ("toy", "verifier"))
    assert [row["origins"] for row in toys] != [row["origins"] for row in usual]
    for responses in read_trees(toys).values():
        assert all(one.score == shorter_is_better(None, one.text, None) for one in responses)


# ---- by the declared stages


def test_the_stages_make_pairs_by_the_scores_of_a_scorer(toy, pipeline):
    task = Pairs("toys", 0)
    inputs = task.inputs(pipeline.params)
    assert inputs.keys() == {"prompts", "rs/toy", "mcts/toy"}
    assert inputs["rs/toy"] == Responses(0)  # the responses are those that the verifier judges
    assert inputs["mcts/toy"] == Trees("mcts", 0, "toy")
    assert pipeline.key(Trees("mcts", 0, "toy")) != pipeline.key(Trees("mcts", 0))
    words = {
        "rs": {row["text"] for row in pipeline.rows(Responses(0), RESPONSES)},
        "mcts": {
            one.text for leaves in read_trees(pipeline.rows(Trees("mcts", 0, "toy"), TREES)).values() for one in leaves
        },
    }
    rows = pipeline.rows(task, PAIRS)
    assert {row["curation"] for row in rows} == {"rs", "mcts"}
    for row in rows:
        assert Arm.of_row(row) in TOYS
        assert row["chosen_text"] in words[row["chosen_source"].split("/")[0]]
        assert row["chosen_score"] == shorter_is_better(None, row["chosen_text"], None)
        assert row["rejected_score"] == shorter_is_better(None, row["rejected_text"], None)
        assert len(row["chosen_text"].split()) < len(row["rejected_text"].split())


def test_an_unshared_arm_looks_among_the_responses_as_its_scorer_judges_them(pipeline, monkeypatch):
    arms = (TOYS[1], Arm("mcts_unshared", scorer="toy"))
    monkeypatch.setattr(pairs, "COMPARISONS", {"toys": design.Comparison("toys", "prefix", "?", arms)})
    assert Pairs("toys", 0).inputs(pipeline.params).keys() == {"prompts", "mcts/toy", "rs/toy"}


def test_another_scorer_is_another_key(toy, pipeline, monkeypatch):
    monkeypatch.setitem(SCORERS, "other", shorter_is_better)
    keys = {}
    for scorer in ("verifier", "toy", "other"):
        arms = tuple(Arm(curation, scorer=scorer) for curation in ("rs", "mcts"))
        one = design.Comparison("toys", "prefix", "?", arms)
        monkeypatch.setattr(pairs, "COMPARISONS", {"toys": one})
        fresh = Pipeline(pipeline.params, pipeline.store)
        keys[scorer] = fresh.key(Pairs("toys", 0)), fresh.key(Trees("mcts", 0, "" if scorer == "verifier" else scorer))
    assert not any(set(a) & set(b) for a, b in combinations(keys.values(), 2))


# ---- scores that are none

NONSENSE = [math.nan, math.inf, 2, -1, -1e-9, None, True, "0.5", [0.5], np.True_, np.float32("nan")]


@pytest.mark.parametrize("score", NONSENSE, ids=repr)
def test_a_score_that_is_none_is_an_error_that_names_scorer_and_prompt(score, monkeypatch):
    monkeypatch.setitem(SCORERS, "toy", lambda prompt, text, verdicts: score)
    message = r"scorer 'toy', prompt p3: its score is .*; allowed: a number from 0 to 1"
    with pytest.raises(ScorerError, match=message):
        Judge(PROMPTS[3], "toy")("The sun.")
    with pytest.raises(ScorerError, match=message):
        scored_again([{"prompt_id": "p3", "text": "The sun.", "verdicts": [True]}], PROMPTS, "toy")
    engine = ScriptedEngine({PROMPTS[3]["text"]: SCRIPT})
    with pytest.raises(ScorerError, match=message):
        grow(PROMPTS[3:4], engine, Settings(max_tokens=32), SearchSettings(budget=2), "toy")


@pytest.mark.parametrize("arm", TOYS, ids=str)
def test_nothing_is_trained_on_scores_that_are_none(arm, toy, pipeline, monkeypatch):
    monkeypatch.setitem(SCORERS, "toy", lambda prompt, text, verdicts: math.nan)
    one = design.Comparison("toys", "prefix", "?", (arm,))
    for module in (pairs, runs):
        monkeypatch.setattr(module, "COMPARISONS", {"toys": one})
    params = pipeline.params.replace(seed=pipeline.params.seed + 1)  # nothing of it is in the store
    with pytest.raises(ScorerError, match=r"scorer 'toy', prompt [0-9a-f]{16}: its score is nan"):
        Pipeline(params, pipeline.store).get(Run("toys", arm, 0, design.Configuration(1e-2)))
    assert not {path.name for path in pipeline.store.root.iterdir()} & {"policy", "reference", "evaluation"}


@pytest.mark.parametrize(("score", "read"), [(0, 0.0), (1, 1.0), (0.25, 0.25), (np.float32(0.5), 0.5)])
def test_every_number_from_0_to_1_is_a_score(score, read, monkeypatch):
    monkeypatch.setitem(SCORERS, "toy", lambda prompt, text, verdicts: score)
    found = Judge(PROMPTS[0], "toy")("The sun.")
    assert found == ((True,), read) and isinstance(found.score, float)


def test_an_unknown_scorer():
    with pytest.raises(ScorerError, match=r"scorer 'verfier' is unknown \(did you mean 'verifier'\?\); allowed: verif"):
        Judge(PROMPTS[0], "verfier")
