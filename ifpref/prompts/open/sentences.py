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
from ifpref.witness.source import Source, pick, upper_first

WORDS = {name: tuple(" ".join(lines).split()) for name, lines in read_sections("open/words.txt").items()}
PHRASES = read_sections("open/phrases.txt")
LETTER_WORDS = {letter: words for letter, *words in map(str.split, read_lines("open/letters.txt"))}

_PATTERNS = read_sections("open/sentences.txt")
_POOLS = {"adverb": WORDS["adverbs"], "adjective": WORDS["adjectives"], "noun": WORDS["things"], **PHRASES}

# What part of speech a word is taken for; later lists win where a word stands in two.
_PARTS = {word: "noun" for words in LETTER_WORDS.values() for word in words}
for _part in ("noun", "adjective", "adverb", "opener"):
    _PARTS |= dict.fromkeys(WORDS[f"{_part}s"], _part)

# How often a free sentence holds a word of the topic, the topic itself, or neither.
_SHARE_WORD, _SHARE_TOPIC = 0.35, 0.12

# How many patterns a source remembers, and how often it draws again when it comes upon one of them.
_MEMORY, _REDRAWS = 16, 3


class OpenSource(Source):
    """Sentences, phrases, words and labels on one topic.

    A fresh one begins a text: its first free sentence names the topic. It avoids the patterns it used last.
    """

    foreign = FOREIGN

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self._begun = False
        self._recent: deque[str] = deque(maxlen=_MEMORY)

    def fresh(self) -> OpenSource:
        return OpenSource(self.topic)

    def english(self, rng: random.Random, about: str | None, short: bool) -> str:
        if about is not None:
            part = "noun" if about in self.topic.words else _PARTS.get(about.lower(), "any")
        elif not self._begun and not short:
            self._begun, part = True, "topic"
        elif (draw := rng.random()) < _SHARE_WORD:
            part, about = "noun", pick(rng, self.topic.words)
        else:
            part = "topic" if draw < _SHARE_WORD + _SHARE_TOPIC and not short else "plain"
        return upper_first(self._fill(rng, self._pattern(rng, _PATTERNS[f"{part} short" if short else part]), about))

    def opening(self, rng: random.Random, *, short: bool = False) -> str:
        """A first sentence: it names the topic, or, when short, a word of it."""
        if short:
            return self.english(rng, pick(rng, self.topic.words), short)
        self._begun = False
        return self.english(rng, None, short)

    def english_phrase(self, rng: random.Random) -> str:
        return self._fill(rng, pick(rng, _PATTERNS["phrase"]))

    def word(self, rng: random.Random, letter: str) -> str:
        """A noun that is rich in the letter; raises KeyError for anything but a letter from a to z."""
        return pick(rng, LETTER_WORDS[letter.lower()])

    def blank(self, rng: random.Random) -> str:
        return pick(rng, PHRASES["blanks"])

    def _pattern(self, rng: random.Random, patterns: Sequence[str]) -> str:
        """One of the patterns, if it can be one that was not used lately."""
        pattern = pick(rng, patterns)
        for _ in range(_REDRAWS):
            if pattern not in self._recent:
                break
            pattern = pick(rng, patterns)
        self._recent.append(pattern)
        return pattern

    def _fill(self, rng: random.Random, pattern: str, about: str | None = None) -> str:
        """The pattern with its slots filled; no two slots of one sentence hold the same entry."""
        used = {about}

        def slot(match: re.Match[str]) -> str:
            name = match[1]
            if name in ("about", "topic"):
                return about if name == "about" else self.topic.text
            pool = self.topic.words if name in ("word", "other") else _POOLS[name]
            while (entry := pick(rng, pool)) in used:
                pass
            used.add(entry)
            return entry

        return re.sub(r"\{(\w+)\}", slot, pattern)
