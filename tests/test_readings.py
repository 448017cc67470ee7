"""Secondary readings and the words around numbers: toy tables with answers worked out by hand."""

from types import SimpleNamespace

import nbformat
import pandas as pd
import pytest

from ifpref import figures, statistics
from ifpref.analysis import ifeval, pair_results, readings, results, words
from ifpref.analysis.arms import EASY, HARD, HIGH, IMPERFECT, LOW, MCTS, MIXED, MODERATE, RS, UNSHARED
from ifpref.curation.pairs import Arm
from ifpref.design import COMPARISONS, Configuration, of_levels
from ifpref.evaluation.side_effects import side_effects
from ifpref.evaluation.table import Table
from ifpref.params import ParamsError, load_params
from ifpref.pipeline.pairs import Pairs
from ifpref.pipeline.runs import Run
from ifpref.pipeline.samples import Responses
from ifpref.publish.report import Report
from ifpref.study import Study


def table(*met):
    row = {"sample": 0, "text": "A word.", "finish": "stop", "n_tokens": 3, "logprob": -1.0, **side_effects("", ())}
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
    """Two replicates, four prompts of one constraint, of which the base meets the first two. One rate for all."""
    arms = {"difficulty": (EASY, MODERATE, HARD), "transfer": (RS,), "transfer_seen": (RS,)}
    prompts = [{"difficulty": level} for level in ("easy", "moderate", "hard", "hard")]
    at = Configuration(1e-2)
    return SimpleNamespace(
        profile="smoke",
        overrides={},
        params=load_params("smoke", comparisons=list(names), sampled_comparisons=[], n_replicates=2),
        is_demonstration=True,
        replicates=range(2),
        replicates_of=lambda name: range(2),
        comparison=lambda name: SimpleNamespace(name=name, arms=arms[name]),
        comparisons=[COMPARISONS[name] for name in names],
        configurations=lambda name: (at,),
        middle=lambda name: at,
        tables=lambda name, arm, key="test/greedy", at=None: TOY[name, arm],
        base=lambda split="test", temperature=0.0: table(1, 1, 0, 0),
        prompts=lambda split, replicate=0: prompts,
        pair_tables=lambda name: [{"pairs": {"easy": 0, "hard": 0}}] * 2,
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


def test_a_comparison_that_the_profile_lacks_has_no_rows_and_one_that_nobody_knows_is_refused():
    one = study("difficulty")
    assert results.contrasts(one, "triples", [(HIGH, LOW)]) == results.gains(one, "triples") == []
    assert results.minimum_detectable_effects(one, "triples", [(HIGH, LOW)])[1:] == []
    with pytest.raises(ValueError, match=r"comparison 'tripels' is unknown \(did you mean 'triples'\?\)"):
        results.contrasts(one, "tripels", [(HIGH, LOW)])


def test_contrasts_on_prompts_that_no_run_has_seen():
    one = study("difficulty")
    one.tables = lambda name, arm, key="test/greedy", at=None: [None, None]
    [row] = results.contrasts(one, "difficulty", [(MODERATE, EASY)], difficulty="hard")
    assert row["estimate"] is None and row["missing"] == 2


def test_transfer_is_paired():
    never, seen, difference = readings.transfer(study("transfer", "transfer_seen"))
    assert (never["label"], never["estimate"]) == ("never seen", 12.5)  # 25 and 0
    assert (seen["label"], seen["estimate"]) == ("seen in training", 37.5)  # 25 and 50
    assert (difference["label"], difference["estimate"]) == ("never seen − seen", -25.0)
    assert [row["label"] for row in readings.transfer(study("transfer"))] == ["never seen"]


# ---- pairs


def test_responses_with_a_start_token_are_counted_over_replicates():
    tables = [
        {"pairs": {"rs/high/all": 2, "mcts/high/all": 2, "shuffled/high/all": 2}, "dropped": {"rs": n, "mcts": 0}}
        for n in (3, 1)
    ]
    one = SimpleNamespace(pair_tables=lambda name: tables)
    left_out = {row["arm"]: row[pair_results.LEFT_OUT] for row in pair_results.pair_counts(one, "sharing")}
    assert left_out == {"rs/high/all": 4, "mcts/high/all": 0, "shuffled/high/all": 0}
    tables[:] = [table | {"dropped": {"rs": 0, "mcts": 0}} for table in tables]
    assert list(pair_results.pair_counts(one, "sharing")[0]) == ["arm", "pairs a replicate", "pairs in all"]


# ---- IFEval


def asked_ifeval(*names, there=True, **changed):
    """That study, and IFEval is the third of its prompts, which the base does not meet."""
    one = study(*names)
    one.params = load_params("smoke", **{"comparisons": list(names), "n_replicates": 2, "ifeval": True} | changed)
    one.comparison, one.comparisons = COMPARISONS.get, [COMPARISONS[name] for name in names]
    of = {
        "test/greedy": lambda found: found,
        ifeval.KEY: lambda found: table(found.prompt_level()[2]) if found and there else None,
    }
    one.tables = lambda name, arm, key="test/greedy", at=None: [of[key](found) for found in TOY[name, arm]]
    one.base = lambda split="test", temperature=0.0: table(1, 1, 0, 0) if split == "test" else table(0)
    one.has_ifeval_prompts = lambda: False
    return one


AGAINST = {"difficulty": [(MODERATE, EASY), (MODERATE, HARD)], "pass_rate": [(MODERATE, EASY)]}  # the last is not run


def test_effects_on_ifeval_are_those_of_its_prompts():
    found = ifeval.effects(asked_ifeval("difficulty"), AGAINST, "C3", "C5")
    assert [(row["group"], row["label"], row["estimate"], row["prompts"]) for row in found] == [
        ("difficulty, over the base", "rs/high/easy", 0.0, 1),
        ("difficulty, over the base", "rs/high/moderate", 100.0, 1),
        ("difficulty, over the base", "rs/high/hard", 100.0, 1),
        ("difficulty", "moderate − easy", 100.0, 1),
        ("difficulty", "moderate − hard", 0.0, 1),  # in the one replicate that is there
        ("as the claim is tested", "C5", 0.0, 1),  # and nothing of C3, which the profile does not run
    ]
    assert results.contrasts(asked_ifeval("difficulty"), "difficulty", [(MODERATE, EASY)])[0]["estimate"] == 37.5


def test_accuracies_on_ifeval_have_the_base_once():
    rows = ifeval.accuracies(asked_ifeval("transfer", "transfer_seen"), "transfer", "transfer_seen")
    assert [(row["comparison"], row["arm"], row["runs"]) for row in rows] == [
        *((None, "base", None), ("transfer", "rs/high/all", 2), ("transfer_seen", "rs/high/all", 2))
    ]
    levels = [f"{level}_level_{mode}" for level in ("prompt", "instruction") for mode in ("strict", "loose")]
    assert [[row[level] for level in levels] for row in rows] == [[0.0] * 4, [100.0] * 4, [100.0] * 4]


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"ifeval": False}, "the profile `smoke` does not ask IFEval's prompts"),
        ({"there": False}, "IFEval's prompts were out of reach"),
    ],
)
def test_without_ifeval_there_are_no_rows_and_a_reason(changed, word):
    one = asked_ifeval("difficulty", **changed)
    assert ifeval.effects(one, AGAINST, "C5") == ifeval.accuracies(one, *AGAINST) == []
    assert word in ifeval.said(one, *AGAINST)


