"""Tables of text, as data files: what texts are about, the words and patterns they are made of, numbers to ask for.

    read_lines("open/rules.txt")                  # ("Please keep to these rules:", "Some requirements:", ...)
    read_sections("open/sentences.txt")["noun"]   # ("The {about} came first, ...", ...)
    read_yaml("pocket/words.yaml")["moods"]       # ["brave", "cheerful", ...]

A `.txt` file has one row a line, and sections under headings such as `[noun]`; blank lines and lines that begin with
`#` are no rows, and a row keeps its leading blanks. A folder stands for the package that uses it: `open/` and `pocket/`
for the two domains of prompts. Whoever reads a file names it by a string constant, so that the code which depends on a
table can be found by looking. Everything is read once; what is given back is shared and must not be changed.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any


def read_lines(name: str) -> tuple[str, ...]:
    """The rows of a text file without sections."""
    return read_sections(name)[""]


@cache
def read_sections(name: str) -> Mapping[str, tuple[str, ...]]:
    """The rows of a text file by heading, in the file's order; rows before the first heading are under ""."""
    rows: dict[str, list[str]] = {}
    heading = ""
    for line in _read(name).splitlines():
        if found := re.fullmatch(r"\[(.+)\]", line):
            heading = found[1]
            if heading in rows:
                raise ValueError(f"ifpref/data/{name}: the heading [{heading}] stands there twice")
            rows[heading] = []
        elif line.strip() and not line.startswith("#"):
            rows.setdefault(heading, []).append(line)
    return MappingProxyType({heading: tuple(lines) for heading, lines in rows.items()})


@cache
def read_yaml(name: str) -> dict[str, Any]:
    """The table of a YAML file."""
    import yaml

    return yaml.safe_load(_read(name))


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
