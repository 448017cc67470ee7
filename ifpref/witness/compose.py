"""The composer: lays out one text for a set of constraints, from the sentences of a source.

It reads what the constraints need (`Needs`), draws sentences that go with them (`_Pen`), and sets them in order:

    title / section heading / sentences / *** or blank line between paragraphs / bullets / P.S. / end phrase

then applies letter case, JSON and quotation marks to the whole. It checks nothing: `verify` does, in `witness`.
An `Effort` says how far to lean: `thrift` towards short texts, `extra` towards more of what is counted.
"""

from __future__ import annotations

import itertools
import json
import math
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ifpref.constraints import Constraint
from ifpref.constraints.needs import Needs
from ifpref.constraints.registry import needs_of
from ifpref.constraints.text import count_words
from ifpref.witness.source import Source, lower_first, upper_first

_DRAWS = 6  # sentences drawn to choose one from, where the constraints prefer some to others
_MORE_DRAWS = 60  # and where none drawn so far is allowed
_NOT_ALLOWED = 100.0


@dataclass(frozen=True)
class Effort:
    """How far a text leans: `thrift` 0.. towards fewer and shorter sentences, `extra` 0.. towards more of them."""

    thrift: int = 0
    extra: int = 0

    def after(self, missed: Iterable[Constraint]) -> Effort:
        """The effort for the next text, once these constraints were missed."""
        relations = {v for c in missed for name, v in c.kwargs.items() if name.endswith("relation")}
        less = "less than" in relations
        return replace(self, thrift=self.thrift + less, extra=self.extra + (not less))


class _Pen:
    """Draws sentences and phrases that go with the needs, none twice while there are others."""

    def __init__(self, needs: Needs, source: Source, rng: random.Random) -> None:
        self.needs, self.source, self.rng = needs, source, rng
        # Without sentences in a language the text is English, and the verdict says so.
        self.language = needs.language if needs.language in source.languages else "en"
        self.seen: set[str] = set()
        self.avoid = [re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE) for word in needs.forbidden] + [
            re.compile(re.escape(word), re.IGNORECASE) for word in needs.capped
        ]
        self.scarce = [letter for letter, bounds in needs.letters.items() if bounds.high < math.inf]
        self.plenty = [letter for letter, bounds in needs.letters.items() if bounds.low]
        self.choosy = bool(self.scarce or self.plenty)

    def _cost(self, text: str, brief: bool = False) -> float:
        """0 for a text that goes with every need; the more, the worse; from `_NOT_ALLOWED` on, it may not stand."""
        lowered = text.lower()
        cost = _NOT_ALLOWED * sum(bool(pattern.search(text)) for pattern in self.avoid)
        cost += 10 * (text in self.seen)
        if self.needs.capitals.high < math.inf:
            cost += 5 * sum(word.isupper() for word in re.findall(r"\w+", text))
        cost += 2 * sum(lowered.count(letter) for letter in self.scarce)
        cost -= sum(lowered.count(letter) for letter in self.plenty) / (1 + len(text) / 20)
        return cost + 2 * count_words(text) * brief

    def _draw(self, draw: Callable[[], str], brief: bool = False) -> str:
        best = draw()
        cost = self._cost(best, brief)
        for n in range(_MORE_DRAWS):
            if cost < _NOT_ALLOWED and (n >= _DRAWS or (cost <= 0 and not self.choosy)):
                break
            other = draw()
            if (cost_of_other := self._cost(other, brief)) < cost:
                best, cost = other, cost_of_other
        self.seen.add(best)
        return best

    def sentence(self, about: str | None = None, short: bool = False, opening: bool = False) -> str:
        """One sentence; short where no longer one is allowed, since it holds less that could be forbidden."""

        def draw() -> str:
            say = self.source.opening if opening else partial(self.source.sentence, language=self.language, about=about)
            text = say(self.rng, short=short)
            return text if self.needs.commas else text.replace(",", "")

        text = self._draw(draw, brief=short)
        if self._cost(text) < _NOT_ALLOWED:
            return text
        if opening:  # the topic itself is forbidden
            return self.sentence(None, short)
        return text if short else self.sentence(about, short=True)

    def phrase(self) -> str:
        return self._draw(lambda: self.source.phrase(self.rng, language=self.language).replace(",", ""))

    def word(self, letter: str) -> str:
        return self._draw(lambda: self.source.word(self.rng, letter))

    def blank(self) -> str:
        return self._draw(lambda: self.source.blank(self.rng))


