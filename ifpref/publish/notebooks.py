"""Runs the notebooks of a study: computes what they need, executes them by papermill, renders them to HTML.

    python -m ifpref.publish.notebooks pocket --only prefix contrast --set "beta=0.05"

    outputs/<name>/notebooks/prefix.ipynb         executed, whole     prefix.html         the same, to read
                             prefix.stamp.json    what it was made from, and the files that it made
                             prefix.log           progress and warnings of its kernel
                             prefix.failed.ipynb  instead, if a cell failed

Decisions
- A notebook is run again only if something changed that it was made from (its cells, parameters, this package's code,
  the keys of its artefacts), or something that it made (figures, tables, results, the copy itself).
- All notebooks are checked before the first is run (execute.py).
- Artefacts are computed before a notebook starts, where progress can be seen, so that its own cells take seconds. One
  notebook's failure stops no other; the exit code tells.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from ifpref import paths
from ifpref.command import command, parser_of
from ifpref.curation.pairs import require
from ifpref.design import NOTEBOOKS
from ifpref.params import canonical_json, fingerprint, parse_overrides
from ifpref.publish.execute import execute, read_source
from ifpref.publish.render import to_html
from ifpref.store import CodeError, StoreError, files, module_hashes
from ifpref.study import Study, StudyError


@dataclass(frozen=True)
class Outcome:
    """How it went with one notebook. `state` is done, unchanged or failed."""

    notebook: str
    state: str
    seconds: float


def run_notebooks(
    study: Any, sources: Sequence[Path], *, force: bool = False, say: Callable[[str], None] = print
) -> list[Outcome]:
    """Run them in this order; what failed is said and in the outcomes. NotebookError before any is run.

    study  a `Study`: its source, overrides, params, name, run(notebook) and keys(notebook) are used
    """
    notebooks = {source: read_source(source) for source in sources}
    code = module_hashes()  # what a cell may call; before anything is run, for what is edited meanwhile has changed
    outcomes = []
    for source, notebook in notebooks.items():
        with files.lock(paths.outputs_folder(study.name) / "notebooks" / f"{source.stem}.lock"):
            outcomes.append(_run_one(study, source, notebook, code, force, say))
    return outcomes


def _run_one(
    study: Any, source: Path, notebook: NotebookNode, code: dict[str, str], force: bool, say: Callable[[str], None]
) -> Outcome:
    name, start, began = source.stem, time.monotonic(), time.time_ns()
    folder = paths.outputs_folder(study.name) / "notebooks"
    target, failed, stamp = (folder / f"{name}.{suffix}" for suffix in ("ipynb", "failed.ipynb", "stamp.json"))
    whose = name if name in NOTEBOOKS else None  # another one may read whatever the study has
    parameters = json.loads(canonical_json({"profile": study.source, "overrides": study.overrides}))

    def inputs() -> dict[str, Any]:
        """What an executed copy depends on, part by part."""
        cells = [[cell.cell_type, cell.source, cell.metadata.get("tags", [])] for cell in notebook.cells]
        made_from = {"cells": fingerprint(cells), "parameters": parameters, "profile": fingerprint(study.params)}
        return made_from | {"code": code, "artefacts": sorted(study.keys(whose))}

    def outcome(state: str, words: str) -> Outcome:
        say(f"{name}: {words}")
        return Outcome(name, state, time.monotonic() - start)

    try:
        study.run(whose)
    except StudyError as error:
        return outcome("failed", f"not run: {error}")
    reason = "it was asked for" if force else why_again(stamp, inputs())
    if not reason:
        return outcome("unchanged", "nothing changed")
    say(f"{name}: runs ({reason})")
    executed, error = execute(notebook, folder / f"{name}.partial.ipynb", parameters, source.parent)
    if error:
        _write(failed, nbformat.writes(executed))
        older = "; the older one stays beside it" if target.exists() else ""
        words = f"FAILED: {error}\n{name}: kept as {paths.shown(failed)}{older}"
        return outcome("failed", words)
    failed.unlink(missing_ok=True)
    _write(target.with_suffix(".html"), to_html(executed, name))
    _write(target, nbformat.writes(executed) + "\n")
    try:
        _stamp(stamp, name, inputs(), began)  # its cells may have made artefacts of their own
    except CodeError as error:
        say(f"{name}: it will run again the next time: {error}")
    return outcome("done", f"done: {paths.shown(target.with_suffix('.html'))}")


# ---- before


def find_sources(only: Sequence[str] = ()) -> list[Path]:
    """notebooks/*.ipynb in the study's order, `findings` last; or those named. ValueError for others."""
    found = {path.stem: path for path in sorted(paths.notebooks_folder().glob("*.ipynb"))}
    first, last = NOTEBOOKS[:-1], NOTEBOOKS[-1]  # those of others come between
    names = sorted(found, key=lambda name: first.index(name) if name in first else len(first) + (name == last))
    for name in only:
        require(name, names, "notebook")
    return [found[name] for name in names if not only or name in only]


def why_again(stamp: Path, inputs: Mapping[str, Any]) -> str:
    """Why a notebook has to be run, in words; "" if it has not."""
    try:
        old = json.loads(stamp.read_bytes())
        changed = [part for part in inputs if old["inputs"].get(part) != inputs[part]]
        made = dict(old["files"])
    except FileNotFoundError:
        return "for the first time"
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return f"{stamp.name} cannot be read"
    if changed:
        return f"changed: {', '.join(changed)}"
    root = stamp.parents[1]
    damaged = [name for name, state in made.items() if files.damage(root / name, state)]
    return f"not as it was made: {', '.join(damaged)}" if damaged else ""


# ---- after


def _stamp(stamp: Path, name: str, inputs: Mapping[str, Any], began: int) -> None:
    """Note what the notebook was made from and made; files that only its last run made are removed."""
    root = stamp.parents[1]
    patterns = (f"figures/{name}-*", f"tables/{name}-*", f"results/{name}.json")
    patterns += (f"notebooks/{name}.ipynb", f"notebooks/{name}.html")
    made = {}
    for path in sorted(path for pattern in patterns for path in root.glob(pattern)):
        if path.stat().st_mtime_ns < began:
            path.unlink()
        else:
            made[path.relative_to(root).as_posix()] = files.state(path)
    _write(stamp, json.dumps({"inputs": inputs, "files": made}, indent=1, sort_keys=True) + "\n")


def _write(path: Path, text: str) -> None:
    files.replace(path, text.encode(errors="surrogatepass"))


# ---- command line


@command(StudyError, StoreError)
def main(arguments: Sequence[str] | None = None) -> int:
    """0 all is done, 1 a notebook failed, 2 nothing could be begun, 130 after Ctrl-C."""
    parser = parser_of("ifpref.publish.notebooks", __doc__, study=True)
    parser.add_argument("--only", nargs="+", default=[], metavar="NOTEBOOK", help="these notebooks (default: all)")
    parser.add_argument("--force", action="store_true", help="run them even if nothing changed")
    options = parser.parse_args(arguments)
    study, sources = Study(options.profile, **parse_overrides(options.set)), find_sources(options.only)
    say = partial(print, flush=True)
    outcomes = run_notebooks(study, sources, force=options.force, say=say)
    say(f"\nstudy {study.name}")
    for one in outcomes:
        say(f"{one.notebook:<14}{one.state:<12}{one.seconds:>8.1f} s")
    return 1 if any(one.state == "failed" for one in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
