"""One pair, token by token: where the two sides part, and what training does to each token.

    log_ratios(["The", " river", ...], ["The", " stone", ...], chosen=[0.1, ...], rejected=[0.1, ...], shared=1)
    HTML(pair_html(prompt, chosen, rejected, shared_chars=24))

A log-ratio is log pi(token) - log pi_ref(token), in nats. In the difference of the two sums, which is what the DPO loss
sees (times beta), the tokens of a shared prefix cancel.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import accumulate, pairwise

from matplotlib.axes import Axes

from ifpref.figures.rows import signed
from ifpref.figures.search import CHOSEN, REJECTED
from ifpref.figures.style import FAINT, INK, SMALL, WIDTH, Figure, finish, use_style, zero_line

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
    sides = (("chosen", list(tokens_chosen), list(chosen)), ("rejected", list(tokens_rejected), list(rejected)))
    for side, tokens, ratios in sides:
        if not tokens or len(tokens) != len(ratios):
            raise ValueError(
                f"log_ratios: {side} has {len(tokens)} tokens and {len(ratios)} log-ratios; needed: as many of each, "
                "one or more"
            )
    shortest = min(len(tokens) for _, tokens, _ in sides)
    if not 0 <= shared <= shortest:
        raise ValueError(f"log_ratios: shared = {shared}; allowed: 0 to {shortest}, the tokens of the shorter side")
    longest = max(len(tokens) for _, tokens, _ in sides)
    named = longest <= _READABLE
    figure = Figure(figsize=(WIDTH, 7.6 if named else 6.0))
    axes_of = figure.subplots(3, 1, gridspec_kw={"height_ratios": (1, 1, 1.25)})
    low, high = min(0.0, *chosen, *rejected), max(0.0, *chosen, *rejected)
    room = 0.08 * (high - low or 1)
    for axes, (side, tokens, ratios), colour in zip(axes_of, sides, (CHOSEN, REJECTED), strict=False):
        _shade(axes, shared)
        hatch = "" if side == "chosen" else "////"
        axes.bar(range(len(ratios)), ratios, width=0.75, color=colour, hatch=hatch, edgecolor="white", lw=0.3)
        axes.set_ylim(low - room, high + room)
        axes.set_title(f"{side}: sum {signed(sum(ratios), 2)} nats over {len(tokens)} tokens", color=colour)
        axes.set_ylabel("log-ratio (nats)")
        if named:
            size = 7 if longest <= 50 else 6
            axes.set_xticks(range(len(tokens)), [_token(token) for token in tokens], rotation=90, fontsize=size)
            axes.tick_params(axis="x", length=0)
    last = axes_of[2]
    _shade(last, shared)
    sums = [list(accumulate(ratios)) for _, _, ratios in sides]
    held = [values + [values[-1]] * (longest - len(values)) for values in sums]  # the shorter side stays as it ends
    held.append([a - b for a, b in zip(*held, strict=True)])
    styles = ((CHOSEN, "-"), (REJECTED, (0, (4, 1.5))), (INK, (0, (1, 1))))
    names = ("chosen", "rejected", "chosen \N{MINUS SIGN} rejected")
    for values, (colour, line) in zip(held, styles, strict=True):
        last.plot(range(longest), values, color=colour, ls=line, lw=1.7)
    for values, (colour, _) in zip(sums, styles, strict=False):
        last.plot(len(values) - 1, values[-1], "o", color=colour, ms=4)
    heights = apart([values[-1] for values in held], 0.085 * (max(map(max, held)) - min(map(min, held))))
    for name, values, height, (colour, _) in zip(names, held, heights, styles, strict=True):
        last.text(longest, height, f"{name} {signed(values[-1], 2)}", va="center", fontsize=SMALL, color=colour)
    last.set_title("sums so far")
    last.set_xlabel("token of the response")
    last.set_ylabel("sum so far (nats)")
    for axes in axes_of:
        zero_line(axes, vertical=False)
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
        f'<div style="font-weight:bold;color:{colour}">{side}</div>{_marked(shared)}{_escaped(rest)}</div>'
        for side, rest, colour, line in (
            ("chosen", chosen[shared_chars:], CHOSEN, "solid"),
            ("rejected", rejected[shared_chars:], REJECTED, "dashed"),
        )
    )
    return (
        '<div style="max-width:62em;line-height:1.45">'
        f'<div style="white-space:pre-wrap;margin-bottom:.8em"><b>prompt</b><br>{_escaped(prompt)}</div>'
        f'<div style="display:flex;gap:1.4em;white-space:pre-wrap">{cells}</div>'
        f'<div style="font-size:85%;opacity:.75;margin-top:.6em">{_marked("marked")}: '
        f"the {shared_chars} characters that both begin with</div></div>"
    )


# ---- the parts


def _escaped(text: str) -> str:
    return html.escape(text)


def _marked(text: str) -> str:
    """Readable on light and dark pages, and, underlined, without colour."""
    style = "background:rgba(240,228,66,.35);text-decoration:underline dotted;color:inherit"
    return f'<mark style="{style}">{_escaped(text)}</mark>' if text else ""


def _token(text: str) -> str:
    """As a label: line ends visible, long ones cut, and no dollar that would be read as mathematics."""
    shown = text.strip() or {"\n": "\\n", "\n\n": "\\n\\n"}.get(text, repr(text)[1:-1] or "(end)")
    return (shown if len(shown) <= 14 else shown[:13] + "\N{HORIZONTAL ELLIPSIS}").replace("$", r"\$")


def _shade(axes: Axes, shared: int) -> None:
    if shared:
        axes.axvspan(-0.5, shared - 0.5, color="#efefef", zorder=0)
        axes.axvline(shared - 0.5, color=FAINT, lw=0.8, ls=(0, (2, 2)), zorder=0.5)


def apart(heights: Sequence[float], least: float) -> list[float]:
    """The heights in their order, moved up as little as keeps `least` between neighbours: labels do not overlap."""
    moved = list(heights)
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    for below, above in pairwise(order):
        moved[above] = max(moved[above], moved[below] + least)
    return moved
