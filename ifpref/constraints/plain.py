"""Plain sentences: the source of a witness where no domain is given.

They are about nothing in particular, but there are thousands of them, so that a text of any length can be built
without a repetition; and they hold few of the things that constraints forbid.
"""

from __future__ import annotations

import random

from ifpref.constraints.foreign import FOREIGN

_SUBJECTS = (
    """
the morning|the old road|every window|the long river|this town|the quiet garden|the evening light|our street
the first train|the wooden bridge|that small shop|the northern wind|the whole valley|the library|the harbour|the hill
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
_VERBS = (
    """
stays open|looks calm|changes slowly|brings people together|feels different|tells its own story|keeps its shape
gives us time|turns golden|waits for the summer|helps more than it seems|goes on as before|is worth the walk|grows quiet
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
_TAILS = (
    """
|| in the spring| after the rain| when the day is over| before anyone wakes up| for those who look closely
 while the others sleep| with hardly any noise| as it always did
| although nobody asked for it| because we take care of it
""".replace("\n", "|")
    .rstrip("|")
    .split("|")
)
_OPENERS = "||||Today, |In the end, |Most of the time, |As you know, |Still, ".split("|")
_SHORT = (
    """
Time goes by.|Rain fell fast.|Nobody was late.|Birds sang softly.|Everyone came home.|Much was said.|It grew dark.
Snow fell again.|All went well.|Not much changed.|Some stayed on.|Doors stood open.|Old friends met.
Was it so?|So it was!
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
_ABOUT = (
    "The {word} is part of it.",
    "There is more to say about the {word}.",
    "Everyone remembers the {word}.",
    "Without the {word}, nothing would be the same.",
    "The {word} comes first here.",
    "What would we do without the {word}?",
)
_ABOUT_SHORT = ("The {word} stays.", "The {word} is here.", "We need the {word}.", "Think of the {word}.")
_ADJECTIVES = "quiet bright early simple open distant gentle golden narrow steady".split()
_NOUNS = "morning road window river garden street train bridge harbour hill".split()
_BLANKS = "name address date place time price number title".split()
# A few words for each letter, rich in it; the rarest letters have the most need of them.
_RICH = {
    "a": "banana panorama", "b": "bubble rabbit", "c": "circle concert", "d": "daddy ladder", "e": "evergreen sleeve",
    "f": "fluff coffee", "g": "giggling baggage", "h": "hearth health", "i": "inviting visibility", "j": "jujube jam",
    "k": "knickknack kayak", "l": "lullaby lily", "m": "mummy hammer", "n": "nonsense linen", "o": "voodoo bookroom",
    "p": "pepper puppy", "q": "quinquennial quiet", "r": "mirror terror", "s": "possession lesson",
    "t": "tattoo letter",
    "u": "unusual museum", "v": "vivid valve", "w": "willow window", "x": "taxes box", "y": "yearly yesterday",
    "z": "pizzazz jazz",
}  # fmt: skip


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
            return rng.choice(_ABOUT_SHORT if short else _ABOUT).format(word=about)
        subject, verb = rng.choice(_SUBJECTS), rng.choice(_VERBS)
        if short:
            return rng.choice(_SHORT) if rng.random() < 0.5 else f"{subject[:1].upper()}{subject[1:]} {verb}."
        text = f"{rng.choice(_OPENERS)}{subject} {verb}{rng.choice(_TAILS)}"
        return text[:1].upper() + text[1:] + rng.choice("....!")

    def phrase(self, rng: random.Random, *, language: str = "en") -> str:
        if language != "en":
            return FOREIGN[language].phrase(rng)
        return f"the {rng.choice(_ADJECTIVES)} {rng.choice(_NOUNS)}"

    def word(self, rng: random.Random, letter: str) -> str:
        return rng.choice(_RICH.get(letter, "word").split())

    def blank(self, rng: random.Random) -> str:
        return rng.choice(_BLANKS)


PLAIN = PlainSource()
