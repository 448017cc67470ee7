"""Small files of JSON in the store that processes share: checked when read, changed under a lock, replaced whole.

commits = Kept(store.root / "commits.json", dict[str, str], "an object, of each model@revision its commit")
with commits.changed() as known:
    known["owner/name@main"] = "5fd3..."
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_origin

from pydantic import TypeAdapter, ValidationError

from ifpref import paths
from ifpref.store import files

log = logging.getLogger(__name__)


class KeptError(ValueError):
    """A file that holds something else; the message names it, and says what is allowed."""


class Kept:
    """A list or a dict in a file; empty where there is no file.

    kind     what it is, for pydantic        allowed  the same in words
    without  what comes of it when the file is gone, in words, where that does no harm: a damaged file is then moved
             aside; else it is a `KeptError`
    """

    def __init__(self, file: Path, kind: Any, allowed: str, without: str = "") -> None:
        self.file, self.allowed, self.without = file, allowed, without
        self.kind = TypeAdapter(kind)
        self.empty = get_origin(kind)

    def read(self) -> Any:
        try:
            return self.kind.validate_json(files.read(self.file))
        except FileNotFoundError:
            return self.empty()
        except (ValueError, OSError) as error:
            found = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
            said = f"{paths.shown(self.file)}: {found}; allowed: {self.allowed}"
            if not self.without:
                raise KeptError(said) from None
        aside = self.file.with_name(f"{self.file.name}.damaged")
        with contextlib.suppress(FileNotFoundError):  # another worker was faster
            files.discard(aside)
            self.file.rename(aside)
            log.warning("%s; moved to %s, %s", said, aside.name, self.without)
        return self.empty()

    @contextlib.contextmanager
    def changed(self) -> Iterator[Any]:
        """What it holds, to be changed in place while no other process does; written if it was."""
        with files.lock(self.file.with_name(f"{self.file.name}.lock")):
            value = self.read()
            before = self.kind.dump_json(value)
            yield value
            if self.kind.dump_json(value) != before:
                files.replace(self.file, self.kind.dump_json(value, indent=1) + b"\n")
