"""The schedule on toy tasks: order, failures, workers that die, time left. The study's table of comparisons."""

import errno
import math
import os
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from ifpref import design
from ifpref.curation.pairs import Arm
from ifpref.params import load_params
from ifpref.pipeline import schedule, workers
from ifpref.pipeline.pipeline import STAGES
from ifpref.pipeline.runs import Run
from ifpref.pipeline.samples import Prompts, Responses
from ifpref.pipeline.schedule import RETRIES, ROUGHLY, Schedule
from ifpref.pipeline.workers import InProcess, Outcome, Workers
from ifpref.store import DiskFull
from ifpref.study import Study

MIDDLE = design.Configuration(1e-2)
"""Of `smoke`."""
A, B, C, D, E, F = (Run(name, Arm("rs"), 0, MIDDLE) for name in "abcdef")
NEEDS = {A: (), B: (A,), C: (B,), D: ()}


class ToyPipeline:
    """a <- b <- c, and d alone; `there` is what the store has."""

    params = "toy"

    def __init__(self, there=(), needs=NEEDS):
        self.there, self.needs = set(there), needs

    def find(self, task):
        return task if task in self.there else None

    def inputs(self, task):
        return {str(need): need for need in self.needs[task]}


@pytest.fixture
def computed(monkeypatch):
    """The tasks in the order in which they were computed; those in `computed.bad` raise."""

    class Log(list):
        pass

    log = Log()
    log.bad = {}

    def compute(params, task, device):
        if task in log.bad:
            return Outcome(1.0, log.bad[task], is_full="disk" in log.bad[task])
        log.append(task)
        return Outcome(1.0)

    monkeypatch.setattr(schedule, "compute", compute)
    return log


def work(pipeline, wanted, executor=None, workers=1):
    lines, plan = [], Schedule(pipeline, wanted)
    plan.work(executor or InProcess(), workers, lines.append)
    return plan, lines


def test_what_is_needed_comes_first(computed):
    plan, _ = work(ToyPipeline(), [C, D])
    assert sorted(map(str, computed)) == sorted(map(str, [A, B, C, D]))
    assert computed.index(A) < computed.index(B) < computed.index(C) and not plan.failed


def test_below_what_is_there_nothing_is_asked_for(computed):
    plan, _ = work(ToyPipeline(there={B}), [C])
    assert computed == [C] and plan.cached == {B}


def test_a_failure_takes_what_needs_it_and_nothing_else(computed):
    computed.bad = {A: "ValueError: a is bad"}
    plan, lines = work(ToyPipeline(), [C, D])
    assert computed == [D]
    assert plan.failed[A] == "ValueError: a is bad"
    assert (
        plan.failed[B] == "needs run a rs/high/all 0 lr 0.01, which failed"
        and plan.failed[C] == "needs run b rs/high/all 0 lr 0.01, which failed"
    )
    assert any("FAILED run a rs/high/all 0 lr 0.01: ValueError: a is bad" in line for line in lines)


def test_a_full_disk_ends_the_schedule(computed):
    """What is under way is waited for; what is done stays done, and all the rest is said to be missing."""
    computed.bad = {A: "DiskFull: no room on the disk"}
    waiting = []

    class Two(Executor):
        """Of two workers: what is submitted is computed when the second task is there."""

        def submit(self, fn, /, *args):
            future = Future()
            waiting.append((future, fn, args))
            if len(waiting) == 2:
                for one, work, given in waiting:
                    try:
                        one.set_result(work(*given))
                    except Exception as failed:
                        one.set_exception(failed)
            return future

    others = {E: (), F: ()}
    plan, lines = work(ToyPipeline(needs=NEEDS | others), [C, D, *others], Two(), workers=2)
    assert computed == [D] and set(plan.done) == {D} and len(waiting) == 2
    assert plan.failed[B] == "needs run a rs/high/all 0 lr 0.01, which failed"
    assert plan.failed[E] == plan.failed[F] == "not begun: the disk is full"
    assert set(plan.failed) == {A, B, C, E, F}
    assert len([line for line in lines if "the disk is full: nothing more is begun" in line]) == 1


class Dying(Executor):
    """A task's worker dies so many times."""

    def __init__(self, deaths):
        self.deaths = deaths

    def submit(self, fn, /, *args):
        future, task = Future(), args[1]
        if self.deaths.get(task, 0):
            self.deaths[task] -= 1
            future.set_exception(BrokenProcessPool("killed"))
        else:
            future.set_result(fn(*args))
        return future


def test_a_task_whose_worker_dies_is_tried_again_and_others_lose_nothing(computed):
    plan, lines = work(ToyPipeline(), [C, D], Dying({A: RETRIES, D: RETRIES}))
    assert set(computed) == {A, B, C, D} and not plan.failed
    assert len([line for line in lines if "a worker died" in line]) == 2 * RETRIES


def test_a_task_whose_worker_always_dies_is_a_failure(computed):
    plan, _ = work(ToyPipeline(), [C, D], Dying({A: RETRIES + 1}))
    assert plan.failed[A] == f"its worker died {RETRIES + 1} times (out of memory?)"
    assert set(plan.failed) == {A, B, C} and computed == [D]


