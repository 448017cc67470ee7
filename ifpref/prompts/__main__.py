"""Writes a set of prompts with its card: what `make prompts` runs.

    python -m ifpref.prompts --n 48000 --out prompts.jsonl --set "domain=open seed=0"

Writes prompts.jsonl (kwargs as objects), prompts.parquet (kwargs as canonical JSON strings) and prompts.md (the card).
Each is written under a temporary name and renamed, so an interrupted run leaves the earlier files whole.
"""

import io
import json
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import ifpref
from ifpref.command import command, parser_of
from ifpref.constraints import CONSTRAINT_SETS
from ifpref.constraints.text import backends
from ifpref.params import Params, load_params, parse_overrides
from ifpref.prompts.build import build, to_dataset, to_rows
from ifpref.prompts.card import dataset_card
from ifpref.prompts.ifeval_prompts import load_ifeval_prompts
from ifpref.prompts.overlap import near_duplicates, ngram_overlap
from ifpref.store import files


@command()
def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = parser_of("ifpref.prompts", __doc__)
    parser.add_argument("--n", type=int, required=True, help="how many prompts, over all splits")
    parser.add_argument("--out", type=Path, required=True, help="the JSONL file; .parquet and .md go beside it")
    parser.add_argument("--set", default="", help="parameters, such as 'domain=pocket seed=1 min_constraints=2'")
    parser.add_argument("--workers", type=int, help="processes (default: one for each core)")
    parser.add_argument("--ifeval", default="google/IFEval", help="IFEval's prompts: a file, a hub id, or none")
    args = parser.parse_args(argv)
    write_prompts(args.n, args.out, args.set, args.workers, args.ifeval)
    return 0


def write_prompts(n: int, out: Path, settings: str, workers: int | None, ifeval: str) -> None:
    """Build n prompts and write the three files; raises before any work where something is wrong."""
    if out.suffix != ".jsonl":
        raise ValueError(f"OUT must be a file that ends in .jsonl, found {out}")
    if not out.parent.is_dir():
        raise ValueError(f"OUT={out}: there is no folder {out.parent}")
    params = load_params("pocket", **{"domain": "open", **parse_overrides(settings)})
    reference = None if ifeval == "none" else load_ifeval_prompts(ifeval)
    start = time.monotonic()
    built = build(
        n,
        params.seed,
        domain=params.domain,
        ids=CONSTRAINT_SETS[params.constraint_set],
        k=(params.min_constraints, params.max_constraints),
        transfer_ids=params.transfer_ids,
        difficulty=(params.easy_max_constraints, params.moderate_max_constraints),
        workers=workers,
    )
    _say(f"{len(built.prompts):,} prompts, each with a verified witness, in {time.monotonic() - start:.0f} s")
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in to_rows(built.prompts))
    files.replace(out, "".join(lines).encode())
    import pyarrow.parquet

    parquet = io.BytesIO()
    pyarrow.parquet.write_table(to_dataset(built.prompts).data.table, parquet)
    files.replace(out.with_suffix(".parquet"), parquet.getvalue())
    _say("measuring near-duplicates and overlap with IFEval")
    texts = [prompt.text for prompt in built.prompts]
    overlaps = [ngram_overlap(texts, reference, size) for size in (8, 13)] if reference else []
    card = dataset_card(built, _provenance(n, params), near_duplicates(texts), overlaps)
    files.replace(out.with_suffix(".md"), card.encode())
    _say(f"{out}, and beside it .parquet and .md: {time.monotonic() - start:.0f} s in all")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _provenance(n: int, params: Params) -> dict[str, object]:
    """What gives the same bytes again; no time and no host, so that the card is the same too."""
    names = "domain seed constraint_set min_constraints max_constraints easy_max_constraints moderate_max_constraints"
    return {
        "n": n,
        **{name: getattr(params, name) for name in names.split()},
        "transfer_ids": ", ".join(params.transfer_ids),
        "command": f'make prompts N={n} OUT=prompts.jsonl SET="domain={params.domain} seed={params.seed}"',
        "ifpref": ifpref.__version__,
        "python": platform.python_version(),
        **backends(),
    }


if __name__ == "__main__":
    sys.exit(main())
