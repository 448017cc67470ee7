"""The benchmark for a GPU (tests/bench/gpu.py) runs to its end here, on a tiny model; its floor is worked by hand."""

import pytest
from bench import gpu  # pytest puts this folder on the path

SHAPE = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "head_dim": 16, "num_attention_heads": 4}
SHAPE |= {"num_key_value_heads": 2, "vocab_size": 4096, "max_position_embeddings": 256}


@pytest.fixture(scope="module")
def tiny():
    return gpu.random_model(SHAPE, "cpu", tied=False, name="tiny")


@pytest.fixture(scope="module")
def card():
    return gpu.measure_card("cpu", n=64, copied=2**16, repeats=3)


def test_the_floor_of_sampling_by_hand(tiny):
    layer = 64 * (64 + 32 + 32 + 64) + 3 * 64 * 128 + 2 * 64  # attention, MLP, norms
    n = 2 * layer + 64 + 4096 * 64  # the last norm and the head
    assert gpu.weights(tiny.model) == n
    kv = 2 * 2 * 2 * 16 * 2  # keys and values, layers, heads, dimensions, bytes of bf16
    # two responses of 3 and 1 tokens after a prompt of 10: contexts 11, 12, 13 and 11; two steps of a full batch
    moved = 2 * n * 2 + (11 + 12 + 13 + 11) * kv
    slow = gpu.Card(matrix_rate=1e30, bandwidth=100.0)
    assert gpu.floor_of_sampling(tiny.model, 10, [3, 1], 2, slow) == pytest.approx(moved / 100)
    busy = gpu.Card(matrix_rate=100.0, bandwidth=1e30)
    assert gpu.floor_of_sampling(tiny.model, 10, [3, 1], 2, busy) == pytest.approx(2 * n * 4 / 100)


def test_tied_embeddings_count_once_as_the_head():
    tied = gpu.random_model(SHAPE, "cpu", tied=True, name="tied").model
    untied = gpu.random_model(SHAPE, "cpu", tied=False, name="untied").model
    assert gpu.weights(tied) == gpu.weights(untied)


def test_every_engine_and_both_trainings_are_measured(tiny, card):
    sampled = gpu.sampling(tiny, card, n_prompts=3, n_samples=2, batch=4, max_tokens=16, prompt=8)
    assert [row["engine"] for row in sampled] == ["generate", "batching", "ours"]
    assert all(row["tokens_per_s"] > 0 and row["share_of_floor"] > 0 for row in sampled)
    trained = gpu.training(tiny, card, n_pairs=4, batch=2, micro=1, max_tokens=16, prompt=8)
    assert [row["gradient_checkpointing"] for row in trained] == [True, False]
    assert all(row["pairs_per_s"] > 0 and row["reckoned_gib"] > 0 for row in trained)


def test_without_a_gpu_it_says_so_and_leaves_figures_alone(monkeypatch, tmp_path, capsys):
    from bench import __main__ as bench
    from torch import cuda

    monkeypatch.setattr(cuda, "is_available", lambda: False)
    monkeypatch.setattr(bench, "OUT", tmp_path)
    (tmp_path / "gpu.json").write_text("{}")
    assert bench.main(["gpu"]) == 0
    assert "left out: it needs a CUDA GPU" in capsys.readouterr().out
    assert (tmp_path / "gpu.json").read_text() == "{}"
