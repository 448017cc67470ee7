"""One pair, token by token: where the two sides part, and what training does to each token.

    log_ratios(["The", " river", ...], ["The", " stone", ...], chosen=[0.1, ...], rejected=[0.1, ...], shared=1)
    HTML(pair_html(prompt, chosen, rejected, shared_chars=24))

A log-ratio is log pi(token) - log pi_ref(token), in nats. In the difference of the two sums, which is what the DPO loss
sees (times beta), the tokens of a shared prefix cancel.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from matplotlib.axes import Axes

from ifpref.figures.rows import MINUS, signed
from ifpref.figures.search import CHOSEN, REJECTED
from ifpref.figures.style import FAINT, INK, WIDTH, ZERO, Figure, finish, use_style

_READABLE = 72
"""Tokens that can be named along the axis; of longer responses the places are numbered."""


@use_style()
def log_ratios(
    tokens_chosen: Sequence[str],
    tokens_rejected: Sequence[str],
    chosen: Sequence[float],
    rejected: Sequence[float],
    shared: int,
    *,
    title: str | None = None,
) -> Figure:
    """The log-ratio of each token of a pair as bars, the shared prefix shaded, and their running sums below.

    tokens_chosen, tokens_rejected  texts of the tokens, (T_c,) and (T_r,)
    chosen, rejected                log-ratios, nats, (T_c,) and (T_r,)
    shared                          tokens that both sides begin with
    """
    tokens = {"chosen": list(tokens_chosen), "rejected": list(tokens_rejected)}
    ratios = {"chosen": list(chosen), "rejected": list(rejected)}
    for side in tokens:
        if not tokens[side] or len(tokens[side]) != len(ratios[side]):
            raise ValueError(
                f"log_ratios: {side} has {len(tokens[side])} tokens and {len(ratios[side])} log-ratios; needed: as "
                "many of each, one or more"
            )
    shortest, longest = sorted(map(len, tokens.values()))
    if not 0 <= shared <= shortest:
        raise ValueError(f"log_ratios: shared = {shared}; allowed: 0 to {shortest}, the tokens of the shorter side")
    figure = Figure(figsize=(WIDTH, 7.6 if longest <= _READABLE else 6.0))
    *bars, last = figure.subplots(3, 1, gridspec_kw={"height_ratios": (1, 1, 1.25)})
    bars[1].sharey(bars[0])
    colours = {"chosen": CHOSEN, "rejected": REJECTED}
    for axes, side in zip(bars, tokens, strict=True):
        axes.bar(range(len(ratios[side])), ratios[side], width=0.75, lw=0, color=colours[side])
        total = f"{side}: sum {signed(sum(ratios[side]), 2)} nats over {len(tokens[side])} tokens"
        axes.set_title(total, color=colours[side])
        axes.set_ylabel("log-ratio (nats)")
        if longest <= _READABLE:
            style = {"rotation": 90, "fontsize": 7 if longest <= 50 else 6}
            axes.set_xticks(range(len(tokens[side])), [_token(token) for token in tokens[side]], **style)
            axes.tick_params(axis="x", length=0)
    sums = {side: list(accumulate(ratios[side])) for side in ratios}
    for side, line in zip(sums, ("-", "--"), strict=True):
        _sums(last, side, sums[side], longest, color=colours[side], ls=line)
    held = [values + values[-1:] * (longest - len(values)) for values in sums.values()]  # the shorter stays as it ends
    difference = [a - b for a, b in zip(*held, strict=True)]
    _sums(last, f"chosen {MINUS} rejected", difference, longest, color=INK, ls=":")
    last.set(title="sums so far", xlabel="token of the response", ylabel="sum so far (nats)")
    last.legend(loc="lower right", bbox_to_anchor=(1, 0.98), ncols=3)
    for axes in (*bars, last):
        if shared:
            axes.axvspan(-0.5, shared - 0.5, color="#efefef", zorder=0)
            axes.axvline(shared - 0.5, color=FAINT, lw=0.8, ls="--", zorder=0.5)
        axes.axhline(0, **ZERO)
        axes.set_xlim(-0.7, longest - 0.3)
    count = f"; shaded: {shared} shared token{'s' * (shared > 1)}" if shared else "; no shared tokens"
    return finish(figure, (title or "Log-ratio of each token, policy to reference") + count)


def pair_html(prompt: str, chosen: str, rejected: str, shared_chars: int) -> str:
    """A block of HTML: the prompt, then both responses side by side, what they share marked in each.

    shared_chars  characters that both begin with. ValueError where they differ earlier.
    """
    shared = chosen[:shared_chars]
    if shared_chars < 0 or len(shared) < shared_chars or rejected[:shared_chars] != shared:
        raise ValueError(
            f"pair_html: shared_chars = {shared_chars}, but chosen begins {chosen[:shared_chars]!r} and rejected "
            f"{rejected[:shared_chars]!r}; allowed: a number of characters that both begin with"
        )
    cells = "".join(
        f'<div style="flex:1;min-width:0;border-left:3px {line} {colour};padding-left:.7em">'
        f'<div style="font-weight:bold;color:{colour}">{side}</div>{_marked(shared)}{html.escape(rest)}</div>'
        for side, rest, colour, line in (
            ("chosen", chosen[shared_chars:], CHOSEN, "solid"),
            ("rejected", rejected[shared_chars:], REJECTED, "dashed"),
        )
    )
    return (
        '<div style="max-width:62em;line-height:1.45">'
        f'<div style="white-space:pre-wrap;margin-bottom:.8em"><b>prompt</b><br>{html.escape(prompt)}</div>'
        f'<div style="display:flex;gap:1.4em;white-space:pre-wrap">{cells}</div>'
        f'<div style="font-size:85%;opacity:.75;margin-top:.6em">{_marked("marked")}: '
        f"the {shared_chars} characters that both begin with</div></div>"
    )


# ---- the parts


def _marked(text: str) -> str:
    """Readable on light and dark pages, and, underlined, without colour."""
    style = "background:rgba(240,228,66,.35);text-decoration:underline dotted;color:inherit"
    return f'<mark style="{style}">{html.escape(text)}</mark>' if text else ""


def _token(text: str) -> str:
    """As a label: line ends visible, long ones cut, and no dollar that would be read as mathematics."""
    shown = text.strip() or {"\n": "\\n", "\n\n": "\\n\\n"}.get(text, repr(text)[1:-1] or "(end)")
    return (shown if len(shown) <= 14 else shown[:13] + "\N{HORIZONTAL ELLIPSIS}").replace("$", r"\$")


def _sums(axes: Axes, name: str, values: Sequence[float], longest: int, **style: Any) -> None:
    """Running sums, on to the right end as a thin line, with their last value as the name in the legend."""
    axes.plot(range(len(values)), values, lw=1.7, label=f"{name} {signed(values[-1], 2)}", **style)
    axes.plot([len(values) - 1, longest], [values[-1]] * 2, lw=0.7, marker="o", ms=4, markevery=[0], **style)
