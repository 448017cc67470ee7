"""Declared stages: keys hold everything that a stage is given, and nothing else; tweaks of code are never answered."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, fields

import pytest

from ifpref.curation.pairs import Arm
from ifpref.design import COMPARISONS, Configuration
from ifpref.params import Params, load_params, profiles
from ifpref.pipeline import lock
from ifpref.pipeline.model import THREADS
from ifpref.pipeline.pipeline import APART, NESTED, STAGES, Pipeline, key_of_model
from ifpref.pipeline.runs import Run
from ifpref.pipeline.samples import Prompts, Responses, Trees
from ifpref.pipeline.stage import Job, ModelJob, Stage
from ifpref.store import Store, StoreError
from ifpref.study import Study
from tests.conftest import TINY

OF_THE_HUB = {"revision": "which commit a hub model is; pocket and folders have none"}
OTHER = {  # parameter -> another value, where no rule finds one
    "model": None,  # a folder: see below
    "dtype": "bfloat16",
    "domain": "open",
    "constraint_set": "ifeval",
    "transfer_ids": ("keywords:existence",),
    "engine": "batching",
    "system_prompt": "Be brief.",
    "thinking_end": "</think>",
    "stop_strings": ("END",),
    "mcts_boundary": "tokens",
    "n_pairs": 7,
    "chosen_quality": "perfect",
    "sampled_comparisons": ("triples",),
    "comparisons": ("sharing",),
    "loss_type": "ipo",
    "lr_scheduler_type": "linear",
    "lora_target_modules": ("q_proj",),
    "n_replicates": 3,
    "max_constraints": 5,
    "easy_max_constraints": 1,
    "moderate_max_constraints": 5,
    "confidence": 0.9,
    "engine_url": "http://127.0.0.1:9",
    "pilot_learning_rates": (1e-3,),
    "harsh_learning_rates": (1e-3,),
    "harsh_changes": ("num_train_epochs=3",),
    "pair_sizes": (3,),
    "n_series_replicates": 1,
    "device": "cpu",
    "primary_metric": "instruction_level",
}

STARTING_FROM = {
    "label_smoothing": {"loss_type": "robust", "label_smoothing": 0.1},
    "n_series_replicates": {"n_replicates": 2},
}
"""Parameter -> what must be so for it to matter."""
YET_ANOTHER = {"dtype": "float32", "domain": "pocket", "device": "auto", "max_constraints": 4, "confidence": 0.8}
YET_ANOTHER |= {"primary_metric": "prompt_level"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The embedded model as a folder."""
    from ifpref.models import POCKET_FOLDER

    return shutil.copytree(POCKET_FOLDER, tmp_path_factory.mktemp("models") / "a copy")


def keys(params, tmp_path):
    """Every key of a study that runs every comparison, with all that it is made from."""
    study = Study.__new__(Study)
    Study.__init__(study, "smoke")
    study.params = params
    study.comparisons = [COMPARISONS[name] for name in params.comparisons]
    study.pipeline = Pipeline(params, Store(tmp_path))
    return {str(task): study.pipeline.key(task) for task in study.pipeline.needs(study.tasks())}


def another(params: Params, name: str, folder) -> dict:
    """Changes of the parameters by which this one has another value."""
    value = getattr(params, name)
    if name == "model":
        (folder / "generation_config.json").write_text('{"eos_token_id": 2, "max_length": 99}')
        return {name: str(folder)}
    if name == "label_smoothing":  # which only some losses read
        return {name: 0.2, "loss_type": "robust"}
    if name == "revision":
        return {name: "abc"}
    if name == "learning_rates":
        return {name: (value or ()) + tuple(params.learning_rate * times for times in (1.0, 1.1))[bool(value) :]}
    if name == "learning_rate" and params.learning_rates:  # the middle of a grid: the grid is another then
        return {name: params.learning_rates[-1] if value != params.learning_rates[-1] else params.learning_rates[0]}
    for other in (OTHER, YET_ANOTHER):
        if name in other and other[name] != value:
            return {name: other[name]}
    if isinstance(value, bool):
        return {name: not value}
    if isinstance(value, int):
        return {name: value + 1 if name != "min_constraints" else 2}
    if isinstance(value, float):
        return {name: value * 0.9 if value else 0.1}
    raise AssertionError(f"{name} = {value!r}: say another value in OTHER")


