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
import itertools
import json
import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from ifpref.constraints import CONSTRAINT_SETS, CONSTRAINTS, Constraint
from ifpref.constraints.registry import nearest
from ifpref.progress import WORKER_VARIABLE, track
from ifpref.prompts.combinations import Balance, count_combinations
from ifpref.prompts.domain import get_domain
from ifpref.prompts.write import Prompt, Setup, Slot, write_prompt

if TYPE_CHECKING:
    from datasets import Dataset

SPLITS = ("train", "dev", "test", "transfer")
DEFAULT_SHARES = {"train": 0.86, "dev": 0.04, "test": 0.07, "transfer": 0.03}
TRANSFER_IDS = ("startend:quotation", "keywords:forbidden_words", "detectable_format:number_bullet_lists")
_CHUNK = 200  # slots that a worker fills at a time
T = TypeVar("T")


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
    setup = Setup(domain, seed, tuple(ids), tuple(transfer_ids), difficulty)
    _check(counts, setup, k)
    slots = _plan(counts, setup, k)
    rejected: Counter[str] = Counter()
    prompts: list[Prompt | None] = [None] * len(slots)
    attempts = [0] * len(slots)
    duplicates, todo = 0, list(range(len(slots)))
    while todo:
        work = [(slots[i], setup, attempts[i]) for i in todo]
        filled = spread(_fill, work, chunk=_CHUNK, what="prompts", workers=workers)
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


def _check(counts: Mapping[str, int], setup: Setup, k: tuple[int, int]) -> None:
    ids, low, high = setup.ids, *k
    for name, chosen in (("ids", ids), ("transfer_ids", setup.transfer_ids)):
        for id in chosen:
            if id not in CONSTRAINTS:
                known = ", ".join(CONSTRAINTS)
                raise ValueError(f"{name}: unknown constraint id {id!r}{nearest(id, CONSTRAINTS)}; known: {known}")
        if len(set(chosen)) < len(chosen):
            raise ValueError(f"{name}: an id stands there twice: {', '.join(chosen)}")
    if "transfer" in counts and not set(ids) & set(setup.transfer_ids):
        raise ValueError("transfer prompts are asked for, and none of transfer_ids is among the ids")
    if not 1 <= low <= high <= len(ids):
        raise ValueError(f"k must run from 1 or more to at most {len(ids)} (the number of ids), found {low} to {high}")
    easy, moderate = setup.difficulty
    if not 0 <= easy <= moderate:
        raise ValueError(f"difficulty thresholds must be in order, found easy {easy}, moderate {moderate}")
    domain = get_domain(setup.domain)
    for split, count in counts.items():
        topics = domain.topics_of[split]
        pairs = sum(len(domain.tasks_for(domain.topic_by_id[topic])) for topic in topics)
        wanted = math.ceil(count / (high - low + 1))
        for j in range(low, high + 1):
            combinations = count_combinations(ids, j, split, setup.required(split))
            room = pairs * combinations
            if wanted > room:
                raise ValueError(
                    f"{split}: {wanted:,} prompts of {j} constraints asked for, and there are {room:,} "
                    f"({len(topics)} topics with their tasks: {pairs:,}; combinations: {combinations:,})"
                )


def _plan(counts: Mapping[str, int], setup: Setup, k: tuple[int, int]) -> list[Slot]:
    """Every prompt's split, k and combination, drawn in balance; k runs round, so each comes equally often."""
    slots: list[Slot] = []
    for split, count in counts.items():
        balance = Balance(setup.ids, setup.stream(split, "combinations"))
        numbers = itertools.islice(itertools.cycle(range(k[0], k[1] + 1)), count)
        slots += (Slot(split, n, balance.draw(j, split, setup.required(split))) for n, j in enumerate(numbers))
    return slots


def _fill(number: int, work: Sequence[tuple[Slot, Setup, int]]) -> list[tuple[Prompt, int, Counter[str]]]:
    return [write_prompt(*slot) for slot in work]


def spread(
    function: Callable[[int, Sequence], list[T]], items: Sequence, *, chunk: int, what: str, workers: int | None
) -> Iterator[T]:
    """`function(number, items)` for each chunk of the items, in order; what it lists is given one by one.

    what     what the items become, for the progress shown
    workers  processes; None takes one for each core that this process may use
    """
    from joblib import Parallel, delayed

    chunks = [items[start : start + chunk] for start in range(0, len(items), chunk)]
    jobs = min(workers or cores(), max(len(chunks), 1))
    # loky starts clean processes, from a script or a notebook alike, whatever threads this one has.
    parallel = Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="3*n_jobs")
    call = delayed(partial(_in_worker, function) if jobs > 1 else function)
    results = parallel(call(number, part) for number, part in enumerate(chunks))
    for result in track(results, total=len(items), what=what, unit=chunk):
        yield from result


def _in_worker(function: Callable[[int, Sequence], list[T]], number: int, part: Sequence) -> list[T]:
    os.environ[WORKER_VARIABLE] = "1"  # the owner says what is to be said
    return function(number, part)


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
        content = (prompt.task.id, prompt.topic.id, frozenset(prompt.constraints))
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
            "task": prompt.task.id,
            "topic": prompt.topic.id,
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
    names = "prompt_id text task topic constraints n_constraints difficulty split wordings witness"
    features = dict.fromkeys(names.split(), text)
    features |= {"constraints": List({"id": text, "kwargs": text}), "n_constraints": number, "wordings": List(number)}
    rows = list(to_rows(prompts))
    for constraint in itertools.chain.from_iterable(row["constraints"] for row in rows):
        constraint["kwargs"] = canonical(constraint["kwargs"])
    return Dataset.from_list(rows, features=Features(features))


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
