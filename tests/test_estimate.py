"""Estimates: schedules played by hand, costs from made-up rates, memory by arithmetic; a sample timed for real."""

import json
import shutil

import pytest

from ifpref import paths
from ifpref.curation.pairs import Arm
from ifpref.design import Configuration
from ifpref.models import ModelError
from ifpref.params import load_params
from ifpref.pipeline import preflight, probe, sizes
from ifpref.pipeline.pairs import Pairs, PairTables
from ifpref.pipeline.policies import Base
from ifpref.pipeline.probe import Cost
from ifpref.pipeline.runs import Run
from ifpref.pipeline.samples import Prompts, Responses, Trees
from ifpref.pipeline.schedule import ROUGHLY
from ifpref.publish import estimate
from ifpref.sampling.transformers import KEEP_BYTES
from ifpref.study import Study
from ifpref.training import TrainingSettings
from tests.conftest import TINY

torch = pytest.importorskip("torch")

OWN = TINY | {
    "max_tokens": 32,
    "n_train_prompts": 12,
}
RS = Arm("rs")


@pytest.fixture
def home(root, tmp_path, monkeypatch):
    shutil.copytree(root / "params", tmp_path / "params")
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path))
    return tmp_path


def rates(**of):
    """1 s for each prompt, nothing for what is not given; each second prompt gives a pair."""
    return probe.Rates({"prompt": Cost(1.0), **of}, {("alone", RS): 0.5, ("sizes_sharing", RS): 0.5})


# ---- time


def test_time_on_the_wall_is_a_chain_or_a_share():
    a, b, c = (Prompts(replicate) for replicate in range(3))
    last = Run("alone", RS, 0, Configuration(1e-2))
    needs, seconds = {a: set(), b: set(), c: set(), last: {a, b, c}}, {a: 3.0, b: 2.0, c: 2.0, last: 5.0}
    assert estimate.wall_seconds(needs, seconds, 1) == 12
    assert estimate.wall_seconds(needs, seconds | {b: 9.0, c: 9.0}, 2) == 14  # b or c, then the last
    assert estimate.wall_seconds(needs, seconds, 9) == 3 + 5
    assert estimate.wall_seconds({}, {}, 2) == 0


def test_the_cost_of_a_run_by_hand(home):
    batches = {"per_device_train_batch_size": 4, "num_train_epochs": 1.0}
    study = Study("smoke", **OWN, **batches, sampled_comparisons=[])
    given = rates(
        training=Cost(2.0, bytes=9.0),
        step=Cost(10.0),
        reference=Cost(0.5),
        greedy=Cost(1.0, 20.0, 7.0),
        artefact=Cost(0.25),
        **{"trained pair": Cost(tokens=100.0)},
    )
    found = estimate.cost(study, Run("alone", RS, 0, Configuration(1e-2)), given)
    assert given.n_pairs("alone", RS, study.params) == 6  # half of 12
    assert found == Cost(0.25 + 2 + 2 * 10 + 6 * 0.5 + 6 * 1, 6 * 100 + 6 * 20, 9 + 6 * 7)
    of_response = rates(response=Cost(0.5, 10.0, 2.0))
    assert estimate.cost(study, Responses(0), of_response) == Cost(12 * 4 * 0.5, 12 * 4 * 10, 12 * 4 * 2)
    assert estimate.cost(study, Responses(0, "pass rate"), of_response).seconds == 12 * 2 * 0.5
    assert estimate.cost(study, Prompts(0), of_response).seconds == 12


def test_pairs_of_other_pools_limits_and_sizes_that_cannot_be_filled(home):
    study = Study("smoke", **OWN | {"n_size_prompts": 20, "n_pairs": 9, "comparisons": ["alone", "sizes_sharing"]})
    study.params = study.params.replace(pair_sizes=[4, 10])
    given = rates(
        training=Cost(2.0),
        artefact=Cost(0.25),
        **dict.fromkeys(("step", "reference", "trained pair", "greedy"), Cost()),
    )
    assert given.n_pairs("sizes_sharing", RS, study.params) == 9  # 10 of 20 prompts, but n_pairs
    small, large = (Run("sizes_sharing", RS, 0, at) for at in study.configurations("sizes_sharing"))
    assert estimate.cost(study, small, given) == Cost(2.25) and estimate.cost(study, large, given) == Cost(0.25)