@pytest.mark.parametrize("profile", ["smoke", "pocket", "pocket-full", "smollm2", "smollm2-full", "gpu", "paper"])
def test_every_parameter_changes_a_key_or_says_why_not(profile, tmp_path, folder, monkeypatch):
    assert profile in profiles()
    monkeypatch.setenv("IFEVAL_PROMPTS", str(tmp_path / "ifeval.jsonl"))
    (tmp_path / "ifeval.jsonl").write_text("{}\n")
    names = ("sharing", "stability", "unshared", "dose_lower", "quality", "pass_rate", "transfer", "transfer_seen")
    names += ("sizes_sharing", "as_they_come", "pilot")
    here = {"comparisons": names, "n_replicates": 1, "model": "pocket", "revision": None, "ifeval": True}
    here |= {
        "pilot_learning_rates": (0.01,),
        "harsh_learning_rates": (0.01,),
        "harsh_changes": ("",),
        "pair_sizes": (50,),
    }  # fewer runs: a faster test
    here |= {"dtype": "float32", "sampled_comparisons": ("as_they_come",)}  # `auto` is one of the two
    params = load_params(profile, **here | {"n_series_replicates": None})
    before = keys(params, tmp_path)
    unchanged = set()
    for name in Params.model_fields:
        base = params.replace(**STARTING_FROM.get(name, {}))
        first = keys(base, tmp_path) if name in STARTING_FROM else before
        changes = another(params, name, folder)
        if keys(base.replace(**changes), tmp_path) == first:
            unchanged.add(name)
    assert unchanged == set(APART) | set(OF_THE_HUB), "a key, or a reason in pipeline.APART"


def test_a_stage_is_given_nothing_but_what_is_in_its_key(tmp_path):
    names = {field.name for field in fields(Job)}
    assert names == {"settings", "inputs", "seed", "machine", "data", "folder", "nested"}
    assert {field.name for field in fields(ModelJob)} - names == {"model"}
    assert not any("params" in str(field.type).lower() for field in fields(ModelJob))


def test_what_decides_a_models_output_is_in_every_key_that_it_made(tmp_path, folder):
    def key(**changed):
        params = load_params("smoke", **changed)
        pipeline = Pipeline(params, Store(tmp_path))
        return [
            pipeline.key(task)
            for task in (Responses(0), Trees("mcts", 0), Run("sharing", Arm("rs"), 0, Configuration(1e-2)))
        ]

    first = key(model=str(folder))
    assert all(a != b for a, b in zip(first, key(model=str(folder), dtype="bfloat16"), strict=True))
    for name, edit in (
        ("config.json", lambda text: text.replace('"rope_theta": 10000.0', '"rope_theta": 10001.0')),
        ("chat_template.jinja", lambda text: text + " "),
        ("generation_config.json", lambda text: text.replace("2", "3")),
        ("tokenizer_config.json", lambda text: text.replace("{", "{ ", 1)),
    ):
        file = folder / name
        before = file.read_text()
        assert edit(before) != before, name
        file.write_text(edit(before))
        assert all(a != b for a, b in zip(first, key(model=str(folder)), strict=True)), name
        file.write_text(before)
    other = shutil.copytree(folder, tmp_path / "elsewhere")
    assert key(model=str(other)) == first  # the same model, wherever it lies


def test_of_a_hub_model_the_commit_stands_in_keys():
    known = {"id": "owner/name", "revision": "abc", "content": None, "dtype": "float32"}
    assert key_of_model(known) == known
    assert "id" not in key_of_model({**known, "content": "12", "revision": None})


# ---- stages.lock


def test_the_lock_agrees_with_the_code():
    """A changed stage must have raised its version (results change) or renewed its lock (they do not)."""
    assert lock.disagreements((*STAGES, *NESTED), lock.read_lock(lock.FILE)) == [], "then: make lock"


def test_names_of_stages_are_their_own():
    assert len({stage.name for stage in (*STAGES, *NESTED)}) == len(STAGES) + len(NESTED)


@dataclass(frozen=True)
class Toy(Stage):
    name = "toy"

    @staticmethod
    def make(job, writer):
        writer.write_text("a.txt", "a")


def test_where_the_code_is_not_the_locked_one_the_key_holds_its_hash(tmp_path, monkeypatch):
    file = tmp_path / "stages.lock"
    monkeypatch.setattr(lock, "FILE", file)
    monkeypatch.setattr(lock, "code_hash", lambda stage: "0123456789abcdef")

    def key(text):
        file.write_text(text)
        lock.code_key.cache_clear()
        lock.read_lock.cache_clear()
        return lock.code_key(Toy)

    locked, tweaked = {"version": 1}, {"version": 1, "code": "0123456789abcdef"}
    assert key("# a comment\n\ntoy 1 0123456789abcdef\n") == locked
    assert key("toy 1 ffffffffffffffff\n") == key("toy 2 0123456789abcdef\n") == key("") == tweaked
    assert lock.disagreements([Toy], {"toy": (1, "f" * 16), "gone": (1, "0" * 16)}) == [
        "toy: its code has changed; raise its version where its results change",
        "gone: no such stage",
    ]
    assert lock.disagreements([Toy], {"toy": (2, "0123456789abcdef")}) == ["toy: version 1, and 2 in the lock"]
    assert lock.disagreements([Toy], {}) == ["toy: not in the lock"]
    lock.code_key.cache_clear()
    lock.read_lock.cache_clear()


@pytest.mark.parametrize("text", ["toy 1\n", "toy one 0123456789abcdef\n", "toy 1 0\n", "toy 1 " + "0" * 16 + "\n" * 2])
def test_a_damaged_lock_is_named_with_its_line(tmp_path, text):
    file = tmp_path / "stages.lock"
    file.write_text(text + "toy 1 " + "0" * 16 + "\n")
    with pytest.raises(StoreError, match=r"stages\.lock: line \d: .*allowed: a stage, its version.*make lock"):
        lock.read_lock(file)
    with pytest.raises(StoreError, match="cannot be read"):
        lock.read_lock(tmp_path / "gone")


