"""Log-probabilities of pairs under the base: computed once for a set of pairs, and shared by every run on it.

    write_reference(writer, loaded, pairs, bf16=False)
    table = read_reference(handle)                               # of the finished artefact
    chosen, rejected = table.of(pairs[0])                        # summed over the completion, natural log

Each pair is computed in a batch of its own: its value depends on the pair and the base, and on nothing else.

    a row    {"pair": "5ac1…", "first": -21.25, "second": -24.5}     # first and second in the order of their tokens
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from ifpref.models import LoadedModel
from ifpref.progress import track
from ifpref.store import Handle, Writer
from ifpref.training.algorithms import Row

TABLE = "reference.jsonl"
SHARD = 512
"""Pairs in a shard: what a killed run repeats at most."""


@dataclass(frozen=True)
class Reference:
    """Hash of a pair -> log-probabilities of its two completions."""

    values: Mapping[str, tuple[float, float]]

    def of(self, pair: Row) -> tuple[float, float]:
        """(chosen, rejected). KeyError for a pair that is not in the table."""
        first, second = self.values[pair_hash(pair)]
        return (first, second) if list(pair["chosen_ids"]) <= list(pair["rejected_ids"]) else (second, first)


def read_reference(handle: Handle) -> Reference:
    return Reference({row["pair"]: (row["first"], row["second"]) for row in handle.iter_jsonl(TABLE)})


def write_reference(writer: Writer, loaded: LoadedModel, pairs: Sequence[Row], bf16: bool) -> None:
    """Write the table of these pairs, shard by shard; it knows neither keys nor the store.

    loaded  a base without adapter
    bf16    computed as training with `bf16` computes the policy: under autocast
    """
    distinct, score = {pair_hash(pair): pair for pair in pairs}, _scorer(loaded, bf16)

    def row(name: str) -> Row:
        first, second = score(distinct[name])
        return {"pair": name, "first": first, "second": second}

    names = sorted(distinct)
    shards = [names[start : start + SHARD] for start in range(0, len(names), SHARD)]
    for index, shard in enumerate(shards):
        rows = map(row, track(shard, total=len(shard), what=f"reference log-probabilities, {index + 1}/{len(shards)}"))
        writer.shard(TABLE, index, lambda rows=rows: rows, of=shard)


def pair_hash(pair: Row) -> str:
    """16 hex digits of a pair's token ids; the same when chosen and rejected are swapped."""
    text = repr([list(pair["prompt_ids"]), *_completions(pair)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _completions(pair: Row) -> list[list[int]]:
    """Both, in the order of their tokens."""
    return sorted([list(pair["chosen_ids"]), list(pair["rejected_ids"])])


def _scorer(loaded: LoadedModel, bf16: bool) -> Callable[[Row], tuple[float, float]]:
    """A function of a pair: the summed log-probabilities of its two completions, in the order of their tokens."""
    import torch
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    from ifpref.training.forward import completion_log_probs, scoring

    model = scoring(loaded.model)
    collate = DataCollatorForPreference(pad_token_id=loaded.tokenizer.pad_token_id)

    def score(pair: Row) -> tuple[float, float]:
        first, second = _completions(pair)
        one = {"prompt_ids": list(pair["prompt_ids"]), "chosen_ids": first, "rejected_ids": second}
        batch = {name: tensor.to(model.device) for name, tensor in collate([one]).items()}
        autocast = torch.autocast(model.device.type, torch.bfloat16) if bf16 else nullcontext()
        with torch.inference_mode(), autocast:
            return tuple(completion_log_probs(model, batch).tolist())

    return score
