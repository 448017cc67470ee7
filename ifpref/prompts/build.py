"""Builds prompts: tasks x topics x combinations of constraints, unique, labelled, each with a verified witness.

    build_prompts(48_000, seed=0)                                   # a datasets.Dataset, domain "open"
    build_prompts({"train": 600, "dev": 120, "test": 600}, seed=1, domain="pocket")

One row (kwargs are one canonical JSON string: Arrow would pad differing keys with nulls):

    prompt_id "0c7d…", text "Write a short letter about the old fox. No commas.", task "letter", topic "old-fox",
    constraints [{"id": "punctuation:no_comma", "kwargs": "{}"}], n_constraints 1, difficulty "easy", split "train",
    wordings [2], witness "The old fox …"

How: every prompt is a *slot* with its split, its k and its combination, drawn in balance beforehand. A slot is
filled by itself from its own random stream (task, topic, arguments, wordings, witness), drawing again where arguments
conflict or no witness is found; rejections are counted by reason. So the same seed gives the same bytes with any number
of workers. Duplicates are found in the order of the slots, and the later one is filled again.

Splits share no topic. For k >= 3 they share no combination either. `transfer` prompts hold at least one of the types
held out, on the topics and combinations of `test`; their policy trains on `without_ids(train, ...)`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ifpref.constraints import CONSTRAINT_SETS, CONSTRAINTS, Constraint
from ifpref.constraints.registry import nearest
from ifpref.progress import track
from ifpref.prompts.combinations import Balance, count_combinations, share_out
from ifpref.prompts.domains import get_domain
from ifpref.prompts.write import Prompt, Setup, Slot, write_prompt

if TYPE_CHECKING:
    from datasets import Dataset

SPLITS = ("train", "dev", "test", "transfer")
DEFAULT_SHARES = {"train": 0.86, "dev": 0.04, "test": 0.07, "transfer": 0.03}
TOPIC_SHARES = {"train": 0.6, "dev": 0.15, "test": 0.25}
TRANSFER_IDS = ("startend:quotation", "keywords:forbidden_words", "detectable_format:number_bullet_lists")
DIFFICULTIES = ("easy", "moderate", "hard")
_CHUNK = 200  # slots a worker fills at a time


@dataclass(frozen=True)
class Built:
    """What building gave: `prompts` in order, rejections by reason, and prompts drawn again as duplicates."""

    prompts: tuple[Prompt, ...]
    rejected: Mapping[str, int]
    duplicates: int


def build_prompts(n: int | Mapping[str, int], seed: int = 0, **options: Any) -> Dataset:
    """Prompts as a `datasets.Dataset`, one row each; see `build` for the options, this module's head for a row.

    n     how many in all, shared out over the splits as `DEFAULT_SHARES` says, or how many of each split
    seed  the same seed and options give the same bytes, with any number of workers
    """
    return to_dataset(build(n, seed, **options).prompts)


def build(
    n: int | Mapping[str, int],
    seed: int = 0,
    *,
    domain: str = "open",
    ids: Sequence[str] = CONSTRAINT_SETS["study"],
    k: tuple[int, int] = (1, 6),
    transfer_ids: Sequence[str] = TRANSFER_IDS,
    difficulty: tuple[int, int] = (2, 4),
    workers: int | None = None,
) -> Built:
    """Build prompts.

    domain        "open" or "pocket"
    ids           the constraints that may be drawn
    k             number of constraints of a prompt, from and to; every split has each number equally often
    transfer_ids  types of which every `transfer` prompt holds at least one
    difficulty    the largest k that is `easy`, and the largest that is `moderate`
    workers       processes; None takes one for each core that this process may use

    Raises ValueError, before any work, for unknown ids or splits, contradictory ranges, and more prompts than the
    combinations allow, with the numbers.
    """
    counts = _counts(n)
    _check(counts, domain, ids, k, transfer_ids, difficulty)
    world = get_domain(domain)
    topics = share_out([topic.id for topic in world.topics], TOPIC_SHARES)
    setup = Setup(
        domain=domain,
        seed=seed,
        ids=tuple(ids),
        transfer_ids=tuple(transfer_ids),
        topics={split: tuple(topics["test" if split == "transfer" else split]) for split in counts},
        difficulty=difficulty,
    )
    slots = _plan(counts, setup, k)
    rejected: Counter[str] = Counter()
    prompts: list[Prompt | None] = [None] * len(slots)
    attempts = [0] * len(slots)
    duplicates, todo = 0, list(range(len(slots)))
    while todo:
        filled = _fill([(slots[i], attempts[i]) for i in todo], setup, workers)
        for i, (prompt, attempt, reasons) in zip(todo, filled, strict=True):
            prompts[i], attempts[i] = prompt, attempt + 1
            rejected.update(reasons)
        todo = _repeated(prompts)
        duplicates += len(todo)
        if todo and max(attempts[i] for i in todo) > 2000:
            raise ValueError(f"{len(todo)} prompts could not be made different from the others; ask for fewer")
    return Built(tuple(prompts), dict(rejected.most_common()), duplicates)


def _counts(n: int | Mapping[str, int]) -> dict[str, int]:
    if isinstance(n, Mapping):
        for split, count in n.items():
            if split not in SPLITS:
                raise ValueError(f"unknown split {split!r}{nearest(split, SPLITS)}; allowed: {', '.join(SPLITS)}")
            if count < 0:
                raise ValueError(f"{split}: the number of prompts must be 0 or more, found {count}")
        return {split: n[split] for split in SPLITS if n.get(split)}
    if n < 1:
        raise ValueError(f"the number of prompts must be 1 or more, found {n}")
    counts = {split: round(n * share) for split, share in DEFAULT_SHARES.items()}
    counts["train"] += n - sum(counts.values())
    return {split: count for split, count in counts.items() if count > 0}


def _check(counts, domain, ids, k, transfer_ids, difficulty) -> None:
    for name, chosen in (("ids", ids), ("transfer_ids", transfer_ids)):
        for id in chosen:
            if id not in CONSTRAINTS:
                known = ", ".join(CONSTRAINTS)
                raise ValueError(f"{name}: unknown constraint id {id!r}{nearest(id, CONSTRAINTS)}; known: {known}")
        if len(set(chosen)) < len(chosen):
            raise ValueError(f"{name}: an id stands there twice: {', '.join(chosen)}")
    if "transfer" in counts and not set(ids) & set(transfer_ids):
        raise ValueError("transfer prompts are asked for, and none of transfer_ids is among the ids")
    if not 1 <= k[0] <= k[1] <= len(ids):
        raise ValueError(f"k must run from 1 or more to at most {len(ids)} (the number of ids), found {k[0]} to {k[1]}")
    if not 0 <= difficulty[0] <= difficulty[1]:
        raise ValueError(
            f"difficulty thresholds must be in order, found easy {difficulty[0]}, moderate {difficulty[1]}"
        )
    world = get_domain(domain)
    topics = share_out([topic.id for topic in world.topics], TOPIC_SHARES)
    tasks = {topic.id: len(world.tasks_for(topic)) for topic in world.topics}
    for split, count in counts.items():
        pool = "test" if split == "transfer" else split
        required = transfer_ids if split == "transfer" else ()
        numbers = range(k[0], k[1] + 1)
        for j in numbers:
            wanted = -(-count // len(numbers))
            combinations = count_combinations(ids, j, pool, required)
            pairs = sum(tasks[topic] for topic in topics[pool])
            room = pairs * combinations
            if wanted > room:
                raise ValueError(
                    f"{split}: {wanted:,} prompts of {j} constraints asked for, and there are {room:,} "
                    f"({len(topics[pool])} topics with their tasks: {pairs:,}; combinations: {combinations:,})"
                )


def _plan(counts: Mapping[str, int], setup: Setup, k: tuple[int, int]) -> list[Slot]:
    """Every prompt's split, k and combination, drawn in balance; k runs round, so each comes equally often."""
    slots: list[Slot] = []
    numbers = range(k[0], k[1] + 1)
    for split, count in counts.items():
        pool = "test" if split == "transfer" else split
        required = setup.transfer_ids if split == "transfer" else ()
        balance = Balance(setup.ids, f"{setup.seed}/{setup.domain}/{split}/combinations")
        for n in range(count):
            slots.append(Slot(split, n, balance.draw(numbers[n % len(numbers)], pool, required)))
    return slots


