"""What a value of a profile may be: the types of keys, and what reads them.

A value in a file comes as the text that was written, and these read it. What was meant is taken: 5.0 for a whole
number, NumPy's scalars, and of a float32 the decimal that was written (`np.float32(0.1)` is 0.1).
"""

from __future__ import annotations

import numbers
from pathlib import PurePath
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from ifpref.profiles import parse_yaml


def _number(value: Any) -> Any:
    """What pydantic reads as a number; nothing for what it would take for one: true, bytes, dates."""
    if isinstance(value, numbers.Real) and not isinstance(value, int | float):  # NumPy's
        value = int(value) if isinstance(value, numbers.Integral) else float(str(value))
    return value if isinstance(value, int | float | str) and not isinstance(value, bool) else None


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, str | PurePath) else value


def _line(value: str) -> str:
    if not value or value != value.strip() or not value.isprintable():
        raise ValueError("text on one line, without blanks at its ends")
    return value


def _list(value: Any) -> Any:
    value = parse_yaml(value, "a list") if isinstance(value, str) and value.startswith("[") else value
    return tuple(value) if isinstance(value, list) else value


T = TypeVar("T")
Number = Annotated[float, BeforeValidator(_number), AfterValidator(lambda value: float(value) + 0.0)]  # -0.0 is 0.0
Positive = Annotated[Number, Field(gt=0)]
Seed = Annotated[int, BeforeValidator(_number), Field(ge=0, le=2**63 - 1)]
Whole = Annotated[int, BeforeValidator(_number), Field(le=10_000_000)]
Flag = Annotated[bool, Strict()]
Text = Annotated[str, Strict(), BeforeValidator(_text)]
Line = Annotated[Text, AfterValidator(_line)]
NonEmpty = Annotated[Text, Field(pattern="(?s)^.+$")]
Name = Annotated[Text, Field(pattern="^[a-z_]+$")]
ConstraintId = Annotated[Text, Field(pattern="^[a-z_]+:[a-z_]+$")]
List = Annotated[tuple[T, ...], Strict(), BeforeValidator(_list)]
WORD = r"^\S+$"


def key(description: str, *, default: Any = ..., **limits: Any) -> Any:
    """One key of the schema: what it is for, and pydantic's limits of the value (`ge`, `gt`, `le`, `pattern`)."""
    return Field(default, description=description, **limits)
