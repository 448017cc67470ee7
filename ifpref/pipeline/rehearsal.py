"""The dress rehearsal: the whole road on a handful of prompts, before hours are spent on it.

    rehearse(load_params("smollm2"), "cpu", say=print)       # a minute; `RehearsalError` names the stage and the reason

The real model and settings, in a store that is thrown away: short responses and trees, pairs, two steps of training,
the policy evaluated greedily and at temperature 1. What a study would fail at after hours (a template that writes a
start token where none may be, numbers that bfloat16 does not hold, memory) fails here.

Decisions
- A study of a model other than `pocket` begins with it, once for each set of keys: rehearsals.json in the store has
  those that went well. It runs where the study does, in a worker, so that one that is killed for memory is said too.
- The stages are the study's own, as for `make estimate` (probe.py). Where a handful of prompts gives no pair by the
  study's rules, two different responses to one prompt are one: it is training that is tried, not the yield.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from itertools import combinations
from pathlib import Path
from typing import Any

from ifpref.command import in_words
from ifpref.curation.arms import NothingAlikeError
from ifpref.design import COMPARISONS, Comparison, Configuration, chosen
from ifpref.fingerprint import fingerprint
from ifpref.params import Params
from ifpref.pipeline.kept import Kept
from ifpref.pipeline.model import Speaking, fixed_threads
from ifpref.pipeline.pairs import PairTables, pairs_of, rows_by_arm, start_tokens
from ifpref.pipeline.pipeline import Pipeline
from ifpref.pipeline.probe import cut_training, evaluated, trained
from ifpref.pipeline.runs import Run
from ifpref.pipeline.samples import PROMPTS, RESPONSES, Prompts, Responses, Trees
from ifpref.pipeline.schedule import Schedule, duration
from ifpref.pipeline.stage import Stage, pick
from ifpref.store import Handle, Store

FILE = "rehearsals.json"
"""In the store: the rehearsals that went well, each key with its model."""
STEPS = 2
SIZES = {"n_train_prompts": 4, "n_test_prompts": 2, "n_dev_prompts": 1, "n_responses": 4, "n_pass_rate_responses": 2}
SIZES |= {"n_cell_prompts": 1, "n_size_prompts": 4, "max_tokens": 64}  # a cell draws from the training prompts
Say = Callable[[str], None]


class RehearsalError(ValueError):
    """What a study would have failed at; the message names the model, the stage and the reason."""


def begin(pipeline: Pipeline, needs: Iterable[Stage], executor: Executor, device: str, say: Say) -> None:
    """Before these tasks of a study: a rehearsal by its executor, if none of these keys went well before."""
    p = pipeline.params
    if p.model == "pocket" or not any(task.of_model for task in needs) or is_known(pipeline, device):
        return
    say(f"rehearsing with {p.model} ({p.dtype}): the whole road on a handful of prompts, once")
    start = time.monotonic()
    try:
        reason = executor.submit(attempt, p, device).result()
    except BrokenProcessPool:
        reason = f"rehearsal with {p.model!r}: its process died (out of memory?)"
    except BaseException:  # Ctrl-C
        executor.shutdown(wait=False, cancel_futures=True)
        raise
    if reason:
        executor.shutdown()
        raise RehearsalError(reason)
    remember(pipeline, device)
    say(f"rehearsed in {duration(time.monotonic() - start)}")


def attempt(params: Params, device: str) -> str:
    """What a rehearsal failed at, or nothing."""
    try:
        rehearse(params, device, say=lambda line: None)
    except RehearsalError as error:
        return str(error)
    return ""


def rehearse(params: Params, device: str, *, say: Say) -> None:
    """Go the whole road in small. `RehearsalError` at the first stage that fails."""
    with tempfile.TemporaryDirectory(prefix="ifpref-rehearsal-") as folder, fixed_threads():
        one, pipeline = _cut(params, Store(Path(folder)), device)

        def part(name: str, make: Callable[..., Any], *given: Any) -> Any:
            start = time.monotonic()
            try:
                made = make(*given)
            except Exception as error:  # whatever a library raises: it would end the study too
                reason = f"{type(error).__name__}: {in_words(error)}"
                raise RehearsalError(f"rehearsal with {params.model!r}: {name}: {reason}") from error
            say(f"rehearsal: {name} ({duration(time.monotonic() - start)})")
            return made

        part("model", lambda: pipeline.model.loaded)
        for task in Schedule(pipeline, [PairTables(one.name, 0)]).needs:  # each after what it needs
            part(str(task), _made, pipeline, task)
        pairs = part("a pair", _pairs, pipeline, one)
        policy = part(f"training, {STEPS} steps", _policy, pipeline, pairs)
        for temperature in (0.0, 1.0):
            answers = lambda t=temperature: evaluated(pipeline, t, policy=policy)  # noqa: E731
            part(f"evaluation at temperature {temperature:g}", answers)


def is_known(pipeline: Pipeline, device: str) -> bool:
    """Whether a rehearsal with these keys went well."""
    return _key(pipeline, device) in _kept(pipeline).read()


def remember(pipeline: Pipeline, device: str) -> None:
    with _kept(pipeline).changed() as known:
        known[_key(pipeline, device)] = pipeline.params.model


def _kept(pipeline: Pipeline) -> Kept:
    allowed = "an object, of each rehearsal its key and model"
    return Kept(pipeline.store.root / FILE, dict[str, str], allowed, "models are rehearsed again")


def _key(pipeline: Pipeline, device: str) -> str:
    """Of all that a rehearsal tries: the key of a run that is made from it, and the kind of device."""
    one, cut = _cut(pipeline.params, pipeline.store, device)
    run = Run(one.name, one.arms[0], 0, Configuration(cut.params.learning_rate))
    return fingerprint([cut.key(run), device.partition(":")[0]])


def _cut(params: Params, store: Store, device: str) -> tuple[Comparison, Pipeline]:
    """The study cut to a handful of prompts, and one of its comparisons: the first that has trees, else the first."""
    sizes = {name: min(size, getattr(params, name)) for name, size in SIZES.items()}
    cut = params.replace(**sizes, n_replicates=1, n_series_replicates=None, n_transfer_prompts=0)
    every = chosen(params)
    searched = (
        one for one in every if any(isinstance(need, Trees) for need in pairs_of(one.name, 0).inputs(cut).values())
    )
    return next(searched, every[0]), Pipeline(cut, store, device)


def _made(pipeline: Pipeline, task: Stage) -> Handle | None:
    """A task's artefact; None where so few prompts have no pairs that are alike, which says nothing of all of them."""
    try:
        return pipeline.get(task)
    except NothingAlikeError:
        return None


