"""A run held against the reference: is each recorded number inside the reference's interval?

    python -m ifpref.publish.compare outputs/pocket-full/results                  # against outputs/reference/results
    python -m ifpref.publish.compare outputs/a/results outputs/b/results

    notebook  result           here  reference  interval        replicates  inside  overlap
    prefix    c1              +1.41      +1.62  +0.34 to +2.90     10 / 10  yes     yes

Decisions
- A number is whatever was recorded with `low` and `high`: an `estimate`, or a `share`, however deep in a results file;
  its name is the way to it. What one side lacks is a row, too.
- This is information, not a verdict, and the exit code is 0: of two equally precise studies of the same thing, the
  second's estimate falls inside the first's 95 % interval in about 83 % of cases, not 95 % (Cumming, Williams and
  Fidler 2004, Understanding Statistics 3), and numbers of one study are not independent of each other. The same code
  on the same machine gives the same numbers.
- Exit code 1, and the file's name, only where a results file is missing or cannot be read.
- The table is also written as comparison.csv beside the results folder, with all digits.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ifpref import paths
from ifpref.store import files

VALUES = ("estimate", "share")


class CompareError(ValueError):
    """Results that are not there or cannot be read; the message names the file."""


@dataclass(frozen=True)
class Number:
    """A recorded number; low and high are None where it has no interval."""

    value: float | None
    low: float | None
    high: float | None
    replicates: int | None

    @property
    def has_interval(self) -> bool:
        return self.low is not None and self.high is not None


@dataclass(frozen=True)
class Row:
    """One number on both sides; None for what a side lacks.

    inside   the value lies in the reference's interval (its ends count)
    overlap  both intervals have a point in common
    note     why `inside` is None
    """

    notebook: str
    result: str
    here: float | None
    here_low: float | None
    here_high: float | None
    here_replicates: int | None
    reference: float | None
    reference_low: float | None
    reference_high: float | None
    reference_replicates: int | None
    inside: bool | None
    overlap: bool | None
    note: str


def compare(here: Mapping[str, Any], reference: Mapping[str, Any]) -> list[Row]:
    """Rows of {notebook: its recorded results} against another, in the reference's order, then what is only here."""
    ours = {(notebook, name): number for notebook, value in here.items() for name, number in numbers(value)}
    theirs = {(notebook, name): number for notebook, value in reference.items() for name, number in numbers(value)}
    return [_row(*place, ours.get(place), theirs.get(place)) for place in dict.fromkeys([*theirs, *ours])]


def numbers(value: Any, place: str = "") -> Iterator[tuple[str, Number]]:
    """(name, number) of every number that was recorded with `low` and `high`, however deep.

    A list's entries are named by their `label` or `claim` where that is unambiguous, else by their position.
    """
    if isinstance(value, Mapping):
        found = next((name for name in VALUES if name in value), None)
        if found and {"low", "high"} <= value.keys():
            yield place, Number(value[found], value["low"], value["high"], value.get("replicates"))
        for name, inner in value.items():
            yield from numbers(inner, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list):
        labels = [_label(inner) for inner in value]
        for i, inner in enumerate(value):
            label = labels[i] if labels[i] is not None and labels.count(labels[i]) == 1 else str(i)
            yield from numbers(inner, f"{place}[{label}]")


def _label(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return None
    parts = [value[name] for name in ("group", "label", "claim") if isinstance(value.get(name), str)]
    return "/".join(parts) or None


def _row(notebook: str, result: str, here: Number | None, reference: Number | None) -> Row:
    ours, theirs = here or Number(None, None, None, None), reference or Number(None, None, None, None)
    inside = overlap = None
    if reference is None:
        note = "not in the reference"
    elif here is None:
        note = "not here"
    elif ours.value is None:
        note = "no value here"
    elif not theirs.has_interval:
        note = "no interval in the reference"
    else:
        note, inside = "", theirs.low <= ours.value <= theirs.high
    if ours.has_interval and theirs.has_interval:
        overlap = ours.low <= theirs.high and theirs.low <= ours.high
    side = lambda number: (number.value, number.low, number.high, number.replicates)  # noqa: E731
    return Row(notebook, result, *side(ours), *side(theirs), inside, overlap, note)


def read_results(folder: Path) -> dict[str, Any]:
    """{notebook: recorded results} of a results folder. CompareError names what is missing or unreadable."""
    if not folder.is_dir():
        raise CompareError(f"{paths.shown(folder)}: no such folder; make reproduce writes outputs/<profile>/results/")
    found = {path.stem: _read(path) for path in sorted(folder.glob("*.json"))}
    if not found:
        raise CompareError(
            f"{paths.shown(folder)}: no results in it; allowed: <notebook>.json, as notebooks write them"
        )
    return found


def _read(path: Path) -> Any:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CompareError(f"{paths.shown(path)}: cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise CompareError(
            f"{paths.shown(path)}: holds a {type(value).__name__}; allowed: one object of results by name"
        )
    return value


def to_csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    names = [field.name for field in fields(Row)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([getattr(row, name) for name in names] for row in rows)
    return text.getvalue()


def to_text(rows: Sequence[Row]) -> str:
    """The table for a terminal, and a count below it."""
    head = ["notebook", "result", "here", "reference", "interval", "replicates", "inside", "overlap"]
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    right = {2, 3, 5}
    shown = [
        "  ".join(c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    ]
    judged = [row for row in rows if row.inside is not None]
    inside, overlapping = sum(row.inside for row in judged), [row.overlap for row in rows if row.overlap is not None]
    count = f"{inside} of {len(judged)} inside the reference's interval; "
    count += f"{sum(overlapping)} of {len(overlapping)} intervals overlap"
    count += f"; {len(rows) - len(judged)} not compared" if len(judged) < len(rows) else ""
    count += (
        "\n(of two equally precise studies, the second's estimate is inside the first's 95 % interval in about 83 %)"
    )
    return "\n".join([*(line.rstrip() for line in shown), "", count])


def _cells(row: Row) -> list[str]:
    interval = "–"
    if row.reference_low is not None and row.reference_high is not None:
        interval = f"{_signed(row.reference_low)} to {_signed(row.reference_high)}"
    counts = [row.here_replicates, row.reference_replicates]
    replicates = "–" if counts == [None, None] else " / ".join("–" if n is None else str(n) for n in counts)
    inside = row.note if row.inside is None else _yes(row.inside)
    overlap = "–" if row.overlap is None else _yes(row.overlap)
    return [row.notebook, row.result, _signed(row.here), _signed(row.reference), interval, replicates, inside, overlap]


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ifpref.publish.compare", description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="outputs/<name>/results of the run")
    parser.add_argument("reference", type=Path, nargs="?", help="default: outputs/reference/results")
    options = parser.parse_args(arguments)
    reference_folder = options.reference or paths.reference_folder() / "results"
    try:
        here, reference = read_results(options.results), read_results(reference_folder)
    except CompareError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    rows = compare(here, reference)
    path = options.results.resolve().with_name("comparison.csv")
    files.replace(path, to_csv(rows).encode())
    print(to_text(rows))
    print(f"all digits: {paths.shown(path)}")
    missing = [options.results / f"{notebook}.json" for notebook in reference if notebook not in here]
    for file in missing:
        print(f"error: {paths.shown(file)}: not there; the reference has it", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
