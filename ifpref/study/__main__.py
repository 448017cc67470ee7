"""Computes what a study lacks.

    python -m ifpref.study pocket --only prefix --set "beta=0.05" --workers 2

Exits 1 where something failed (the rest is computed and kept), 2 where nothing could be begun, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys
import time

from ifpref.models import ModelError
from ifpref.params import ParamsError, parse_overrides
from ifpref.study.cells import NOTEBOOKS
from ifpref.study.study import Study, StudyError


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ifpref.study", description=__doc__.splitlines()[0])
    parser.add_argument("profile", help="a name in params/, or a YAML file")
    parser.add_argument("--only", choices=NOTEBOOKS, help="what one notebook needs")
    parser.add_argument("--set", default="", help="parameters, such as 'beta=0.05 seed=1'")
    parser.add_argument("--workers", type=int, help="processes (default: one for each GPU, or core; 0: this one)")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    try:
        study = Study(options.profile, **parse_overrides(options.set))
        failed = study.run(options.only, workers=options.workers)
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (ParamsError, ModelError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from what is done", file=sys.stderr)
        return 130
    if failed:
        print(f"study {study.name}: {len(failed)} artefacts failed; the same command tries them again", file=sys.stderr)
        return 1
    print(f"study {study.name}: everything is there ({time.monotonic() - start:.0f} s)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
