"""Keeps a finished run as the committed reference: its results, and a small read-only store.

    python -m ifpref.publish.reference pocket-full          # outputs/pocket-full -> outputs/reference

What goes along: executed notebooks, figures, tables and results; in store/, everything that analyses read of all
replicates (runs, tables of pairs, the base), and of replicate 0 also prompts, responses, trees and pairs, so that a
reader sees the data itself. What is left out (adapters, texts of evaluations, other replicates' samples) is computed
again where somebody asks for it. Manifests lose the name of the host and their line breaks.

Decisions
- Refused from a working tree that differs from its commit, or when something of the study is missing, unless it is
  asked for (`--partial`: replicates that are whole; the results say how many).
- No more than 10 MB; what does not fit any more is left out, the least useful first, and named.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Template

from ifpref import paths
from ifpref.command import command, parser_of
from ifpref.params import parse_overrides
from ifpref.pipeline.policies import Base
from ifpref.pipeline.runs import RECORD, Run
from ifpref.pipeline.schedule import order
from ifpref.pipeline.stage import Stage
from ifpref.store import Handle, Store, StoreError, files
from ifpref.store.provenance import git_state
from ifpref.study import Study

LIMIT = 10 * 2**20
FOLDERS = ("notebooks", "figures", "tables", "results")


class KeepError(RuntimeError):
    """A run that cannot be kept; the message says why."""


def wanted(study: Study) -> list[Stage]:
    """What the small store holds: what analyses read, of all replicates; then the data of the first one."""
    bases = [Base("test", temperature) for temperature in _temperatures(study)]
    tasks = study.pipeline.needs([*bases, *(task for name in (None, "tour") for task in study.tasks(name))])
    kept = [task for task in tasks if task.keep_all or getattr(task, "replicate", None) in (None, 0)]
    return sorted(kept, key=lambda task: (not task.keep_all, order(task)))


def _temperatures(study: Study) -> list[float]:
    """Of the bases of equal entropy that the runs name."""
    runs = (study.pipeline.find(task) for task in study.tasks() if isinstance(task, Run))
    records = (run.read_json(RECORD) for run in runs if run)
    return sorted({record["matched"]["temperature"] for record in records if "matched" in record})


def keep(study: Study, target: Path, *, partial: bool = False) -> dict[str, Any]:
    """Writes the reference folder; returns what is in it and what is not, as in its about.json."""
    state = git_state()
    if not partial and (state is None or state["dirty"]):
        raise KeepError("the working tree differs from its commit: a reference is made from a clean one")
    found = {task: study.pipeline.find(task) for task in wanted(study)}
    missing = [task for task, handle in found.items() if handle is None]
    if missing and not partial:
        raise KeepError(f"{len(missing)} artefacts are missing, the first: {missing[0]}; finish the run first")
    source = paths.outputs_folder(study.name)
    if not (source / "results").is_dir():
        raise KeepError(f"{paths.shown(source)}: no results in it; run its notebooks first")
    # pages and vector drawings are large, and made again in a minute from what is kept
    unwanted = shutil.ignore_patterns("*.partial*", "*.failed*", "*.stamp*", "*.log", "*.html", "*.svg")
    for name in FOLDERS:
        shutil.rmtree(target / name, ignore_errors=True)
        shutil.copytree(source / name, target / name, ignore=unwanted)
    store = target / "store.new"  # what is there stays until this is whole: artefacts may be read from it
    shutil.rmtree(store, ignore_errors=True)
    size, left = 0, []
    for task, handle in found.items():
        if handle is None or (store / handle.stage / handle.key).exists():
            continue
        copy = _copy(handle, store)
        bytes_ = sum(path.stat().st_size for path in copy.rglob("*") if path.is_file())
        if size + bytes_ > LIMIT:
            left.append(str(task))
            shutil.rmtree(copy)
        else:
            size += bytes_
    kept = [Store(store).find(folder.name) for folder in store.glob("*/*")]  # each is read back: an error names it
    shutil.rmtree(target / "store", ignore_errors=True)
    store.rename(target / "store")
    about = {"profile": study.name, "commit": (state or {}).get("commit"), "replicates": whole_replicates(study)}
    about |= {"artefacts": len(kept), "missing": len(missing), "left_out": left}
    files.replace(target / "about.json", files.json_line(about, indent=1))
    return about | {"store": f"{size / 2**20:.1f} MB"}


def whole_replicates(study: Study) -> int:
    """Replicates of which every run is there."""
    missing = (task for task in study.tasks() if isinstance(task, Run) and study.pipeline.find(task) is None)
    return len(study.replicates) - len({task.replicate for task in missing})


def _copy(handle: Handle, store: Path) -> Path:
    """An artefact in another store, without the name of the host that made it."""
    folder = shutil.copytree(handle.folder, store / handle.stage / handle.key)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for session in (manifest["made"], *manifest["made"]["earlier_sessions"]):
        session["host"] = session["platform"] = ""
    (folder / "manifest.json").write_text(json.dumps(manifest, separators=(",", ":")) + "\n", encoding="utf-8")
    return folder


# ---- README


BEGIN, END = "<!-- reference: written by python -m ifpref.publish.reference -->\n", "<!-- /reference -->\n"
LOOK_AT = {  # claim -> factor, notebook, what to look at in it
    "C1": ("shared prefix", "prefix", "the ladder: equal scores, equal verdicts, one side swapped"),
    "C2": ("shared prefix", "prefix", "the surface of harsh configurations, and how many runs break"),
    "C3": ("contrast", "contrast", "high − low, and the same on clean accuracy"),
    "C4": ("contrast", "contrast", "mixed − high, mixed − low"),
    "C5": ("difficulty", "difficulty", "the heat map: trained on, evaluated on"),
}


WORDS = dict.fromkeys(("opposite", "contradicted"), "opposite sign here")  # the second as older runs have it
BLOCK = Template("""\
{% macro effect(estimate, low, high) -%}
{% if low is not none -%}
{{ ("%+.1f [%+.1f, %+.1f], " | format(estimate, low, high)).replace("-", "−") }}\
{%- endif %}{%- endmacro -%}
![Each claim of the paper: effect in percentage points with its interval, and the verdict]({{ figure }})