def test_a_sample_is_timed_and_what_is_there_is_free(home, monkeypatch):
    """For real, as small as it goes: every stage has its row; then a run, and what it took."""
    for name, value in {"SAMPLE_S": 0.1, "LEAST": 18, "FIRST": 2, "STEPS": 1}.items():
        monkeypatch.setattr(probe, name, value)
    large = {"n_train_prompts": 24, "shard_prompts": 24, "max_tokens": 60}
    study = Study("smoke", **OWN | large, sampled_comparisons=[])
    measured, measure = [], estimate.measure
    monkeypatch.setattr(estimate, "measure", lambda *args, say: measured.append(measure(*args, say=say)) or measured[0])
    found = estimate.estimate(study, workers=1, say=lambda line: None)
    tasks = study.pipeline.needs(study.tasks())
    units = {unit for task in tasks for unit, count in task.work(study.params, lambda *arm: 9).items() if count}
    assert units <= measured[0].of.keys()  # all that stages declare is timed, under the same names
    assert all(unit in ROUGHLY or unit.split()[0] in ROUGHLY for unit in units)
    assert {row["stage"] for row in found["rows"]} == {
        *("prompts", "base", "responses", "trees", "pairs", "pair_tables", "run")
    }
    assert sum(row["tasks"] for row in found["rows"]) == 12  # trees 2, runs 4, all others 1
    assert found["wall_seconds"] == pytest.approx(sum(row["seconds"] for row in found["rows"])) and found["cached"] == 0
    assert all(row["tokens"] > 0 for row in found["rows"] if row["stage"] in ("responses", "trees", "base", "run"))
    assert not list(home.glob("outputs/store/*/*"))  # nothing is left of the sample
    json.dumps(found)

    study.pipeline.get(Prompts())
    rows = {(row["stage"], row["what"]): row for row in estimate.actual(study, found)}
    assert rows["prompts", "held-out"]["actual_seconds"] > 0 and rows["prompts", "training"]["actual_seconds"] is None
    assert "took" in estimate.shown({**found, "rows": list(rows.values())})


def test_a_model_that_is_not_at_hand_is_an_error(home, monkeypatch, capsys):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert estimate.main(["smoke", "--set", "model=nobody/nothing"]) == 2
    assert estimate.main(["smoke", "--actual"]) == 2
    assert "outputs/smoke/estimate.json: no estimate" in capsys.readouterr().err


def test_what_a_study_would_refuse_is_refused_before_anything_is_loaded(home, monkeypatch, capsys):
    monkeypatch.setattr(estimate, "gpus", lambda params: 1)
    monkeypatch.setattr(estimate, "measure", lambda *args, **options: pytest.fail("measured"))
    assert estimate.main(["smoke", "--set", "training_processes=2"]) == 2
    assert "error: training_processes = 2; allowed: at most 1" in capsys.readouterr().err


# ---- memory


def llama(**shape):
    from transformers import LlamaConfig

    return sizes.skeleton(LlamaConfig(**shape))


