"""Where the results of a notebook go: figures, tables and recorded numbers, by the name of the study.

    report = Report("prefix", study.name)
    report.figure(figures.forest(rows), "effects")     # outputs/<name>/figures/prefix-effects.png and .svg
    report.table(rows, "effects", caption="Gains")     # outputs/<name>/tables/prefix-effects.csv
    report.record("c1", effect)                        # outputs/<name>/results/prefix.json

Decisions
- Files hold full precision, screens a few digits: the CSV reads back as the numbers it was written from.
- `record` writes at once, under another name that is then renamed: a notebook that stops half-way leaves what it had
  recorded, and the same values give the same bytes. A new `Report` begins anew: results are those of one run.
- JSON has no NaN: it is null, as in `Effect.to_dict`. Infinity, and whatever is no number, text, list or dict, raises.
- What a table shows is data, such as a prompt that holds `<script>` or `$5`: it is text, never markup or a formula.

A results file, shortened:

    {"c1": {"estimate": 1.62, "high": 2.9, "low": 0.34, "replicates": 10, "verdict": "supported"}}
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from pandas.api.types import is_bool_dtype, is_float_dtype, is_integer_dtype
from pandas.io.formats.style import Styler

from ifpref import figures, paths
from ifpref.fingerprint import plain
from ifpref.store import files

TABLE = 'class="tex2jax_ignore mathjax_ignore" style="font-variant-numeric: tabular-nums"'
"""Attributes of a table: figures of one width, and no `$...$` that Jupyter's MathJax would read as a formula."""


class Report:
    """The results of one notebook in one study: `Report("prefix", study.name)`.

    ValueError for a name that cannot be part of a file's.
    """

    def __init__(self, notebook: str, name: str) -> None:
        self.notebook = _checked(notebook, "notebook")
        self.folder = paths.outputs_folder(name)
        self.results: dict[str, Any] = {}

    def figure(self, figure: Figure, name: str) -> Figure:
        """Save as PNG and SVG, and give the figure back: a cell that ends in this call shows it, once."""
        figures.save(figure, self._made("figures"), f"{self.notebook}-{_checked(name, 'figure')}")
        plt.close(figure)  # the inline backend shows what is open when a cell ends: it would be there twice
        return figure

    def table(
        self, rows: pd.DataFrame | Iterable[Mapping[str, Any]], name: str, *, caption: str | None = None
    ) -> Styler:
        """Save as CSV, and give it back for the screen: see `calm`. An unnamed index of 0, 1, 2, ... is left out."""
        path = self._made("tables") / f"{self.notebook}-{_checked(name, 'table')}.csv"
        frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
        text = frame.to_csv(index=not _is_plain(frame.index), lineterminator="\n")
        files.replace(path, text.encode(errors="surrogatepass"))
        return calm(frame, caption=caption, uuid=path.stem)

    def record(self, name: str, value: Any) -> None:
        """Keep a value (numbers, text, lists, dicts, `Effect`s) under `name`; a second one replaces the first.

        ValueError for an infinite number, and for what JSON does not have, with its place.
        """
        self.results[_checked(name, "record")] = plain(value, f"{self.notebook}.{name}", _as_json)
        file = self._made("results") / f"{self.notebook}.json"
        files.replace(file, files.json_line(dict(sorted(self.results.items())), indent=1))

    def _made(self, kind: str) -> Path:
        folder = self.folder / kind
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def calm(frame: pd.DataFrame, *, caption: str | None = None, uuid: str = "table") -> Styler:
    """A frame for the screen: as many decimals as each column needs, text on the left, a dash for what is missing.

    uuid  names the table in its HTML, so that the same table is the same text; pandas draws one at random
    """
    shown = frame.rename(index=_as_text, columns=_as_text).rename_axis(index=_as_text, columns=_as_text)
    styler = shown.style.set_uuid(uuid).set_table_attributes(TABLE)
    for number, name in enumerate(shown.columns):
        column = frame.iloc[:, number]
        if is_float_dtype(column):
            text = _number_format(column.abs().max(), column)
        elif is_integer_dtype(column) and not is_bool_dtype(column):
            text = "{:,}"
        else:
            text = _as_text
            styler = styler.set_properties(subset=[name], **{"text-align": "left", "white-space": "pre-wrap"})
            headers = {name: [{"selector": "th", "props": "text-align: left"}]}  # Jupyter's own style has them right
            styler = styler.set_table_styles(headers, overwrite=False)
        styler = styler.format(text, subset=[name], na_rep="–")
    if _is_plain(frame.index):
        styler = styler.hide(axis="index")
    return styler if caption is None else styler.set_caption(escape(caption))


def _as_text(value: Any) -> Any:
    """A value or a name as HTML shows it; None (no name) stays."""
    return None if value is None else escape(str(value))


def _number_format(largest: float, column: pd.Series) -> Any:
    """Three digits of a column's largest number, and `<0.001` for what would read as 0 but is not."""
    if not 1e-3 <= largest < 1e9:  # also NaN, and a column of zeros
        return "{:.3g}"
    decimals = min(4, max(0, 2 - math.floor(math.log10(largest))))
    if (column.dropna() % 1 == 0).all():
        decimals = 0
    least = 10**-decimals

    def shown(value: float) -> str:
        if 0 < abs(value) < least / 2:
            return escape(f"<{least:.{decimals}f}" if value > 0 else f">-{least:.{decimals}f}")
        return f"{value:,.{decimals}f}"

    return shown


def _is_plain(index: pd.Index) -> bool:
    return isinstance(index, pd.RangeIndex) and index.name is None


def _checked(name: str, what: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ValueError(f"{what} {name!r}: allowed are letters, digits, '_' and '-'")
    return name


def _as_json(value: Any) -> Any:
    """NumPy's numbers and arrays have `tolist`, results of statistics `to_dict`. NaN is null."""
    for name in ("to_dict", "tolist"):
        value = getattr(value, name)() if hasattr(value, name) else value
    return None if isinstance(value, float) and math.isnan(value) else value
