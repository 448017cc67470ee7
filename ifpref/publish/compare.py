"""A run held against the reference: is each recorded number inside the reference's interval?

    python -m ifpref.publish.compare pocket-full       # or the YAML file of a profile, or a folder of results
    python -m ifpref.publish.compare outputs/a/results outputs/b/results    # against others than the reference's

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
from pathlib import Path
from typing import Any

import pandas as pd

from ifpref import paths
from ifpref.command import command, parser_of
from ifpref.params import profile_name
from ifpref.store import files

VALUES = ("estimate", "share")
EXPECTED = "(of two equally precise studies, the second's estimate is inside the first's 95 % interval in about 83 %)"


class CompareError(ValueError):
    """Results that are not there or cannot be read; the message names the file."""


PARTS = ("value", "low", "high", "replicates")


def numbers(value: Any, place: str = "") -> Iterator[tuple[str, list[float | None]]]:
    """(name, `PARTS`) of every number that was recorded with `low` and `high`, however deep.

    A list's entries are named by their `label` or `claim` where that is unambiguous, else by their position.
    CompareError for text, true, false or infinity in the place of a number.
    """
    if isinstance(value, Mapping):
        found = next((name for name in VALUES if name in value), None)
        if found and {"low", "high"} <= value.keys():
            yield place, [_number(value, name, place) for name in (found, *PARTS[1:])]
        for name, inner in value.items():
            yield from numbers(inner, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list):
        labels = [_label(inner) for inner in value]
        for i, (label, inner) in enumerate(zip(labels, value, strict=True)):
            yield from numbers(inner, f"{place}[{label if label and labels.count(label) == 1 else i}]")


def _number(found: Mapping[str, Any], name: str, place: str) -> float | None:
    value, is_whole = found.get(name), name == "replicates"
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < sys.float_info.max
    if value is None or (is_number and not (is_whole and value % 1)):
        return value
    allowed = "a whole number" if is_whole else "a finite number"
    raise CompareError(f"{place}.{name} is {value!r}; allowed: {allowed}, or null")


def _label(value: Any) -> str:
    names = ("group", "label", "claim") if isinstance(value, Mapping) else ()
    return "/".join(value[name] for name in names if isinstance(value.get(name), str))


def as_table(results: Mapping[str, Any]) -> pd.DataFrame:
    """The numbers of {notebook: its results}: (notebook, result) -> `PARTS`."""
    found = {(notebook, name): one for notebook, value in results.items() for name, one in numbers(value)}
    index = pd.MultiIndex.from_tuples(found, names=["notebook", "result"])
    return pd.DataFrame(list(found.values()), index, PARTS, dtype=float).astype({"replicates": "Int64"})


def compare(here: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """One row a number, in the reference's order, then what is only here.

    Columns: notebook, result; here, reference (the values), each with _low, _high, _replicates;
    inside   the value lies in the reference's interval (its ends count)
    overlap  both intervals have a point in common
    note     why `inside` is missing
    """
    places = reference.index.append(here.index.difference(reference.index, sort=False))
    sides = {"here": here, "reference": reference}
    rows = pd.concat({side: found.reindex(places) for side, found in sides.items()}, axis="columns")
    rows.columns = [side if part == "value" else f"{side}_{part}" for side, part in rows.columns]
    note = pd.Series("", places)  # of several reasons the one that is written last stays
    note[rows[["reference_low", "reference_high"]].isna().any(axis=1)] = "no interval in the reference"
    note[rows["here"].isna()] = "no value here"
    note[~places.isin(here.index)] = "not here"
    note[~places.isin(reference.index)] = "not in the reference"
    ends = rows[["here_low", "here_high", "reference_low", "reference_high"]]
    overlap = (rows["here_low"] <= rows["reference_high"]) & (rows["reference_low"] <= rows["here_high"])
    rows["inside"] = rows["here"].between(rows["reference_low"], rows["reference_high"]).astype("boolean")[note == ""]
    rows["overlap"] = overlap.astype("boolean")[ends.notna().all(axis=1)]
    return rows.assign(note=note).reset_index()


def read_results(folder: Path) -> dict[str, Any]:
    """What each notebook has recorded, by its name. CompareError names what is missing or unreadable."""
    found = {path.stem: _read(path) for path in sorted(folder.glob("*.json"))}
    if not found:
        what = "no results in it" if folder.is_dir() else "no such folder"
        raise CompareError(f"{paths.shown(folder)}: {what}; notebooks write <notebook>.json there: make reproduce")
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
        if not isinstance(value, dict):
            raise CompareError(f"holds a {type(value).__name__}; allowed: one object of results by name")
        list(numbers(value))  # which raises for what is none
        return value
    except CompareError as error:
        raise CompareError(f"{paths.shown(path)}: {error}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise CompareError(f"{paths.shown(path)}: cannot be read: {error}") from None


def to_text(rows: pd.DataFrame) -> str:
    """The table for a terminal, and a count below it."""
    signed = rows.select_dtypes(float).map("{:+.2f}".format, na_action="ignore").astype("string")
    counts = rows[["here_replicates", "reference_replicates"]].astype("string").fillna("–")
    yes = rows[["inside", "overlap"]].astype("string").replace({"True": "yes", "False": "no"})
    shown = rows[["notebook", "result"]].assign(
        here=signed["here"],
        reference=signed["reference"],
        interval=signed["reference_low"] + " to " + signed["reference_high"],
        replicates=counts["here_replicates"] + " / " + counts["reference_replicates"],
        inside=yes["inside"].fillna(rows["note"]),
        overlap=yes["overlap"],
    )
    text = shown.fillna("–").to_string(index=False, justify="left")
    inside, overlap = rows["inside"].dropna(), rows["overlap"].dropna()
    count = f"{inside.sum()} of {len(inside)} inside the reference's interval; "
    count += f"{overlap.sum()} of {len(overlap)} intervals overlap"
    count += f"; {len(rows) - len(inside)} not compared" if len(inside) < len(rows) else ""
    return "\n".join([text, "", count, EXPECTED])


def results_folder(named: str) -> Path:
    """Of a study, by its name in outputs/, or by the YAML file of its profile; a folder as it is."""
    if Path(named).is_dir():
        return Path(named)
    name = profile_name(named) if named.endswith((".yaml", ".yml")) else named
    return paths.outputs_folder(name) / "results" if paths.is_profile_name(name) else Path(named)


@command(code=1)
def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of("ifpref.publish.compare", __doc__)
    parser.add_argument("results", help="a folder of them, the name of a study in outputs/, or a YAML file")
    parser.add_argument("reference", type=Path, nargs="?", help="default: outputs/reference/results")
    options = parser.parse_args(arguments)
    folder = results_folder(options.results)
    here, reference = read_results(folder), read_results(options.reference or paths.reference_folder() / "results")
    rows = compare(as_table(here), as_table(reference))
    path = folder.resolve().with_name("comparison.csv")
    print(to_text(rows))
    files.replace(path, rows.to_csv(index=False, lineterminator="\n").encode())
    print(f"all digits: {paths.shown(path)}")
    missing = [folder / f"{notebook}.json" for notebook in reference.keys() - here.keys()]
    for file in sorted(missing):
        print(f"error: {paths.shown(file)}: not there; the reference has it", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
