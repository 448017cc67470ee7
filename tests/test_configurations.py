"""Configurations: the same for all arms, read in the mean or one by one; pools of prompts, and numbers of pairs."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from ifpref import paths
from ifpref.analysis import claims, readings, results
from ifpref.curation.pairs import Arm
from ifpref.design import COMPARISONS, Configuration
from ifpref.params import load_params
from ifpref.pipeline import pairs
from ifpref.pipeline.pairs import PairTables, n_prompts_of
from ifpref.pipeline.runs import RECORD, Run, pairs_of_run
from ifpref.pipeline.samples import Prompts, n_of_pool
from ifpref.study import Study
from tests.conftest import TINY

RS, MCTS = Arm("rs"), Arm("mcts")


def runs_of(study):
    return [task for task in study.tasks() if isinstance(task, Run)]


def test_no_learning_rate_differs_between_arms_that_are_compared():
    """Of all runs of all comparisons, arms of one configuration are trained alike, but for their pairs."""
    for profile in ("pocket-full", "paper"):
        study, seen = Study(profile), {}
        for run in runs_of(study):
            training = run.settings(study.params).training
            assert seen.setdefault((run.comparison, run.configuration), training) == training
            assert run.configuration in study.configurations(run.comparison)
        for one in study.comparisons:
            runs = {
                (run.arm, run.configuration)
                for run in study.tasks()
                if isinstance(run, Run) and run.comparison == one.name
            }
            assert runs == {(arm, at) for arm in one.arms for at in study.configurations(one.name)}


def test_no_learning_rate_differs_between_arms_whose_difference_is_shown(grid, monkeypatch):
    """Over all effects of a study: both sides of a difference are read from runs of the same rates."""
    read, compared, points, tables = [], [], results.points, grid.tables

    def watched(study, name, a, b=None, **how):
        read.clear()
        found = points(study, name, a, b, **how)
        rates = {
            arm: [grid.record(name, arm, 0, at)["learning_rate"] for one, at in read if one == arm] for arm in (a, b)
        }
        if b is not None and name in grid.params.comparisons:  # of others nothing is shown
            compared.append(rates[a])
            assert rates[a] == rates[b] and rates[a], (name, a, b)
        return found

    def noted(name, arm, *, key="test/greedy", at=None):
        read.append((arm, at or grid.middle(name)))
        return tables(name, arm, key=key, at=at)

    monkeypatch.setattr(grid, "tables", noted)
    for module in (results, claims, readings):
        monkeypatch.setattr(module, "points", watched)
    claims.claims(grid), claims.cell_signs(grid), readings.readings(grid)
    assert [0.01] in compared and [0.0025, 0.01] in compared  # controls, and the mean over the grid


GRID = {"comparisons": ["sharing", "as_they_come", "unshared", "triples"]}
GRID |= {"sampled_comparisons": [], "n_train_prompts": 24, "n_responses": 8}


@pytest.fixture(scope="module")
def grid_home(root, tmp_path_factory):
    home = tmp_path_factory.mktemp("grid")
    shutil.copytree(root / "params", home / "params")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(paths.HOME_VARIABLE, str(home))
        assert Study("smoke", **TINY | GRID).run(workers=0, say=lambda line: None) == {}
    return home


@pytest.fixture
def grid(grid_home, monkeypatch):
    monkeypatch.setenv(paths.HOME_VARIABLE, str(grid_home))
    return Study("smoke", **TINY | GRID)


def test_a_grid_is_run_at_every_rate_and_says_how_far_each_policy_went(grid):
    low, high = grid.configurations("sharing")
    assert (low, high) == (Configuration(2.5e-3), Configuration(1e-2)) and grid.middle("sharing") == high
    for arm in grid.comparison("sharing").arms:
        kl = []
        for at in (low, high):
            record = grid.record("sharing", arm, 0, at)
            assert record["learning_rate"] == at.learning_rate == max(record["log"]["learning_rate"])
            assert set(record["tables"]) == {"test/greedy", "dev/sampled"}
            [table] = grid.tables("sharing", arm, key="dev/sampled", at=at)
            assert len(table) == 6 and table.n_samples == 1
            kl.append(table.kl.mean())
        assert kl[1] > kl[0] >= -0.5  # four times the rate goes further
    assert grid.tables("sharing", arm) == [None] or grid.record("sharing", arm, 0) == grid.record(
        "sharing", arm, 0, high
    )
    assert set(grid.record("as_they_come", MCTS, 0)["tables"]) == {"test/greedy"}
    assert {row["configuration"] for row in grid.log("sharing")} == {"lr 0.0025", "lr 0.01"}


def test_a_size_that_an_arm_cannot_fill_has_no_run_and_says_so(grid):
    n = len(grid.pairs("sharing").rows[RS])
    at = Configuration(1e-2, n_pairs=n + 1)
    record = grid.pipeline.get(Run("sharing", RS, 0, at)).read_json(RECORD)
    assert record["n_pairs"] == n and record["tables"] == {}
    assert record["training"] == {"state": "too few pairs", "reason": f"{n} of {n + 1}"}
    assert grid.tables("sharing", RS, at=at) == [None]
    fewer = Run("sharing", RS, 0, Configuration(1e-2, n_pairs=n - 1))
    made = grid.pipeline.get(grid.pipeline.inputs(fewer)["pairs"])
    kept = [
        pairs_of_run(made, replace(fewer.settings(grid.params), arm=arm), fewer.seed(grid.params)) for arm in (RS, MCTS)
    ]
    prompts = [[row["prompt_id"] for row in rows] for rows in kept]
    assert prompts[0] == prompts[1] and len(prompts[0]) == n - 1


def test_where_there_is_no_middle_it_must_be_said_which_configuration():
    study = Study("smoke", comparisons=["stability", "sizes_sharing"], sampled_comparisons=[])
    for name, some in (("stability", "lr 0.1, 2 pairs"), ("sizes_sharing", "lr 0.01, 8 pairs")):
        with pytest.raises(ValueError, match=rf"comparison '{name}' has no middle.* allowed: lr 0.01.*; {some}"):
            study.tables(name, RS)
    every = Study("smoke", comparisons=["stability"], n_series_replicates=None)
    assert len(every.replicates_of("stability")) == every.params.n_replicates == 2
    fewer = Study("smoke", comparisons=["stability", "sharing"], n_series_replicates=1)
    assert (len(fewer.replicates_of("stability")), len(fewer.replicates_of("sharing"))) == (1, 2)
    replicates = {
        type(task).__name__: task.replicate for task in fewer.tasks() if getattr(task, "comparison", "") == "stability"
    }
    assert replicates == {"PairTables": 0, "Run": 0}


def test_the_pilot_has_one_replicate_and_sees_no_test_prompt():
    study = Study("smoke", comparisons=["pilot"], sampled_comparisons=[], pilot_learning_rates=["1e-3", "1e-2"])
    runs = [task for task in study.tasks() if isinstance(task, Run)]
    assert [(run.replicate, run.configuration) for run in runs] == [(0, Configuration(1e-3)), (0, Configuration(1e-2))]
    for run in runs:
        assert {how.split for how in run.settings(study.params).tables.values()} == {"dev"}
    with pytest.raises(ValueError, match="pilot_learning_rates that name each rate once"):
        study.params.replace(pilot_learning_rates=[1e-3, 1e-3])


# ---- what is equal by design

COLUMNS = {
    "k": ["prompt_ids"],
    "chosen score": ["chosen_score"],
    "rejected score": ["rejected_score"],
    "gap": ["gap"],
    "chosen": ["chosen_ids"],
    "chosen stopped": ["chosen_finish"],
    "separates": ["chosen_verdicts", "rejected_verdicts"],
    "reverses": ["chosen_verdicts", "rejected_verdicts"],
}
"""Quantity of the balance table -> what of a pair it is."""


def test_what_the_design_says_is_equal_is_equal_prompt_by_prompt(grid):
    """Of every comparison of a study; in its balance table too."""
    for one in grid.comparisons:
        rows = grid.pairs(one.name).rows
        assert len({len(of_arm) for of_arm in rows.values()}) == 1 and all(rows.values()), one.name
        for quantity in one.equal:
            columns = COLUMNS.get(quantity, ())
            by_arm = [{row["prompt_id"]: [row[column] for column in columns] for row in rows[arm]} for arm in one.arms]
            assert all(found == by_arm[0] for found in by_arm), (one.name, quantity)
        assert bool(one.equal) == (one.name != "as_they_come")
        means = {(row["quantity"], row["arm"]): row["mean"] for row in grid.pair_tables(one.name)[0]["balance"]}
        of_arms = {tuple(means[name, str(arm)] for name in one.equal if (name, str(arm)) in means) for arm in one.arms}
        assert len(of_arms) == 1 and (not one.equal or len(of_arms.pop()) >= 3)
    assert all(row["shared_prefix_tokens"] > 0 for row in grid.pairs("sharing").rows[MCTS])  # and this is what differs


def test_main_comparisons_say_what_is_equal():
    """But those by difficulty: other prompts, so nothing is equal prompt by prompt."""
    main = [one for one in COMPARISONS.values() if one.runs_at == "grid" and one.notebook != "difficulty"]
    assert len(main) == 7 and all({"k", "in all arms", "chosen score"} <= {*one.equal} for one in main)
    assert COMPARISONS["dose_lower"].equal == COMPARISONS["sharing"].equal


# ---- pools of prompts, numbers of pairs


def test_a_cell_draws_from_more_prompts_where_there_are_too_few():
    p, cell = load_params("pocket-full"), COMPARISONS["high_hard"]
    assert n_of_pool(p, "hard") == p.n_cell_prompts - p.n_train_prompts // 3 > 0
    assert n_prompts_of(cell, p) == p.n_train_prompts + n_of_pool(p, "hard")
    inputs = PairTables("high_hard", 0).inputs(p)
    assert inputs["prompts"] == Prompts(0) and inputs["prompts@hard"] == Prompts(0, "hard")
    settings = Prompts(0, "hard").settings(p)
    assert (settings.min_constraints, settings.max_constraints, settings.counts) == (
        5,
        6,
        {"train": n_of_pool(p, "hard")},
    )
    enough = p.replace(n_cell_prompts=100)
    assert n_of_pool(enough, "hard") == 0 and "prompts@hard" not in PairTables("high_hard", 0).inputs(enough)
    easy = p.replace(min_constraints=3, max_constraints=4)
    assert (
        n_of_pool(easy, "easy")
        == n_of_pool(easy, "hard")
        == 0
        < n_of_pool(easy.replace(n_cell_prompts=500), "moderate")
    )
    seeds = [
        Prompts(replicate, pool).seed(p)
        for replicate in range(1000)
        for pool in ("", "sizes", "easy", "moderate", "hard")
    ]
    assert len(set(seeds)) == len(seeds) and Prompts().seed(p) not in seeds


def test_a_prompt_that_two_pools_have_by_chance_is_that_of_the_first():
    def handle(rows):
        return SimpleNamespace(read_jsonl=lambda table: rows, iter_jsonl=lambda table: iter(rows))

    def rows(pool, *names):
        return [{"prompt_id": name, "text": f"{pool} {name}"} for name in names]

    inputs = {
        "prompts": handle(rows("train", "a", "b")),
        "prompts@hard": handle(rows("hard", "b", "c")),
        "rs": handle(rows("train", "a", "b", "b")),
        "rs@hard": handle(rows("hard", "b", "c", "c")),
        "mcts": handle(rows("train", "a", "b")),
        "mcts@hard": handle(rows("hard", "b", "c")),
    }
    prompts = pairs.read_prompts(inputs)
    assert [row["text"] for row in prompts] == ["train a", "train b", "hard c"]
    sources = {name: [row["text"] for row in found] for name, found in pairs.read_sources(inputs, prompts).items()}
    assert sources == {
        "rs": ["train a", "train b", "train b", "hard c", "hard c"],
        "mcts": ["train a", "train b", "hard c"],
    }
