"""Plain sentences: the source of a witness where no domain is given.

They are about nothing in particular, but there are thousands of them, so that a text of any length can be built
without a repetition; and they hold few of the things that constraints forbid. Their words are in
`data/witness`; `-` is nothing there, and each letter comes with words that are rich in it.
"""

from __future__ import annotations

import random

from ifpref.data import read_sections
from ifpref.witness.foreign import FOREIGN

_TEXTS = read_sections("witness/plain.txt")
_RICH = {letter: words for letter, *words in map(str.split, _TEXTS["letters"])}


class PlainSource:
    """A `Source` without a topic."""

    languages = ("en", *FOREIGN)

    def fresh(self) -> PlainSource:
        return self

    def opening(self, rng: random.Random, *, short: bool = False) -> str:
        return self.sentence(rng, short=short)

    def sentence(
        self, rng: random.Random, *, language: str = "en", about: str | None = None, short: bool = False
    ) -> str:
        if language != "en":
            return FOREIGN[language].sentence(rng, about=about, short=short)
        if about is not None:
            return rng.choice(_TEXTS["short_about" if short else "about"]).format(word=about)
        subject, verb = rng.choice(_TEXTS["subjects"]), rng.choice(_TEXTS["verbs"])
        if short:
            return rng.choice(_TEXTS["short"]) if rng.random() < 0.5 else f"{subject[:1].upper()}{subject[1:]} {verb}."
        parts = [rng.choice(_TEXTS["openers"]), subject, verb, rng.choice(_TEXTS["tails"])]
        text = " ".join(part for part in parts if part != "-")
        return text[:1].upper() + text[1:] + rng.choice("....!")

    def phrase(self, rng: random.Random, *, language: str = "en") -> str:
        if language != "en":
            return FOREIGN[language].phrase(rng)
        return f"the {rng.choice(_TEXTS['adjectives'])} {rng.choice(_TEXTS['nouns'])}"

    def word(self, rng: random.Random, letter: str) -> str:
        return rng.choice(_RICH.get(letter, ["word"]))

    def blank(self, rng: random.Random) -> str:
        return rng.choice(_TEXTS["blanks"])


PLAIN = PlainSource()
