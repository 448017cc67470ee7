"""Sentences in other languages, for `language:response_language`.

Seventeen of the thirty languages that IFEval asks for: those whose sentences could be written without
errors. Two statements are often joined into one sentence, which makes some hundreds out of 35; a required
English word stands in a sentence about that word. Texts of three sentences or more are recognised by
langdetect as their language (the tests hold this at 95 % and above).

    >>> FOREIGN["de"].sentence(random.Random(0), about="bakery")
    'Gestern sprachen alle über bakery.'
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ifpref.constraints.foreign_texts import TABLE
from ifpref.constraints.source import lower_first, pick

# How often a sentence joins two statements.
_SHARE_LINKED = 0.4


@dataclass(frozen=True)
class Language:
    """What there is in one language: complete sentences, patterns about a word, phrases.

    links       how two statements are joined; `{second}`, and `{first}` where it comes first
    sentences   complete sentences
    about       sentences with `{about}`, the place of a word in another language
    phrases     1 to 4 words without end punctuation
    """

    code: str
    links: tuple[str, ...]
    sentences: tuple[str, ...]
    about: tuple[str, ...]
    phrases: tuple[str, ...]
    statements: tuple[str, ...] = ()
    short_sentences: tuple[str, ...] = ()
    short_about: tuple[str, ...] = ()

    def sentence(self, rng: random.Random, *, about: str | None = None, short: bool = False) -> str:
        """One sentence; `about` is a word it holds as given, `short` at most 5 words (6 with `about`)."""
        if about is None:
            text = pick(rng, self.short_sentences if short else self.sentences)
        else:
            text = pick(rng, self.short_about if short else self.about).replace("{about}", about)
        if short or not text.endswith(".") or rng.random() >= _SHARE_LINKED:
            return text
        link, other = pick(rng, self.links), pick(rng, self.statements)
        if "{first}" not in link:
            return link.replace("{second}", lower_first(text))
        while other == text:
            other = pick(rng, self.statements)
        # The second first: `first` may hold any word, even one in braces.
        return link.replace("{second}", lower_first(other)).replace("{first}", text[:-1])

    def phrase(self, rng: random.Random) -> str:
        """One to four words without end punctuation."""
        return pick(rng, self.phrases)


def _short(sentences: Iterable[str], most: int) -> tuple[str, ...]:
    return tuple(text for text in sentences if len(text.split()) <= most)


def _parse(table: str) -> dict[str, Language]:
    """The languages of a table of `[code]` blocks, in its order."""
    languages = {}
    for block in table.strip().split("\n\n"):
        heading, *lines = block.splitlines()
        parts: dict[str, list[str]] = {}
        for line in lines:
            if line in ("links", "sentences", "about", "phrases"):
                entries = parts.setdefault(line, [])
            else:
                entries.extend(line.split(" | "))
        code, texts = heading.strip("[]"), {name: tuple(entries) for name, entries in parts.items()}
        languages[code] = Language(
            code,
            **texts,
            statements=tuple(text for text in texts["sentences"] if text.endswith(".")),
            short_sentences=_short(texts["sentences"], 5),
            short_about=_short(texts["about"], 6),
        )
    return languages


FOREIGN: Mapping[str, Language] = MappingProxyType(_parse(TABLE))
"""By ISO code, in the order of the table."""
