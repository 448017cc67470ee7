"""The sentence patterns of the pocket world: what its nouns do, by kind. How a task speaks is in voices.py.

    "^{S} [walk] to the {place}|."   ->   "That night, the fox walked to the river, just like the bear."

    {S}, {O}     what the sentence is about, as subject or object; {he}, {him}, {his} its pronouns
    {friend}     a person or an animal that has not been named yet; so {place}, {food}, {thing}, {sky}, ...
    {at}         a place with its preposition
    {adj}        an adjective for the subject; {mood} one for a friend, {aday} one for a day, with its article
    [walk]       the verb in the tense of the task, third person; [walk:p] plural, after {we} ("we" or "they")
    ^ | ~        a time may come before; a clause may follow, of TAILS or only of SCENE_TAILS

Patterns are written so that any noun of their kind fits; those of ANY take every noun.
"""

from __future__ import annotations

FRIEND = (
    "^{S} [walk] to the {place} with the {friend}~.",
    "^{S} [run] past the {place}~.",
    "^{S} [sit] near the {place} and [listen] to the {sound}.",
    "^{S} [find] the {thing} {at}|.",
    "^{S} [carry] the {thing} to the {place}|.",
    "^{S} [share] the {food} with the {friend}~.",
    "{S} [eat] the {food} slowly, and the {friend} [watch].",
    "{S} [love] the {food}, the {place} and the {thing}.",
    "When the {sky} [come], {S} [sleep] {at}.",
    "^{S} [dream] of the {place}~.",
    "^{S} [give] the {thing} to the {friend}|.",
    "^{S} [sing] to the {sky}|.",
    "^{S} [look] for the {thing} all day~.",
    "^{S} [wait] {at}|.",
    "{at}, {S} [meet] the {friend}.",
    "^{S} [help] the {friend} with the {thing}~.",
    "^{S} [hide] the {thing} near the {place}|.",
    "^{S} [dance] around the {thing} with the {friend}.",
    "{S} [laugh], and the {friend} [laugh] too.",
    "{S} [be] {mood}, because the {food} [be] fresh and sweet.",
    "{S} [be] {mood} and {mood}, but the {friend} [be] {mood}.",
    "^{S} [tell] the {friend} about the {place}|.",
    "{S} never [leave] the {place} without the {thing}.",
    "^{S} [bring] the {food} to the {person}|.",
    "^{S} [watch] the {sky} above the {place}|.",
    "^{S} [call] the {friend}, and the {friend} [come] too.",
    "^{S} [think] of the {thing} and the {food}.",
    "{S} [find] the {thing}, and {he} [bring] it to the {place}.",
    "If {he} [be] hungry, {S} [eat] the {food}.",
    "{S} [love] {his} {thing} more than the {food}.",
    "^{S} [carry] {his} {thing} to the {friend}|.",
    "{S} [see] the {friend}, but {he} [know] that it [be] late.",
)
KIND_PATTERNS = {
    "person": (
        *FRIEND,
        "^{S} [work] {at} with the {thing}~.",
        "^{S} [make] the {food} for the {friend}|.",
        "{S} [know] the way, and the {friend} [follow].",
    ),
    "animal": (
        *FRIEND,
        "^{S} [follow] the {person} to the {place}|.",
        "^{S} [rest] in the grass near the {place}~.",
        "{S} [run] fast, but the {friend} [be] there first.",
    ),
    "place": (
        "{S} [be] quiet when the {friend} [sleep].",
        "^{S} [wake] when the {friend} [sing].",
        "^{S} [be] full of light and music~.",
        "^{S} [look] {adj} under the {sky}~.",
        "{S} [belong] to everyone, even to the {friend}.",
        "{S} [be] {adj} and {adj}, and the {friend} [love] it.",
        "{S} [sleep] under the {sky}, but the {friend} [wake].",
        "^the {friend} and the {friend} [meet:p] near {O}~.",
        "^the {friend} [walk] home from {O} with the {thing}.",
        "^the {friend} [share] the {food} near {O}~.",
    ),
    "food": (
        "{S} [smell] sweet, and the {friend} [smile].",
        "{S} [taste] best with the {friend} {at}.",
        "{S} [be] warm and {adj}, and there [be] enough for everyone.",
        "^{S} [wait] on the table~.",
        "^{S} [come] from the {place}, where the {friend} [work].",
        "{S} [make] the {friend} happy.",
        "{S} [look] {adj}, but the {friend} [want] the {food}.",
        "^the {friend} [eat] {O} with the {friend}~.",
        "^the {friend} [bring] {O} to the {place}~.",
        "Without {O}, the {friend} [be] hungry.",
    ),
    "thing": (
        "^{S} [wait] {at}, where the {friend} [leave] it.",
        "^{S} [stand] near the {place}~.",
        "{S} [belong] to the {person}.",
        "{S} [be] {adj} and {adj}, and the {friend} [love] it.",
        "{S} [make] the {friend} happy.",
        "^{S} [stay] {at} all night~.",
        "^{S} [shine] in the light of the {light}~.",
        "{S} [look] new, but the {friend} [know] how old it [be].",
        "^the {friend} [carry] {O} to the {place}~.",
        "Without {O}, nobody [dance] with the {friend}.",
        "^the {friend} [find] {O} {at}~.",
    ),
    "sky": (
        "^{S} [pass] over the {place}~.",
        "^{S} [follow] the {friend} to the {place}~.",
        "{S} [come] with the night, and the {friend} [wake].",
        "{S} [make] the {place} quiet, and everyone [listen].",
        "^{S} [stay] above the {place} all night~.",
        "{S} [be] {adj} and {adj}, and the {friend} [sing].",
        "^{S} [wake] the {friend} {at}~.",
        "^the {friend} [watch] {O} from the {place}~.",
        "Under {O}, the {friend} [think] of the {food}.",
    ),
}
ANY = (
    "{S} [be] not far from the {place}.",
    "Everyone [talk] about {O}.",
    "Nobody [forget] {O}, not even the {friend}.",
    "There [be] nothing like {O} in the whole world.",
    "{we} [remember:p] {O} when the night [be] long.",
    "^{we} [see:p] {O} near the {place}~.",
    "The {friend} [know] everything about {O}.",
)
# Questions, and (in the present tense) requests: those of any noun, and those of a noun that can be moved.
QUESTIONS = (
    "Who [do] not know {O}?",
    "Where [be] {S} when the {friend} [sleep]?",
    "Do you remember {O} and the {friend}?",
    "What would the {place} be without {O}?",
    "Is there anything better than {O}?",
    "How old [be] {S}, and who [know] the answer?",
    "Why [do] {S} wait {at}?",
    "[be] {S} not {adj}, just like the {friend}?",
    "Who [sing] of {O}, the {friend} or the {friend}?",
    "When the {sky} [come], who [think] of {O}?",
    "What [do] the {friend} know about {O}?",
)
MOVABLE_QUESTIONS = (
    "Who [bring] {O} to the {place}?",
    "Would you follow {O} to the {place}?",
    "Who else [come] to the {place} with {O}?",
    "Who can find {O} {at}?",
    "Will {S} be {at} or {at} tomorrow?",
)
REQUESTS = (
    "Can you see {O} from the {place}?",
    "Come and see {O}, dear friends!",
    "If you see {O}, tell the {friend}.",
    "Ask the {person} about {O}~.",
    "You will find {O} {at}~.",
    "When you think of {O}, think of the {friend} too.",
    "You should tell the {friend} about {O}~.",
)
MOVABLE_REQUESTS = (
    "Look, {S} [be] here at last!",
    "You should bring {O} to the {place}~.",
    "You must never leave {O} alone {at}.",
    "Please take {O} to the {place} before night.",
    "{S} will be {at} tomorrow~.",
    "Keep {O} near the {thing}, and all will be well.",
    "Never forget {O}, because {he} [be] {adj}.",
)
EXCLAMATIONS = (
    "How {adj} {S} [be]!",
    "What {aday} day for {O} and the {friend}!",
    "Oh, how the {friend} [love] {O}!",
    "Nothing [be] better than {O} on such {aday} day!",
    "How {adj} {S} [be], and how {mood} the {friend} [be]!",
    "At last, the {friend} [see] {O}!",
)
# Sentences without the topic.
GENERAL = (
    "^{we} [walk:p] to the {place} with the {thing}~.",
    "^{we} [share:p] the {food} with the {friend}~.",
    "^{we} all [dance:p] {at} with the {friend}~.",
    "Everyone [be] happy, and nobody [want] to go home.",
    "The night [be] long, but the {place} [be] warm.",
    "There [be] music {at}, and the {friend} [dance].",
    "Nobody [be] {at}, only the {friend} and the {thing}.",
    "The {friend} and the {friend} [be:p] good friends.",
    "It [be] {aday} day, and the {sky} [be] far away.",
    "All the friends [come:p] together {at}~.",
    "Then {we} [hear:p] the {sound}, and the {friend} [wake].",
    "With the {food} and the {thing}, the {friend} [wait] {at}.",
    "The {friend} [give] the {food} to the {friend}, because it [be] late.",
    "When the {weather} [come], {we} [stay:p] {at} with the {friend}.",
    "The {friend} [want] the {thing}, but {we} [want:p] the {food}.",
    "^the {sound} [wake] the {friend}~.",
)
# At most six words.
_SHORT = {
    "any": (
        "{S} [be] here.",
        "Where [be] {S}?",
        "Nobody [forget] {O}.",
        "{S} [be] not far away.",
        "How {adj} {S} [be]!",
        "Everyone [remember] {O}.",
        "{S} [be] {adj} and {adj}.",
    ),
    "friend": (
        "{S} [sing] and [dance].",
        "{S} [smile] again.",
        "{S} [sleep] well.",
        "{S} [wait] for the {friend}.",
        "{S} [love] the {food}.",
        "{S} [laugh] with the {friend}.",
    ),
    "place": ("{S} [be] very quiet.", "{S} [sleep] under the {sky}.", "{S} [be] full of music."),
    "food": ("{S} [smell] sweet.", "{S} [taste] very good.", "{S} [wait] on the table."),
    "thing": ("{S} [stay] with the {friend}.", "{S} [shine] at night.", "{S} [wait] on the table."),
    "sky": ("{S} [come] again.", "{S} [pass] over the {place}.", "{S} [wake] the {friend}."),
    "general": (
        "{we} [walk:p] home together.",
        "The night [be] warm.",
        "Everyone [be] happy.",
        "Nobody [know] why.",
        "The {friend} [smile].",
        "The {place} [be] quiet.",
        "All [be] well {at}.",
    ),
}
SCENE_TAILS = (
    ", because the {sky} [be] near",
    ", because the night [be] warm",
    ", but nobody [know] why",
    ", while the {friend} [sleep]",
    ", as everyone [know]",
    ", and the {friend} [smile]",
    ", and it [be] {aday} day",
    " when the {friend} [call]",
    " before the {sky} [come]",
    " until the night [come]",
)
TAILS = (
    *SCENE_TAILS,
    ", and the {friend} [follow]",
    ", but the {friend} [stay] at home",
    ", just like the {friend}",
    ", and that [be] good for the {friend}",
    " with the {friend} and the {friend}",
    " because the {friend} [want] it",
)
TIMES = {
    "past": (
        "Yesterday",
        "That night,",
        "Last night,",
        "One day,",
        "In the morning,",
        "After the {weather},",
        "Then",
        "Later,",
        "When the night [come],",
        "Once,",
        "This time,",
    ),
    "present": (
        "Every day",
        "Every night,",
        "In the morning,",
        "At night,",
        "Today",
        "Now",
        "Sometimes",
        "After the {weather},",
        "When the night [come],",
        "This time,",
        "Soon,",
    ),
}

# One to four words without punctuation; NOUN is the topic's noun or a neighbour.
PHRASES = (
    "the {adj} NOUN",
    "the {adj} NOUN",
    "NOUN and {friend}",
    "{at}",
    "{thing} {at}",
    "one {adj} NOUN",
)
SHORT = {kind: _SHORT.get(kind, _SHORT["friend"]) + _SHORT["any"] for kind in KIND_PATTERNS}
SHORT["general"] = _SHORT["general"]
_MOVABLE = ("person", "animal", "food", "thing")
QUESTIONS_OF = {kind: QUESTIONS + MOVABLE_QUESTIONS * (kind in _MOVABLE) for kind in KIND_PATTERNS}
REQUESTS_OF = {kind: REQUESTS + MOVABLE_REQUESTS * (kind in _MOVABLE) for kind in KIND_PATTERNS}
STATEMENTS = {kind: own + ANY for kind, own in KIND_PATTERNS.items()}
SUBJECT_FIRST = {kind: tuple(p for p in own if p.startswith(("^{S}", "{S}"))) for kind, own in STATEMENTS.items()}
TIMED = {kind: tuple(p for p in own if p[0] == "^") for kind, own in {**STATEMENTS, "general": GENERAL}.items()}