def _fill(work: Sequence[tuple[Slot, int]], setup: Setup, workers: int | None) -> Iterator[tuple]:
    """The slots filled, in order: `(prompt, attempt, rejections)` each."""
    chunks = [work[i : i + _CHUNK] for i in range(0, len(work), _CHUNK)]
    if workers == 1 or len(chunks) == 1:
        results: Iterable = (_fill_chunk(chunk, setup) for chunk in chunks)
    else:
        from joblib import Parallel, delayed

        # loky starts clean processes, from a script or a notebook alike, whatever threads this one has.
        parallel = Parallel(n_jobs=workers or cores(), return_as="generator", pre_dispatch="3*n_jobs")
        results = parallel(delayed(_fill_chunk)(chunk, setup) for chunk in chunks)
    for chunk in track(results, total=len(work), what="prompts", unit=_CHUNK):
        yield from chunk


def _fill_chunk(work: Sequence[tuple[Slot, int]], setup: Setup) -> list[tuple]:
    return [write_prompt(slot, setup, attempt) for slot, attempt in work]


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _repeated(prompts: Sequence[Prompt]) -> list[int]:
    """Positions of prompts whose text, or whose task, topic and constraints, an earlier one has."""
    texts: set[str] = set()
    contents: set[tuple] = set()
    repeated = []
    for i, prompt in enumerate(prompts):
        text = " ".join(prompt.text.lower().split())
        content = (prompt.task, prompt.topic, frozenset(prompt.constraints))
        if text in texts or content in contents:
            repeated.append(i)
            continue
        texts.add(text)
        contents.add(content)
    return repeated


