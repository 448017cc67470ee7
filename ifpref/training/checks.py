"""What must hold before training, or it stops with the reason: the pairs, and what of the model is trained.

    check_pairs(pairs, loaded, max_length=512)

Each of these has turned somebody's run into a silent no-op: a completion cut where the pair differs (loss ln 2 for
ever), two BOS, an EOS that was added again. What must hold at step 0 is the algorithm's: see algorithms/.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ifpref.models import LoadedModel
    from ifpref.training.settings import TrainingSettings

IDS = ("prompt_ids", "chosen_ids", "rejected_ids")


class TrainingError(ValueError):
    """Training that must not begin, or could not be started; the message says what was found and what is allowed."""


def check_pairs(pairs: Sequence[Mapping[str, Any]], loaded: LoadedModel, max_length: int) -> None:
    """Every pair can be trained on, whole, as it was sampled. `TrainingError` names the first that cannot."""
    if loaded.adapter is not None:
        raise TrainingError(f"{loaded.id!r} has an adapter attached ({loaded.adapter}); allowed: a base without one")
    if not pairs:
        raise TrainingError("no pairs to train on; allowed: at least one")
    ids = [pair["pair_id"] for pair in pairs]
    if len(set(ids)) < len(ids):
        twice = next(id for place, id in enumerate(ids) if id in ids[:place])
        raise TrainingError(f"pair {twice!r} is there twice; allowed: each pair once")
    positions = getattr(loaded.model.config, "max_position_embeddings", math.inf)
    if max_length > positions:
        raise TrainingError(f"max_length = {max_length}; allowed: at most the {positions} positions of {loaded.id!r}")
    n_bos = _bos_of_template(loaded)
    for pair in pairs:
        if problem := _problem(pair, loaded, n_bos):
            raise TrainingError(f"pair {pair['pair_id']!r}: {problem}")
    lengths = {pair["pair_id"]: len(pair["prompt_ids"]) + max(map(len, _sides(pair))) for pair in pairs}
    cut = [id for id, length in lengths.items() if length > max_length]
    if cut:
        longest = max(lengths.values())
        raise TrainingError(
            f"max_length = {max_length} would cut {len(cut)} of {len(pairs)} pairs, {cut[0]!r} first; "
            f"allowed: at least {longest}, the longest, or pairs without them"
        )


def _problem(pair: Mapping[str, Any], loaded: LoadedModel, n_bos: int | None) -> str | None:
    prompt, bos = list(pair["prompt_ids"]), loaded.tokenizer.bos_token_id
    chosen, rejected = _sides(pair)
    vocabulary = loaded.model.get_input_embeddings().num_embeddings
    if not prompt or not chosen or not rejected:
        return "prompt_ids, chosen_ids or rejected_ids is empty"
    if chosen == rejected:
        return "chosen_ids and rejected_ids are equal: there is no preference"
    if not all(0 <= id < vocabulary for id in (*prompt, *chosen, *rejected)):
        return (
            f"a token id is not in the vocabulary of {loaded.id!r} (0 to {vocabulary - 1}): sampled from another model"
        )
    for side, completion in (("chosen", chosen), ("rejected", rejected)):
        found = [*prompt, *completion].count(bos)
        if n_bos is not None and (found != n_bos or (n_bos == 1 and prompt[0] != bos)):
            return f"BOS {bos} is {found} times in prompt and {side}; allowed: {n_bos} times, first of all"
        ends = sum(id in loaded.eos_ids for id in completion)
        finish = pair.get(f"{side}_finish")
        expected = {"stop": (1,), "length": (0,)}.get(finish, (0, 1))
        if ends not in expected or (ends == 1 and completion[-1] not in loaded.eos_ids):
            allowed = " or ".join(map(str, expected))
            found = f"EOS {loaded.eos_ids} is {ends} times in {side}_ids, finish {finish!r}"
            return f"{found}; allowed: {allowed}, last of all"
    return None


def _sides(pair: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    return list(pair["chosen_ids"]), list(pair["rejected_ids"])


def _bos_of_template(loaded: LoadedModel) -> int | None:
    """How many BOS the chat template writes, 0 or 1; None where there is no BOS, or it is an EOS too."""
    bos = loaded.tokenizer.bos_token_id
    if bos is None or bos in loaded.eos_ids:
        return None
    message = [{"role": "user", "content": "x"}]
    ids = loaded.tokenizer.apply_chat_template(message, add_generation_prompt=True, return_dict=True)["input_ids"]
    if list(ids).count(bos) > 1:
        raise TrainingError(
            f"the chat template of {loaded.id!r} writes BOS {list(ids).count(bos)} times; allowed: once"
        )
    return list(ids).count(bos)


def expected_trainable(model: Any, settings: TrainingSettings) -> int:
    """Parameters that LoRA adds to a base: r * (in + out) for each linear layer that it targets."""
    from torch.nn import Linear

    targets, head = settings.lora_target_modules, model.get_output_embeddings()
    layers = {name: module for name, module in model.named_modules() if isinstance(module, Linear)}
    if targets == ("all-linear",):
        chosen = [module for module in layers.values() if module is not head]
    else:
        for target in targets:
            if not any(_is_target(name, target) for name in layers):
                named = sorted({name.rpartition(".")[2] for name in layers})
                raise TrainingError(f"lora_target_modules: no layer {target!r}; allowed: all-linear, or of {named}")
        chosen = [module for name, module in layers.items() if any(_is_target(name, target) for target in targets)]
        if head in chosen:
            raise TrainingError(
                "lora_target_modules names the output head, which trl cannot train; allowed: the others"
            )
    return sum(settings.lora_r * (module.in_features + module.out_features) for module in chosen)


def _is_target(name: str, target: str) -> bool:
    return name == target or name.endswith(f".{target}")


def check_trainable(model: Any, expected: int) -> int:
    """The number of trainable parameters, all of them LoRA's and as many as expected."""
    trainable = {name: p.numel() for name, p in model.named_parameters() if p.requires_grad}
    if foreign := [name for name in trainable if "lora_" not in name]:
        raise TrainingError(
            f"{len(foreign)} trainable parameters are none of LoRA's, {foreign[0]} first; allowed: none"
        )
    if sum(trainable.values()) != expected:
        raise TrainingError(f"{sum(trainable.values()):,} trainable parameters; expected: {expected:,}")
    return expected