def compose(
    constraints: Sequence[Constraint],
    source: Source,
    rng: random.Random,
    *,
    effort: Effort = Effort(),
    length: tuple[int, int] = (3, 5),
) -> str:
    """One text laid out for the constraints; whether it meets them is for `verify` to say.

    length  how many sentences there are when nothing asks for more or fewer, from and to
    """
    needs = needs_of(constraints)
    pen = _Pen(needs, source.fresh(), rng)
    frame = _Frame(needs)
    budget = needs.words.high - 1 - _words_beside_sentences(needs) - 4 * effort.thrift
    sentences = _sentences(needs, pen, frame, budget, effort, length)
    _highlight(needs, sentences, rng)
    _fill_blanks(needs, sentences, pen)
    _capitalise(needs, sentences, effort)
    return _finish(needs, _segments(needs, frame, sentences, pen, effort), frame)


def _words_beside_sentences(needs: Needs) -> int:
    """How many words titles, headings, bullets and so on take; as a rule, a bullet three."""
    texts = [*needs.headings, needs.postscript, needs.opening, needs.end]
    marks = needs.title + needs.quotation + needs.placeholders.low + 3 * needs.bullets.low + 3 * bool(needs.answer)
    return sum(map(count_words, texts)) + marks


class _Frame:
    """How a text is divided: `dividers` between its segments, `headings` for each, and each one's first word.

    A piece, in `starts` by its first segment, goes on to the next blank line; *** may divide it into segments.
    """

    def __init__(self, needs: Needs) -> None:
        self.dividers = ["\n\n"] * (max(needs.pieces.low, 1) - 1)
        middle = len(self.dividers) // 2
        stars = ["\n***\n"] * (needs.paragraphs.low - 1) + ["\n******\n"] * needs.two_responses
        self.dividers[middle:middle] = stars
        self.segments = len(self.dividers) + 1
        self.headings: list[list[str]] = [[] for _ in range(self.segments)]
        for n, heading in enumerate(needs.headings):
            self.headings[n * self.segments // len(needs.headings)].append(heading)
        self.groups = [max(1, len(headings)) for headings in self.headings]
        self.starts = [0, *(n + 1 for n, divider in enumerate(self.dividers) if divider == "\n\n")]
        begins = needs.first_words
        self.first_words = {start: begins[n] for n, start in enumerate(self.starts, 1) if n in begins}


def _sentences(
    needs: Needs, pen: _Pen, frame: _Frame, budget: float, effort: Effort, length: tuple[int, int]
) -> list[str]:
    """The sentences of the body, in order: those that mention a required word first, then others."""
    rng, thrift, extra = pen.rng, effort.thrift, effort.extra
    enough = max(sum(frame.groups), 1)
    wanted = max(rng.randint(*length) - thrift, enough)
    short = budget < 9 * max(wanted, len(needs.mentions)) or thrift > 2
    if budget < 9 * wanted:
        wanted = max(enough, int(budget // 9))
    room = needs.sentences.high - 1 - bool(needs.postscript) - bool(needs.end) - bool(needs.answer) - max(0, thrift - 1)
    wanted = max(enough, min(wanted, room))
    if needs.mentions and budget < 5 * len(needs.mentions):  # hardly a word beside them
        sentences = [f"The {' and '.join(needs.mentions)} are here."]
    else:
        sentences = [pen.sentence(word, short) for word in needs.mentions]
    least_words = needs.words.low + 3 * extra * bool(needs.words.low)
    least_words = max(least_words, needs.capitals.low + 2 + extra if needs.capitals.low else 0)
    least = needs.sentences.low + extra if needs.sentences.low else 0
    if needs.case or not needs.in_english:
        least_words = max(least_words, min(20 + 6 * extra, budget))  # a language shows only in some length
    count = sum(map(count_words, sentences))
    while len(sentences) < max(wanted, least) or count < least_words:
        opening = not sentences and needs.in_english
        sentences.append(pen.sentence(short=short, opening=opening))
        count += count_words(sentences[-1])
    _add_letters(needs, pen, sentences, short, extra)
    return _join(sentences, max(room, 1), needs)


def _add_letters(needs: Needs, pen: _Pen, sentences: list[str], short: bool, extra: int) -> None:
    """Sentences for the letters that are still too few."""
    for letter, bounds in needs.letters.items():
        missing = bounds.low + extra * bool(bounds.low) - sum(s.lower().count(letter) for s in sentences)
        while missing > 0:
            if not (letter.isalnum() or letter in ".,!?"):  # a mark that no sentence holds
                sentences[-1] += " " + letter * missing
                break
            text = pen.sentence(pen.word(letter) if letter.isalpha() and missing > 2 else None, short)
            if letter not in text.lower():
                text = pen.sentence(pen.word(letter), short)
            if letter not in text.lower():  # the source knows no word with it
                break
            sentences.append(text)
            missing -= text.lower().count(letter)


def _join(sentences: list[str], room: float, needs: Needs) -> list[str]:
    """At most `room` sentences: neighbours are joined into one where there are more."""
    sentences = list(sentences)
    while len(sentences) > room:
        lengths = [len(a) + len(b) for a, b in itertools.pairwise(sentences)]
        i = lengths.index(min(lengths))
        link = " and " if needs.in_english else "; "
        sentences[i : i + 2] = [sentences[i].rstrip(".!?") + link + lower_first(sentences[i + 1])]
    return sentences


def _highlight(needs: Needs, sentences: list[str], rng: random.Random) -> None:
    """Stars around one word each of the sentences in turn; never the first, where a star would be a bullet."""
    for n in range(needs.highlights.low):
        for s in ((n + i) % len(sentences) for i in range(len(sentences))):
            words = sentences[s].split(" ")
            plain = [i for i, word in enumerate(words) if i and word.isalpha()]
            weighty = [i for i in plain if len(words[i]) > 3] or plain
            if weighty:
                i = rng.choice(weighty)
                words[i] = f"*{words[i]}*"
                sentences[s] = " ".join(words)
                break


def _fill_blanks(needs: Needs, sentences: list[str], pen: _Pen) -> None:
    """Placeholders at the ends of the sentences in turn: `... for [name] and [place].`"""
    for n in range(needs.placeholders.low):
        s = n % len(sentences)
        text = sentences[s]
        stem = text.rstrip(".!?")
        link = ("and" if stem.endswith("]") else "for") if needs.in_english else ""
        blank = f"[{pen.blank()}]"
        sentences[s] = " ".join(part for part in (stem, link, blank) if part) + text[len(stem) :]


def _capitalise(needs: Needs, sentences: list[str], effort: Effort) -> None:
    """Some words in capitals: one of each sentence in turn, the first that is not its first and has some weight."""
    wanted = needs.capitals.low + effort.extra if needs.capitals.low and not needs.case else 0
    words = [text.split(" ") for text in sentences]
    places = [
        [i for i, word in enumerate(row) if len(word) > 2 and word.isalpha() and not word.isupper()] for row in words
    ]
    places = [[i for i in row if i] + [i for i in row if not i] for row in places]
    turns = [(s, row[turn]) for turn in range(max(map(len, places))) for s, row in enumerate(places) if turn < len(row)]
    for s, i in turns[:wanted]:
        words[s][i] = words[s][i].upper()
        sentences[s] = " ".join(words[s])


def _segments(needs: Needs, frame: _Frame, sentences: list[str], pen: _Pen, effort: Effort) -> list[str]:
    """The text of each segment: the sentences shared out, under their headings, with what stands at both ends."""
    groups = sum(frame.groups)
    while len(sentences) < groups:  # no more sentences are allowed: a phrase is none
        sentences = [*sentences, pen.phrase()]
    shares = [sentences[g * len(sentences) // groups : (g + 1) * len(sentences) // groups] for g in range(groups)]
    newline, segments = (" " if needs.json else "\n"), []
    for segment in range(frame.segments):
        lines: list[str] = []
        for n in range(frame.groups[segment]):
            share, heading = shares.pop(0), frame.headings[segment][n : n + 1]
            if n == 0 and segment in frame.first_words and not (segment == 0 and needs.opening):
                share[0] = _begin(frame.first_words[segment], share[0])
                if heading:  # it comes second, or it would be the first word
                    lines += [share[0], *heading, " ".join(share[1:] or [upper_first(pen.phrase())])]
                    continue
            lines += [*heading, " ".join(share)]
        segments.append(lines)
    first, last = segments[0], segments[-1]
    if needs.title:
        title = f"<<{upper_first(pen.phrase())}>>"
        first.insert(1 if 0 in frame.first_words else 0, title)
    if needs.opening:
        first.insert(0, needs.opening)
    if needs.answer:  # word for word: nothing in it is highlighted or in capitals
        last[-1] += f" {needs.answer}"
    last += [f"- {upper_first(pen.phrase())}" for _ in range(needs.bullets.low)]
    if needs.postscript:
        last.append(f"{needs.postscript} {pen.sentence(short=effort.thrift > 0)}")
    if needs.end:
        if needs.bullets.low and not needs.postscript:
            last.append(needs.end)
        else:
            last[-1] += f" {needs.end}"
    return [newline.join(lines) for lines in segments]


def _begin(word: str, text: str) -> str:
    """The text with `word` as its first word."""
    return f"{upper_first(word)} {lower_first(text)}"


def _finish(needs: Needs, segments: list[str], frame: _Frame) -> str:
    """The segments with their dividers, then letter case, JSON and quotation marks around the whole."""
    if needs.json and not needs.quotation and not needs.end and needs.first_words.get(1) is None:
        text = _json_object(needs, segments, frame)
    elif needs.json:  # a string: it begins and ends with the marks that a quotation has
        text = json.dumps(_inline(segments, frame.dividers), ensure_ascii=False)
    else:
        text = segments[0] + "".join(d + s for d, s in zip(frame.dividers, segments[1:], strict=True))
        text = f'"{text}"' if needs.quotation else text
    if needs.case:
        text = text.upper() if needs.case == "upper" else text.lower()
    return text


def _inline(segments: Sequence[str], dividers: Sequence[str]) -> str:
    """One line: JSON strings hold no line breaks, and an escaped one (\\n) is a lower-case letter to some checks."""
    rest = "".join(f" {d.strip()} {s}" if d.strip() else f" {s}" for d, s in zip(dividers, segments[1:], strict=True))
    return segments[0] + rest


def _json_object(needs: Needs, segments: Sequence[str], frame: _Frame) -> str:
    """An object with one string for each piece; blank lines between its entries are the paragraphs' breaks."""
    ends = [*frame.starts[1:], len(segments)]
    texts = [_inline(segments[a:b], frame.dividers[a : b - 1]) for a, b in zip(frame.starts, ends, strict=True)]
    if len(texts) == 2 and not needs.commas:  # no comma, so one entry: its name and its value are the pieces
        return "{" + ":\n\n".join(json.dumps(text, ensure_ascii=False) for text in texts) + "}"
    keys = [frame.first_words.get(start, f"more {n}" if n else "text") for n, start in enumerate(frame.starts)]
    entries = [f"{json.dumps(k)}: {json.dumps(t, ensure_ascii=False)}" for k, t in zip(keys, texts, strict=True)]
    return "{" + ",\n\n".join(entries) + "}"
