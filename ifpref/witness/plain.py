"""Plain sentences: the source of a witness where no domain is given.

They are about nothing in particular, but there are thousands of them, so that a text of any length can be built
without a repetition; and they hold few of the things that constraints forbid. Their words are in
`data/witness`; `-` is nothing there, and each letter comes with words that are rich in it.
"""

import random

from ifpref.data import read_sections
from ifpref.witness.foreign import FOREIGN
from ifpref.witness.source import Source, upper_first

_TEXTS = read_sections("witness/plain.txt")
_RICH = {letter: words for letter, *words in map(str.split, _TEXTS["letters"])}


class PlainSource(Source):
    """A source without a topic."""

    foreign = FOREIGN

    def english(self, rng: random.Random, about: str | None, short: bool) -> str:
        if about is not None:
            return rng.choice(_TEXTS["short_about" if short else "about"]).format(word=about)
        subject, verb = rng.choice(_TEXTS["subjects"]), rng.choice(_TEXTS["verbs"])
        if short:
            return rng.choice(_TEXTS["short"]) if rng.random() < 0.5 else f"{upper_first(subject)} {verb}."
        parts = [rng.choice(_TEXTS["openers"]), subject, verb, rng.choice(_TEXTS["tails"])]
        return upper_first(" ".join(part for part in parts if part != "-")) + rng.choice("....!")

    def english_phrase(self, rng: random.Random) -> str:
        return f"the {rng.choice(_TEXTS['adjectives'])} {rng.choice(_TEXTS['nouns'])}"

    def word(self, rng: random.Random, letter: str) -> str:
        return rng.choice(_RICH.get(letter, ["word"]))

    def blank(self, rng: random.Random) -> str:
        return rng.choice(_TEXTS["blanks"])


PLAIN = PlainSource()
