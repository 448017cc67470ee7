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
- Exit code 1, and the file's name, only where a results file is missing, cannot be read, or holds text for a number.
- The table is also written as comparison.csv beside the results folder, with all digits.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ifpref import paths
from ifpref.command import command, parser_of
from ifpref.store import files

VALUES = ("estimate", "share")
EXPECTED = "(of two equally precise studies, the second's estimate is inside the first's 95 % interval in about 83 %)"


class CompareError(ValueError):
    """Results that are not there or cannot be read; the message names the file."""


@dataclass(frozen=True)
class Number:
    """A recorded number; low and high are None where it has no interval."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    replicates: int | None = None


NOTHING = Number()
Results = Mapping[str, Mapping[str, Number]]
"""Notebook -> name of a recorded number -> the number."""


def numbers(value: Any, place: str = "") -> Iterator[tuple[str, Number]]:
    """(name, number) of every number that was recorded with `low` and `high`, however deep.

    A list's entries are named by their `label` or `claim` where that is unambiguous, else by their position.
    CompareError for text, true, false or infinity in the place of a number.
    """
    if isinstance(value, Mapping):
        found = next((name for name in VALUES if name in value), None)
        if found and {"low", "high"} <= value.keys():
            yield place, Number(*(_number(value, name, place) for name in (found, "low", "high", "replicates")))
        for name, inner in value.items():
            yield from numbers(inner, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list):
        labels = [_label(inner) for inner in value]
        for i, inner in enumerate(value):
            label = labels[i] if labels[i] is not None and labels.count(labels[i]) == 1 else str(i)
            yield from numbers(inner, f"{place}[{label}]")


def _number(found: Mapping[str, Any], name: str, place: str) -> float | None:
    value = found.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < sys.float_info.max
    if value is None or (is_number and (name != "replicates" or value == int(value))):
        return value
    allowed = "a whole number" if name == "replicates" else "a finite number"
    raise CompareError(f"{place}.{name} is {value!r}; allowed: {allowed}, or null")


def _label(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return None
    parts = [value[name] for name in ("group", "label", "claim") if isinstance(value.get(name), str)]
    return "/".join(parts) or None


def compare(here: Results, reference: Results) -> pd.DataFrame:
    """One row a number, in the reference's order, then what is only here.

    Columns: notebook, result; here, reference (the values), each with _low, _high, _replicates;
    inside   the value lies in the reference's interval (its ends count)
    overlap  both intervals have a point in common
    note     why `inside` is missing
    """
    ours, theirs = (
        {(notebook, name): one for notebook, found in side.items() for name, one in found.items()}
        for side in (here, reference)
    )
    places = list(dict.fromkeys([*theirs, *ours]))
    rows = pd.DataFrame(places, columns=["notebook", "result"])
    for side, found in (("here", ours), ("reference", theirs)):
        of_side = [found.get(place, NOTHING) for place in places]
        rows[side] = pd.Series([one.value for one in of_side], dtype=float)
        rows[f"{side}_low"] = pd.Series([one.low for one in of_side], dtype=float)
        rows[f"{side}_high"] = pd.Series([one.high for one in of_side], dtype=float)
        rows[f"{side}_replicates"] = pd.Series([one.replicates for one in of_side], dtype="Int64")
    note = pd.Series("", rows.index)  # of several reasons the one that is written last stays
    note[rows[["reference_low", "reference_high"]].isna().any(axis=1)] = "no interval in the reference"
    note[rows["here"].isna()] = "no value here"
    note[[place not in ours for place in places]] = "not here"
    note[[place not in theirs for place in places]] = "not in the reference"
    ends = rows[["here_low", "here_high", "reference_low", "reference_high"]]
    overlap = (rows["here_low"] <= rows["reference_high"]) & (rows["reference_low"] <= rows["here_high"])
    rows["inside"] = rows["here"].between(rows["reference_low"], rows["reference_high"]).astype("boolean")[note == ""]
    rows["overlap"] = overlap.astype("boolean")[ends.notna().all(axis=1)]
    return rows.assign(note=note)


def read_results(folder: Path) -> dict[str, dict[str, Number]]:
    """The numbers of a results folder. CompareError names what is missing or unreadable."""
    if not folder.is_dir():
        raise CompareError(f"{paths.shown(folder)}: no such folder; make reproduce writes outputs/<profile>/results/")
    found = {path.stem: _read(path) for path in sorted(folder.glob("*.json"))}
    if not found:
        raise CompareError(
            f"{paths.shown(folder)}: no results in it; allowed: <notebook>.json, as notebooks write them"
        )
    return found


def _read(path: Path) -> dict[str, Number]:
    try:
        value = json.loads(path.read_bytes())
        if not isinstance(value, dict):
            raise CompareError(f"holds a {type(value).__name__}; allowed: one object of results by name")
        return dict(numbers(value))
    except CompareError as error:
        raise CompareError(f"{paths.shown(path)}: {error}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise CompareError(f"{paths.shown(path)}: cannot be read: {error}") from None


def to_text(rows: pd.DataFrame) -> str:
    """The table for a terminal, and a count below it."""
    signed = rows.select_dtypes(float).map("{:+.2f}".format, na_action="ignore").astype("string")
    counts = rows[["here_replicates", "reference_replicates"]].astype("string")
    known = counts.fillna("–")
    both = (known["here_replicates"] + " / " + known["reference_replicates"]).where(counts.notna().any(axis=1))
    yes = rows[["inside", "overlap"]].astype("string").replace({"True": "yes", "False": "no"})
    shown = pd.DataFrame(
        {
            **rows[["notebook", "result"]],
            **signed[["here", "reference"]],
            "interval": signed["reference_low"] + " to " + signed["reference_high"],
            "replicates": both,
            "inside": yes["inside"].fillna(rows["note"]),
            "overlap": yes["overlap"],
        }
    ).fillna("–")
    table = [list(shown), *shown.to_numpy().tolist()]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    sides = [str.rjust if name in ("here", "reference", "replicates") else str.ljust for name in shown]
    lines = ["  ".join(side(*cell) for side, *cell in zip(sides, line, widths, strict=True)).rstrip() for line in table]
    inside, overlap = rows["inside"].dropna(), rows["overlap"].dropna()
    count = f"{inside.sum()} of {len(inside)} inside the reference's interval; "
    count += f"{overlap.sum()} of {len(overlap)} intervals overlap"
    count += f"; {len(rows) - len(inside)} not compared" if len(inside) < len(rows) else ""
    return "\n".join([*lines, "", count, EXPECTED])


@command(code=1)
def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of("ifpref.publish.compare", __doc__)
    parser.add_argument("results", type=Path, help="outputs/<name>/results of the run")
    parser.add_argument("reference", type=Path, nargs="?", help="default: outputs/reference/results")
    options = parser.parse_args(arguments)
    here = read_results(options.results)
    reference = read_results(options.reference or paths.reference_folder() / "results")
    rows = compare(here, reference)
    path = options.results.resolve().with_name("comparison.csv")
    print(to_text(rows))
    files.replace(path, rows.to_csv(index=False, lineterminator="\n").encode())
    print(f"all digits: {paths.shown(path)}")
    missing = [options.results / f"{notebook}.json" for notebook in reference.keys() - here.keys()]
    for file in sorted(missing):
        print(f"error: {paths.shown(file)}: not there; the reference has it", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
