"""Profiles: the YAML files of params/ as they are written, found by name and read with care.

    read_yaml(file_of("pocket"))      # {"seed": "0", "model": "pocket", "revision": None, ...}

YAML is read with care: of its guesses only true, false and null are kept, since 0123456 may be a commit and 5e-4 a
number. Keys twice, aliases and nested values are refused, and large files, before they can take time.
"""

import difflib
import re
import reprlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ifpref import paths

MAX_BYTES = 50_000
"""Of a profile: ours have 7,000."""


class ParamsError(ValueError):
    """A parameter that cannot be used; the message names file, key, value and what is allowed."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: the message, without forty lines of code that the reader did not write."""
        return [f"{type(self).__name__}: {self}"]


def profiles() -> list[str]:
    """The names of params/*.yaml."""
    return sorted(path.stem for path in paths.params_folder().glob("*.yaml"))


def profile_name(profile: str | Path, /) -> str:
    """What a profile is called in outputs/: 'pocket', or a YAML file's name without its ending.

    ParamsError where that cannot be a folder, or is the name of another profile in params/.
    """
    file = file_of(profile)
    ours, source = paths.params_folder() / f"{file.stem}.yaml", paths.shown(file)
    if not paths.is_profile_name(file.stem):
        raise ParamsError(f"{source}: {file.stem!r} cannot name the folder of its results; {paths.PROFILE_NAMES}")
    if ours.is_file() and not ours.samefile(file) and ours.read_bytes() != file.read_bytes():
        raise ParamsError(f"{source}: {paths.shown(ours)} is another profile of this name; allowed: another file name")
    return file.stem


def file_of(profile: str | Path, beside: Path = Path(), source: str = "") -> Path:
    """'pocket' -> params/pocket.yaml; a Path, or text with a suffix or a folder, is a file."""
    text = str(profile)
    is_file = isinstance(profile, Path) or text.endswith((".yaml", ".yml")) or Path(text).name != text
    path = beside / text if is_file else paths.params_folder() / f"{text}.yaml"
    try:
        found = path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        found = False
    if not found:
        allowed = f"a YAML file, or one of the profiles {', '.join(profiles())}"
        raise ParamsError(f"{source}{paths.shown(path)}: no such file{nearest(text, profiles())}; allowed: {allowed}")
    return path


def nearest(value: object, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the known one that is closest, or nothing where none is close or it is no text."""
    near = difflib.get_close_matches(value[:100], known, n=1) if isinstance(value, str) else []
    return f" (did you mean {near[0]!r}?)" if near else ""


def read_yaml(path: Path) -> dict[str, Any]:
    source = paths.shown(path)
    try:
        text = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError as error:
        raise ParamsError(f"{source}: cannot be read ({error.strerror}); allowed: a file that you may read") from None
    values = f"more than {MAX_BYTES:,} bytes" if text is None else parse_yaml(text, source)
    if not isinstance(values, dict):
        raise ParamsError(f"{source}: holds {shown(values)}; allowed: one 'key: value' a line")
    return values


_PLAIN = {"": None, "~": None, "null": None, "true": True, "false": False}


def parse_yaml(text: str | bytes, source: str) -> Any:
    """What YAML says, of little: text, true, false, null, and lists and mappings of them. A number stays text."""
    import yaml  # takes as long as all of the package without it

    seen: set[int] = set()

    def value(node: yaml.Node, depth: int = 0) -> Any:
        if id(node) in seen:
            raise ParamsError(f"{source}: holds an alias (* or &); allowed: each value written out")
        if depth > 2 or not node.tag.endswith((":str", ":seq", ":map")):
            what = "a list in a list" if depth > 2 else node.tag
            raise ParamsError(f"{source}: holds {what} in line {node.start_mark.line + 1}; allowed: 'key: value'")
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            return _PLAIN.get(node.value.lower(), node.value) if node.style is None else node.value
        if isinstance(node, yaml.SequenceNode):
            return [value(inner, depth + 1) for inner in node.value]
        mapping: dict[Any, Any] = {}
        for name_node, inner in node.value:
            if (name := name_node.value if isinstance(name_node, yaml.ScalarNode) else None) in mapping:
                raise ParamsError(f"{source}: key {name!r} is given twice; allowed: once")
            mapping[name] = value(inner, depth + 1)
        return mapping

    try:
        node = yaml.compose(text, yaml.BaseLoader)
        return None if node is None else value(node)
    except (yaml.YAMLError, RecursionError) as error:
        raise ParamsError(f"{source}: not YAML: {' '.join(str(error).split())}; allowed: 'key: value'") from None


def shown(value: Any) -> str:
    """A value as messages show it: short, and without the password of an address."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 200
    short.maxlevel, short.maxlist = 3, 20
    try:
        return re.sub(r"//.*@", "//...@", short.repr(value))
    except ValueError:  # a whole number of more than 4,300 digits
        return f"a very long {type(value).__name__}"
