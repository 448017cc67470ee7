"""English sentences around a topic, and the `Source` of the `open` domain.

Sentences are patterns with slots (ifpref/data/open): words of the topic, the topic itself, and phrases that name no
topic. There are enough of them that a text of 600 words holds none twice, and about half name neither the topic nor a
word of it, so that a text can also avoid all of these. A required word goes where its part of speech belongs; a word of
unknown kind is spoken of as a word.

    source = OpenSource(topic)                                    # topic: "a village bakery"
    source.sentence(random.Random(0), about="queue")
    # "The woman at the desk would have given anything for the queue."
"""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Sequence

from ifpref.data import read_lines, read_sections
from ifpref.prompts.domain import Topic
from ifpref.witness.foreign import FOREIGN
from ifpref.witness.source import pick

WORDS = {name: tuple(" ".join(lines).split()) for name, lines in read_sections("open/words.txt").items()}
PHRASES = read_sections("open/phrases.txt")
LETTER_WORDS = {letter: words for letter, *words in map(str.split, read_lines("open/letters.txt"))}

Pattern = tuple[str, ...]
"""Pieces of text with the names of slots between them: text, slot, text, ..., text."""

_PATTERNS: dict[str, tuple[Pattern, ...]] = {
    name: tuple(tuple(re.split(r"\{(\w+)\}", line)) for line in lines)
    for name, lines in read_sections("open/sentences.txt").items()
}
_POOLS = {"adverb": WORDS["adverbs"], "adjective": WORDS["adjectives"], "noun": WORDS["things"], **PHRASES}

# What part of speech a word is taken for; later lists win where a word stands in two.
_PARTS = {word: "noun" for words in LETTER_WORDS.values() for word in words}
for _part in ("noun", "adjective", "adverb", "opener"):
    _PARTS |= dict.fromkeys(WORDS[f"{_part}s"], _part)

# How often a free sentence holds a word of the topic, the topic itself, or neither.
_SHARE_WORD, _SHARE_TOPIC = 0.35, 0.12

# How many patterns a source remembers, and how often it draws again when it comes upon one of them.
_MEMORY, _REDRAWS = 16, 3


class OpenSource:
    """Sentences, phrases, words and labels on one topic (see `ifpref.witness.source.Source`).

    A fresh one begins a text: its first free sentence names the topic. It avoids the patterns it used last.
    """

    languages: tuple[str, ...] = ("en", *FOREIGN)

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self._begun = False
        self._recent: deque[Pattern] = deque(maxlen=_MEMORY)

    def fresh(self) -> OpenSource:
        """A source for a new text on the same topic."""
        return OpenSource(self.topic)

    def sentence(
        self, rng: random.Random, *, language: str = "en", about: str | None = None, short: bool = False
    ) -> str:
        """One sentence; `about` is a word it holds as it is given, `short` at most 5 words (6 with `about`).

        Raises KeyError for a language that is not in `languages`.
        """
        if language != "en":
            return FOREIGN[language].sentence(rng, about=about, short=short)
        if about is not None:
            part = "noun" if about in self.topic.words else _PARTS.get(about.lower(), "any")
        elif not self._begun and not short:
            self._begun, part = True, "topic"
        elif (draw := rng.random()) < _SHARE_WORD:
            part, about = "noun", pick(rng, self.topic.words)
        else:
            part = "topic" if draw < _SHARE_WORD + _SHARE_TOPIC and not short else "plain"
        text = self._fill(rng, self._pattern(rng, _PATTERNS[f"{part} short" if short else part]), about)
        return text[0].upper() + text[1:]

    def opening(self, rng: random.Random, *, short: bool = False) -> str:
        """A first sentence: it names the topic, or, when short, a word of it."""
        if short:
            return self.sentence(rng, about=pick(rng, self.topic.words), short=True)
        self._begun = False
        return self.sentence(rng)

    def phrase(self, rng: random.Random, *, language: str = "en") -> str:
        """Two to four words, in lower case in English; raises KeyError for an unknown language."""
        if language != "en":
            return FOREIGN[language].phrase(rng)
        return self._fill(rng, pick(rng, _PATTERNS["phrase"]), None)

    def word(self, rng: random.Random, letter: str) -> str:
        """A noun that is rich in the letter; raises KeyError for anything but a letter from a to z."""
        return pick(rng, LETTER_WORDS[letter.lower()])

    def blank(self, rng: random.Random) -> str:
        """The label of a placeholder, such as `name`."""
        return pick(rng, PHRASES["blanks"])

    def _pattern(self, rng: random.Random, patterns: Sequence[Pattern]) -> Pattern:
        """One of the patterns, if it can be one that was not used lately."""
        pattern = pick(rng, patterns)
        for _ in range(_REDRAWS):
            if pattern not in self._recent:
                break
            pattern = pick(rng, patterns)
        self._recent.append(pattern)
        return pattern

    def _fill(self, rng: random.Random, pattern: Pattern, about: str | None) -> str:
        """The pattern with its slots filled; no two slots of one sentence hold the same entry."""
        parts = list(pattern)
        used = {about}
        for place in range(1, len(parts), 2):
            slot = parts[place]
            if slot == "about":
                parts[place] = about
            elif slot == "topic":
                parts[place] = self.topic.text
            else:
                pool = self.topic.words if slot in ("word", "other") else _POOLS[slot]
                while (entry := pick(rng, pool)) in used:
                    pass
                used.add(entry)
                parts[place] = entry
        return "".join(parts)
