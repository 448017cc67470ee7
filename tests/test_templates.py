"""Chat templates of the common families, and training in bfloat16: what a real model showed that pocket hides.

The templates are the families' own, shortened to a system prompt, a user's message and the response; the tokenizers and
models are made here, so that nothing is fetched.
"""

import dataclasses

import pytest
import torch
from policies import reference_of, train_policy
from tiny_models import save_random

from ifpref.models import load_model
from ifpref.params import load_params
from ifpref.sampling import SamplingError, TransformersEngine
from ifpref.sampling.chat import ChatEngine
from ifpref.store import Store
from ifpref.training import TrainingError, TrainingSettings
from ifpref.training.checks import check_pairs

CHATML = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' and default %}"
    "{{ '<|im_start|>system\\n' + default + '<|im_end|>\\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
WITH_DEFAULT = "{% set default = 'You are a helpful assistant.' %}" + CHATML
WITHOUT_DEFAULT = "{% set default = '' %}" + CHATML
LLAMA3 = (
    "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'"
    " + message['content'] + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% set given = namespace(system='') %}"
    "{% for message in messages %}{% if message['role'] == 'system' %}"
    "{% set given.system = message['content'] + '\\n\\n' %}{% elif message['role'] == 'user' %}"
    "{{ '[INST] ' + given.system + message['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}{{ '<start_of_turn>' + message['role'] + '\\n' + message['content'] "
    "+ '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
)
PHI = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + '<|end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
)


@dataclasses.dataclass(frozen=True)
class Family:
    """bos: None where the family has none; written: how often the template writes it for one message."""

    template: str
    bos: str | None
    eos: str
    pad: str
    written: int | None
    takes_system: bool = True
    others: tuple[str, ...] = ()


FAMILIES = {
    "chatml (SmolLM2)": Family(WITH_DEFAULT, "<|im_start|>", "<|im_end|>", "<|im_end|>", 3),
    "chatml without a default": Family(WITHOUT_DEFAULT, "<|im_start|>", "<|im_end|>", "<|im_end|>", 2),
    "llama 3": Family(
        LLAMA3, "<|begin_of_text|>", "<|eot_id|>", "<pad>", 1, True, ("<|start_header_id|>", "<|end_header_id|>")
    ),
    "mistral": Family(MISTRAL, "<s>", "</s>", "<pad>", 1, True, ("[INST]", "[/INST]")),
    "gemma": Family(GEMMA, "<bos>", "<end_of_turn>", "<pad>", 1, False, ("<start_of_turn>",)),
    "phi": Family(PHI, "<|endoftext|>", "<|end|>", "<pad>", 0, True, ("<|user|>", "<|assistant|>", "<|system|>")),
    "qwen with a system prompt": Family(WITH_DEFAULT, None, "<|im_end|>", "<pad>", None, True, ("<|im_start|>",)),
    "qwen without": Family(WITHOUT_DEFAULT, None, "<|im_end|>", "<pad>", None, True, ("<|im_start|>",)),
}


def save_family(folder, family, seed=0):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = list(dict.fromkeys(name for name in (family.pad, family.bos, family.eos, *family.others) if name))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(["The river ran past the old mill."], trainer)
    named = {"pad_token": family.pad, "eos_token": family.eos} | ({"bos_token": family.bos} if family.bos else {})
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named, additional_special_tokens=list(family.others))
    fast.chat_template = family.template
    return save_random(folder, fast, "llama", seed, intermediate_size=48, max_position_embeddings=256)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request, tmp_path_factory):
    family = FAMILIES[request.param]
    return family, load_model(str(save_family(tmp_path_factory.mktemp("model"), family)))


def pairs_of(loaded, engine, n=2):
    end = loaded.eos_ids[0]
    text = lambda text: [*loaded.tokenizer(text, add_special_tokens=False)["input_ids"], end]  # noqa: E731
    return [
        {
            "pair_id": f"p{i}",
            "prompt_ids": list(engine.encode(f"Tell me of river {i}.")),
            "chosen_ids": text(f"The river {i} ran past."),
            "rejected_ids": text(f"The old mill {i}."),
            "chosen_finish": "stop",
            "rejected_finish": "stop",
        }
        for i in range(n)
    ]


