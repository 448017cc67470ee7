"""The second language of the pocket world: simple Italian of about a hundred words, with its genders.

Chosen by measurement: of German, Spanish, Finnish, French and Italian sets of the same few patterns,
langdetect (seed 0) knew Italian best: all of the single sentences, and of two sentences before an English
end phrase. The words need no apostrophe, and no sentence begins with `È`, which would count as a word in
capitals.

    sentence(rng, about=None, short=False, topic="wolf")      # "Il lupo dorme nel bosco."
    sentence(rng, about="river", short=False, topic="wolf")   # "La parola river è molto bella."
"""

from __future__ import annotations

import random
import re

CODE = "it"

# English nouns of the world and the Italian ones. Where the topic's noun is here, texts are about it.
_TABLE = {
    ("friend", "m"): "baker/fornaio captain/capitano child/bambino doctor/dottore shepherd/pastore "
    "cat/gatto horse/cavallo mouse/topo wolf/lupo",
    ("friend", "f"): "teacher/maestra fox/volpe goat/capra turtle/tartaruga",
    ("place", "m"): "bridge/ponte forest/bosco harbour/porto market/mercato river/fiume village/villaggio",
    ("place", "f"): "school/scuola tower/torre",
    ("thing", "f"): "apple/mela cake/torta bell/campana boat/barca stone/pietra",
    ("thing", "m"): "cheese/formaggio flute/flauto wagon/carro",
    ("light", "f"): "candle/candela cloud/nuvola moon/luna star/stella comet/cometa",
}
_NOUNS = {
    english: (kind, gender, italian)
    for (kind, gender), pairs in _TABLE.items()
    for english, italian in (pair.split("/") for pair in pairs.split())
}
_AT = (
    "nel bosco",
    "nel villaggio",
    "nel porto",
    "sul ponte",
    "al mercato",
    "nella torre",
    "nella scuola",
    "vicino al fiume",
)
_ADJECTIVES = ("bell-", "piccol-", "vecchi-", "tranquill-", "famos-", "grande", "felice", "gentile")
_DOES = ("aspetta", "balla", "cammina", "canta", "dorme", "riposa", "sogna", "sorride")
_DOES_TO = ("ama", "cerca", "guarda", "porta", "trova")

# {S} the subject, {f} a friend, {x} a thing; {adj} agrees with the subject, {bella} with `la parola`.
_PATTERNS = {
    "friend": (
        "{S} {does} {at}.",
        "{S} {does} con {f}.",
        "oggi {S} {does}, e anche {f} {does}.",
        "{S} è {adj} e {adj}.",
        "ogni sera {S} {does} {at}.",
        "{S} {does} perché {f} {to} {x}.",
        "quando {f} {does}, {S} {does}.",
        "{S} {to} {x} ogni giorno.",
        "{S} {does}, ma {f} non dorme mai.",
        "{S} {to} {x} {at}.",
    ),
    "place": (
        "{S} è {adj} quando {f} {does}.",
        "tutti amano {S}, anche {f}.",
        "{S} è molto {adj} e {adj}.",
        "{f} {to} {S} ogni sera.",
        "oggi {S} è {adj}, e {f} {does}.",
    ),
    "thing": (
        "{S} è {adj}, ma {f} {to} {x}.",
        "{S} resta {at}.",
        "{f} {to} {S} con {x}.",
        "oggi {f} {to} {S} {at}.",
        "{S} è {adj} e {adj}, e tutti sono contenti.",
        "senza {S} {f} non {does}.",
    ),
    "light": (
        "{S} resta con {f}.",
        "quando {f} {does}, {S} resta {at}.",
        "{S} è molto {adj}, e {f} {does}.",
        "ogni notte {f} guarda {S}.",
        "{S} è {adj} perché la notte è dolce.",
    ),
    "any": (
        "dove è oggi {S}?",
        "quanto è {adj} {S}!",
        "chi non ama {S}?",
        "tutti amano {S} perché è {adj}.",
        "tutti ballano e cantano {at}.",
        "la notte è dolce, e {f} {does}.",
    ),
}
_SHORT = (
    "{S} resta con {f}.",
    "{S} è molto {adj}.",
    "tutti amano {S}.",
    "dove è {S}?",
    "quanto è {adj} {S}!",
)
_ABOUT = (
    "la parola {word} è molto {bella}.",
    "tutti amano la parola {word}.",
    "{f} cerca la parola {word} {at}.",
    "oggi {f} trova la parola {word}.",
    "la parola {word} è {bella}, e {f} sorride.",
    "ogni giorno {f} canta la parola {word} {at}.",
)
_SHORT_ABOUT = ("la parola {word} è {bella}.", "tutti amano la parola {word}.", "oggi {f} canta {word}.")
_PHRASES = ("{S}", "{S} {adj}", "{S} molto {adj}", "{at}")
_ARTICLE = {"m": "il", "f": "la"}


def sentence(rng: random.Random, *, about: str | None, short: bool, topic: str) -> str:
    """One sentence, about the topic's noun where Italian has it; `about` is quoted as the word it is."""
    if about is not None:
        pattern = rng.choice(_SHORT_ABOUT if short else _ABOUT)
        text = _fill(rng, pattern, *_pick(rng, ("friend",)), word=about)
    else:
        kind, gender, noun = _subject(rng, topic)
        patterns = _SHORT if short else _PATTERNS["any" if rng.random() < 0.25 else kind]
        text = _fill(rng, rng.choice(patterns), kind, gender, noun)
    return text[0].upper() + text[1:]


def phrase(rng: random.Random, *, topic: str) -> str:
    """One to four Italian words."""
    return _fill(rng, rng.choice(_PHRASES), *_subject(rng, topic))


def _subject(rng: random.Random, topic: str) -> tuple[str, str, str]:
    if topic in _NOUNS and rng.random() < 0.5:
        return _NOUNS[topic]
    return _pick(rng, ("friend", "place", "thing", "light"))


def _pick(rng: random.Random, kinds: tuple[str, ...], other_than: str = "") -> tuple[str, str, str]:
    return rng.choice([entry for entry in _NOUNS.values() if entry[0] in kinds and entry[2] != other_than])


def _fill(rng: random.Random, pattern: str, kind: str, gender: str, noun: str, word: str = "") -> str:
    """The pattern with everything filled in; no adjective, verb or noun comes twice."""
    used = {noun}

    def new(words: tuple[str, ...]) -> str:
        choice = rng.choice([word for word in words if word not in used])
        used.add(choice)
        return choice

    def slot(match: re.Match[str]) -> str:
        match match[1]:
            case "S":
                return f"{_ARTICLE[gender]} {noun}"
            case "adj" | "bella" as name:
                ending = "a" if name == "bella" or gender == "f" else "o"
                return new(_ADJECTIVES).replace("-", ending)
            case "does":
                return new(_DOES)
            case "to":
                return new(_DOES_TO)
            case "at":
                return new(tuple(place for place in _AT if not place.endswith(noun)))
            case "word":
                return word
        kinds = ("friend",) if match[1] == "f" else ("thing",)
        other = _pick(rng, kinds, noun)
        used.add(other[2])
        return f"{_ARTICLE[other[1]]} {other[2]}"

    return re.sub(r"\{(\w+)\}", slot, pattern)
