"""The second language of the pocket world: simple Italian, from the table ifpref/data/pocket/italian.yaml.

Italian("wolf").sentence(rng, about=None, short=False)      # "Il lupo dorme nel bosco."
Italian("wolf").sentence(rng, about="river", short=False)   # "La parola river è molto bella."
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ifpref.data import read_yaml
from ifpref.witness.source import upper_first


class Noun(NamedTuple):
    """An Italian noun: `kind` is friend, place, thing or light; `gender` m or f."""

    kind: str
    gender: str
    word: str

    def __str__(self) -> str:
        return f"{'il' if self.gender == 'm' else 'la'} {self.word}"


_WORDS = read_yaml("pocket/italian.yaml")
_PATTERNS = _WORDS["patterns"]
# By the English noun: where the topic's noun is here, texts are about it.
_NOUNS = {
    english: Noun(*heading.split(), italian)
    for heading, pairs in _WORDS["nouns"].items()
    for english, italian in pairs.items()
}


@dataclass(frozen=True)
class Italian:
    """What texts on a topic say in Italian: on the topic's noun, where Italian has it."""

    topic: str

    def sentence(self, rng: random.Random, *, about: str | None, short: bool) -> str:
        """One sentence; `about` is quoted as the word it is."""
        if about is not None:
            pattern = rng.choice(_PATTERNS["short about" if short else "about"])
            return upper_first(_fill(rng, pattern, _pick(rng, "friend"), quoted=about))
        noun = self._subject(rng)
        name = "short" if short else "any" if rng.random() < 0.25 else noun.kind
        return upper_first(_fill(rng, rng.choice(_PATTERNS[name]), noun))

    def phrase(self, rng: random.Random) -> str:
        """One to four words."""
        return _fill(rng, rng.choice(_PATTERNS["phrase"]), self._subject(rng))

    def _subject(self, rng: random.Random) -> Noun:
        if self.topic in _NOUNS and rng.random() < 0.5:
            return _NOUNS[self.topic]
        return _pick(rng, "friend", "place", "thing", "light")


def _pick(rng: random.Random, *kinds: str, other_than: str = "") -> Noun:
    return rng.choice([noun for noun in _NOUNS.values() if noun.kind in kinds and noun.word != other_than])


def _fill(rng: random.Random, pattern: str, noun: Noun, quoted: str = "") -> str:
    """The pattern with everything filled in; no adjective, verb or noun comes twice."""
    used = {noun.word}

    def new(words: Sequence[str]) -> str:
        choice = rng.choice([word for word in words if word not in used])
        used.add(choice)
        return choice

    def slot(match: re.Match[str]) -> str:
        match match[1]:
            case "S":
                return str(noun)
            case "adj" | "bella" as name:
                ending = "a" if name == "bella" or noun.gender == "f" else "o"
                return new(_WORDS["adjectives"]).replace("-", ending)
            case "does" | "to" as verbs:
                return new(_WORDS[verbs])
            case "at":
                return new([place for place in _WORDS["at"] if not place.endswith(noun.word)])
            case "word":
                return quoted
        other = _pick(rng, "friend" if match[1] == "f" else "thing", other_than=noun.word)
        used.add(other.word)
        return str(other)

    return re.sub(r"\{(\w+)\}", slot, pattern)
