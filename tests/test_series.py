"""What notebooks show beyond effects of one comparison: toy studies of four prompts, worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from ifpref.analysis import claims, pair_results, readings, results, words
from ifpref.analysis.arms import HIGH, LOW, MCTS, RS
from ifpref.curation.pairs import Arm
from ifpref.design import COMPARISONS, Configuration, configurations
from ifpref.evaluation.table import Table
from ifpref.params import load_params

PROMPTS, REPLICATES = 4, 2
PLACEHOLDERS, TITLE = "detectable_content:number_placeholders", "detectable_format:title"


class Toy:
    """A study whose scores are given: {(comparison, curation, key): (R, N)}, for all of its configurations, or for one,
    as a fourth part. A score is whether a response meets its constraint, and may be a `Table`'s row of its own."""

    def __init__(self, scores, comparisons, pairs=None, **changed):
        self.scores, self.pairs, self.profile, self.overrides = scores, pairs or {}, "smoke", {}
        self.params = load_params("smoke", n_replicates=REPLICATES, comparisons=list(comparisons), **changed)
        self.replicates = range(REPLICATES)
        self.comparisons = [COMPARISONS[name] for name in comparisons]

    def comparison(self, name):
        return COMPARISONS[name]

    def configurations(self, name):
        return configurations(COMPARISONS[name], self.params)

    def middle(self, name):
        return Configuration(self.params.learning_rate)

    def replicates_of(self, name):
        return self.replicates

    def tables(self, name, arm, *, key="test/greedy", at=None):
        usual = self.scores.get((name, arm, key))
        found = self.scores.get((name, arm, key, at), usual)
        return [None] * REPLICATES if found is None else [None if row is None else table(row) for row in found]

    def base(self, split="test", temperature=0.0):
        return table({0.0: [0, 0, 0, 0], 1.0: [1, 0, 0, 0], 0.5: [1, 1, 0, 0]}[temperature])

    def record(self, name, arm, replicate, at=None):
        found = self.tables(name, arm, at=at)[replicate]
        state = "finished" if found and found.prompt_level().any() else "diverged"
        return {"matched": {"temperature": 0.5}, "training": {"state": state}} if found else None

    def pair_tables(self, name):
        return self.pairs.get(name, [])

    def run_keys(self, names):
        return []


def table(met):
    """Of each prompt: 0 or 1; "sprayed", met with two unasked features; "looped", met with a repeated sentence."""
    return Table.from_rows(
        {"prompt_id": str(n), "sample": 0, "strict": [bool(one)], "loose": [bool(one)], "n_tokens": 1, "text": "a"}
        | {"finish": "stop", "logprob": -1.0, "base_logprob": -1.5, "entropy": 0.1}
        | {"unasked": [TITLE, PLACEHOLDERS] if one == "sprayed" else [], "repeated": one == "looped"}
        | {"nearly_repeated": False}
        for n, one in enumerate(met)
    )


ALL, HALF, ONE, NONE = [1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]
DIRTY = ["sprayed", "sprayed", "looped", 1]
GREEDY, SAMPLED, ON_DEV = "test/greedy", "test/sampled", "dev/sampled"


# ---- is it real?


def test_every_gain_is_read_on_clean_accuracy_too():
    toy = Toy({("triples", HIGH, GREEDY): [DIRTY, DIRTY], ("triples", LOW, GREEDY): [HALF, ALL]}, ("triples",))
    rows = {(row["arm"], row["label"]): row for row in readings.twice(toy, "triples", [(HIGH, LOW)])}
    found = {key: row["estimate"] for key, row in rows.items() if "mixed" not in key[1]}
    assert found == {
        ("accuracy", str(HIGH)): 100.0,
        ("accuracy", str(LOW)): 75.0,
        ("accuracy", "high − low"): 25.0,
        ("clean accuracy", str(HIGH)): 25.0,
        ("clean accuracy", str(LOW)): 75.0,
        ("clean accuracy", "high − low"): -50.0,  # it turns over
    }