def test_a_disk_that_is_full_is_known_by_what_failed_and_by_looking(tmp_path, monkeypatch):
    hidden = RuntimeError("PytorchStreamWriter failed writing file")
    assert not workers._is_of_a_full_disk(hidden, tmp_path)
    for error in (DiskFull("x"), OSError(errno.EDQUOT, "quota")):
        assert workers._is_of_a_full_disk(error, tmp_path)
        try:
            raise ValueError("wrapped") from error
        except ValueError as wrapped:
            assert workers._is_of_a_full_disk(wrapped, tmp_path)

    def full(**options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(workers.tempfile, "TemporaryFile", full)
    assert workers._is_of_a_full_disk(hidden, tmp_path)


def test_time_left_is_what_is_declared_at_the_pace_so_far(computed):
    """Of 14 s and 20 minutes the one is not the mean of the other: unlike stages cost what they declare."""
    params = load_params("smoke")
    pipeline = ToyPipeline(
        needs={Prompts(0): (), Responses(0): (), Responses(1): (), Run("sharing", Arm("rs"), 0, MIDDLE): ()}
    )
    pipeline.params = params
    plan = Schedule(pipeline, pipeline.needs)
    plan.workers = 2
    declared = {task: schedule.roughly(pipeline, task) for task in plan.needs}
    assert declared[Prompts(0)] == pytest.approx(params.n_train_prompts * ROUGHLY["prompt"])
    assert math.isnan(plan.seconds_left())
    plan.done = {Prompts(0): 3 * declared[Prompts(0)]}  # a machine that takes three times as long
    left = sum(seconds for task, seconds in declared.items() if task != Prompts(0))
    assert plan.seconds_left() == pytest.approx(3 * left / 2)
    plan.done[Responses(0)] = declared[Responses(0)]  # ... but not for responses
    others = plan.seconds_left() * 2 - declared[Responses(1)]
    assert 0 < others < 3 * declared[Run("sharing", Arm("rs"), 0, MIDDLE)]


def test_every_unit_that_is_declared_has_a_rough_cost():
    study = Study("pocket-full")
    units = {unit for task in study.pipeline.needs(study.tasks()) for unit in task.work(study.params, lambda *_: 200)}
    assert {unit for unit in units if not {unit, unit.split()[0]} & set(ROUGHLY)} <= {"trained pair"}


def test_replicate_by_replicate_what_all_share_first():
    runs = [Run("sharing", Arm("rs"), replicate, MIDDLE) for replicate in (1, 0)]
    tasks = [*runs, Responses(1), Prompts(), Responses(0)]
    shown = ["prompts held-out", "responses 0", "run sharing rs/high/all 0 lr 0.01"]
    shown += ["responses 1", "run sharing rs/high/all 1 lr 0.01"]
    assert [str(task) for task in sorted(tasks, key=schedule.order)] == shown
    assert len(set(STAGES)) == len(STAGES)


# ---- workers and their GPUs


def test_gpus_are_in_one_group_each_by_the_names_that_are_visible(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert workers.gpu_groups(4, 2) == ["0,1", "2,3"] and workers.gpu_groups(3, 1) == ["0", "1", "2"]
    assert workers.gpu_groups(5, 2) == ["0,1", "2,3"] and workers.gpu_groups(0, 2) == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-5e,6")
    assert workers.gpu_groups(3, 1) == ["3", "GPU-5e", "6"] and workers.gpu_groups(3, 3) == ["3,GPU-5e,6"]


@pytest.mark.parametrize(
    ("n_gpus", "each", "asked", "n"),
    [(4, 1, None, 4), (4, 2, None, 2), (5, 2, None, 2), (2, 2, 8, 1), (2, 2, 0, 0), (1, 1, 3, 3), (0, 2, 3, 3)],
)
def test_never_more_workers_than_groups_of_gpus(monkeypatch, n_gpus, each, asked, n):
    """Those that are asked for beyond the GPUs share them, but not where training takes several; a CPU is shared."""
    monkeypatch.delenv("IFPREF_WORKERS", raising=False)
    study = Study("smoke", training_processes=each)
    assert workers.n_workers(study.params, n_gpus, asked) == n
    if asked is not None:
        monkeypatch.setenv("IFPREF_WORKERS", str(asked))
        assert workers.n_workers(study.params, n_gpus) == n


def test_the_cores_are_shared_out_too(monkeypatch):
    monkeypatch.setattr("ifpref.prompts.build.cores", lambda: 5)
    monkeypatch.delenv("IFPREF_WORKERS", raising=False)
    studies = (Study("smoke", per_device_train_batch_size=4, training_processes=each) for each in (1, 2, 4))
    assert [workers.n_workers(study.params, 0) for study in studies] == [5, 2, 1]


def seen_by_worker(folder, number):
    """In a worker: what it was given, and a process that it starts. Ends when the other task is in the other worker."""
    (folder / str(number)).touch()
    deadline = time.monotonic() + 60
    while len(list(folder.iterdir())) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    return os.environ.get("CUDA_VISIBLE_DEVICES"), child.pid


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{pid}/stat").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


def test_each_worker_sees_its_own_gpus_and_ends_with_what_it_has_started(monkeypatch, tmp_path):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    pool = Workers(2, workers.gpu_groups(5, 2))
    seen = [future.result() for future in [pool.submit(seen_by_worker, tmp_path, number) for number in range(2)]]
    assert {visible for visible, _ in seen} == {"0,1", "2,3"}
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
    pool.shutdown(wait=False)
    deadline = time.monotonic() + 240
    while any(is_alive(pid) for _, pid in seen):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def die_or_stay(folder, name):
    """In a worker: one dies at its first try, the other waits until it has come back."""
    if name == "dies":
        if not (folder / "died").exists():
            (folder / "died").touch()
            os._exit(9)
        (folder / "back").touch()
        return "back"
    deadline = time.monotonic() + 120
    while not (folder / "back").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return os.getpid()


def test_one_workers_death_costs_the_others_nothing(tmp_path):
    pool = Workers(2)
    try:
        stays, dies = pool.submit(die_or_stay, tmp_path, "stays"), pool.submit(die_or_stay, tmp_path, "dies")
        assert isinstance(dies.exception(), BrokenProcessPool) and not stays.done()
        assert pool.submit(die_or_stay, tmp_path, "dies").result() == "back"
        assert stays.result() > 0
    finally:
        pool.shutdown(wait=False)


# ---- the table of comparisons


def test_the_default_is_small_and_the_reference_is_enough_for_verdicts():
    pocket, full = load_params("pocket"), load_params("pocket-full")
    runs = [len(one.arms) * len(design.configurations(one, pocket)) for one in design.chosen(pocket)]
    assert sum(runs) <= 16 and pocket.n_replicates >= 6 and pocket.learning_rates is None
    assert full.n_replicates >= 10 and full.n_test_prompts >= 1000 and full.n_series_replicates >= 5
    assert set(full.comparisons) == set(design.COMPARISONS) - {"alone"}
    assert len(full.learning_rates) == 3 and full.learning_rate in full.learning_rates


def test_every_arm_of_a_comparison_runs_at_the_same_configurations():
    params = load_params("pocket-full")
    middle, grid = design.Configuration(2.5e-3), tuple(map(design.Configuration, (1e-3, 2.5e-3, 6.3e-3)))
    for one in design.chosen(params):
        found = design.configurations(one, params)
        assert len(set(found)) == len(found)
        if one.runs_at in ("grid", "middle"):
            assert found == (grid if one.runs_at == "grid" else (middle,))
    assert {one.name for one in design.chosen(params) if one.runs_at == "grid"} == {
        "sharing", "high_easy", "high_moderate", "high_hard", "low_moderate", "low_hard", "triples", "difficulty",
        "difficulty_matched",
    }  # fmt: skip
    harsh = design.configurations(design.COMPARISONS["stability"], params)
    assert len(harsh) == 16 and str(harsh[0]) == "lr 0.0025" and str(harsh[7]) == "lr 0.04, 8 epochs"
    assert harsh[15] == design.Configuration(4e-2, n_pairs=40) and str(harsh[9]) == "lr 0.0063, beta 0.01"
    sizes = design.configurations(design.COMPARISONS["sizes_contrast"], params)
    assert [one.changes() for one in sizes] == [{"learning_rate": 2.5e-3, "n_pairs": n} for n in params.pair_sizes]
    alone = params.replace(learning_rates=None)
    assert design.configurations(design.COMPARISONS["triples"], alone) == (middle,)


def test_a_series_is_not_sampled_at_a_rate_that_it_has_not():
    params = load_params("smoke", sampled_comparisons=("stability",))
    with pytest.raises(ValueError, match="sampled_comparisons: 'stability' has no middle rate"):
        design.chosen(params)


def test_a_comparison_that_nobody_knows_is_refused_with_the_nearest():
    params = load_params("smoke", comparisons=("sharing", "triple"))
    with pytest.raises(ValueError, match=r"comparisons: 'triple' is unknown.*did you mean 'triples'"):
        design.chosen(params)


@pytest.mark.parametrize(("name", "other"), [("transfer_seen", "transfer"), ("dose_lower", "sharing")])
def test_a_comparison_made_from_another_needs_it(name, other):
    params = load_params("smoke", comparisons=(name,), sampled_comparisons=())
    with pytest.raises(ValueError, match=f"{name!r} is made from the pairs of {other!r}"):
        design.chosen(params)


def test_every_notebook_reads_its_own_comparisons():
    params = load_params("pocket-full")
    for notebook in ("prefix", "contrast", "difficulty"):
        assert design.of_notebook(notebook, params)
    assert design.of_notebook("findings", params) == design.chosen(params)
    with pytest.raises(ValueError, match="did you mean 'prefix'"):
        design.of_notebook("prefx", params)