def to_rows(prompts: Iterable[Prompt]) -> Iterator[dict[str, Any]]:
    """One plain record a prompt, with kwargs as objects: the rows of JSONL."""
    for prompt in prompts:
        yield {
            "prompt_id": prompt_id(prompt),
            "text": prompt.text,
            "task": prompt.task,
            "topic": prompt.topic,
            "constraints": [constraint.to_dict() for constraint in prompt.constraints],
            "n_constraints": len(prompt.constraints),
            "difficulty": prompt.difficulty,
            "split": prompt.split,
            "wordings": list(prompt.wordings),
            "witness": prompt.witness,
        }


def prompt_id(prompt: Prompt) -> str:
    """16 hex digits of the text and the constraints: the same prompt has the same id in every file."""
    content = json.dumps([prompt.text, [c.to_dict() for c in prompt.constraints]], sort_keys=True)
    return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()


def to_dataset(prompts: Iterable[Prompt]) -> Dataset:
    """The rows as a `datasets.Dataset`, kwargs as canonical JSON strings."""
    from datasets import Dataset, Features, List, Value

    text, number = Value("string"), Value("int32")
    features = Features(
        {
            "prompt_id": text,
            "text": text,
            "task": text,
            "topic": text,
            "constraints": List({"id": text, "kwargs": text}),
            "n_constraints": number,
            "difficulty": text,
            "split": text,
            "wordings": List(number),
            "witness": text,
        }
    )
    rows = []
    for row in to_rows(prompts):
        row["constraints"] = [{"id": c["id"], "kwargs": canonical(c["kwargs"])} for c in row["constraints"]]
        rows.append(row)
    return Dataset.from_list(rows, features=features)


def canonical(kwargs: Mapping[str, Any]) -> str:
    """Arguments as one JSON string, the same for the same arguments: what the columnar forms hold."""
    return json.dumps(kwargs, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=65536)
def _constraint(id: str, kwargs: str) -> Constraint:
    return Constraint(id, json.loads(kwargs))


def constraints_of(row: Mapping[str, Any]) -> list[Constraint]:
    """The constraints of a row, of a dataset or of JSONL."""
    return [
        _constraint(c["id"], c["kwargs"]) if isinstance(c["kwargs"], str) else Constraint(c["id"], c["kwargs"])
        for c in row["constraints"]
    ]


def without_ids(dataset: Dataset, ids: Sequence[str]) -> Dataset:
    """The prompts that hold none of these constraint ids: what the transfer arm trains on."""
    kept = [n for n, cs in enumerate(dataset["constraints"]) if not any(c["id"] in ids for c in cs)]
    return dataset.select(kept)