def test_claims_say_what_clean_accuracy_would_say():
    replicates = [[1, 0, 1, 1], [1, 1, 0, 1]]
    sprayed = [["sprayed" if one else 0 for one in row] for row in replicates]
    toy = Toy({("triples", HIGH, GREEDY): sprayed, ("triples", LOW, GREEDY): [NONE, ONE]}, ("triples",))
    [row] = [row for row in claims.claims(toy) if row["claim"] == "C3"]
    assert (row["estimate"], row["clean_estimate"]) == (62.5, -12.5)
    assert row["verdict"] == row["clean_verdict"] == "not resolved" and row["clean_low"] < row["clean_high"]
    assert {row["clean_verdict"] for row in claims.claims(toy)} == {"not resolved"}


def test_a_claim_says_what_this_profile_tests_it_by():
    scores = {(name, arm, GREEDY): [HALF, ONE] for name in ("sharing", "triples") for arm in (RS, MCTS, HIGH, LOW)}
    single = Toy(scores, ("sharing", "triples"), learning_rates=None, learning_rate=1e-2)
    grid = Toy(scores, ("sharing", "high_hard", "low_hard"), learning_rates=RATES, learning_rate=1e-2)
    one, many = ({row["claim"]: row for row in claims.claims(toy)} for toy in (single, grid))
    assert one["C1"]["test"].endswith("scores; at lr 0.01") and one["C3"]["test"].endswith("chosen; at lr 0.01")
    assert many["C1"]["test"].endswith("; mean over 2 configurations, pooled over 2 cells of contrast x difficulty")
    for row in (one["C2"], many["C3"]):
        assert row["because"] == row["reason"] == "this profile does not run it" and row["verdict"] == "not resolved"


def test_side_effects_are_less_those_of_the_base():
    toy = Toy({("triples", HIGH, GREEDY): [DIRTY, NONE]}, ("triples",))
    rows = {row["label"]: row for row in readings.side_effects(toy, "triples") if row["arm"] == str(HIGH)}
    shares = {
        "any unasked feature": 25.0,
        "a repeated sentence": 12.5,
        "two sentences nearly the same": 0.0,
        PLACEHOLDERS: 25.0,
        TITLE: 25.0,
    }
    assert {label: row["estimate"] for label, row in rows.items()} == shares  # features that nobody shows are left out
    assert all(row["base"] == 0 for row in rows.values())
    said = words.is_it_real(toy, "triples")
    assert "- `high`: accuracy +50.0 [" in said and "clean accuracy +12.5 [" in said and "`low`" not in said
    assert "any unasked feature +25.0 [" in said and "Of the base's own responses: any unasked feature 0.0 %" in said
    assert "no run" in words.is_it_real(Toy({}, ("triples",), {"triples": [{"pairs": {"a": 3}}]}), "triples")


def test_what_pairs_teach_is_a_share_of_all_of_them():
    row = {"arm": "rs", "id": TITLE, "pairs": 10, "chosen_only": 3, "rejected_only": 1}
    tables = [{"pairs": {"rs": 10}, "taught": [row]}, {"pairs": {"rs": 30}, "taught": [row]}]
    assert pair_results.taught(Toy({}, ("triples",), {"triples": tables}), "triples") == [
        {"id": TITLE, "arm": "rs", "pairs": 40, "chosen_only_percent": 15.0, "rejected_only_percent": 5.0}
    ]


# ---- over configurations


RATES = (1e-3, 1e-2)
AT = tuple(map(Configuration, RATES))


def test_an_effect_is_the_mean_over_the_grid_and_a_replicate_that_misses_a_rate_is_missing():
    scores = {("sharing", RS, GREEDY, AT[0]): [ALL, ALL], ("sharing", RS, GREEDY, AT[1]): [HALF, None]}
    scores[("sharing", MCTS, GREEDY)] = [ALL, ALL]
    toy = Toy(scores, ("sharing",), learning_rates=RATES)
    assert results.scores(toy, "sharing", RS)[0].tolist() == [1, 1, 0.5, 0.5]
    assert np.isnan(results.scores(toy, "sharing", RS)[1]).all()
    [row] = results.contrasts(toy, "sharing", [(MCTS, RS)])
    assert (row["estimate"], row["missing"]) == (25.0, 1)
    [row] = results.contrasts(toy, "sharing", [(MCTS, RS)], at=AT[1])
    assert (row["estimate"], row["missing"]) == (50.0, 1)


