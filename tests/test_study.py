"""The study: artefacts in order, what a change remakes, kills, failures; and tables worked out by hand."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
from toys import toy_study

from ifpref import paths
from ifpref.analysis import claims, results
from ifpref.curation.pairs import Arm
from ifpref.design import Comparison, Configuration
from ifpref.evaluation.table import Table
from ifpref.params import load_params
from ifpref.pipeline import policies, workers
from ifpref.pipeline.policies import Base
from ifpref.pipeline.runs import RECORD
from ifpref.pipeline.samples import Prompts
from ifpref.pipeline.schedule import Schedule
from ifpref.store import CodeError, StoreError
from ifpref.study import Study, StudyError, main
from tests.conftest import TINY

RS, MCTS = Arm("rs"), Arm("mcts")


@pytest.fixture
def home(tiny_home, monkeypatch):
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tiny_home))
    return tiny_home


@pytest.fixture
def own(tiny_home, tmp_path, monkeypatch):
    """A copy of that folder, for tests that compute."""
    shutil.copytree(tiny_home, tmp_path / "own")
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "own"))
    return tmp_path / "own"


def missing(study, notebook=None):
    return set(Schedule(study.pipeline, study.tasks(notebook)).needs)


def test_what_is_there_is_not_asked_for_again(home):
    study = Study("smoke", **TINY)
    assert missing(study) == set()
    assert study.run(say=lambda line: pytest.fail(line)) == {}
    assert len(study.keys("prefix")) == len(study.tasks("prefix"))
    record = study.record("as_they_come", MCTS, 0)
    assert record["training"]["state"] == "finished" and record["n_pairs"] == len(
        study.pairs("as_they_come").rows[MCTS]
    )
    assert set(record["tables"]) == {"test/greedy", "test/sampled"}
    assert len(study.log("as_they_come")) == 4 * record["training"]["steps"]


def test_the_smallest_study_trains_something(home):
    """Else policies would be compared with themselves, and a reader's first change would change nothing."""
    from safetensors.numpy import load_file

    study = Study("smoke", **TINY)
    for arm in study.comparison("as_they_come").arms:
        assert all(rate > 0 for rate in study.record("as_they_come", arm, 0)["log"]["learning_rate"][:-1])
        weights = load_file(study.policy("as_they_come", arm).path("adapter/adapter_model.safetensors"))
        assert all(np.abs(value).max() > 1e-3 for name, value in weights.items() if "lora_B" in name)


def test_reading_imports_no_torch(home, root):
    code = (
        "import sys; from ifpref.study import Study\n"
        "from ifpref.analysis import claims, pair_results, readings, results\n"
        f"study = Study('smoke', **{TINY!r}); study.run()\n"
        "for read in (results.gains, readings.decoding, results.per_constraint, pair_results.balance):\n"
        "    read(study, 'as_they_come')\n"
        "claims.claims(study)\n"
        "print(sorted({'torch', 'transformers', 'trl'} & set(sys.modules)))"
    )
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_change_remakes_what_depends_on_it_and_nothing_else(home):
    def stages(**changed):
        return {task.name for task in missing(Study("smoke", **TINY | changed))}

    assert stages(beta=0.05) == stages(learning_rates=None, learning_rate=2e-2) == {"run"}
    assert stages(n_cell_prompts=9, n_size_prompts=20, pair_sizes=[1, 2], harsh_changes=["beta=0.5"]) == set()
    assert stages(confidence=0.9, equivalence_margin=2.0) == set()
    assert stages(min_high_gap=0.6) == {"pairs", "pair_tables", "run"}
    assert stages(n_replicates=2) == {"prompts", "responses", "trees", "pairs", "pair_tables", "run"}
    assert Prompts() in missing(Study("smoke", **TINY | {"seed": 1}))
    assert stages(per_device_train_batch_size=1, gradient_accumulation_steps=2, sampling_batch_size=3) == set()


def test_other_parameters_have_another_folder(home):
    assert Study("smoke").name == "smoke"
    assert Study("smoke", beta=0.1).name == "smoke"  # what the profile says anyway
    changed = Study("smoke", beta=0.05).name
    assert changed.startswith("smoke-") and paths.is_profile_name(changed)
    assert Study("smoke", beta=0.05).name == changed != Study("smoke", beta=0.06).name


def records(home):
    """What is kept of the runs, by key."""
    found = home.glob(f"outputs/store/run/*/{RECORD}")
    return {path.parent.name: path.read_bytes() for path in found if ".partial" not in path.parent.name}


