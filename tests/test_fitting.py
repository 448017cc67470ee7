"""The largest batches that fit: halved on a made-up shortage of memory, kept, and where the next one begins."""

import json
import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifpref import paths
from ifpref.curation.pairs import Arm
from ifpref.params import load_params
from ifpref.pipeline.fitting import FILE, FittedEngine, Fitting, at_most, device_kind, fit_training
from ifpref.pipeline.model import Speaking
from ifpref.pipeline.schedule import Schedule
from ifpref.pipeline.stage import pick
from ifpref.sampling import ChatEngine, Request, SamplingError, Settings
from ifpref.study import Study
from ifpref.training import TrainingError, TrainingSettings
from ifpref.training.processes import launch
from tests.conftest import TINY

torch = pytest.importorskip("torch")

IDENTITY = {"id": "pocket", "revision": None, "content": "9c1e", "dtype": "float32"}
SETTINGS = replace(
    TrainingSettings.from_params(load_params("smoke")), per_device_train_batch_size=8, gradient_accumulation_steps=2
)
SHORT = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 GiB.")


@pytest.fixture
def fitting(tmp_path):
    return Fitting(tmp_path / FILE, IDENTITY)


def entries(fitting):
    return json.loads(fitting.file.read_text(encoding="utf-8"))


# ---- the file


def test_a_size_is_kept_for_its_place_alone_and_the_smaller_one_stays(fitting):
    here, there = {"device": "A", "max_tokens": 8}, {"device": "B", "max_tokens": 8}
    assert fitting.known(here) is None
    for size in (16, 4, 8):
        fitting.keep(here, size)
    fitting.keep(there, 32)
    again = Fitting(fitting.file, IDENTITY)
    assert (again.known(here), again.known(there), again.known({"device": "A", "max_tokens": 9})) == (4, 32, None)
    fitting.keep(here, None)
    assert entries(fitting) == [{**there, "fits": 32}]
    assert [path.name for path in fitting.file.parent.iterdir()] == [FILE]  # no lock, nothing half written


def test_many_workers_lose_nothing(fitting):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: Fitting(fitting.file, IDENTITY).keep({"n": n % 10}, n + 1), range(40)))
    assert sorted((entry["n"], entry["fits"]) for entry in entries(fitting)) == [(n, n + 1) for n in range(10)]


@pytest.mark.parametrize(
    "text", ["[{", "{}", "[3]", '[{"fits": 0}]', "[{}]", '[{"fits": true}]', '[{"fits": "8"}]', "\xff", None]
)
def test_a_damaged_file_is_moved_aside_with_a_word_and_sizes_are_found_anew(fitting, text, caplog):
    if text is None:
        fitting.file.mkdir()
    else:
        fitting.file.write_bytes(text.encode("latin-1"))
    with caplog.at_level(logging.WARNING):
        assert fitting.known({}) is None
    [said] = caplog.messages
    assert said.startswith(f"{paths.shown(fitting.file)}: ") and "; allowed: a list of entries, each with" in said
    assert f"moved to {FILE}.damaged, sizes are found anew" in said
    aside = fitting.file.with_name(f"{FILE}.damaged")
    assert aside.is_dir() if text is None else aside.read_bytes() == text.encode("latin-1")
    fitting.keep({"n": 1}, 4)
    assert entries(fitting) == [{"n": 1, "fits": 4}] and len(caplog.messages) == 1


def test_the_place_is_device_model_and_what_memory_depends_on(fitting):
    where = fitting.where("sampling_batch_size", torch.device("cpu"), max_tokens=8)
    assert where.pop("device").startswith("cpu, ") and device_kind(torch.device("cpu")).endswith(" MiB")
    assert where == {"parameter": "sampling_batch_size", "model": IDENTITY, "max_tokens": 8}


# ---- sampling


@pytest.fixture(scope="module")
def pocket():
    from ifpref.models import load_model

    return load_model("pocket")


def sampled(pocket, fitting, batch_size=32, max_tokens=6, n=24):
    """A round of n responses on a "GPU" with room for 10 rows; what was sampled, the engine, the rows that failed."""
    from ifpref.sampling import TransformersEngine

    failed = []

    def short(module, args, kwargs):
        if len(kwargs["input_ids"]) > 10:
            failed.append(len(kwargs["input_ids"]))
            raise SHORT

    engine = FittedEngine(TransformersEngine(pocket, batch_size), fitting)
    hook = pocket.model.register_forward_pre_hook(short, with_kwargs=True)
    try:
        rounds = engine.sample([Request("p", engine.encode("Write about a fox."), n)], Settings(max_tokens=max_tokens))
    finally:
        hook.remove()
    return [completion.token_ids for completion in rounds[0]], engine.engine, failed


