"""What constraints ask of a text, in plain fields: the words in which a kind says what it needs.

    needs_of([Constraint("detectable_format:title"), Constraint("punctuation:no_comma")])
    # Needs(title=True, commas=False, ...)

Two readers work from this record rather than from ids. The rules of conflict compare the needs of two constraints
("does it need a comma?"), and the composer of witnesses lays out a text for the needs of all of them ("how many
bullet points?"). So a new kind is heeded by the kinds that are there, and witnessed, without being known to them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ifpref.constraints.text import count_words


@dataclass
class Bounds:
    """Counts allowed: `low` or more, less than `high`."""

    low: int = 0
    high: float = math.inf

    def __contains__(self, count: int) -> bool:
        return self.low <= count < self.high

    def meet(self, other: Bounds) -> None:
        """Narrow the bounds to what the others allow too."""
        self.low, self.high = max(self.low, other.low), min(self.high, other.high)


@dataclass
class Needs:
    """What one constraint, or a set of them, asks of one text.

    texts        strings that must stand in it, in any case, as often as they must
    exact_texts  those of them that must stand in exactly that case
    least_words  the fewest words of an honest text, where `texts` do not tell
    mentions     words that its sentences mention, in order, as often as asked
    capped       word -> it must occur less often than this
    paragraphs   divided by ***; `pieces` are divided by blank lines
    first_words  piece, from 1 -> its first word
    """

    texts: list[str] = field(default_factory=list)
    exact_texts: list[str] = field(default_factory=list)
    least_words: int = 0
    language: str = ""  # "" where none is asked for: the text is English
    case: str = ""  # "upper" or "lower"
    commas: bool = True
    json: bool = False
    quotation: bool = False
    title: bool = False
    two_responses: bool = False
    answer: str = ""
    words: Bounds = field(default_factory=Bounds)
    sentences: Bounds = field(default_factory=Bounds)
    capitals: Bounds = field(default_factory=Bounds)
    paragraphs: Bounds = field(default_factory=Bounds)
    pieces: Bounds = field(default_factory=Bounds)
    bullets: Bounds = field(default_factory=Bounds)
    highlights: Bounds = field(default_factory=Bounds)
    placeholders: Bounds = field(default_factory=Bounds)
    letters: dict[str, Bounds] = field(default_factory=dict)
    mentions: list[str] = field(default_factory=list)
    capped: dict[str, int] = field(default_factory=dict)
    forbidden: list[str] = field(default_factory=list)
    first_words: dict[int, str] = field(default_factory=dict)
    headings: list[str] = field(default_factory=list)
    postscript: str = ""
    opening: str = ""
    end: str = ""

    @property
    def in_english(self) -> bool:
        """Whether the sentences are English ones."""
        return self.language in ("", "en")

    @property
    def minimum_words(self) -> int:
        r"""The fewest words (IFEval's, runs of `\w`) of an honest text."""
        fewest = max(2 * self.two_responses, self.title, self.quotation)
        return max(fewest, self.least_words, sum(map(count_words, self.texts)))