@pytest.mark.parametrize("seen", ["policy", "evaluation"])
def test_killed_for_real_and_continued_it_is_the_same(own, tiny_home, root, seen):
    """SIGKILL while runs are under way in two workers; the next call ends with the same bytes."""
    for stage in ("run", "policy", "evaluation"):
        shutil.rmtree(own / "outputs" / "store" / stage)
    command = [sys.executable, "-c", f"from ifpref.study import Study; Study('smoke', **{TINY!r}).run(workers=2)"]
    environment = os.environ | {"PYTHONPATH": str(root)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list((own / "outputs" / "store").glob(f"{seen}/*")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(records(own)) < len(records(tiny_home))
    assert Study("smoke", **TINY).run(workers=0, say=lambda line: None) == {}
    assert records(own) == records(tiny_home)


@pytest.fixture
def fresh():
    """Pipelines of this process are made anew, so that what a test replaces is seen."""
    workers.forget()
    yield
    workers.forget()


def test_one_failing_arm_does_not_lose_the_others(own, monkeypatch, fresh):
    for stage in ("run", "policy"):
        shutil.rmtree(own / "outputs" / "store" / stage)
    real = policies.Policy.make

    def make(job, writer):
        if job.data[0]["curation"] == "mcts":
            raise MemoryError("no room for mcts")
        real(job, writer)

    monkeypatch.setattr(policies.Policy, "make", staticmethod(make))
    study = Study("smoke", **TINY)
    with pytest.warns(UserWarning, match="1 of 4 artefacts could not be made"):
        failed = study.run(workers=0, say=lambda line: None)
    assert [str(task) for task in failed] == ["run as_they_come mcts/high/all 0 lr 0.01"]
    assert "MemoryError: no room for mcts" in next(iter(failed.values()))
    assert study.tables("as_they_come", MCTS) == [None] and study.tables("as_they_come", RS)[0] is not None
    [row] = [row for row in results.gains(study, "as_they_come") if row["label"] == "mcts/high/all"]
    assert row["missing"] == 1 and row["estimate"] is None


def test_without_the_base_there_is_nothing_to_read(own, monkeypatch, fresh):
    for stage in ("base", "evaluation"):
        shutil.rmtree(own / "outputs" / "store" / stage)

    def make(job, writer):
        raise OSError("no table today")

    monkeypatch.setattr(Base, "make", staticmethod(make))
    with pytest.raises(StudyError, match=r"base test 0\.0: OSError: no table today"):
        Study("smoke", **TINY).run(workers=0, say=lambda line: None)


def test_artefacts_of_an_older_layout_are_named(own, fresh):
    old = own / "outputs" / "store" / "run" / ("0" * 16)
    old.mkdir()
    (old / "manifest.json").write_text(json.dumps({"recipe": {"stage": "run", "params": {}, "code": {}}}))
    shutil.rmtree(own / "outputs" / "store" / "pair_tables")
    lines = []
    Study("smoke", **TINY).run(workers=0, say=lines.append)
    assert any("outputs/store holds 1 artefacts of an older layout: they are not used" in line for line in lines)


def test_the_command_refuses_what_it_cannot_begin(home, root):
    def command(*words):
        return subprocess.run([sys.executable, "-m", "ifpref.study", *words], cwd=root, capture_output=True, text=True)

    for words, message in (
        (["pokcet"], "did you mean 'pocket'?"),
        (["smoke", "--set", "lerning_rate=1"], "did you mean 'learning_rate'?"),
        (["smoke", "--set", "comparisons=[sharin]"], "did you mean 'sharing'?"),
        (["smoke", "--set", "device=cuda"], "no GPU that torch can use is here"),
    ):
        done = command(*words)
        assert done.returncode == 2 and message in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("error", [StoreError("stages.lock: line 3"), CodeError("code.py was changed")])
def test_a_damaged_lock_and_edited_code_are_a_line(error, monkeypatch, capsys):
    def run(*arguments, **options):
        raise error

    monkeypatch.setattr(Study, "run", run)
    assert main(["smoke"]) == 2 and capsys.readouterr().err == f"error: {error}\n"


# ---- tables by hand: 2 replicates, 4 prompts of one constraint; the base meets prompts 0 and 1


def table(*met):
    rows = [
        {
            "prompt_id": f"p{i}",
            "sample": 0,
            "token_ids": [5 + i, 9, 2],
            "text": "A word.",
            "finish": "stop",
            "strict": [bool(one)],
            "loose": [bool(one)],
            "unasked": [],
            "repeated": False,
            "nearly_repeated": False,
            "n_tokens": 3,
            "logprob": -1.0,
        }
        for i, one in enumerate(met)
    ]
    return Table.from_rows(rows)


HIGH, LOW, MIXED = Arm("rs", "high"), Arm("rs", "low"), Arm("rs", "mixed")
OVER_HIGH = [(LOW, HIGH), (MIXED, HIGH)]
TOY = {
    HIGH: [table(1, 1, 1, 0), table(1, 1, 1, 1)],
    LOW: [table(1, 1, 0, 0), table(1, 1, 1, 0)],
    MIXED: [table(1, 1, 1, 1), None],
}


@pytest.fixture
def toy():
    """What tables ask of a study, with answers known."""
    params = load_params("smoke")
    triples = Comparison("triples", "contrast", "", tuple(TOY), runs_at="grid")
    prompts = [
        {"n_constraints": k, "difficulty": d, "constraints": [{"id": id, "kwargs": {}}]}
        for k, d, id in ((1, "easy", "a:a"), (1, "easy", "a:b"), (3, "moderate", "a:a"), (5, "hard", "a:b"))
    ]
    return toy_study(
        triples, params, lambda arm: TOY[arm], table(1, 1, 0, 0), prompts=lambda split, replicate=0: prompts
    )


def test_gains_by_hand(toy):
    high, low, mixed = results.gains(toy, "triples")
    assert (high["estimate"], high["replicates"], high["missing"]) == (37.5, 2, 0)  # 75 and 100 against 50
    assert (low["estimate"], low["replicates"]) == (12.5, 2)
    assert (mixed["estimate"], mixed["replicates"], mixed["missing"]) == (50.0, 1, 1)
    assert mixed["low"] is None and "one replicate" in mixed["reason"]


def test_contrasts_by_hand(toy):
    low, mixed = results.contrasts(toy, "triples", OVER_HIGH)
    assert (low["label"], low["estimate"]) == ("low − high", -25.0)
    assert (mixed["label"], mixed["estimate"], mixed["replicates"]) == ("mixed − high", 25.0, 1)
    [row] = results.contrasts(toy, "triples", [(HIGH, LOW)])
    assert row["estimate"] == 25.0


def test_what_could_be_found_is_said_of_the_same_differences(toy):
    before, low, mixed = results.minimum_detectable_effects(toy, "triples", OVER_HIGH)
    planned = results.planned_minimum_detectable_effect(toy)
    assert before == {"contrast": "any, before training", "points": round(planned, 2)}
    assert (low["contrast"], mixed["contrast"]) == tuple(f"{arm} − high, as it came out" for arm in ("low", "mixed"))
    assert low["points"] > 0 and mixed["points"] is None  # of one replicate
    [_, turned] = results.minimum_detectable_effects(toy, "triples", [(HIGH, LOW)])
    assert turned == {"contrast": "high − low, as it came out", "points": low["points"]}  # as the figures have it


def test_levels_and_constraints_by_hand(toy):
    rows = {(row["arm"], row["evaluated"]): row for row in results.by_level(toy, "triples")}
    assert rows["rs/high/all", "moderate"]["estimate"] == 100.0 and rows["rs/high/all", "hard"]["estimate"] == 50.0
    assert rows["rs/high/all", "easy"]["estimate"] == 0.0 and rows["rs/high/all", "easy"]["prompts"] == 2
    of_id = {(row["arm"], row["label"]): row["estimate"] for row in results.per_constraint(toy, "triples")}
    assert of_id["rs/high/all", "a:a"] == 50.0 and of_id["rs/low/all", "a:b"] == 0.0


def test_accuracies_by_hand(toy):
    rows = {row["arm"]: row for row in results.accuracies(toy, "triples")}
    assert rows["base"]["prompt_level_strict"] == 50.0
    assert rows["rs/high/all"]["prompt_level_strict"] == 87.5 and rows["rs/high/all"]["runs"] == 2
    assert rows["rs/mixed/all"]["prompt_level_strict"] == 100.0 and rows["rs/mixed/all"]["runs"] == 1


def test_claims_by_hand(toy):
    rows = {row["claim"]: row for row in claims.claims(toy)}
    assert rows["C3"]["estimate"] == 25.0 and rows["C3"]["demonstration"]
    assert rows["C4"]["estimate"] == 25.0  # mixed - high is the lesser of 25 and 50, in the one replicate there is
    for claim in ("C1", "C2", "C5"):  # not in this profile
        assert rows[claim]["verdict"] == "not resolved" and rows[claim]["estimate"] is None
    json.dumps(rows)


def test_what_is_missing_everywhere_has_no_number(toy):
    toy.tables = lambda name, arm, key="test/greedy", at=None: [None, None]
    assert np.isnan(results.points(toy, "triples", HIGH)).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(row["estimate"] is None for row in results.gains(toy, "triples"))


def test_the_mean_over_a_grid_by_hand(toy):
    """A replicate that misses one configuration is missing."""
    one, two = Configuration(1e-3), Configuration(2e-3)
    toy.configurations = lambda name: (one, two)
    found = {(HIGH, one): TOY[HIGH], (HIGH, two): [table(0, 0, 0, 0), None], (LOW, one): TOY[LOW], (LOW, two): TOY[LOW]}
    toy.tables = lambda name, arm, key="test/greedy", at=None: found[arm, at]
    mean = results.points(toy, "triples", HIGH)
    assert mean[0].tolist() == [-50, -50, 50, 0] and np.isnan(mean[1]).all()
    assert results.points(toy, "triples", HIGH, at=two)[0].tolist() == [-100, -100, 0, 0]
    difference = results.points(toy, "triples", HIGH, LOW)
    assert difference[0].tolist() == [-50, -50, 50, 0] and np.isnan(difference[1]).all()
    assert results.effect(toy, mean).missing == 1 and results.effect(toy, mean).estimate == -12.5