def test_the_ladder_is_at_the_middle_rate_on_both_readings():
    scores = {("sharing", RS, GREEDY, at): [NONE, NONE] for at in AT}
    scores |= {("sharing", MCTS, GREEDY, AT[0]): [ALL, ALL], ("sharing", MCTS, GREEDY, AT[1]): [DIRTY, DIRTY]}
    scores |= {("as_they_come", RS, GREEDY): [HALF, HALF], ("as_they_come", MCTS, GREEDY): [HALF, ALL]}
    rows = readings.ladder(Toy(scores, ("sharing", "as_they_come"), learning_rates=RATES, learning_rate=1e-2))
    assert [(row["label"], row["arm"], row["estimate"]) for row in rows] == [
        ("mcts − rs, as they come", "accuracy", 25.0),
        ("mcts − rs, as they come", "clean accuracy", 25.0),
        ("mcts − rs, equal scores", "accuracy", 100.0),
        ("mcts − rs, equal scores", "clean accuracy", 25.0),
    ]


HARD_RS, HARD_MCTS = (Arm(one, "high", "hard") for one in ("rs", "mcts"))


def test_the_surface_has_each_arm_and_their_difference_at_each_configuration():
    harsh = {"harsh_learning_rates": RATES, "harsh_changes": ("", "num_train_epochs=8")}
    far = Configuration(1e-2, num_train_epochs=8.0)
    scores = {("stability", HARD_RS, GREEDY): [ALL, HALF], ("stability", HARD_RS, GREEDY, far): [NONE, NONE]}
    toy = Toy(scores | {("stability", HARD_MCTS, GREEDY): [ALL, ALL]}, ("stability",), **harsh)
    rows = {(row["arm"], row["change"], row["learning_rate"]): row["estimate"] for row in readings.surface(toy)}
    assert len(rows) == 3 * 4 and {change for _, change, _ in rows} == {"no other change", "8 epochs"}
    assert rows[str(HARD_RS), "no other change", 1e-3] == 75.0
    assert rows["mcts − rs", "no other change", 1e-3] == 25.0 and rows["mcts − rs", "8 epochs", 1e-2] == 100.0
    rs, mcts = results.failures(toy, "stability", or_below=True)
    assert (rs["n"], rs["diverged"], rs["below_the_base"], rs["count"], rs["share"]) == (8, 2, 0, 2, 0.25)
    assert rs["low"] == pytest.approx(0.0319, abs=1e-4) and (mcts["count"], mcts["share"]) == (0, 0.0)
    assert claims.stability(toy).estimate == 43.75
    assert readings.surface(Toy({}, ("sharing",))) == []


def test_a_run_that_ends_below_the_base_is_counted_where_that_is_asked():
    toy = Toy({("quality", LOW, GREEDY): [ALL, ONE]}, ("quality",))
    toy.base = lambda split="test", temperature=0.0: table(HALF)
    for or_below, count in ((False, 0), (True, 1)):
        low, imperfect = results.failures(toy, "quality", or_below=or_below)
        assert (low["n"], low["count"], low["below_the_base"]) == (2, count, count)
        assert (imperfect["n"], imperfect["missing"], imperfect["share"]) == (0, 2, None)


def test_sizes_are_by_the_number_of_pairs_and_a_size_without_runs_is_missing():
    small, large = (Configuration(1e-2, n_pairs=n) for n in (4, 8))
    scores = {("sizes_sharing", RS, GREEDY, small): [NONE, NONE], ("sizes_sharing", MCTS, GREEDY, small): [HALF, ONE]}
    rows = readings.sizes(Toy(scores, ("sizes_sharing",), learning_rate=1e-2, pair_sizes=(4, 8)))
    found = [(row["arm"], row["pairs"], row["estimate"], row["missing"]) for row in rows]
    assert found == [("mcts − rs", 4, 37.5, 0), ("mcts − rs", large.n_pairs, None, 2)]


def test_the_pilot_is_read_on_dev_at_each_of_its_rates():
    low, high = map(Configuration, RATES)
    scores = {("pilot", RS, "dev/greedy", low): [HALF], ("pilot", RS, "dev/greedy", high): [NONE]}
    toy = Toy(scores | {("pilot", RS, ON_DEV): [ALL]}, ("pilot",), pilot_learning_rates=RATES)
    toy.replicates_of = lambda name: range(1)
    rows = readings.pilot(toy)
    assert [(row["learning_rate"], row["estimate"], row["kl"]) for row in rows] == [
        (RATES[0], 50, 0.5),
        (RATES[1], 0, 0.5),
    ]
    assert readings.pilot(Toy({}, ("sharing",))) == []