def test_ifeval_says_what_was_asked():
    one = asked_ifeval("difficulty")
    assert "prompts (**1**)" in ifeval.said(one, *AGAINST)
    one.has_ifeval_prompts = lambda: True
    assert "no policy of `transfer` has answered" in ifeval.said(one, "transfer")


@pytest.mark.parametrize("notebook", ["prefix", "contrast", "difficulty", "findings"])
def test_notebooks_show_ifeval_where_it_was_asked(notebook, root, tmp_path, monkeypatch):
    """Their own cells, on a study whose policies all answer alike."""
    from IPython.display import Markdown

    (tmp_path / "params").symlink_to(root / "params")
    monkeypatch.setenv("IFPREF_HOME", str(tmp_path))
    saved = []
    monkeypatch.setattr(figures, "save", lambda figure, folder, name: saved.append(name))  # it takes a second
    names = ["sharing", "unshared", "triples", "quality", *readings.BY_DIFFICULTY]
    one = asked_ifeval(*names)
    one.tables = lambda name, arm, key="test/greedy", at=None: [table(1), table(0)]
    given = {
        "RS": RS,
        "MCTS": MCTS,
        "UNSHARED": UNSHARED,
        "HIGH": HIGH,
        "LOW": LOW,
        "IMPERFECT": IMPERFECT,
        "names": names,
    }
    given |= {"there": [(HIGH, LOW)] if notebook == "contrast" else [(MCTS, RS)], "against": [(MODERATE, EASY)]}
    given |= {"study": one, "report": Report(notebook, "toy"), "margin": 1.0}
    given |= {
        "figures": figures,
        "ifeval": ifeval,
        "readings": readings,
        "words": words,
        "pd": pd,
        "Markdown": Markdown,
    }
    cells = nbformat.read(root / "notebooks" / f"{notebook}.ipynb", as_version=4).cells
    for source in (cell.source for cell in cells if cell.cell_type == "code" and "ifeval." in cell.source):
        exec(source, given)
    rows = given.get("ifeval_effects", given["on_ifeval"])
    assert rows and {row["estimate"] for row in rows} <= {0.0, 50.0}
    assert saved == ([] if notebook == "findings" else [f"{notebook}-ifeval"])
    assert [path.name for path in tmp_path.rglob("*.csv")] == [f"{notebook}-ifeval.csv"]


