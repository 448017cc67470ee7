"""One text, and one hash, for each value: what the keys of artefacts are made of.

fingerprint({"beta": 0.1}) == fingerprint({"beta": 1e-1})
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from ifpref.profiles import ParamsError


def fingerprint(value: Any) -> str:
    """sha256 (64 hex digits) of a JSON value or of parameters, whatever the key order, machine or Python."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """One text per value: keys sorted, ASCII, floats by repr, no blanks; tuples are lists. ParamsError of `plain`."""
    value = value.model_dump() if hasattr(value, "model_dump") else value
    return json.dumps(plain(value), separators=(",", ":"), allow_nan=False)


def plain(value: Any, place: str = "", read: Callable[[Any], Any] = lambda value: value) -> Any:
    """A value as JSON has it, keys sorted, each part of it as `read` gives it.

    ParamsError names the place of what JSON has no faithful text for: NaN, infinity, keys that are not text,
    objects.
    """
    value = read(value)
    if isinstance(value, Mapping):
        if wrong := [name for name in value if not isinstance(name, str)]:
            raise ParamsError(f"{place or 'value'}: key {wrong[0]!r} is no text; allowed: text")
        return {name: plain(value[name], f"{place}.{name}".lstrip("."), read) for name in sorted(value)}
    if isinstance(value, list | tuple):
        return [plain(inner, f"{place}[{i}]", read) for i, inner in enumerate(value)]
    if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ParamsError(f"{place or 'value'} = {value!r} is not kept; allowed: JSON values, finite numbers")
