"""The benchmark for a GPU (tests/bench/gpu.py) runs to its end here, on a tiny model; its floor is worked by hand."""

import pytest
from bench import __main__ as bench  # pytest puts this folder on the path
from bench import gpu
from torch import cuda
from torch.cuda import OutOfMemoryError

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


@pytest.mark.parametrize("error", [RuntimeError(), RuntimeError("\nno kernel"), MemoryError("too large " * 50)])
def test_an_engine_that_fails_leaves_the_others_their_figures(tiny, card, monkeypatch, error):
    def fail(*args):
        raise error

    monkeypatch.setattr(gpu, "generate", fail)
    rows = gpu.sampling(tiny, card, n_prompts=1, n_samples=1, batch=1, max_tokens=8, prompt=8)
    assert rows[0]["tokens_per_s"].startswith(f"{type(error).__name__}: ") and len(rows[0]["tokens_per_s"]) <= 120
    assert [row["tokens_per_s"] > 0 for row in rows[1:]] == [True, True]


def no_room(*args, **options):
    raise OutOfMemoryError("CUDA out of memory")


def test_what_does_not_fit_leaves_what_was_measured(card, monkeypatch):
    monkeypatch.setattr(cuda, "is_available", lambda: True)
    monkeypatch.setattr(gpu, "measure_card", lambda device: card)
    monkeypatch.setattr(gpu, "random_model", lambda shape, *args, name, **options: no_room() if name == "8b" else name)
    monkeypatch.setattr(gpu, "sampling", lambda loaded, card: [{"model": loaded, "tokens_per_s": 7.0}])
    monkeypatch.setattr(gpu, "training", lambda loaded, card: [{"model": loaded, "pairs_per_s": 3.0}])
    found = gpu.run()
    assert found["sampling"] == [
        {"model": "1b", "tokens_per_s": 7.0},
        {"model": "random-8b", "tokens_per_s": "out of memory"},
    ]
    assert found["training"] == [
        {"model": "1b", "pairs_per_s": 3.0},
        {"model": "random-8b", "pairs_per_s": "out of memory"},
    ]


def test_a_reference_that_does_not_fit_is_said(tiny, card, monkeypatch):
    monkeypatch.setattr("tests.bench.training.reference_rows", no_room)
    rows = gpu.training(tiny, card, n_pairs=4, batch=2, micro=1, max_tokens=16, prompt=8)
    assert [row["pairs_per_s"] for row in rows] == ["out of memory"] * 2


def test_a_table_has_the_columns_of_all_its_rows(capsys):
    bench.show({"sampling": [{"model": "1b", "failed": "no room"}, {"model": "8b", "rate": 1234.5}, {"rate": 2.0}]})
    assert [line.split() for line in capsys.readouterr().out.splitlines()[1:6]] == [
        ["sampling"],
        ["model", "failed", "rate"],
        ["1b", "no", "room"],
        ["8b", "1,234"],
        ["2"],
    ]


def test_without_a_gpu_it_says_so_and_leaves_figures_alone(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(cuda, "is_available", lambda: False)
    monkeypatch.setattr(bench, "OUT", tmp_path)
    (tmp_path / "gpu.json").write_text("{}")
    assert bench.main(["gpu"]) == 0
    assert "left out: it needs a CUDA GPU" in capsys.readouterr().out
    assert (tmp_path / "gpu.json").read_text() == "{}"
