"""What figures read: plain rows or a pandas frame; numbers that may be missing; numbers and counts as text.

records(frame_or_rows, "forest", "label", "estimate")    # a list of dicts, with these keys, and not empty
number({"low": None}, "low")                             # nan, as for NaN and for a key that is not there
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
MINUS = "\N{MINUS SIGN}"


def records(rows: Any, figure: str, *needed: str) -> list[Row]:
    """Rows as dicts. ValueError where there are none, or where a row lacks a key that the figure needs."""
    rows = rows.to_dict("records") if hasattr(rows, "to_dict") else list(rows)
    if not rows:
        raise ValueError(f"{figure}: no rows; needed: one or more with {', '.join(needed)}")
    for place, row in enumerate(rows):
        lacking = [key for key in needed if key not in row]
        if lacking:
            raise ValueError(
                f"{figure}: row {place} has no {', '.join(map(repr, lacking))}; "
                f"found: {', '.join(map(str, row))}; needed: {', '.join(needed)}"
            )
    return rows


def number(row: Row, key: str) -> float:
    """The value as a float; NaN where it is None or absent."""
    value = row.get(key)
    return math.nan if value is None else float(value)


def text(row: Row, key: str) -> str:
    """The value as text; empty where it is None, NaN or absent."""
    value = row.get(key)
    return "" if value is None or value != value else str(value)


def word(value: Any) -> str:
    """A level of a factor as an axis says it: "hard", "0.0025", "1,800"."""
    return value if isinstance(value, str) else f"{value:,g}"


def has_interval(row: Row) -> bool:
    """Whether both bounds are finite numbers."""
    return math.isfinite(number(row, "low")) and math.isfinite(number(row, "high"))


def no_interval(row: Row) -> str:
    """Why there is no interval, without what follows a colon: "no variation: every difference is the same" is long."""
    known = math.isfinite(number(row, "estimate"))
    return text(row, "reason").partition(":")[0] or ("no interval" if known else "no estimate")


def signed(value: float, digits: int = 1) -> str:
    """+3.1, −0.4, 0.0: with a true minus, and no sign on what rounds to zero."""
    shown = f"{abs(value):.{digits}f}"
    if float(shown) == 0:
        return shown
    return ("+" if value > 0 else MINUS) + shown


def bounds(row: Row, digits: int = 1) -> str:
    """ "[+0.4, +5.8]"."""
    return f"[{signed(number(row, 'low'), digits)}, {signed(number(row, 'high'), digits)}]"


def with_interval(row: Row, digits: int = 1) -> str:
    """ "+3.1 [+0.4, +5.8]", or the estimate alone."""
    estimate = number(row, "estimate")
    if not math.isfinite(estimate):
        return "none"
    return signed(estimate, digits) + (f" {bounds(row, digits)}" if has_interval(row) else "")


def digits(row: Row) -> str:
    """ "+3.1 [+0.4, +5.8]", or the estimate with the reason why there is no interval."""
    if has_interval(row):
        return with_interval(row)
    known = math.isfinite(number(row, "estimate"))
    return f"{with_interval(row)} ({no_interval(row)})" if known else no_interval(row)


def counted(row: Row, *keys: str) -> str:
    """ "10 × 1,024": the counts that the row has."""
    found = [number(row, key) for key in keys]
    return " × ".join(f"{int(value):,}" for value in found if math.isfinite(value))


def common(rows: Sequence[Row], *keys: str) -> str:
    """The counts, "10 replicates × 1,024 prompts", where all rows have the same; else empty."""
    first, *others = [tuple(number(row, key) for key in keys) for row in rows]
    if any(other != first for other in others) or not all(map(math.isfinite, first)):
        return ""
    return " × ".join(
        f"{int(value):,} {key if value != 1 else key[:-1]}" for key, value in zip(keys, first, strict=True)
    )