What came out on one model, the embedded one (profile `{{ about.profile }}`: \
{% if about.replicates %}{{ about.replicates }} replicates of the main comparisons{% else %}part of a run{% endif %}, \
{{ "{:,}".format(size.prompts) }} held-out prompts; \
{% if is_demonstration %}a demonstration, not yet enough for verdicts{% else %}enough for verdicts{% endif %}). \
Effects in percentage points of prompt-level accuracy, greedy, with 95 % confidence intervals over \
replicates and prompts; *clean* accuracy counts a response only if it has no feature that nobody asked for and repeats \
no sentence. It is one small model in a small world: the notebooks say what that does not show.

| factor | the paper says | command | what to look at | on this model | on clean accuracy |
|---|---|---|---|---|---|
{% for row in claims %}{% set factor, notebook, look_at = look_at_of[row.claim] -%}
| {{ factor }} | {{ row.claim }}: {{ row.text }} | `make {{ notebook }}` | {{ look_at }} | \
{{ effect(row.estimate, row.low, row.high) }}**{{ words.get(row.verdict, row.verdict) }}** | \
{% if row.clean_verdict -%}
{{ effect(row.clean_estimate, row.clean_low, row.clean_high) }}{{ words.get(row.clean_verdict, row.clean_verdict) }}\
{% else %}not read yet{% endif %} |
{% endfor %}""")


def readme_block(folder: Path) -> str:
    """README's figure and table, from the results in the reference folder."""
    found = json.loads((folder / "results" / "findings.json").read_bytes())
    about = json.loads((folder / "about.json").read_bytes())
    figure = paths.shown(folder / "figures" / "findings-claims.png")
    return BLOCK.render(found, about=about, figure=figure, look_at_of=LOOK_AT, words=WORDS)


def write_readme(readme: Path, block: str) -> None:
    """Puts the block between its marks. KeepError where README has none."""
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise KeepError(f"{paths.shown(readme)}: no lines {BEGIN.strip()!r} and {END.strip()!r}, in this order")
    readme.write_text(before + BEGIN + block + END + after, encoding="utf-8")


@command(KeepError, StoreError)
def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of("ifpref.publish.reference", __doc__, study=True)
    parser.add_argument("--partial", action="store_true", help="keep what is there, and say how much that is")
    options = parser.parse_args(arguments)
    study = Study(options.profile, **parse_overrides(options.set))
    about = keep(study, paths.reference_folder(), partial=options.partial)
    write_readme(paths.home() / "README.md", readme_block(paths.reference_folder()))
    print("\n".join(f"{name}: {value}" for name, value in about.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
