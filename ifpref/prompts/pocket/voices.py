"""How each task of the pocket world speaks: its tense, its openings, its own sentences, its questions.

    VOICES["letter"].openings[0]     # "Dear friend, do you remember {O}?"

The sentences are patterns, in the notation of patterns.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Voice:
    """How a task speaks.

    tense, we   "past" or "present"; who {we} is, "we" or "they"
    openings    first sentences: they name the topic, and most hold the `marks`
    manner      later sentences that only this task has
    questions, exclamations, requests
                shares of QUESTIONS_OF, EXCLAMATIONS and (in the present tense only) REQUESTS_OF
    marks       words that most texts of the task hold: what a writer would miss, were they forbidden
    """

    tense: str
    we: str
    openings: tuple[str, ...]
    manner: tuple[str, ...]
    questions: float = 0.06
    exclamations: float = 0.06
    requests: float = 0.0
    marks: tuple[str, ...] = ()


VOICES = {
    "story": Voice(
        "past",
        "they",
        (
            "Once upon a time, {S} [wait] {at}.",
            "Once upon a time, there [be] {a O} {at}.",
            "Once upon a time, everyone [love] {O}.",
            "Once there [be] {a O}, and the {friend} [love] {him}.",
            "Once upon a time {S} [be] {adj}, but nobody [know].",
        ),
        (
            "From that day on, the {friend} and the {friend} [be:p] good friends.",
            "The {place} [be] never quiet again.",
            "And so the {friend} [come] home at last.",
            "After a long time, the {friend} [find] the {thing} again.",
            "Once more, the {friend} [laugh] {at}.",
        ),
        marks=("once",),
    ),
    "letter": Voice(
        "present",
        "we",
        (
            "Dear friend, do you remember {O}?",
            "Dear friend, {S} [be] {at} today.",
            "Dear friend, {we} [think:p] of {O} every day.",
            "Dear friend, the {friend} [talk] about {O} again.",
            "Dear friend, there [be] good news about {O}.",
        ),
        (
            "Write to us soon, dear friend.",
            "The {friend} and the {friend} send you all their love.",
            "When will you come home, dear friend?",
            "We miss you, and the {friend} [do] too.",
            "Dear friend, come and see the {place} with us.",
        ),
        questions=0.14,
        requests=0.12,
        marks=("dear", "friend"),
    ),
    "note": Voice(
        "present",
        "we",
        (
            "Please remember {O} today.",
            "Please note that {S} [be] {at}.",
            "Please do not forget {O}, dear friend.",
            "Please come to the {place}, because {S} [be] there.",
            "Please look for {O} {at}.",
        ),
        (
            "Thank you for your help with the {thing}!",
            "Please tell the {friend} about this.",
            "The {thing} [be] {at}, next to the {thing}.",
            "Please leave the {food} for the {friend}.",
            "Please come before night, and bring the {thing}.",
        ),
        exclamations=0.1,
        requests=0.4,
        marks=("please",),
    ),
    "news": Voice(
        "past",
        "they",
        (
            "Good news, {S} [be] {at} again!",
            "Good news, the {friend} [find] {O} {at}!",
            "This is the news about {O}.",
            "The news about {O} [come] to the {place} yesterday.",
            "Today there [be] news about {O}.",
        ),
        (
            "The {friend} [bring] the news to the {place}.",
            "Nobody [know] what would happen then.",
            "More news will come from the {place} tomorrow.",
            "The {person} [hear] the news, and the {friend} [smile].",
            "It [be] good news for the {friend}.",
        ),
        exclamations=0.14,
        marks=("news",),
    ),
    "song": Voice(
        "present",
        "we",
        (
            "Oh, sing with us of {O}!",
            "Oh, {S} [be] {adj}, and the {friend} [sing]!",
            "Oh how {we} [love:p] {O}!",
            "Oh, the {friend} [sing] of {O} all night!",
            "Oh, who will sing of {O}?",
        ),
        (
            "Oh, sing it again with the {friend}!",
            "Sing, dear friends, until the night [come]!",
            "Oh, the {sky}, and oh, the {place}!",
            "Sing of the {food}, and sing of the {thing}!",
            "Oh, how the {sound} [sing] {at}!",
        ),
        exclamations=0.4,
        marks=("oh",),
    ),
    "advice": Voice(
        "present",
        "we",
        (
            "You should always think of {O}.",
            "If you want to understand {O}, you should listen.",
            "You should know that {S} [be] {adj}.",
            "You should never forget {O}, dear friend.",
            "You should ask the {person} about {O}.",
        ),
        (
            "You will be glad that you listened.",
            "If you should forget this, ask the {person}.",
            "You should rest when the night [come].",
            "You should always listen to the {person}.",
            "When the {weather} [come], you should stay {at}.",
        ),
        requests=0.5,
        marks=("you", "should"),
    ),
    "riddle": Voice(
        "present",
        "they",
        (
            "Who can tell what {S} [want] today?",
            "Who can say why the {friend} [love] {O}?",
            "Who [be] it that [wait] {at} with {O}?",
            "Who can say where {S} [be] now?",
            "Who [know], dear friends, how old {S} [be]?",
        ),
        (
            "Who can tell the answer?",
            "Think well, for the answer [be] near.",
            "Who will tell the {friend}?",
            "The answer [be] not {at}, and not {at}.",
            "Who [be] it that [sing] {at} at night?",
        ),
        questions=0.6,
        marks=("who",),
    ),
    "advert": Voice(
        "present",
        "we",
        (
            "Come and see {O} today!",
            "Come to the {place} today, for {S} [be] here!",
            "Come soon, for there [be] nothing like {O}!",
            "Come one, come all, and see {O}!",
            "Come and ask for {O} {at}!",
        ),
        (
            "Come soon, and bring the {friend} too!",
            "Tell everyone, and come again tomorrow!",
            "Come today, because tomorrow will be too late!",
            "Even the {friend} will be there with the {thing}!",
            "Come to the {place}, where the {friend} [wait] for you!",
        ),
        exclamations=0.4,
        requests=0.2,
        marks=("come",),
    ),
    "diary": Voice(
        "past",
        "we",
        (
            "Dear diary, today {we} [see:p] {O}.",
            "Dear diary, {S} [be] {adj} today.",
            "Dear diary, today the {friend} [talk] about {O}.",
            "Dear diary, {we} [find:p] {O} {at} today.",
            "Dear diary, today {we} [think:p] of {O} again.",
        ),
        (
            "Now {we} [be:p] tired but happy.",
            "It [be] {aday} day, dear diary.",
            "Tomorrow, dear diary, you will hear more.",
            "{we} will always remember this day.",
            "Today the {friend} [be] {mood}, but {we} [be:p] not.",
        ),
        marks=("dear", "diary", "today"),
    ),
    "report": Voice(
        "past",
        "they",
        (
            "This report is about {O} and the {place}.",
            "This is the report about {O}.",
            "This report tells what {S} and the {friend} [do] {at}.",
            "This report says that {S} [be] {at}.",
            "The {person} asked for this report about {O}.",
        ),
        (
            "The report [be] true, as the {person} [know].",
            "Nothing else happened {at}.",
            "The {person} [think] that this report [be] good.",
            "The {person} and the {person} [see:p] it too.",
            "This [be] the first report from the {place}.",
        ),
        questions=0.0,
        exclamations=0.0,
        marks=("report", "this"),
    ),
}
