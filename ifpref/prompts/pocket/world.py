"""The words of the pocket world, a village between a forest and a harbour, the topics made of them, and the tasks.

A noun knows its kind, which decides what it can do, its pronoun, and its neighbours, which fill the texts about it:

    NOUNS["fox"] == Noun("fox", "animal", "he", ("forest", "goose", "rabbit", ...))

Topics, some 260, are combinations of words that other topics hold too (`the old fox`, `a fox in the forest`, `the fox
and the goose`), so that topics can be split into train, dev and test and no held-out topic brings an unseen word:

    Topic(id="old-fox", text="the old fox", words=("fox", "forest", "goose", "rabbit", ...), kind="animal")

A task has a voice, how its texts speak: its tense, its openings, its own sentences, its questions. Its sentences are
patterns, in the notation of patterns.txt.

    VOICES["letter"].openings[0]     # "Dear friend, do you remember {O}?"
"""

from dataclasses import dataclass
from itertools import cycle

from ifpref.data import read_sections, read_yaml
from ifpref.prompts.domain import Topic, WritingTask

WORDS = read_yaml("pocket/words.yaml")
ADJECTIVES, AT = WORDS["adjectives"], WORDS["at"]
PRONOUNS = {"he": ("him", "his"), "she": ("her", "her"), "it": ("it", "its")}
VERBS = {base: (third, past) for base, third, past in (verb.split("/") for verb in WORDS["verbs"].split())}


@dataclass(frozen=True)
class Noun:
    """One noun: `kind` is one of KINDS, `near` are at least six nouns that go with it."""

    word: str
    kind: str
    pronoun: str
    near: tuple[str, ...]


def _nouns() -> dict[str, Noun]:
    """The nouns of the table, in its order."""
    nouns = {}
    for kind, lines in read_sections("pocket/nouns.txt").items():
        for line in lines:
            head, near = line.split(":")
            word, pronoun = head.split(", ")
            nouns[word] = Noun(word, kind, pronoun, tuple(near.split()))
    return nouns


NOUNS = _nouns()
KINDS = tuple(read_sections("pocket/nouns.txt"))
BY_KIND = {kind: [noun.word for noun in NOUNS.values() if noun.kind == kind] for kind in KINDS}
BY_KIND |= {"friend": BY_KIND["person"] + BY_KIND["animal"], "any": list(NOUNS), **WORDS["groups"]}
BY_KIND["mood"] = WORDS["moods"]  # of a friend: drawn as nouns are
KINDS_WITH = {
    word: [kind for kind in KINDS if word in ADJECTIVES[kind]] for words in ADJECTIVES.values() for word in words
}
"""The kinds of noun that an adjective goes with."""


def article(word: str) -> str:
    """`a` or `an`, whichever goes before the word."""
    return "an" if word[0] in "aeiou" else "a"


def _topics() -> tuple[Topic, ...]:
    """Every noun with two adjectives (three, where its kind has few nouns), a place, and a friend."""
    topics = []
    adjectives = {kind: cycle(words) for kind, words in ADJECTIVES.items()}
    for i, noun in enumerate(NOUNS.values()):
        for j in range(3 if noun.kind in ("food", "sky") else 2):
            text = f"{next(adjectives[noun.kind])} {noun.word}"
            start = "the" if (i + j) % 2 else article(text)
            words = (noun.word, *noun.near)
            topics.append(Topic(text.replace(" ", "-"), f"{start} {text}", words, noun.kind))
        places = [word for word in noun.near if word in AT]
        start = "the" if i % 2 or noun.kind == "sky" else article(noun.word)
        for place in places[:1] if noun.kind != "place" else ():
            topics.append(_pair(noun, place, f"{start} {noun.word} {AT[place]} the {place}"))
        friends = [word for word in noun.near if word in BY_KIND["friend"]]
        other = friends[i % len(friends)]
        topics.append(_pair(noun, other, f"the {noun.word} and the {other}"))
    return tuple(topics)


def _pair(noun: Noun, other: str, text: str) -> Topic:
    """A topic of two nouns: the key noun, the other, and the neighbours of the key noun."""
    near = (near for near in noun.near if near != other)
    return Topic(f"{noun.word}-{other}", text, (noun.word, other, *near), noun.kind)


TOPICS = _topics()


@dataclass(frozen=True)
class Voice:
    """How a task speaks.

    tense, we   "past" or "present"; who {we} is, "we" or "they"
    openings    first sentences: they name the topic, and most hold the `marks`
    manner      later sentences that only this task has
    marks       words that most texts of the task hold: what a writer would miss, were they forbidden
    questions, exclamations, requests
                shares of sentences of these kinds; requests are made in the present tense only
    """

    tense: str
    we: str
    openings: list[str]
    manner: list[str]
    marks: list[str]
    questions: float
    exclamations: float
    requests: float


_TASKS = read_yaml("pocket/tasks.yaml")
TASKS = tuple(WritingTask(id, tuple(task.pop("asked as")), KINDS) for id, task in _TASKS.items())
VOICES = {id: Voice(**task) for id, task in _TASKS.items()}
