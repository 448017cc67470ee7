"""A table made shard by shard of prompts, with progress; what a killed run has written is not made again.

write_shards(writer, "responses.jsonl.gz", prompts, make, size=128)      # make(shard) gives the rows of 128 prompts
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ifpref.progress import track
from ifpref.store.artefact import Writer


def write_shards(
    writer: Writer,
    table: str,
    prompts: Iterable[Mapping[str, Any]],
    make: Callable[[list[Mapping[str, Any]]], list[dict[str, Any]]],
    *,
    size: int,
) -> None:
    """A table of `make(shard)` for every `size` prompts.

    ValueError for no prompts, a prompt that is given twice.
    """
    prompts = list(prompts)
    ids = [prompt["prompt_id"] for prompt in prompts]
    if not prompts:
        raise ValueError(f"{table}: there are no prompts; allowed: one or more")
    if len(set(ids)) < len(ids):  # they would draw from one random stream, and pairs could not tell them apart
        repeated = next(id for i, id in enumerate(ids) if id in ids[:i])
        raise ValueError(f"{table}: prompt_id {repeated!r} is given twice; allowed: each prompt once")
    starts = range(0, len(prompts), size)
    for start in track(starts, total=len(prompts), what=table.partition(".")[0], unit=size):
        shard = prompts[start : start + size]
        writer.shard(table, start // size, lambda shard=shard: make(shard), of=ids[start : start + size])
