"""The words of the pocket world: a village between a forest and a harbour, small enough for a tiny model.

A noun knows its kind, which decides what it can do, its pronoun, and its neighbours, which fill the texts
about it:

    NOUNS["fox"] == Noun("fox", "animal", "he", ("forest", "goose", "rabbit", ...))

Every noun is singular, so `The {noun} ...` always works, and none stands inside another word of the world
(keywords are counted as substrings): no `hen`, which is in `then`. Among words that fit, those were taken
that langdetect finds English in capitals too, where it sees only the first and the last letters of a word:
words in T, C and W do well, words in K and P badly.
"""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("person", "animal", "place", "food", "thing", "sky")


@dataclass(frozen=True)
class Noun:
    """One noun: `kind` is one of KINDS, `near` are at least six nouns that go with it."""

    word: str
    kind: str
    pronoun: str
    near: tuple[str, ...]


_NOUNS = {
    "person": """
        baker, he: cake market biscuit village child basket mouse apple
        captain, he: boat harbour sailor storm bell island star goat cheese
        child, she: kite school whistle teacher rabbit cherry meadow moon
        doctor, she: cottage child horse village teapot lantern clock apple
        farmer, she: orchard horse goat carrot wagon meadow bucket wind
        painter, she: bridge mirror feather river cloud cat cherry tower
        sailor, he: harbour boat captain wind whistle island turtle biscuit
        shepherd, he: meadow flute wolf storm goat cheese cottage star
        teacher, she: school child clock village bell otter apple comet
        weaver, she: cottage basket feather mouse village candle biscuit moon
        writer, he: tower candle mirror fox teapot moon cherry bridge
        """,
    "animal": """
        bear, she: forest cottage cherry rabbit river star bucket child
        cat, she: mouse market candle cheese tower moon weaver basket
        duck, she: river boat bridge turtle cloud biscuit child feather
        fox, he: forest goose rabbit moon orchard cheese hammer writer
        goat, he: meadow shepherd carrot bell wolf wind wagon cottage
        goose, she: meadow feather village farmer apple cloud fox basket
        horse, she: wagon farmer orchard apple wolf bridge storm bell
        mouse, she: teapot cheese clock cat cottage weaver moon stone
        otter, she: river stone bridge turtle boat painter cherry comet
        rabbit, he: meadow carrot forest bear fox whistle star bucket
        turtle, he: island stone otter sailor harbour wind duck apple
        wolf, he: forest shepherd moon goat bear stone flute cheese
        """,
    "place": """
        bridge, it: river painter duck stone wagon wind horse lantern
        cottage, it: weaver doctor bear teapot candle cake cloud goat
        forest, it: fox bear wolf stone feather cherry wind rabbit
        harbour, it: captain sailor boat bell turtle storm lantern biscuit
        island, it: turtle sailor boat star cheese comet captain stone
        market, it: baker cat basket bell carrot teapot rain weaver
        meadow, it: shepherd goat rabbit kite cloud carrot flute goose
        orchard, it: farmer horse apple basket wind fox cherry wagon
        river, it: otter duck bear boat stone bucket moon painter
        school, it: teacher child clock bell apple comet mouse mirror
        tower, it: writer cat clock mirror star candle painter biscuit
        village, it: baker doctor goose bell wagon cake storm teacher
        """,
    "food": """
        apple, it: orchard basket horse goose teacher turtle wind doctor
        biscuit, it: baker sailor teapot tower harbour duck moon mouse
        cake, it: baker candle child village cottage mouse cloud bear
        carrot, it: rabbit goat farmer market bucket wagon meadow rain
        cheese, it: mouse shepherd cat wolf market basket island moon
        cherry, it: orchard bear painter child bucket forest otter star
        """,
    "thing": """
        basket, it: market weaver apple goose baker cat bridge wind
        bell, it: school tower captain goat village horse storm cake
        boat, it: harbour river captain sailor duck otter island wind cheese
        bucket, it: farmer orchard bear rabbit river cherry painter rain
        candle, it: tower writer weaver cat cake cottage comet moon
        clock, it: tower school teacher mouse doctor biscuit village star
        feather, it: goose duck weaver painter meadow wind forest cherry
        flute, it: shepherd wolf meadow cottage child apple moon goat
        hammer, it: fox wagon boat farmer harbour stone carrot storm
        kite, it: child meadow wind cloud rabbit teacher bridge cherry
        lantern, it: harbour doctor captain bridge wolf storm cottage cheese
        mirror, it: painter tower writer school moon cat biscuit duck
        stone, it: river bridge otter turtle island hammer wolf carrot rain
        teapot, it: mouse cottage writer doctor biscuit candle market rain
        wagon, it: farmer horse village goat orchard carrot storm hammer
        whistle, it: sailor child school harbour rabbit biscuit bell wind
        """,
    "sky": """
        cloud, it: meadow kite painter goose duck tower cake mirror
        comet, it: tower teacher otter island mirror candle school cherry
        moon, it: wolf fox writer river tower lantern weaver cheese
        rain, it: market bucket farmer cottage duck stone teapot carrot
        star, it: captain island shepherd rabbit tower lantern bear cherry
        storm, it: harbour captain sailor horse village bell lantern cake
        wind, it: kite boat sailor orchard turtle meadow feather apple
        """,
}