def test_a_later_engine_begins_at_the_size_that_was_found(pocket, fitting, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        first, engine, failed = sampled(pocket, fitting)
    assert engine.batch_size == 6 and failed == [24, 12]
    assert f"6 rows at a time fit: kept in {paths.shown(fitting.file)}" in caplog.messages
    again, engine, failed = sampled(pocket, Fitting(fitting.file, IDENTITY))
    assert engine.batch_size == 6 and failed == [] and again == first
    _, engine, failed = sampled(pocket, fitting, max_tokens=7)  # other lengths are found anew
    assert failed == [24, 12]
    _, engine, _ = sampled(pocket, fitting, batch_size=3)
    assert engine.batch_size == 3  # never more than the profile says
    assert [entry["fits"] for entry in entries(fitting)] == [6, 6]


def test_sampling_that_fits_writes_nothing_and_what_fits_no_row_neither(pocket, fitting, monkeypatch):
    assert sampled(pocket, fitting, batch_size=10)[2] == []
    engine = FittedEngine(SimpleNamespace(model=pocket.model, batch_size=4, tokenizer=None, eos_ids=()), fitting)

    def sample(*_):
        engine.engine.batch_size = 1
        raise SamplingError("out of GPU memory with a single row")

    engine.engine.sample = sample
    with pytest.raises(SamplingError, match="single row"):
        engine.sample([], Settings())
    assert not fitting.file.exists()


def test_what_a_study_samples_with_is_fitted_under_its_chat_settings(tiny_home, monkeypatch):
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tiny_home))
    study = Study("smoke", **TINY, stop_strings=["END"])
    engine = study.pipeline.model.engine(pick(Speaking, study.params))
    assert isinstance(engine, ChatEngine) and isinstance(engine.engine, FittedEngine)
    assert engine.engine.fitting.file == tiny_home / "outputs" / "store" / FILE
    assert (engine.calls, engine.sampled_tokens) == (0, 0)


# ---- training


def trainer(room, sizes):
    """`train` on a "GPU" with room for so many pairs; the sizes that it was called with."""

    def train(settings):
        sizes.append((settings.per_device_train_batch_size, settings.gradient_accumulation_steps))
        if settings.per_device_train_batch_size > room:
            raise SHORT
        return "policy"

    return train


def test_training_is_halved_until_it_fits_and_begins_there_next_time(pocket, fitting, caplog):
    sizes = []
    with caplog.at_level(logging.WARNING):
        assert fit_training(trainer(2, sizes), pocket, SETTINGS, 1, fitting) == "policy"
    assert sizes == [(8, 2), (4, 4), (2, 8)]
    shown = paths.shown(fitting.file)
    assert caplog.messages == [
        f"out of GPU memory with 8 pairs at a time: going on with 4, kept in {shown}",
        f"out of GPU memory with 4 pairs at a time: going on with 2, kept in {shown}",
    ]
    sizes.clear()
    fit_training(trainer(2, sizes), pocket, replace(SETTINGS, learning_rate=1.0), 1, fitting)
    fit_training(trainer(2, sizes), pocket, replace(SETTINGS, max_length=8), 1, fitting)  # found anew
    assert sizes == [(2, 8), (8, 2), (4, 4), (2, 8)]
    assert entries(fitting)[0] | {"device": ""} == {
        "parameter": "per_device_train_batch_size",
        "device": "",
        "model": IDENTITY,
        "processes": 1,
        "max_length": SETTINGS.max_length,
        "gradient_checkpointing": False,
        "bf16": False,
        "lora_r": SETTINGS.lora_r,
        "lora_target_modules": ["all-linear"],
        "fits": 2,
    }


def test_the_shares_of_several_processes_are_halved(pocket, fitting):
    """16 pairs a step over 4 processes: micro-batches of 4 at the most, whatever the profile says."""
    sizes = []
    fit_training(trainer(2, sizes), pocket, SETTINGS, 4, fitting)
    assert sizes == [(4, 4), (2, 8)] and SETTINGS.micro_batches(4) == (4, 1)
    assert entries(fitting)[0]["processes"] == 4


def test_a_single_pair_that_does_not_fit_is_an_error_and_nothing_is_kept(pocket, fitting):
    sizes = []
    with pytest.raises(
        TrainingError, match=r"single pair; what helps: gradient_checkpointing \(now False\).*1\.00 GiB"
    ):
        fit_training(trainer(0, sizes), pocket, SETTINGS, 1, fitting)
    assert [size for size, _ in sizes] == [8, 4, 2, 1] and entries(fitting) == []


def test_other_errors_are_not_about_memory(pocket, fitting):
    def train(settings):
        raise TrainingError("pair 'p' is there twice")

    with pytest.raises(TrainingError, match="twice"):
        fit_training(train, pocket, SETTINGS, 1, fitting)
    assert not fitting.file.exists()


