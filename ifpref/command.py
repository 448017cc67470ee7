"""What the commands of the package share: errors without a traceback, and exit codes.

    @command(StoreError)
    def main(arguments: Sequence[str] | None = None) -> int:
        parser = parser_of("ifpref.publish.export", __doc__, study=True)
        ...

    error: outputs/pocket/results: no such folder; make reproduce writes outputs/<profile>/results/

What is wrong with what was asked (a ValueError, as `ParamsError`), with the disk (an OSError), or of a class that the
command names, is one line on stderr. Every other exception is a defect, and keeps its traceback.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import wraps

Main = Callable[[Sequence[str] | None], int]


def parser_of(module: str, doc: str, *, study: bool = False) -> argparse.ArgumentParser:
    """A parser that describes itself by the first line of the module's docstring.

    study  with the arguments of every command about one study: its profile, and `--set`
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=doc.splitlines()[0])
    if study:
        parser.add_argument("profile", help="a name in params/, or a YAML file")
        parser.add_argument("--set", default="", help="parameters, such as 'beta=0.05 seed=1'")
    return parser


def command(*expected: type[Exception], code: int = 2) -> Callable[[Main], Main]:
    """Makes a `main(arguments) -> exit code` one that says errors in a line: then the code is `code`; 130 on Ctrl-C.

    expected  errors to say so beside ValueError and OSError
    """

    def decorated(main: Main) -> Main:
        @wraps(main)
        def run(arguments: Sequence[str] | None = None) -> int:
            try:
                return main(arguments)
            except (ValueError, OSError, *expected) as error:
                print(f"error: {in_words(error)}", file=sys.stderr)
                return code
            except KeyboardInterrupt:
                print("\nstopped; the same command goes on from what is done", file=sys.stderr)
                return 130

        return run

    return decorated


def in_words(error: Exception) -> str:
    """What the error says; of an OSError its file and reason, without the number."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