def _nouns() -> dict[str, Noun]:
    """The table above as nouns, in its order."""
    nouns = {}
    for kind, table in _NOUNS.items():
        for line in table.strip().splitlines():
            head, near = line.split(":")
            word, pronoun = head.strip().split(", ")
            nouns[word] = Noun(word, kind, pronoun, tuple(near.split()))
    return nouns


NOUNS = _nouns()
BY_KIND = {kind: tuple(noun.word for noun in NOUNS.values() if noun.kind == kind) for kind in KINDS}
BY_KIND["friend"] = BY_KIND["person"] + BY_KIND["animal"]
BY_KIND["any"] = tuple(NOUNS)
BY_KIND["sound"] = ("bell", "clock", "flute", "rain", "river", "storm", "whistle", "wind")
BY_KIND["weather"] = ("rain", "storm", "wind")
BY_KIND["light"] = ("candle", "comet", "lantern", "moon", "star")

OBJECTIVE = {"he": "him", "she": "her", "it": "it"}
POSSESSIVE = {"he": "his", "she": "her", "it": "its"}

# The preposition that says where; `near` and `to` go with every place.
AT = {
    "bridge": "on", "cottage": "in", "forest": "in", "harbour": "in", "island": "on", "market": "at",
    "meadow": "in", "orchard": "in", "river": "by", "school": "at", "tower": "in", "village": "in",
}  # fmt: skip


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FRIENDS = _words("brave cheerful clever famous gentle happy hungry jolly kind lazy old quiet tired wise young")
ADJECTIVES = {
    "person": _FRIENDS,
    "animal": ("wild", "little", "white", *_FRIENDS),
    "place": _words("famous green little lovely old peaceful quiet warm white wonderful"),
    "food": _words("fresh little lovely red sweet warm wonderful"),
    "thing": _words("blue golden heavy little lovely old red strange white"),
    "sky": _words("bright gentle golden lovely quiet strange white"),
}
# What cannot be said of one thing at once.
CLASHES = (_words("blue golden green red white"), _words("old young"))
MOODS = _words("brave cheerful happy hungry quiet tired")
DAYS = _words("bright lovely quiet strange warm wonderful")

# Base, third person, past; `be` and `do` are conjugated in grammar.py.
_VERBS = """
    belong/belongs/belonged bring/brings/brought call/calls/called carry/carries/carried come/comes/came
    dance/dances/danced dream/dreams/dreamed eat/eats/ate find/finds/found follow/follows/followed
    forget/forgets/forgot give/gives/gave hear/hears/heard help/helps/helped hide/hides/hid know/knows/knew
    laugh/laughs/laughed leave/leaves/left listen/listens/listened look/looks/looked love/loves/loved
    make/makes/made meet/meets/met pass/passes/passed remember/remembers/remembered rest/rests/rested
    run/runs/ran see/sees/saw share/shares/shared shine/shines/shone sing/sings/sang sit/sits/sat
    sleep/sleeps/slept smell/smells/smelled smile/smiles/smiled stand/stands/stood stay/stays/stayed
    talk/talks/talked taste/tastes/tasted tell/tells/told think/thinks/thought wait/waits/waited
    wake/wakes/woke walk/walks/walked want/wants/wanted watch/watches/watched work/works/worked
    """
VERBS = {base: (third, past) for base, third, past in (verb.split("/") for verb in _VERBS.split())}

# Adverbs that can stand before a sentence as it is, `Today the fox waits.`, and so begin a paragraph.
FIRST_WORDS = ("here", "later", "now", "often", "soon", "sometimes", "then", "today")

BLANKS = ("name", "place", "day", "time", "friend", "food", "animal", "address")
"""Labels of placeholders."""