@given(st.integers(1, 24), st.integers(1, 24), st.integers(1, 40))
def test_a_smaller_micro_batch_is_the_same_step(size, accumulation, most):
    whole = replace(SETTINGS, per_device_train_batch_size=size, gradient_accumulation_steps=accumulation)
    less = at_most(whole, most)
    assert less.per_device_train_batch_size <= min(most, size)
    assert less.key_fields() == whole.key_fields()


# ---- a study


@pytest.fixture
def own(tiny_home, tmp_path, monkeypatch):
    """A copy of the tiny study, on which trl runs out of memory with more than `room` pairs after the first step."""
    from trl import DPOTrainer

    shutil.copytree(tiny_home, tmp_path / "own")
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "own"))
    gpu = SimpleNamespace(room=99, seen=[], store=tmp_path / "own" / "outputs" / "store")
    original = DPOTrainer.compute_loss

    def compute_loss(self, model, inputs, *args, **options):
        gpu.seen.append(len(inputs["ref_chosen_logps"]))
        if gpu.seen[-1] > gpu.room and self.state.global_step > 0:
            raise SHORT
        return original(self, model, inputs, *args, **options)

    monkeypatch.setattr(DPOTrainer, "compute_loss", compute_loss)
    return gpu


def losses(policy):
    return [row["loss"] for row in policy.read_jsonl("log.jsonl")]


@pytest.mark.parametrize(("processes", "deaths", "lives"), [(2, 1, True), (2, 2, False)])
def test_several_processes_that_die_are_started_once_more(
    pocket, fitting, tmp_path, monkeypatch, processes, deaths, lives
):
    class Dead:
        """What `launch` starts; it ends with SIGABRT."""

        processes = ()

        def __init__(self, *args, **kwargs):
            pass

        def join(self):
            raise torch.multiprocessing.ProcessExitedException("signal SIGABRT", 0, 1, 1, "SIGABRT")

    monkeypatch.setattr(torch.multiprocessing, "start_processes", Dead)
    calls = []

    def train(settings):
        calls.append(settings)
        if len(calls) <= deaths:
            launch(pocket, [], settings, seed=0, folder=tmp_path, processes=processes)
        return "policy"

    settings = TrainingSettings.from_params(load_params("smoke"))
    if lives:
        assert fit_training(train, pocket, settings, processes, fitting) == "policy"
    else:
        with pytest.raises(TrainingError, match="one died: signal SIGABRT"):
            fit_training(train, pocket, settings, processes, fitting)
    assert len(calls) == min(deaths + 1, processes)


def test_a_run_goes_on_from_its_checkpoint_with_half_and_the_next_one_begins_there(own):
    """4 pairs a step, in one micro-batch, then in two."""
    longer = {"per_device_train_batch_size": 4, "num_train_epochs": 16.0, "save_steps": 1}  # of one pair or a few
    study = Study("smoke", **TINY, **longer)
    whole = study.policy("as_they_come", Arm("mcts"))
    expected = losses(whole)
    assert set(own.seen) == {4} and len(expected) > 2 and not (own.store / FILE).exists()
    shutil.rmtree(whole.folder)
    own.room = 2
    own.seen.clear()
    halved = study.policy("as_they_come", Arm("mcts"))
    assert halved.key == whole.key  # the sizes are in no key
    settings = halved.read_json("training.json")["settings"]
    assert (settings["per_device_train_batch_size"], settings["gradient_accumulation_steps"]) == (2, 2)
    assert own.seen == [4, 4, 4, *[2] * (1 + 2 * (len(expected) - 1))]  # a look at step 0 each time; step 1 once
    assert losses(halved) == pytest.approx(expected, abs=1e-4)
    own.seen.clear()
    other = study.policy("as_they_come", Arm("rs"))
    assert set(own.seen) <= {1, 2} and other.read_json("training.json")["state"] == "finished"
    [entry] = json.loads((own.store / FILE).read_text())
    assert (entry["parameter"], entry["fits"]) == ("per_device_train_batch_size", 2)


def test_training_in_two_processes_from_a_profile_is_the_same_artefact(own, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    shutil.rmtree(own.store / "policy")
    study = Study("smoke", **TINY, training_processes=2)
    assert Schedule(study.pipeline, study.tasks()).needs == {}
    policy, record = study.policy("as_they_come", Arm("rs")), study.record("as_they_come", Arm("rs"), 0)
    training = policy.read_json("training.json")
    assert policy.key == record["policy"] and (training["processes"], training["state"]) == (2, "finished")
    assert losses(policy) == pytest.approx(record["log"]["loss"], abs=1e-4)
