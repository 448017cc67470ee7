"""What the pocket world writes about: ten tasks and some 260 topics.

Topics are combinations of words that other topics hold too (`the old fox`, `a fox in the forest`, `the fox
and the goose`), so that topics can be split into train, dev and test and no held-out topic brings an unseen
word.

    Topic(id="old-fox", text="the old fox", words=("fox", "forest", "goose", "rabbit", ...))
"""

from __future__ import annotations

from itertools import cycle

from ifpref.prompts.domain import Task, Topic
from ifpref.prompts.pocket.world import ADJECTIVES, AT, NOUNS

TASKS = (
    Task(
        "story",
        (
            "Tell a story about {topic}.",
            "Write a short story about {topic}.",
            "Please tell us a story of {topic}.",
        ),
    ),
    Task(
        "letter",
        (
            "Write a letter to a friend about {topic}.",
            "Write to a friend about {topic}.",
            "Please write a short letter about {topic}.",
        ),
    ),
    Task(
        "note",
        (
            "Write a note about {topic}.",
            "Leave a short note about {topic}.",
            "Please write a friend a note about {topic}.",
        ),
    ),
    Task(
        "news",
        (
            "Write the village news about {topic}.",
            "Tell everyone the news about {topic}.",
            "Please write short news about {topic}.",
        ),
    ),
    Task(
        "song",
        ("Write a song about {topic}.", "Sing a short song of {topic}.", "Please make a song about {topic}."),
    ),
    Task(
        "advice",
        (
            "Give a friend advice about {topic}.",
            "Write some advice about {topic}.",
            "Please give us good advice about {topic}.",
        ),
    ),
    Task(
        "riddle",
        (
            "Write a riddle about {topic}.",
            "Make a riddle full of questions about {topic}.",
            "Please ask us a short riddle about {topic}.",
        ),
    ),
    Task(
        "advert",
        (
            "Write an advert for {topic}.",
            "Make a short advert about {topic}.",
            "Please write the best advert for {topic}.",
        ),
    ),
    Task(
        "diary",
        (
            "Write a page of a diary about {topic}.",
            "Tell your diary about {topic}.",
            "Please write in the diary about {topic}.",
        ),
    ),
    Task(
        "report",
        (
            "Write a report about {topic}.",
            "Give a short report about {topic}.",
            "Please write a true report about {topic}.",
        ),
    ),
)


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
            topics.append(Topic(text.replace(" ", "-"), f"{start} {text}", (noun.word, *noun.near)))
        places = [word for word in noun.near if word in AT]
        start = "the" if i % 2 or noun.kind == "sky" else article(noun.word)
        for place in places[:1] if noun.kind != "place" else ():
            topics.append(_pair(noun.word, place, f"{start} {noun.word} {AT[place]} the {place}"))
        friends = [word for word in noun.near if NOUNS[word].kind in ("person", "animal")]
        other = friends[i % len(friends)]
        topics.append(_pair(noun.word, other, f"the {noun.word} and the {other}"))
    return tuple(topics)


def _pair(word: str, other: str, text: str) -> Topic:
    """A topic of two nouns: the key noun, the other, and the neighbours of the key noun."""
    near = (near for near in NOUNS[word].near if near != other)
    return Topic(f"{word}-{other}", text, (word, other, *near))


TOPICS = _topics()
