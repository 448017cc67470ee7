"""The schedule on toy tasks: order, failures, workers that die, time left. The study's table of comparisons."""

import errno
import os
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from ifpref import design
from ifpref.params import load_params
from ifpref.pipeline import schedule
from ifpref.pipeline.schedule import InProcess, Schedule
from ifpref.pipeline.stages import Step, Task
from ifpref.store import StoreError
from ifpref.study import Study

A, B, C, D, E, F = (Task("run", (name, None, 0, None)) for name in "abcdef")
NEEDS = {A: (), B: (A,), C: (B,), D: ()}


class ToyRuns:
    """a <- b <- c, and d alone; `there` is what the store has."""

    params = "toy"

    def __init__(self, there=(), needs=NEEDS):
        self.there, self.needs = set(there), needs

    def find(self, task):
        return task if task in self.there else None

    def step(self, task):
        return Step(self.needs[task], lambda: None, lambda writer: None)


@pytest.fixture
def computed(monkeypatch):
    """The tasks in the order in which they were computed; those in `computed.bad` raise."""

    class Log(list):
        pass

    log = Log()
    log.bad = {}

    def compute(params, task):
        if task in log.bad:
            raise log.bad[task]
        log.append(task)
        return 1.0

    monkeypatch.setattr(schedule, "compute", compute)
    return log


def work(runs, wanted, start=InProcess, workers=1):
    lines, plan = [], Schedule(runs, wanted)
    plan.work(start, workers, lines.append)
    return plan, lines


def test_what_is_needed_comes_first(computed):
    plan, _ = work(ToyRuns(), [C, D])
    assert sorted(map(str, computed)) == sorted(map(str, [A, B, C, D]))
    assert computed.index(A) < computed.index(B) < computed.index(C) and not plan.failed


def test_below_what_is_there_nothing_is_asked_for(computed):
    plan, _ = work(ToyRuns(there={B}), [C])
    assert computed == [C] and plan.cached == {B}


def test_a_failure_takes_what_needs_it_and_nothing_else(computed):
    computed.bad = {A: ValueError("a is bad")}
    plan, lines = work(ToyRuns(), [C, D])
    assert computed == [D]
    assert plan.failed[A] == "ValueError: a is bad"
    assert plan.failed[B] == "needs run a 0, which failed" and plan.failed[C] == "needs run b 0, which failed"
    assert any("FAILED run a 0: ValueError: a is bad" in line for line in lines)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        StoreError("toy: Disk quota exceeded, while run a was made; whole shards are kept"),
    ],
)
def test_a_full_disk_ends_the_schedule(computed, error):
    """What is under way is waited for; what is done stays done, and all the rest is said to be missing."""
    computed.bad = {A: error}
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
    runs = ToyRuns(needs=NEEDS | others)
    plan, lines = work(runs, [C, D, *others], start=Two, workers=2)
    assert computed == [D] and set(plan.done) == {D} and len(waiting) == 2
    assert plan.failed[B] == "needs run a 0, which failed"
    assert plan.failed[E] == plan.failed[F] == "not begun: the disk is full"
    assert set(plan.failed) == {A, B, C, E, F} and plan.missing == 0
    assert len([line for line in lines if "the disk is full: nothing more is begun" in line]) == 1


def test_a_worker_that_dies_is_replaced_and_its_task_tried_once_more(computed):
    started = []

    class Dying(Executor):
        def __init__(self):
            started.append(self)

        def submit(self, fn, /, *args):
            future, is_first = Future(), len(started) == 1
            if is_first:
                future.set_exception(BrokenProcessPool("killed"))
            else:
                future.set_result(fn(*args))
            return future

    plan, lines = work(ToyRuns(), [D], start=Dying)
    assert computed == [D] and not plan.failed and len(started) == 2
    assert any("a worker died" in line for line in lines)


def test_a_worker_that_dies_twice_is_a_failure(computed):
    class Deadly(Executor):
        def submit(self, fn, /, *args):
            future = Future()
            future.set_exception(BrokenProcessPool("killed"))
            return future

    plan, _ = work(ToyRuns(), [C], start=Deadly)
    assert plan.failed[A].startswith("BrokenProcessPool") and set(plan.failed) == {A, B, C} and not computed