@pytest.mark.parametrize("system_prompt", [None, "Answer briefly."])
def test_pairs_of_every_family_can_be_trained_on(family, system_prompt):
    family, loaded = family
    engine = ChatEngine(TransformersEngine(loaded), system_prompt=system_prompt)
    if system_prompt and not family.takes_system:
        with pytest.raises(SamplingError, match="system_prompt"):
            engine.encode("Tell me of a river.")
        return
    ids = engine.encode("Tell me of a river.")
    said = loaded.tokenizer.decode(ids)
    assert "Tell me of a river." in said and (system_prompt or "") in said
    if family.bos and not system_prompt:
        assert list(ids).count(loaded.tokenizer.bos_token_id) == family.written
    check_pairs(pairs_of(loaded, engine), loaded, max_length=256)


def test_a_bos_too_many_is_refused_in_every_family(family):
    family, loaded = family
    if family.bos is None:
        pytest.skip("this family has no BOS")
    bos, engine = loaded.tokenizer.bos_token_id, TransformersEngine(loaded)
    first, second = pairs_of(loaded, engine)
    for wrong in (
        {"prompt_ids": [bos, *first["prompt_ids"]]},
        {"chosen_ids": [first["chosen_ids"][0], bos, *first["chosen_ids"][1:]]},
    ):
        if family.written == 0 or bos not in loaded.eos_ids:
            with pytest.raises(TrainingError, match=r"pair 'p0': BOS"):
                check_pairs([first | wrong, second], loaded, max_length=256)


def test_a_template_that_writes_bos_twice_in_a_row_is_refused(tmp_path):
    folder = save_family(tmp_path, dataclasses.replace(FAMILIES["llama 3"], template="{{ bos_token }}" + LLAMA3))
    loaded = load_model(str(folder))
    with pytest.raises(TrainingError, match="writes BOS twice in a row"):
        check_pairs(pairs_of(loaded, TransformersEngine(loaded)), loaded, max_length=256)


# ---- bfloat16

SETTINGS = TrainingSettings.from_params(
    load_params("smoke"),
    max_length=256,
    num_train_epochs=1.0,
    per_device_train_batch_size=2,
    gradient_accumulation_steps=1,
)


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    folder = save_family(tmp_path_factory.mktemp("half"), FAMILIES["chatml (SmolLM2)"])
    return load_model(str(folder), dtype="bfloat16")


def test_a_base_in_bfloat16_is_trained(half, tmp_path):
    pairs = pairs_of(half, TransformersEngine(half), n=4)
    policy = train_policy(Store(tmp_path), half, pairs, SETTINGS)
    record = policy.read_json("training.json")
    assert record["state"] == "finished" and record["steps"] == 2
    assert record["start"]["loss"] == pytest.approx(0.6931, abs=1e-4)


def test_in_bfloat16_too_a_swapped_base_is_caught(half, tmp_path, monkeypatch):
    other = load_model(str(save_family(tmp_path / "other", FAMILIES["chatml (SmolLM2)"], seed=1)), dtype="bfloat16")
    pairs = pairs_of(half, TransformersEngine(half), n=4)
    of_another = reference_of(Store(tmp_path / "a"), other, pairs)
    monkeypatch.setattr("policies.reference_of", lambda *args: of_another)
    with pytest.raises(TrainingError, match="reference is of another base"):
        train_policy(Store(tmp_path / "b"), half, pairs, SETTINGS)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_adapter_that_does_not_begin_at_zero_is_caught(dtype, half, tmp_path, monkeypatch):
    from peft.tuners.lora.layer import LoraLayer

    loaded = load_model(str(half.folder), dtype=dtype)
    kept = LoraLayer.reset_lora_parameters

    def not_zero(self, name, *args):
        kept(self, name, *args)
        with torch.no_grad():
            self.lora_B[name].weight.fill_(0.05)

    monkeypatch.setattr(LoraLayer, "reset_lora_parameters", not_zero)
    pairs = pairs_of(loaded, TransformersEngine(loaded), n=4)
    with pytest.raises(TrainingError, match="does not begin at zero"):
        train_policy(Store(tmp_path), loaded, pairs, SETTINGS)
