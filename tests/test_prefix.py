"""What the notebook `prefix` shows beyond effects of one comparison, with toy studies worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from ifpref.analysis import pair_results, readings, results
from ifpref.curation.pairs import Arm
from ifpref.evaluation.table import Table

RS, MCTS = Arm("rs"), Arm("mcts")
PROMPTS, REPLICATES = 4, 2


class Toy:
    """A study whose scores are given: {(comparison, curation, key): (R, N)}, and with a rate as a fourth part."""

    def __init__(self, scores, comparisons, rates=(0.1, 0.2), pairs=None):
        self.scores, self.pairs = scores, pairs or {}
        self.params = SimpleNamespace(confidence=0.95, comparisons=comparisons, learning_rates=rates)
        self.replicates = range(REPLICATES)
        self.comparisons = [self.comparison(name) for name in comparisons]

    def comparison(self, name):
        return SimpleNamespace(name=name, arms=(RS, MCTS), every_rate=name == "stability")

    def tables(self, name, arm, *, key="test/greedy", rate=None):
        found = self.scores.get((name, arm.curation, key) if rate is None else (name, arm.curation, key, rate))
        return [None] * REPLICATES if found is None else [None if row is None else table(row) for row in found]

    def base(self, split="test", temperature=0.0):
        return table({0.0: [0, 0, 0, 0], 1.0: [1, 0, 0, 0], 0.5: [1, 1, 0, 0]}[temperature])

    def record(self, name, arm, replicate, rate=None):
        return {"matched": {"temperature": 0.5}}

    def pair_tables(self, name):
        return self.pairs.get(name, [])


def table(met):
    return Table.from_rows(
        {"prompt_id": str(n), "sample": 0, "strict": [bool(one)], "loose": [bool(one)], "n_tokens": 1, "text": "a"}
        | {"finish": "stop", "token_ids": [1], "logprob": -1.0}
        for n, one in enumerate(met)
    )


ALL, HALF, ONE, NONE = [1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]
GREEDY, SAMPLED = "test/greedy", "test/sampled"


def test_the_dose_is_the_effect_on_each_third_then_upper_less_lower():
    scores = {
        ("dose_lower", "rs", GREEDY): [HALF, HALF],
        ("dose_lower", "mcts", GREEDY): [HALF, ONE],  # 0, -25
        ("dose_upper", "rs", GREEDY): [HALF, NONE],
        ("dose_upper", "mcts", GREEDY): [ALL, ONE],  # +50, +25
    }
    pairs = {f"dose_{part}": [{"pairs": {str(MCTS): n, str(RS): n}} for n in (7, 10)] for part in ("lower", "upper")}
    lower, upper, difference = readings.dose(Toy(scores, ("dose_lower", "dose_upper"), pairs=pairs))
    assert [row["label"] for row in (lower, upper, difference)] == ["lower", "upper", "upper − lower"]
    assert [row["estimate"] for row in (lower, upper, difference)] == [-12.5, 37.5, 50.0]
    assert lower["pairs"] == 8 and "pairs" not in difference  # the mean of 7 and 10, to the even


def test_without_both_outer_thirds_there_is_no_difference():
    scores = {("dose_lower", "rs", GREEDY): [HALF, HALF], ("dose_lower", "mcts", GREEDY): [ALL, ONE]}
    (only,) = readings.dose(Toy(scores, ("sharing", "dose_lower")))
    assert (only["label"], only["estimate"], only["pairs"]) == ("lower", 12.5, 0)
    assert readings.dose(Toy({}, ("sharing",))) == []


def test_over_rates_takes_each_replicate_at_its_own_worst_rate():
    scores = {
        ("stability", "rs", GREEDY, 0.1): [ALL, NONE],  # 100, 0
        ("stability", "rs", GREEDY, 0.2): [NONE, HALF],  # 0, 50: worst 0 and 0, spread 100 and 50
        ("stability", "mcts", GREEDY, 0.1): [HALF, HALF],
        ("stability", "mcts", GREEDY, 0.2): [ONE, ALL],  # worst 25 and 50, spread 25 and 50
    }
    rows = readings.over_rates(Toy(scores, ("stability",)))
    assert [row["label"] for row in rows] == ["rs", "mcts", "mcts − rs"] * 2
    assert [row["estimate"] for row in rows] == [0.0, 37.5, 37.5, 75.0, 37.5, -37.5]
    assert len({row["group"] for row in rows}) == 2


def test_an_arm_that_is_missing_throughout_leaves_no_difference():
    scores = {("stability", "rs", GREEDY, rate): [ALL, ONE] for rate in (0.1, 0.2)}
    rows = {(row["group"], row["label"]): row for row in readings.over_rates(Toy(scores, ("stability",)))}
    assert rows["gain at the worst rate", "rs"]["estimate"] == 62.5
    missing = rows["gain at the worst rate", "mcts − rs"]
    assert (missing["estimate"], missing["missing"]) == (None, REPLICATES)


def test_decoding_runs_has_the_base_and_each_run_that_was_sampled():
    scores = {
        ("sharing", "rs", GREEDY): [ALL, ALL],
        ("sharing", "mcts", GREEDY): [ALL, HALF],
        ("sharing", "mcts", SAMPLED): [HALF, None],
    }
    base, run = readings.decoding_runs(Toy(scores, ("sharing",)))
    assert base == {"arm": "base", "replicate": None, "base_matched": None, "greedy": 0.0, "sampled": 0.25}
    expected = {"arm": str(MCTS), "replicate": 0, "base_matched": 0.5, "greedy": 1.0, "sampled": 0.5}
    assert run == expected
    del scores["sharing", "mcts", SAMPLED]
    assert readings.decoding_runs(Toy(scores, ("sharing",))) == []


def test_the_toy_study_is_read_as_a_real_one_is():
    toy = Toy({("sharing", "rs", GREEDY): [ALL, ONE]}, ("sharing",))
    assert results.points(toy, "sharing", RS).tolist() == [[100.0] * 4, [100.0, 0.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("chosen", "rejected", "expected"), [("abc", "abd", 2), ("ab", "abc", 2), ("x", "y", 0), ("", "y", 0)]
)
def test_shared_characters(chosen, rejected, expected):
    assert pair_results.shared_characters({"chosen_text": chosen, "rejected_text": rejected}) == expected


def test_less_refuses_nothing_and_hides_nothing():
    assert results.less(np.ones((2, 3)), np.zeros((2, 3))).tolist() == [[1.0] * 3] * 2
    assert np.isnan(results.less(np.ones((2, 3)), np.zeros((2, 1)))).all()


def test_counts_of_pairs_are_a_range_over_replicates():
    one = SimpleNamespace(pair_tables=lambda name: [{"pairs": {"rs": n, "mcts": 20}} for n in (1130, 112, 120)])
    assert pair_results.pair_counts(one, "sharing") == [
        {"arm": "rs", "pairs a replicate": "112–1,130", "pairs in all": 1362},
        {"arm": "mcts", "pairs a replicate": "20", "pairs in all": 60},
    ]