def test_time_left_by_the_mean_of_each_stage(computed):
    plan = Schedule(ToyRuns(), [C, D])
    plan.workers = 2
    plan.done = {A: 4.0, D: 2.0}
    assert plan.seconds_left() == 2 * 3.0 / 2  # two runs of 3 s on two workers


def test_replicate_by_replicate_what_all_share_first():
    tasks = [Task("run", ("x", None, 1, None)), Task("run", ("x", None, 0, None)), Task("responses", (1,))]
    tasks += [Task("held_out"), Task("responses", (0,)), Task("run", ("x", None, 0, 0.1, "dev"))]
    ordered = sorted(tasks, key=schedule._order)
    shown = ["held_out", "responses 0", "run x 0 0.1 dev", "run x 0", "responses 1", "run x 1"]
    assert [str(task) for task in ordered] == shown


# ---- workers and their GPUs


def test_gpus_are_in_one_group_each_by_the_names_that_are_visible(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert schedule.gpu_groups(4, 2) == ["0,1", "2,3"] and schedule.gpu_groups(3, 1) == ["0", "1", "2"]
    assert schedule.gpu_groups(5, 2) == ["0,1", "2,3"] and schedule.gpu_groups(0, 2) == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-5e,6")
    assert schedule.gpu_groups(3, 1) == ["3", "GPU-5e", "6"] and schedule.gpu_groups(3, 3) == ["3,GPU-5e,6"]


@pytest.mark.parametrize(
    ("n_gpus", "each", "asked", "n"),
    [(4, 1, None, 4), (4, 2, None, 2), (5, 2, None, 2), (2, 2, 8, 1), (2, 2, 0, 0), (1, 1, 3, 3), (0, 2, 3, 3)],
)
def test_never_more_workers_than_groups_of_gpus(monkeypatch, n_gpus, each, asked, n):
    """Those that are asked for beyond the GPUs share them, but not where training takes several; a CPU is shared."""
    monkeypatch.delenv("IFPREF_WORKERS", raising=False)
    study = Study("smoke", training_processes=each)
    assert study.n_workers(n_gpus, asked) == n
    if asked is not None:
        monkeypatch.setenv("IFPREF_WORKERS", str(asked))
        assert study.n_workers(n_gpus) == n


def test_the_cores_are_shared_out_too(monkeypatch):
    monkeypatch.setattr("ifpref.prompts.build.cores", lambda: 5)
    monkeypatch.delenv("IFPREF_WORKERS", raising=False)
    studies = (Study("smoke", per_device_train_batch_size=4, training_processes=each) for each in (1, 2, 4))
    assert [study.n_workers(0) for study in studies] == [5, 2, 1]


def seen_by_worker(folder, number):
    """In a worker: what it was given, and a process that it starts. Ends when the other task is in the other worker."""
    (folder / str(number)).touch()
    deadline = time.monotonic() + 60
    while len(list(folder.iterdir())) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    return os.environ.get("CUDA_VISIBLE_DEVICES"), schedule._device, child.pid


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{pid}/stat").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


def test_each_worker_sees_its_own_gpus_and_ends_with_what_it_has_started(monkeypatch, tmp_path):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    pool = schedule.processes(2, n_gpus=5, gpus_each=2)
    seen = [future.result() for future in [pool.submit(seen_by_worker, tmp_path, number) for number in range(2)]]
    assert {(visible, device) for visible, device, _ in seen} == {("0,1", "cuda:0"), ("2,3", "cuda:0")}
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
    schedule._end(pool, is_whole=False)
    deadline = time.monotonic() + 60
    while any(is_alive(pid) for *_, pid in seen):
        assert time.monotonic() < deadline
        time.sleep(0.05)


# ---- the table of comparisons


def cells_of(profile):
    params = load_params(profile)
    return sum(len(one.arms) * (len(params.learning_rates) if one.every_rate else 1) for one in design.chosen(params))


def test_the_demonstration_is_small_and_the_reference_is_enough_for_verdicts():
    pocket, full = load_params("pocket"), load_params("pocket-full")
    assert cells_of("pocket") <= 14 and pocket.n_replicates == 3
    assert (
        full.n_replicates >= 10
        and full.n_test_prompts >= 1000
        and set(full.comparisons) == set(design.COMPARISONS) - {"alone"}
    )
    rates = full.learning_rates
    assert len(rates) == 4 and rates[-1] / rates[0] == pytest.approx(16, rel=0.02)


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
