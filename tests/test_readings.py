"""Secondary readings and the words around numbers: toy tables with answers worked out by hand."""

from types import SimpleNamespace

import pytest

from ifpref import statistics
from ifpref.evaluation.table import Table
from ifpref.params import load_params
from ifpref.study import readings, results, words
from ifpref.study.readings import EASY, HARD, MODERATE, RS
from ifpref.study.stages import Task


def table(*met):
    row = {"sample": 0, "token_ids": [5, 9, 2], "text": "A word.", "finish": "stop", "n_tokens": 3, "logprob": -1.0}
    return Table.from_rows(
        row | {"prompt_id": f"p{i}", "strict": [bool(one)], "loose": [bool(one)]} for i, one in enumerate(met)
    )


TOY = {
    ("difficulty", EASY): [table(1, 1, 0, 0), table(1, 1, 0, 0)],
    ("difficulty", MODERATE): [table(1, 1, 1, 1), table(1, 1, 1, 0)],
    ("difficulty", HARD): [table(1, 0, 1, 1), None],
    ("transfer", RS): [table(1, 1, 1, 0), table(1, 0, 1, 0)],
    ("transfer_seen", RS): [table(1, 1, 1, 0), table(1, 1, 1, 1)],
}


def study(*names):
    """Two replicates, four prompts of one constraint, of which the base meets the first two."""
    arms = {"difficulty": (EASY, MODERATE, HARD), "transfer": (RS,), "transfer_seen": (RS,)}
    prompts = [{"difficulty": level} for level in ("easy", "moderate", "hard", "hard")]
    return SimpleNamespace(
        profile="smoke",
        params=load_params("smoke", comparisons=list(names), sampled_comparisons=[], n_replicates=2),
        is_demonstration=True,
        replicates=range(2),
        comparison=lambda name: SimpleNamespace(name=name, arms=arms[name], every_rate=False),
        tables=lambda name, arm, key="test/greedy", rate=None: TOY[name, arm],
        base=lambda split="test", temperature=0.0: table(1, 1, 0, 0),
        prompts=lambda split, replicate=0: prompts,
    )


def test_readings_of_what_the_profile_has():
    found = readings.readings(study("difficulty"))
    assert {(row["group"], row["label"]): row["estimate"] for row in found} == {
        ("training difficulty, as pairs come", "moderate − easy"): 37.5,  # 50 and 25
        ("training difficulty, as pairs come", "moderate − hard"): 25.0,  # in the one replicate that is there
        ("the first of these, on hard prompts", "moderate − easy"): 75.0,  # 100 and 50
        ("the first of these, on hard prompts", "moderate − hard"): 0.0,
    }
    assert {row["prompts"] for row in found if "on hard prompts" in row["group"]} == {2}
    assert readings.readings(study()) == []


def test_contrasts_on_prompts_that_no_run_has_seen():
    one = study("difficulty")
    one.tables = lambda name, arm, key="test/greedy", rate=None: [None, None]
    [row] = results.contrasts(one, "difficulty", [(MODERATE, EASY)], difficulty="hard")
    assert row["estimate"] is None and row["missing"] == 2


def test_transfer_is_paired():
    never, seen, difference = readings.transfer(study("transfer", "transfer_seen"))
    assert (never["label"], never["estimate"]) == ("never seen", 12.5)  # 25 and 0
    assert (seen["label"], seen["estimate"]) == ("seen in training", 37.5)  # 25 and 50
    assert (difference["label"], difference["estimate"]) == ("never seen − seen", -25.0)
    assert [row["label"] for row in readings.transfer(study("transfer"))] == ["never seen"]


def test_cost_counts_every_artefact_once():
    needs = {
        Task("run", (0,)): (Task("pairs"),),
        Task("run", (1,)): (Task("pairs"),),
        Task("pairs"): (Task("responses"),),
        Task("responses"): (),
    }
    seconds = {Task("run", (0,)): 30, Task("run", (1,)): 90, Task("responses"): 60}  # the pairs are not there
    found = {task: SimpleNamespace(manifest={"made": {"seconds": value}}) for task, value in seconds.items()}
    runs = SimpleNamespace(step=lambda task: SimpleNamespace(needs=needs[task]), find=found.get)
    rows = readings.cost(SimpleNamespace(runs=runs, tasks=lambda: [Task("run", (0,)), Task("run", (1,))]))
    assert rows == [
        {"stage": "responses", "artefacts": 1, "minutes": 1.0},
        {"stage": "run", "artefacts": 2, "minutes": 2.0},
        {"stage": "all", "artefacts": 3, "minutes": 3.0},
    ]


@pytest.mark.parametrize(
    ("low", "estimate", "high", "said"),
    [
        (0.4, 2.1, 3.8, "+2.1 [+0.4, +3.8] points, above 0"),
        (-3.8, -2.1, -0.4, "−2.1 [−3.8, −0.4] points, below 0"),
        (-1.0, 1.0, 3.0, "+1.0 [−1.0, +3.0] points, an interval that holds 0"),
        (None, 1.0, None, "+1.0 points without an interval (one replicate)"),
        (None, None, None, "not known (one replicate)"),
    ],
)
def test_effects_in_words(low, estimate, high, said):
    reason = None if low else "one replicate"
    assert words.in_words({"low": low, "estimate": estimate, "high": high, "reason": reason}) == said


def test_words_take_effects_and_lists():
    effect = statistics.effect([[1, 2, 3, 6], [2, 2, 4, 8], [3, 5, 5, 7]])
    assert words.in_words(effect).startswith("+4.0 [")
    rows = [{"label": label, **effect.to_dict()} for label in "ab"]
    assert [line[:9] for line in words.listed(rows).splitlines()] == ["- a: +4.0", "- b: +4.0"]


def test_words_say_how_much_a_study_can_find():
    one = study("difficulty")
    assert "demonstration" in words.caution(one) and "2 replicates and 24 test prompts" in words.caution(one)
    assert "nothing can be found" in words.detectable(one)  # 122 points
    one.params = load_params("smoke", n_replicates=10, n_test_prompts=1000)
    assert "**3.4 points**" in words.detectable(one)
    one.params = load_params("smoke", n_replicates=1)
    assert "With one replicate" in words.detectable(one)
    one.is_demonstration = False
    assert words.caution(one) == "The profile `smoke` has 1 replicate and 24 test prompts."


def test_words_say_why_nothing_is_shown():
    assert "does not run the comparison `unshared`" in words.absent(study("difficulty"), "difficulty", "unshared")
    assert "no arm of `difficulty`" in words.absent(study("difficulty"), "difficulty")