def test_a_tweak_of_each_stage_is_never_answered_from_old_results(root, tmp_path):
    """In copies of the package, one line of each stage's `make`, and of code below, is edited: its key is another."""
    script = (
        "import sys; from ifpref.pipeline.pipeline import STAGES, NESTED; from ifpref.pipeline.lock import code_key;"
        "print({stage.name: 'code' in code_key(stage) for stage in (*STAGES, *NESTED)})"
    )

    def tweaked(*edits):
        home = tmp_path / "copy"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(root / "ifpref", home / "ifpref", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(root / "params", home / "params")
        for name, old, new in edits:
            file = home / "ifpref" / name
            text = file.read_text()
            assert old in text, (name, old)
            file.write_text(text.replace(old, new))
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=home, env={"PYTHONPATH": str(home)}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return {name for name, is_tweaked in eval(done.stdout).items() if is_tweaked}

    assert tweaked() == set()
    files = [f"pipeline/{name}.py" for name in ("samples", "pairs", "policies", "runs")]
    every = [
        (name, "writer: Writer) -> None:\n", "writer: Writer) -> None:\n        assert writer\n") for name in files
    ]
    assert tweaked(*every) == {stage.name for stage in (*STAGES, *NESTED)}
    assert tweaked(("figures/style.py", "\n\n\n", "\n\n\nTWEAK = 1\n\n\n")) == set()
    assert tweaked(("curation/balance.py", "\n\n\n", "\n\n\nTWEAK = 1\n\n\n")) >= {"pair_tables"}
    sampled = {"responses", "trees", "base", "entropies", "evaluation", "run", "ifeval"}
    assert tweaked(("sampling/streams.py", "\n\n\n", "\n\n\nTWEAK = 1\n\n\n")) >= sampled
    assert "prompts" not in tweaked(("sampling/streams.py", "\n\n\n", "\n\n\nTWEAK = 1\n\n\n"))
    assert "prompts" in tweaked(("data/open/topics.txt", "a", "b"))
    assert {"policy", "run"} <= tweaked(("training/algorithms/dpo.py", "\n\n\n", "\n\n\nTWEAK = 1\n\n\n"))


# ---- the same bytes whoever makes them


MADE = """
import json
from ifpref.design import Configuration
from ifpref.pipeline.policies import Base
from ifpref.pipeline.runs import Run
from ifpref.pipeline.samples import Responses
from ifpref.study import Arm, Study
study = Study("smoke", {overrides!r})
study.run("prefix", workers={workers}, say=lambda line: None)
run = Run("alone", Arm("rs"), 0, Configuration(1e-2))
made = [study.pipeline.find(task) for task in (Responses(0), Base("test", 0.0), run)]
print(json.dumps([[one.key, one.manifest["files"], one.manifest["made"]["threads"]] for one in made]))
"""
KERNEL = """
from jupyter_client.manager import run_kernel
with run_kernel(kernel_name="python3") as client:
    said = []
    client.execute_interactive({code!r}, output_hook=lambda message: said.append(message["content"].get("text", "")))
print("".join(said))
"""


def test_an_artefact_is_the_same_whoever_makes_it(root, tmp_path):
    """This process, a kernel and workers, whatever OMP_NUM_THREADS says; the manifest says how many threads it was."""
    overrides = TINY | {"comparisons": ["alone"], "n_train_prompts": 12, "max_tokens": 40}
    found = set()
    cases = [("this process", None), ("this process", "2"), ("a kernel", "1"), ("a worker", "2")]
    for number, (who, threads) in enumerate(cases):
        home = tmp_path / str(number)
        shutil.copytree(root / "params", home / "params")
        environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
        environment |= {"PYTHONPATH": str(root), "IFPREF_HOME": str(home)}
        environment |= {"OMP_NUM_THREADS": threads} if threads else {}
        code = MADE.format(overrides=overrides, workers=2 if who == "a worker" else 0)
        code = KERNEL.format(code=code) if who == "a kernel" else code
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found.add(done.stdout.strip())
    [one] = found
    assert one.count(f", {THREADS}]") == 3


def test_prompts_of_a_replicate_and_those_of_all():
    tasks = (
        Prompts(3),
        Prompts(3, "hard"),
        Prompts(),
        Responses(1),
        Responses(1, "pass rate"),
        Responses(1, pool="hard"),
    )
    assert [str(task) for task in tasks] == [
        "prompts 3",
        "prompts 3 hard",
        "prompts held-out",
        "responses 1",
        "responses 1 pass rate",
        "responses 1 hard",
    ]
    run = Run("sharing", Arm("mcts"), 0, Configuration(1e-2, n_pairs=40))
    assert str(run) == "run sharing mcts/high/all 0 lr 0.01, 40 pairs"
    assert run.label == "sharing mcts/high/all lr 0.01, 40 pairs"