# ---- cost


def test_cost_counts_every_artefact_once():
    pairs = Pairs("sharing", 0)
    at = Configuration(1e-2)
    tasks = [Run("sharing", Arm("rs"), 0, at), Run("sharing", Arm("mcts"), 0, at), pairs, Responses(0)]
    seconds = dict(zip(tasks, (30, 90, None, 60), strict=True))  # the pairs are not there
    found = {task: SimpleNamespace(manifest={"made": {"seconds": value}}) for task, value in seconds.items() if value}
    pipeline = SimpleNamespace(needs=lambda wanted: tasks, find=found.get)
    one = SimpleNamespace(pipeline=pipeline, tasks=lambda: tasks[:2])
    one.costs = lambda: Study.costs(one)
    assert readings.cost(one) == [
        {"stage": "responses", "artefacts": 1, "minutes": 1.0},
        {"stage": "run", "artefacts": 2, "minutes": 2.0},
        {"stage": "all", "artefacts": 3, "minutes": 3.0},
    ]


# ---- words


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
    assert "nothing can be found" in words.power(one)  # 122 points
    one.params = load_params("smoke", n_replicates=10, n_test_prompts=1000)
    assert "**3.4 points**" in words.power(one)
    one.params = load_params("smoke", n_replicates=1)
    assert "With one replicate" in words.power(one)
    one.is_demonstration = False
    assert words.caution(one) == "The profile `smoke` has 1 replicate and 24 test prompts."
    one.overrides = {"beta": 0.05, "seed": 3}
    assert words.caution(one).startswith("The profile `smoke` with `beta = 0.05` and `seed = 3` has 1 replicate")


def test_words_say_why_nothing_is_shown():
    assert "does not run the comparison `unshared`" in words.absent(study("difficulty"), "difficulty", "unshared")
    one = study("difficulty")
    one.overrides = {"comparisons": ["difficulty"]}
    assert words.absent(one, "quality") == (
        "*Nothing to show: this choice of `comparisons` does not run the comparison `quality`.*"
    )
    assert words.absent(one, "difficulty") == (
        "*Nothing to show: the comparison `difficulty` found no pairs at this size.*"
    )
    one.pair_tables = lambda name: []
    assert words.absent(one, "difficulty") == (
        "*Nothing to show: the pairs of the comparison `difficulty` are not there.*"
    )
    one.pair_tables = lambda name: [{"pairs": {"easy": 3}}]
    assert words.absent(one, "difficulty") == "*Nothing to show: no run of the comparison `difficulty` is there.*"


def test_words_explain_the_interval_of_the_lesser():
    said = words.lesser(study("difficulty"))
    assert "the lowest of the 2 lower ends" in said and "at 97.5 % instead of 95 %" in said


def test_readable_headers():
    row = {"arm": "rs", "low": 0.1, "high": 0.4, "n": 9, "confidence": 0.9}
    assert words.titled([row], "n", "arm", "low", "high") == [{"runs": 9, "arm": "rs", "from": 0.1, "to (90 %)": 0.4}]
    assert words.titled([{"low": 1, "high": 2, "prompt_level_strict": 3}]) == [
        {"from": 1, "to": 2, "prompt-level, strict": 3}
    ]
    assert words.titled([]) == []


# ---- the arms that a notebook shows


def test_arms_are_shown_in_the_order_of_their_comparison():
    assert of_levels(COMPARISONS["triples"], "contrast", ["mixed", "high"], "contrasts") == [HIGH, MIXED]


@pytest.mark.parametrize(
    ("levels", "word"),
    [
        (
            ["high", "lwo"],
            r"contrasts: 'lwo' is no arm of `triples` \(did you mean 'low'\?\); allowed: two or more of high",
        ),
        (["high", "high"], "contrasts = .*; allowed: two or more of high, low, mixed"),
        ("high", "allowed: two or more"),
        ([], "allowed: two or more"),
    ],
)
def test_arms_that_are_not_there_or_alone_are_refused_at_once(levels, word):
    with pytest.raises(ParamsError, match=word):
        of_levels(COMPARISONS["triples"], "contrast", levels, "contrasts")
