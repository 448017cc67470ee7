"""Log-probabilities of pairs under the base: computed once for each pair and base, stored, and shared by every run.

    handle = reference_log_probs(store, loaded, pairs)           # computes what no artefact holds yet
    table = read_reference(handle)
    chosen, rejected = table.of(pairs[0])                        # summed over the completion, natural log

An artefact holds the values of one set of pairs. A run with another set that shares some of them (another arm, a
mixture, chosen and rejected swapped) copies theirs and computes the others. That is exact, since each pair is computed
in a batch of its own: its value depends on the pair and the base, and on nothing else.

    a row    {"pair": "5ac1…", "first": -21.25, "second": -24.5}     # first and second in the order of their tokens
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from ifpref.models import LoadedModel
from ifpref.progress import track
from ifpref.store import Artefact, DamagedArtefact, Handle, Store, Writer
from ifpref.store.store import KEY_PATTERN

STAGE, TABLE = "reference", "reference.jsonl"
CODE = ("ifpref.training.reference_model", "ifpref.training.forward")
SHARD = 512
"""Pairs in a shard: what a killed run repeats at most."""

Pair = Mapping[str, Any]


def pair_hash(pair: Pair) -> str:
    """16 hex digits of a pair's token ids; the same when chosen and rejected are swapped."""
    sides = sorted([list(pair["chosen_ids"]), list(pair["rejected_ids"])])
    text = repr([list(pair["prompt_ids"]), *sides])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Reference:
    """The table of one or several artefacts: hash of a pair -> log-probabilities of its two completions."""

    values: Mapping[str, tuple[float, float]]

    def of(self, pair: Pair) -> tuple[float, float]:
        """(chosen, rejected). KeyError for a pair that is not in the table."""
        first, second = self.values[pair_hash(pair)]
        return (first, second) if list(pair["chosen_ids"]) <= list(pair["rejected_ids"]) else (second, first)


def read_reference(*handles: Handle) -> Reference:
    rows = (row for handle in handles for row in handle.iter_jsonl(TABLE))
    return Reference({row["pair"]: (row["first"], row["second"]) for row in rows})


def reference_log_probs(store: Store, loaded: LoadedModel, pairs: Sequence[Pair], *, bf16: bool = False) -> Handle:
    """The artefact with the reference log-probabilities of these pairs under `loaded`, a base without adapter.

    bf16  computed as training with `bf16` computes the policy: under autocast
    """
    names = sorted({pair_hash(pair) for pair in pairs})
    digest = hashlib.sha256("".join(names).encode()).hexdigest()[:16]
    params = {"pairs": digest, "dtype": str(loaded.model.dtype), "bf16": bf16}
    artefact = Artefact(STAGE, params, code=CODE, model=loaded.identity)

    return store.get(artefact, lambda writer: write_reference(writer, loaded, pairs, bf16, _known(store, artefact)))


def write_reference(
    writer: Writer,
    loaded: LoadedModel,
    pairs: Sequence[Pair],
    bf16: bool,
    known: Mapping[str, tuple[float, float]] | None = None,
) -> None:
    """Write the table of these pairs, shard by shard; it knows neither keys nor the store.

    known  values of pairs that are computed already (`Reference.values`), which are copied
    """
    known = known or {}
    distinct = {pair_hash(pair): pair for pair in pairs}
    names = sorted(distinct)
    score = _scorer(loaded, bf16)
    what = f"reference log-probabilities, {sum(name not in known for name in names):,} to compute"
    progress = track(range(len(names)), total=len(names), what=what)
    for index, start in enumerate(range(0, len(names), SHARD)):
        chunk = names[start : start + SHARD]

        def rows(chunk: list[str] = chunk) -> Iterator[dict[str, Any]]:
            for name in chunk:
                first, second = known[name] if name in known else score(distinct[name])
                next(progress, None)
                yield {"pair": name, "first": first, "second": second}

        writer.shard(TABLE, index, rows, of=chunk)
    progress.close()


def _known(store: Store, artefact: Artefact) -> Mapping[str, tuple[float, float]]:
    """Values of pairs that other artefacts hold, made by the same code from the same base in the same precision."""
    wanted = artefact.recipe
    values: dict[str, tuple[float, float]] = {}
    for key in sorted(folder.name for root in store.roots for folder in root.glob(f"{STAGE}/{KEY_PATTERN}")):
        try:
            other = store.find(key)
        except DamagedArtefact:
            continue  # computed again
        recipe = other.manifest["recipe"]
        same = recipe["params"] | {"pairs": wanted["params"]["pairs"]} == wanted["params"]
        if same and recipe["model"] == wanted["model"] and recipe["code"] == wanted["code"]:
            values |= read_reference(other).values
    return values


def _scorer(loaded: LoadedModel, bf16: bool) -> Any:
    """A function of a pair: the summed log-probabilities of its two completions, in the order of their tokens."""
    import torch
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    from ifpref.training.forward import completion_log_probs, scoring

    model = scoring(loaded.model)
    collate = DataCollatorForPreference(pad_token_id=loaded.tokenizer.pad_token_id)

    def score(pair: Pair) -> tuple[float, float]:
        first, second = sorted([list(pair["chosen_ids"]), list(pair["rejected_ids"])])
        one = {"prompt_ids": list(pair["prompt_ids"]), "chosen_ids": first, "rejected_ids": second}
        batch = {name: tensor.to(model.device) for name, tensor in collate([one]).items()}
        autocast = torch.autocast(model.device.type, torch.bfloat16) if bf16 else nullcontext()
        with torch.inference_mode(), autocast:
            return tuple(completion_log_probs(model, batch).tolist())

    return score
