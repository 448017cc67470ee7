"""Checks before a long run: each thing that cannot end well is said, and what may end well is not refused."""

import json
import socket
import time
from types import SimpleNamespace

import pytest
from test_engines import serving
from tiny_models import save_random

from ifpref.curation.pairs import Arm
from ifpref.design import Configuration
from ifpref.params import load_params
from ifpref.pipeline import preflight, sizes
from ifpref.pipeline.pipeline import Pipeline
from ifpref.pipeline.runs import Run
from ifpref.pipeline.samples import Prompts, Responses, Trees
from ifpref.pocket.tokenizer import train_tokenizer
from ifpref.sampling import SamplingError
from ifpref.store import Store
from tests.conftest import TINY

torch = pytest.importorskip("torch")

PROMPTS, RESPONSES, TREES, RUN = (
    Prompts(0),
    Responses(0),
    Trees("mcts", 0),
    Run("sharing", Arm("rs"), 0, Configuration(1e-2)),
)
T4, A100 = ("Tesla T4", (7, 5)), ("NVIDIA A100", (8, 0))


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Of the smoke profile, changed: what is said about these tasks; GPUs have 80 GiB."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda number: (80 * sizes.GIB, 80 * sizes.GIB))

    def about(*needs, n_gpus=0, **overrides):
        said = []
        pipeline = Pipeline(load_params("smoke", **TINY | overrides), Store(tmp_path / "store"))
        preflight.check(pipeline, needs, n_gpus, said.append)
        assert "loaded" not in vars(pipeline.model)  # no weights
        return said

    return about


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny Llama of 128 positions that thinks: its chat template begins the block."""
    tokenizer = train_tokenizer(["The river ran past the old mill."], 280)
    tokenizer.add_tokens(["<think>", "</think>"], special_tokens=True)
    tokenizer.chat_template += "<think>"
    sizes = {"intermediate_size": 48, "max_position_embeddings": 128, "sliding_window": None}
    return str(save_random(tmp_path_factory.mktemp("model"), tokenizer, "llama", **sizes))


# ---- the server


def test_a_server_that_is_not_there_is_said_within_seconds(check):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # nobody listens
        away = {"engine": "http", "engine_url": f"http://127.0.0.1:{probe.getsockname()[1]}"}
        start = time.monotonic()
        with pytest.raises(SamplingError, match=r"no answer .*Start it with: vllm serve pocket"):
            check(RESPONSES, RUN, **away)
        assert time.monotonic() - start < 10
        check(PROMPTS, RUN, **away)  # policies are evaluated here


def test_the_server_serves_the_model_and_has_room(check):
    with serving(None, "pocket") as (url, _):  # of 200 tokens
        check(RESPONSES, TREES, engine="http", engine_url=url)
        with pytest.raises(SamplingError, match=r"room for 200 tokens .*max_tokens = 198, and the shortest prompt has"):
            check(TREES, engine="http", engine_url=url, max_tokens=198)
    with serving(None, "tiny") as (url, _), pytest.raises(SamplingError, match="serves 'tiny'; allowed: 'pocket'"):
        check(RESPONSES, engine="http", engine_url=url)


# ---- chat settings


def test_what_the_template_or_the_tokenizer_refuses(check, folder):
    with pytest.raises(SamplingError, match="system_prompt: the model's chat template refuses it"):
        check(RESPONSES, system_prompt="Be brief.")
    with pytest.raises(SamplingError, match=r"thinking_end: '</think>' is \d+ tokens of this model"):
        check(RUN, thinking_end="</think>")
    check(PROMPTS, thinking_end="</think>")  # which no model reads
    thinks = {"model": folder, "max_length": 128, "thinking_end": "</think>"}
    check(RESPONSES, **thinks)
    with pytest.raises(SamplingError, match=r"begins the thinking block itself.*allowed: comparisons of `rs` alone"):
        check(RESPONSES, TREES, **thinks)


# ---- training


def test_responses_that_training_would_refuse(check):
    with pytest.raises(ValueError, match=r"max_tokens = 512, max_length = 512; allowed: max_tokens < max_length"):
        check(RESPONSES, RUN, max_tokens=512)
    check(RESPONSES, RUN, max_tokens=511)
    check(RESPONSES, max_tokens=512)


def test_bfloat16_where_a_gpu_has_none(check, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: [A100, T4, T4][number][0])
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda number: [A100, T4, T4][number][1])
    with pytest.raises(ValueError, match=r"bf16 = True, and GPU 1 \(Tesla T4, compute capability 7\.5\) has no"):
        check(RUN, n_gpus=2, bf16=True)
    check(RUN, n_gpus=1, bf16=True)
    check(RUN, n_gpus=2)
    check(RESPONSES, n_gpus=2, bf16=True)


# ---- GPUs


def test_gpus_that_are_in_no_group_are_not_looked_at(check, folder, monkeypatch):
    free, copies = [], []
    free_of = lambda number: free.append(number) or (80 * sizes.GIB, 80 * sizes.GIB)  # noqa: E731
    monkeypatch.setattr(torch.cuda, "mem_get_info", free_of)
    genuine = preflight.check_gpu

    def seen(*args, **options):
        copies.append((options["copies"], options["searches"]))
        genuine(*args, **options)

    monkeypatch.setattr(preflight, "check_gpu", seen)
    check(RESPONSES, RUN, n_gpus=5, model=folder, max_length=128, training_processes=2)
    assert free == [0, 1, 2, 3] and copies == [(2, False), (1, False)] * 2
    check(TREES, n_gpus=3, model=folder, max_length=128)
    assert free[4:] == [0, 1, 2] and copies[4:] == [(1, True)] * 3


def test_more_processes_of_training_than_gpus(check):
    with pytest.raises(ValueError, match=r"training_processes = 2; allowed: at most 1, the GPUs that are visible here"):
        check(RESPONSES, n_gpus=1, training_processes=2)
    check(RESPONSES, n_gpus=2, training_processes=2)
    check(RESPONSES, training_processes=2)  # a CPU is shared


# ---- the disk


@pytest.fixture
def disk(monkeypatch):
    """A disk of so many GiB free, where so many are to be written."""

    def of(free, written):
        monkeypatch.setattr(preflight.shutil, "disk_usage", lambda folder: SimpleNamespace(free=free * sizes.GIB))
        monkeypatch.setattr(preflight, "disk_bytes", lambda *args: written * sizes.GIB)

    return of


def test_too_little_disk_is_said_and_far_too_little_is_refused(check, disk, tmp_path):
    disk(free=2, written=1)
    assert check(RESPONSES, RUN) == []
    disk(free=2, written=15)
    [said] = check(RESPONSES, RUN)
    assert said.startswith(f"warning: up to 15.0 GiB will be written to {tmp_path}, and 2.0 GiB are free there")
    disk(free=2, written=30)
    with pytest.raises(ValueError, match=rf"to {tmp_path}, and 2\.0 GiB are free there; allowed: 3\.0 GiB or more"):
        check(RESPONSES, RUN)
    disk(free=0.5, written=0.6)
    with pytest.raises(ValueError, match=r"0\.5 GiB are free there; allowed: 1\.0 GiB or more"):
        check(PROMPTS)


def test_a_model_that_is_to_be_fetched_must_find_room(disk, monkeypatch, tmp_path):
    from huggingface_hub import constants

    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache / "hub"))
    pipeline = Pipeline(load_params("smoke", **TINY), Store(tmp_path / "store"))
    said = []
    disk(free=20, written=5)
    preflight._check_disk(pipeline, 5 * sizes.GIB, 16 * sizes.GIB, said.append)  # one disk, of both
    assert len(said) == 1 and "up to 21.0 GiB" in said[0]
    disk(free=15, written=5)
    with pytest.raises(ValueError, match=r"\(16\.0 GiB of it is the model\); allowed: 16\.0 GiB or more"):
        preflight._check_disk(pipeline, 5 * sizes.GIB, 16 * sizes.GIB, said.append)
    genuine = preflight.Path.stat

    def other_disk(path, **options):
        return SimpleNamespace(st_dev=-1) if path == cache else genuine(path, **options)

    monkeypatch.setattr(preflight.Path, "stat", other_disk)
    with pytest.raises(ValueError, match=rf"up to 16\.0 GiB will be written to {cache}, and 15\.0 GiB are free there"):
        preflight._check_disk(pipeline, 5 * sizes.GIB, 16 * sizes.GIB, said.append)
    assert len(said) == 1


def test_bytes_to_fetch_by_hand(tmp_path):
    import torch
    from transformers import LlamaConfig

    shape = {"vocab_size": 10, "hidden_size": 8, "intermediate_size": 6, "num_hidden_layers": 1}
    model = sizes.skeleton(LlamaConfig(**shape, num_attention_heads=1, dtype=torch.bfloat16))
    whole = 2 * (2 * 10 * 8 + 4 * 8 * 8 + 3 * 8 * 6 + 3 * 8)
    assert sizes.download_bytes(model, None) == sizes.download_bytes(model, tmp_path) == whole
    (tmp_path / "model-1.safetensors").write_bytes(bytes(100))
    names = {"a": "model-1.safetensors", "b": "model-1.safetensors", "c": "model-2.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    assert sizes.download_bytes(model, tmp_path) == whole - 100
    (tmp_path / "model-2.safetensors").write_bytes(bytes(100))
    assert sizes.download_bytes(model, tmp_path) == 0  # whatever types they are in