def test_distance_is_the_gain_and_the_divergence_at_each_rate():
    scores = {("sharing", RS, GREEDY): [ALL, HALF], ("sharing", RS, ON_DEV): [ALL, None]}
    rows = readings.distance(Toy(scores, ("sharing",), learning_rates=RATES, learning_rate=1e-2), "sharing")
    assert [(row["arm"], row["learning_rate"], row["kl"], row["estimate"]) for row in rows] == [
        (str(RS), 1e-3, 0.5, 75.0),
        (str(RS), 1e-2, 0.5, 75.0),
    ]  # of mcts nothing was measured


def test_words_say_how_arms_are_trained_and_what_is_equal():
    toy = Toy({}, ("sharing", "triples", "stability"), learning_rates=RATES, learning_rate=1e-2)
    said = words.trained(toy, "sharing")
    assert "Model pocket" in said.replace("`", "") and "lr 0.001; lr 0.01" in said and "means over these" in said
    assert "at the same configuration: lr 0.01 (" in words.trained(Toy({}, ("quality",), learning_rate=1e-2), "quality")
    assert "prompt by prompt, k, in all arms, chosen score, rejected score, gap." in words.equal_by_design(
        toy, "sharing"
    )
    row = {"group": "scores", "arm": "rs", "pairs": 3, "mean": 0.5, "sd": 0.1, "difference": 0.0, "smd": 0.0}
    tables = [{"balance": [row | {"quantity": "gap"}, row | {"quantity": "chosen", "group": "tokens"}]}]
    toy.pairs = {"sharing": tables, "triples": tables}
    by_design = {
        name: {row["quantity"] for row in pair_results.balance(toy, name) if row["by_design"]} for name in toy.pairs
    }
    assert by_design == {"sharing": {"gap"}, "triples": {"chosen"}}


def test_the_dose_is_the_effect_on_each_third_then_upper_less_lower():
    scores = {
        ("dose_lower", RS, GREEDY): [HALF, HALF],
        ("dose_lower", MCTS, GREEDY): [HALF, ONE],  # 0, -25
        ("dose_upper", RS, GREEDY): [HALF, NONE],
        ("dose_upper", MCTS, GREEDY): [ALL, ONE],  # +50, +25
    }
    pairs = {f"dose_{part}": [{"pairs": {str(MCTS): n, str(RS): n}} for n in (7, 10)] for part in ("lower", "upper")}
    lower, upper, difference = readings.dose(Toy(scores, ("dose_lower", "dose_upper"), pairs=pairs))
    assert [row["label"] for row in (lower, upper, difference)] == ["lower", "upper", "upper − lower"]
    assert [row["estimate"] for row in (lower, upper, difference)] == [-12.5, 37.5, 50.0]
    assert lower["pairs"] == 8 and "pairs" not in difference  # the mean of 7 and 10, to the even


def test_without_both_outer_thirds_there_is_no_difference():
    scores = {("dose_lower", RS, GREEDY): [HALF, HALF], ("dose_lower", MCTS, GREEDY): [ALL, ONE]}
    (only,) = readings.dose(Toy(scores, ("sharing", "dose_lower")))
    assert (only["label"], only["estimate"], only["pairs"]) == ("lower", 12.5, 0)
    assert readings.dose(Toy({}, ("sharing",))) == []


def test_decoding_is_read_over_a_base_as_sharp():
    scores = {("as_they_come", MCTS, GREEDY): [ALL, HALF], ("as_they_come", MCTS, SAMPLED): [ALL, None]}
    rows = readings.decoding(Toy(scores, ("as_they_come",)), "as_they_come")
    assert [(row["arm"], row["group"], row["estimate"]) for row in rows] == [
        (str(MCTS), "greedy − base greedy", 75.0),
        (str(MCTS), "T = 1 − base T = 1", 75.0),
        (str(MCTS), readings.EQUAL_ENTROPY, 50.0),
    ]


def test_the_toy_study_is_read_as_a_real_one_is():
    toy = Toy({("sharing", RS, GREEDY): [ALL, ONE]}, ("sharing",))
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
