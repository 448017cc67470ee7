"""stages.lock: of each stage its version, and the hash of the code that it runs.

    responses 1 3f0c9a51d2e84b76

    python -m ifpref.pipeline.lock             # write it anew: the results of what was changed are the same
    python -m ifpref.pipeline.lock --check     # what does not agree with it; exits 1

Where the code of a stage is the locked one, its keys hold the version alone: code that is moved or tidied keeps what
was made. Where it is not (a reader's tweak, work under way), they hold the hash of the code too, so that a tweak is
never answered from results of other code. A test refuses a lock that does not agree: whoever changes a stage raises
its `version` (its results change) or renews the lock alone (they do not), in a diff that a reviewer sees.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from ifpref.pipeline.stage import Stage
from ifpref.store import StoreError
from ifpref.store.code import definition_hash

FILE = Path(__file__).with_name("stages.lock")
Lock = dict[str, tuple[int, str]]


@cache
def code_key(stage: type[Stage]) -> dict[str, int | str]:
    """What stands for the code of a stage in its keys."""
    digest = code_hash(stage)
    if read_lock(FILE).get(stage.name) == (stage.version, digest):
        return {"version": stage.version}
    return {"version": stage.version, "code": digest}


def code_hash(stage: type[Stage]) -> str:
    """Of `make`, and of all of our code that it runs."""
    return definition_hash(stage.__module__, f"{stage.__name__}.make")


@cache
def read_lock(file: Path) -> Lock:
    """StoreError for a file that is not there, or that holds a line of another form, or a stage twice."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise StoreError(f"{file}: cannot be read: {error}; `make lock` writes it anew") from None
    found: Lock = {}
    for number, line in enumerate(lines, 1):
        whole = re.fullmatch(r"(\w+) (\d+) ([0-9a-f]{16})", line)
        if whole and whole[1] not in found:
            found[whole[1]] = (int(whole[2]), whole[3])
        elif line and not line.startswith("#"):
            raise StoreError(
                f"{file}: line {number}: {line!r}; allowed: a stage, its version and 16 hex digits, each stage once; "
                "`make lock` writes it anew"
            )
    return found


def disagreements(stages: Iterable[type[Stage]], locked: Lock) -> list[str]:
    """In words, what of the lock is not as the code is."""
    here = {stage.name: (stage.version, code_hash(stage)) for stage in stages}
    found = []
    for name, (version, digest) in here.items():
        if name not in locked:
            found.append(f"{name}: not in the lock")
        elif locked[name][0] != version:
            found.append(f"{name}: version {version}, and {locked[name][0]} in the lock")
        elif locked[name][1] != digest:
            found.append(f"{name}: its code has changed; raise its version where its results change")
    return found + [f"{name}: no such stage" for name in sorted(locked.keys() - here.keys())]


def main(arguments: list[str] | None = None) -> int:
    from ifpref.pipeline.pipeline import NESTED, STAGES

    parser = argparse.ArgumentParser(prog="python -m ifpref.pipeline.lock", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="say what does not agree, and change nothing")
    options = parser.parse_args(arguments)
    stages = sorted((*STAGES, *NESTED), key=lambda stage: stage.name)
    if options.check:
        found = disagreements(stages, read_lock(FILE))
        print("\n".join([*found, "then: make lock"] if found else ["stages.lock agrees with the code"]))
        return 1 if found else 0
    lines = ["# Of each stage its version, and the hash of the code that it runs: lock.py. `make lock` writes it."]
    lines += [f"{stage.name} {stage.version} {code_hash(stage)}" for stage in stages]
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{FILE.name}: {len(stages)} stages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