def _pairs(pipeline: Pipeline, one: Comparison) -> list[dict[str, Any]]:
    """The pairs of the largest arm; of none, two different responses to one prompt."""
    made = _made(pipeline, pairs_of(one.name, 0))
    by_arm = rows_by_arm(made, COMPARISONS[one.name].arms) if made else {}
    if pairs := max(by_arm.values(), key=len, default=[]):
        return pairs
    engine = pipeline.model.encoder(pick(Speaking, pipeline.params))
    texts = {row["prompt_id"]: row["text"] for row in pipeline.rows(Prompts(0), PROMPTS)}
    barred = set(start_tokens(engine))
    rows = [row for row in pipeline.rows(Responses(0), RESPONSES) if not barred & set(row["token_ids"])]
    for a, b in combinations(rows, 2):
        if a["prompt_id"] == b["prompt_id"] and a["token_ids"] != b["token_ids"]:
            sides = {"chosen": a, "rejected": b}
            pair = {"pair_id": a["prompt_id"], "prompt_ids": list(engine.encode(texts[a["prompt_id"]]))}
            pair |= {f"{side}_ids": row["token_ids"] for side, row in sides.items()}
            return [pair | {f"{side}_finish": row["finish"] for side, row in sides.items()}]
    raise ValueError(f"{len(rows)} responses to {len(texts)} prompts, and no two to one prompt differ: no pair")


def _policy(pipeline: Pipeline, pairs: list[dict[str, Any]]) -> Any:
    policy = trained(pipeline, pairs, cut_training(pipeline.params, 1), STEPS)
    record = policy.read_json("training.json")
    if record["state"] != "finished":
        raise ValueError(f"{record['state']} in step {record['steps']}: {record['reason']}")
    return policy