@pytest.fixture(scope="module")
def eight():
    """Llama 3.1 8B."""
    shape = {"vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32}
    return llama(num_attention_heads=32, num_key_value_heads=8, max_position_embeddings=131072, **shape)


def test_eight_billion_parameters_with_lora_fit_80_gb(eight):
    params = load_params("paper")
    found = sizes.training_memory(eight, TrainingSettings.from_params(params), 2)
    assert found.weights == 2 * 8_030_261_248
    assert found.adapter == 16 * 41_943_040  # rank 16: 32 layers of 16 * (in + out) over seven projections
    assert found.total + sizes.RESERVE < 80e9
    without = TrainingSettings.from_params(params, gradient_checkpointing=False)
    assert sizes.training_memory(eight, without, 2).activations > 10 * found.activations
    assert sizes.sampling_memory(eight, params.sampling_batch_size, params.max_length, 2).total + sizes.RESERVE < 80e9


def test_keys_and_values_of_sampling_by_hand(eight):
    found = sizes.sampling_memory(eight, 3, 100, 2)
    assert found.cache == 3 * 100 * 32 * 2 * 8 * 128 * 2 and found.logits == 3 * 128256 * 12 and found.kept == 0


def test_a_search_keeps_what_it_has_read_and_its_buffer_grows(eight):
    whole, of_token = sizes.sampling_memory(eight, 3, 100, 2), 32 * 2 * 8 * 128 * 2
    found = sizes.sampling_memory(eight, 3, 100, 2, searched=7)
    assert found.cache == 2.5 * whole.cache and found.kept == 7 * 100 * of_token
    assert found.total - found.kept - found.cache == whole.total - whole.cache
    assert sizes.sampling_memory(eight, 1, 2048, 2, searched=4096).kept == 4 * sizes.GIB == KEEP_BYTES


@pytest.mark.parametrize("bf16", [False, True])
def test_activations_are_at_least_those_that_autograd_keeps(bf16):
    """Of a Llama with LoRA, without its head: bytes of all that autograd saves, parameters aside."""
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = {"vocab_size": 64, "hidden_size": 128, "intermediate_size": 344, "num_hidden_layers": 3}
    config = LlamaConfig(**shape, num_attention_heads=4)
    params = load_params("smoke", max_length=96, per_device_train_batch_size=1, bf16=bf16)
    settings = TrainingSettings.from_params(params)
    model = LlamaForCausalLM(config).to(torch.bfloat16 if bf16 else torch.float32)
    lora = LoraConfig(r=settings.lora_r, target_modules="all-linear", task_type="CAUSAL_LM")
    trained = get_peft_model(model, lora).get_base_model().model
    own = {parameter.data_ptr() for parameter in model.parameters()}
    kept = {}

    def keep(tensor):
        if tensor.data_ptr() not in own:
            kept[tensor.untyped_storage().data_ptr()] = tensor  # held, so that no address is used twice
        return tensor

    autocast = torch.autocast("cpu", torch.bfloat16, enabled=bf16)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), autocast:
        hidden = trained(torch.randint(0, 64, (2, 96))).last_hidden_state
    measured = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
    assert hidden.requires_grad
    reckoned = sizes.training_memory(sizes.skeleton(config), settings, 2 if bf16 else 4).activations
    assert 1 < reckoned / measured < 1.5


# ---- before a long run


def test_too_small_a_gpu_is_refused_with_the_sums(home, eight):
    pipeline = Study("paper", model="pocket").pipeline
    preflight.check_gpu(pipeline, eight, int(80e9), "GPU 0")
    preflight.check_gpu(pipeline, eight, 22 * sizes.GIB, "GPU 0")  # one pair at a time fits, and it comes down to that
    with pytest.raises(
        ModelError, match=r"GPU 1 has 19\.0 GiB free, and training .*one at a time.*weights 15\.0.*helps"
    ):
        preflight.check_gpu(pipeline, eight, 19 * sizes.GIB, "GPU 1")
    with pytest.raises(ModelError, match=r"GPU 0 has 22\.0 GiB free, and training .*weights 29\.9"):
        preflight.check_gpu(pipeline, eight, 22 * sizes.GIB, "GPU 0", copies=2)
    with pytest.raises(ModelError, match=r"GPU 0 has 20\.0 GiB free, and sampling .*kept 4\.0"):
        preflight.check_gpu(pipeline, eight, 20 * sizes.GIB, "GPU 0", searches=True)
    with pytest.raises(ModelError, match=r"8\.0 GiB free, and sampling .*dtype: bfloat16"):
        preflight.check_gpu(pipeline, eight, 8 * sizes.GIB, "GPU 0")


def test_bytes_on_disk_by_hand():
    params = load_params("smoke", **OWN, sampled_comparisons=[])
    response, evaluated = 32 * sizes.RESPONSE_BYTES, 32 * sizes.EVALUATION_BYTES
    assert sizes.disk_bytes(params, [Responses(0)], 5) == 12 * 4 * response
    assert sizes.disk_bytes(params, [Trees("mcts", 0)], 5) == 12 * 4 * response
    assert sizes.disk_bytes(params, [Pairs("sharing", 0)], 5) == 12 * 2 * response  # a chosen and a rejected
    assert sizes.disk_bytes(params, [Base("test", 0.0), PairTables("sharing", 0)], 5) == 6 * evaluated
    run = [Run("alone", RS, 0, Configuration(1e-2))]
    assert sizes.disk_bytes(params, run, 5) == 6 * evaluated + 20 + 120  # an adapter, two checkpoints of three times it
    assert sizes.disk_bytes(params, run, 5, at_once=3) == 6 * evaluated + 20 + 3 * 120
    sampled = params.replace(sampled_comparisons=["alone"])
    assert sizes.disk_bytes(sampled, run, 5) == 3 * 6 * evaluated + 140  # and at temperature 1, the base too
