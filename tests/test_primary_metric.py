"""A study's primary metric: what effects and claims are read on where none is named."""

import pytest
from toys import toy_study

from ifpref.analysis import claims, results, words
from ifpref.curation.pairs import Arm
from ifpref.design import Comparison
from ifpref.evaluation.table import Table
from ifpref.params import load_params

HIGH, LOW, MIXED = (Arm("rs", contrast) for contrast in ("high", "low", "mixed"))


def table(first, second):
    """One prompt of two constraints, and which of them are met."""
    row = {"prompt_id": "p", "sample": 0, "text": "A word.", "finish": "stop", "n_tokens": 3, "logprob": -1.0}
    row |= {"unasked": [], "repeated": False, "nearly_repeated": False}
    return Table.from_rows([row | {"strict": [first, second], "loose": [first, second]}])


@pytest.fixture(params=[("prompt_level", 100.0), ("instruction_level", 50.0)])
def toy(request):
    """The base and `low` meet one constraint of two, `high` both; and the gain of `high` on this metric."""
    metric, gain = request.param
    triples = Comparison("triples", "contrast", "", (HIGH, LOW, MIXED), runs_at="grid")
    study = toy_study(
        triples,
        load_params("smoke", primary_metric=metric),
        lambda arm: [table(True, arm == HIGH)] * 2,
        table(True, False),
        profile="smoke",
        overrides={},
        is_demonstration=True,
    )
    return study, metric, gain


def test_effects(toy):
    study, _, gain = toy
    assert [row["estimate"] for row in results.gains(study, "triples")] == [gain, 0.0, 0.0]
    assert results.gains(study, "triples", metric="prompt_level")[0]["estimate"] == 100.0
    assert results.gains(study, "triples", metric="clean")[0]["estimate"] == 100.0
    assert results.gains(study, "triples", metric="instruction_level")[0]["estimate"] == 50.0


def test_claims_say_which_it_is(toy):
    study, metric, gain = toy
    [row] = [row for row in claims.claims(study) if row["claim"] == "C3"]
    assert (row["metric"], row["estimate"], row["clean_estimate"]) == (metric, gain, 100.0)


def test_words_say_it_where_it_is_another_than_usual(toy):
    study, metric, _ = toy
    assert ("instruction-level" in words.caution(study)) == (metric == "instruction_level")
