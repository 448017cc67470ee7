"""What figures read: plain rows or a pandas frame; numbers that may be missing; one mark with its interval.

    records(frame_or_rows, "forest", "label", "estimate")    # a list of dicts, with these keys, and not empty
    number({"low": None}, "low")                             # nan, as for NaN and for a key that is not there

pandas is not imported: what has `to_dict` is asked for its records.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.text import Annotation

from ifpref.figures.style import FAINT, INK, SMALL

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


def has_interval(row: Row, key: str = "") -> bool:
    """Whether both bounds are finite numbers; `key` stands before their names ("greedy" for greedy_low)."""
    before = f"{key}_" if key else ""
    return all(math.isfinite(number(row, before + bound)) for bound in ("low", "high"))


def short_reason(row: Row) -> str:
    """Why there is no interval, without what follows a colon: "no variation: every difference is the same" is long."""
    return text(row, "reason").partition(":")[0]


def signed(value: float, digits: int = 1) -> str:
    """+3.1, −0.4, 0.0: with a true minus, and no sign on what rounds to zero."""
    shown = f"{abs(value):.{digits}f}"
    if float(shown) == 0:
        return shown
    return ("+" if value > 0 else MINUS) + shown


def with_interval(row: Row, digits: int = 1) -> str:
    """ "+3.1 [+0.4, +5.8]", or the estimate alone."""
    estimate = number(row, "estimate")
    if not math.isfinite(estimate):
        return "none"
    if not has_interval(row):
        return signed(estimate, digits)
    low, high = (signed(number(row, bound), digits) for bound in ("low", "high"))
    return f"{signed(estimate, digits)} [{low}, {high}]"


def counted(row: Row, *keys: str) -> str:
    """ "10 × 1,024": the counts that the row has."""
    found = [number(row, key) for key in keys]
    return " × ".join(f"{int(value):,}" for value in found if math.isfinite(value))


def common(rows: Sequence[Row], *keys: str) -> str:
    """The counts, "10 replicates × 1,024 prompts", where all rows have the same; else empty."""
    same = {tuple(number(row, key) for key in keys) for row in rows}
    values = next(iter(same))
    if len(same) > 1 or not all(map(math.isfinite, values)):
        return ""
    return " × ".join(
        f"{int(value):,} {key if value != 1 else key[:-1]}" for key, value in zip(keys, values, strict=True)
    )


def mark(
    axes: Axes,
    row: Row,
    place: float,
    *,
    colour: str = INK,
    marker: str = "o",
    upright: bool = False,
    say: bool = True,
    size: float = 6,
    most: float = math.inf,
) -> Annotation | None:
    """One estimate with its interval: along x at the height `place`, or, upright, along y at `place` of x.

    Without an interval the marker is open and the row's `reason` stands beside it; without an estimate, the reason
    stands alone, at 0. `say=False` where a legend says the reason. `size` of the
    marker in points. Returns the reason as it was written, for `inwards`.

    most  what a value can be at most, in size: an interval that goes on ends there, with an arrow
    """
    estimate, low, high = (number(row, key) for key in ("estimate", "low", "high"))
    known = math.isfinite(estimate)
    if known and has_interval(row):
        ends = max(low, -max(most, -estimate)), min(high, max(most, estimate))
        for end, bound, arrow in zip(ends, (low, high), "v^" if upright else "<>", strict=True):
            if end != bound:
                spot = (place, end) if upright else (end, place)
                axes.plot(*spot, arrow, color=colour, ms=5, clip_on=False)
        error = [[estimate - ends[0]], [ends[1] - estimate]]
        spot, side = ((place, estimate), {"yerr": error}) if upright else ((estimate, place), {"xerr": error})
        axes.errorbar(*spot, **side, fmt=marker, color=colour, ecolor=colour, elinewidth=1.5, capsize=2.5, ms=size)
        return None
    spot = (estimate if known else 0.0, place)
    spot = spot[::-1] if upright else spot
    if known:
        axes.plot(*spot, marker, mfc="white", mec=colour, mew=1.4, ms=size)
    if not say:
        return None
    reason = short_reason(row) or ("no interval" if known else "no estimate")
    offset = {"xytext": (0, 7), "ha": "center"} if upright else {"xytext": (7 if known else 0, 0), "va": "center"}
    style = {"textcoords": "offset points", "fontsize": SMALL, "color": FAINT, "style": "italic"}
    return axes.annotate(reason, spot, **style, **offset)


def inwards(axes: Axes, reasons: Iterable[Annotation | None]) -> None:
    """Turn the reasons of marks in the right half to the left, once the limits of the axis are known."""
    middle = sum(axes.get_xlim()) / 2
    for reason in reasons:
        if reason and reason.xy[0] > middle:
            away, height = reason.get_position()
            reason.set(position=(-away, height), horizontalalignment="right")
