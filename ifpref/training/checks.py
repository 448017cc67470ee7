"""What must hold before training, or it stops with the reason: the pairs, and what of the model is trained.

    check_pairs(pairs, loaded, max_length=512)

Each of these has turned somebody's run into a silent no-op: a completion cut where the pair differs (loss ln 2 for
ever), two BOS, an EOS that was added again. What must hold at step 0 is the algorithm's: see algorithms/.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ifpref.models import LoadedModel, encode

if TYPE_CHECKING:
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
    [(id, times)] = Counter(pair["pair_id"] for pair in pairs).most_common(1)
    if times > 1:
        raise TrainingError(f"pair {id!r} is there {times} times; allowed: each pair once")
    positions = getattr(loaded.model.config, "max_position_embeddings", math.inf)
    if max_length > positions:
        raise TrainingError(f"max_length = {max_length}; allowed: at most the {positions} positions of {loaded.id!r}")
    n_bos = _bos_of_template(loaded)
    for pair in pairs:
        if problem := _problem(pair, loaded, n_bos):
            raise TrainingError(f"pair {pair['pair_id']!r}: {problem}")
    lengths = {pair["pair_id"]: len(pair["prompt_ids"]) + max(len(pair[side]) for side in IDS[1:]) for pair in pairs}
    if cut := [id for id, length in lengths.items() if length > max_length]:
        raise TrainingError(
            f"max_length = {max_length} would cut {len(cut)} of {len(pairs)} pairs, {cut[0]!r} first; "
            f"allowed: at least {max(lengths.values())}, the longest, or pairs without them"
        )


def _problem(pair: Mapping[str, Any], loaded: LoadedModel, n_bos: int | None) -> str | None:
    prompt, chosen, rejected = (list(pair[name]) for name in IDS)
    bos = loaded.tokenizer.bos_token_id
    vocabulary = loaded.model.get_input_embeddings().num_embeddings
    if not prompt or not chosen or not rejected:
        return "prompt_ids, chosen_ids or rejected_ids is empty"
    if chosen == rejected:
        return "chosen_ids and rejected_ids are equal: there is no preference"
    if not all(0 <= id < vocabulary for id in (*prompt, *chosen, *rejected)):
        return f"a token id is not in the vocabulary of {loaded.id!r} (0 to {vocabulary - 1}): of another model"
    for side, completion in (("chosen", chosen), ("rejected", rejected)):
        ids = [*prompt, *completion]
        found = ids.count(bos)
        if n_bos is not None and n_bos <= 1 and (found != n_bos or (n_bos == 1 and prompt[0] != bos)):
            return f"BOS {bos} is {found} times in prompt and {side}; allowed: {n_bos} times, first of all"
        if n_bos is not None and n_bos > 1 and (prompt[0] != bos or bos in completion or _is_doubled(bos, ids)):
            return f"BOS {bos} (it begins each turn) is not first of all, doubled, or in {side}; allowed: once a turn"
        ends = sum(id in loaded.eos_ids for id in completion)
        finish = pair.get(f"{side}_finish")
        allowed = {"stop": (1,), "length": (0,)}.get(finish, (0, 1))
        if ends not in allowed or (ends == 1 and completion[-1] not in loaded.eos_ids):
            times = " or ".join(map(str, allowed))
            return (
                f"EOS {loaded.eos_ids} is {ends} times in {side}_ids, finish {finish!r}; allowed: {times}, last of all"
            )
    return None


def _bos_of_template(loaded: LoadedModel) -> int | None:
    """How many BOS the chat template writes for one message: 0, 1, or more where BOS is what each turn begins with, as
    in ChatML; None where there is no BOS, or it is an EOS too."""
    bos = loaded.tokenizer.bos_token_id
    if bos is None or bos in loaded.eos_ids:
        return None
    ids = encode(loaded.tokenizer, "x")
    if _is_doubled(bos, ids):
        raise TrainingError(f"the chat template of {loaded.id!r} writes BOS twice in a row; allowed: once")
    return ids.count(bos)


def _is_doubled(id: int, ids: Sequence[int]) -> bool:
    return any(a == b == id for a, b in pairwise(ids))


def expected_trainable(model: Any, settings: TrainingSettings) -> int:
    """Parameters that LoRA adds to a base: r * (in + out) for each linear layer that it targets."""
    from torch.nn import Linear

    head = model.get_output_embeddings()  # which trl cannot train
    layers = {f".{name}": module for name, module in model.named_modules() if isinstance(module, Linear)}
    linear = {name: layer for name, layer in layers.items() if layer is not head}
    if (targets := settings.lora_target_modules) != ("all-linear",):
        unknown = [target for target in targets if not any(name.endswith(f".{target}") for name in linear)]
        if unknown or not targets:
            found = f"{list(targets)}, of which no layers: {unknown}"
            allowed = sorted({name.rpartition(".")[2] for name in linear})
            raise TrainingError(f"lora_target_modules = {found}; allowed: all-linear, or of {allowed}")
        ends = tuple(f".{target}" for target in targets)
        linear = {name: layer for name, layer in linear.items() if name.endswith(ends)}
    return sum(settings.lora_r * (layer.in_features + layer.out_features) for layer in linear.values())


def check_trainable(model: Any, expected: int) -> int:
    """The number of trainable parameters: as many as expected, so none but LoRA's."""
    found = sum(p.numel() for p in model.parameters() if p.requires_grad)
    if found != expected:
        raise TrainingError(f"{found:,} trainable parameters; allowed: {expected:,}, which LoRA adds")
    return found
