"""Where sentences come from: what the witness builder asks of a domain's language.

A sentence is complete: it begins with a capital, ends in `.`, `!` or `?`, and has no line break, no digit and none of
the marks that constraints are made of (`* - [ ] < > " { } #`). The same generator gives the same text.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


def pick(rng: random.Random, items: Sequence[T]) -> T:
    """One of the items: `rng.choice` at a third of its time, of which a long text takes hundreds."""
    return items[int(rng.random() * len(items))]


def lower_first(text: str) -> str:
    """A sentence as it stands inside another."""
    return text[:1].lower() + text[1:]


def upper_first(text: str) -> str:
    """A text as it begins a sentence."""
    return text[:1].upper() + text[1:]


class Source(Protocol):
    """Sentences on one topic, in the manner of one task: what is the same for all; a domain's has the rest.

    foreign  the other languages there are sentences in, by ISO code; each has `sentence` and `phrase`
    """

    foreign: Mapping[str, Any]

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO codes of the languages there are sentences in; "en" first."""
        return ("en", *self.foreign)

    def fresh(self) -> Source:
        """A source for a new text. One that remembers what it has said, so as not to repeat itself, forgets it."""
        return self

    def opening(self, rng: random.Random, *, short: bool = False) -> str:
        """A first sentence in English, on the topic; `short` at most 6 words."""
        return self.english(rng, None, short)

    def sentence(
        self, rng: random.Random, *, language: str = "en", about: str | None = None, short: bool = False
    ) -> str:
        """One sentence; `about` is a word it must hold (as its subject, if it can), `short` at most 6 words.

        Raises KeyError for a language that is not in `languages`.
        """
        if language == "en":
            return self.english(rng, about, short)
        return self.foreign[language].sentence(rng, about=about, short=short)

    def phrase(self, rng: random.Random, *, language: str = "en") -> str:
        """1 to 4 words without end punctuation: a bullet point, a title, a highlighted part."""
        return self.english_phrase(rng) if language == "en" else self.foreign[language].phrase(rng)

    def english(self, rng: random.Random, about: str | None, short: bool) -> str:
        """A `sentence` in English."""

    def english_phrase(self, rng: random.Random) -> str:
        """A `phrase` in English."""

    def word(self, rng: random.Random, letter: str) -> str:
        """A lower-case word that holds the letter, as often as the domain's words allow."""

    def blank(self, rng: random.Random) -> str:
        """The label of a placeholder, such as `name`."""
