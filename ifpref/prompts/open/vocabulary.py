"""The general words of the `open` domain: those that go with any topic.

`arguments.py` draws keywords from them, `sentences.py` builds sentences with them, and both go by the same
lists, so that a keyword is put into a sentence where its part of speech belongs. Data, meant to be read and
edited.

    NOUNS        read well after `the`                   WHO, WHEN, WHERE   parts of a sentence, topic free
    THINGS       those that are found in any scene
    ADJECTIVES   read well after `looked`                LETTER_WORDS       nouns rich in a letter, by letter
    ADVERBS      say how something was done              BLANKS             labels of placeholders
    OPENERS      can begin a sentence, before its subject    HABITS       what texts tend to say
"""

from __future__ import annotations


def _lines(table: str) -> tuple[str, ...]:
    """The entries of a table with `|` or line breaks between them."""
    return tuple(entry.strip() for entry in table.replace("\n", "|").split("|") if entry.strip())


NOUNS = tuple(
    """
    window morning promise journey secret shadow bridge corner signal answer balance rhythm whisper
    puzzle courage horizon ladder mirror pattern fortune anchor feather thunder velvet compass
    garden kettle riddle silver winter harbour station ticket pocket thread candle breeze meadow
    island theatre blanket market painter stranger neighbour teacher captain musician doctor village
    planet engine bottle pencil carpet curtain button basket surprise patience memory freedom
    mystery tradition adventure laughter wisdom kindness curiosity argument friendship holiday
    weekend breakfast evening century moment beginning distance direction decision question
    experiment discovery machine invention method budget deadline customer colleague meeting
    newspaper library building kitchen staircase balcony cellar roof river mountain forest desert
    valley ocean weather rainbow sunlight fog frost honey pepper cinnamon lemon ginger pumpkin
    sandwich recipe melody trumpet violin drum elephant penguin tortoise sparrow butterfly squirrel
    horse rabbit owl
    """.split()
)

ADJECTIVES = tuple(
    """
    quiet ancient golden fragile curious sudden hidden gentle distant clumsy bright honest sturdy
    ordinary familiar strange delicate generous modest cheerful serious narrow hollow restless
    practical peculiar splendid colourful remarkable stubborn simple elegant mysterious humble
    lively
    """.split()
)

ADVERBS = tuple(
    """
    carefully slowly gladly secretly calmly proudly politely eagerly patiently cheerfully
    reluctantly quietly thoughtfully boldly gracefully
    """.split()
)

OPENERS = tuple(
    """
    today yesterday sometimes often perhaps maybe once later then now still meanwhile usually
    finally suddenly outside inside somehow luckily sadly clearly slowly soon again eventually
    honestly naturally curiously afterwards elsewhere everywhere normally occasionally fortunately
    surprisingly apparently certainly gradually indeed instead besides however therefore
    nevertheless
    """.split()
)
THINGS = tuple(
    """
    letter story table door chair lamp question answer idea plan list photograph notebook coffee music weather
    view silence detail secret promise mistake beginning habit newspaper window clock bag joke conversation
    """.split()
)

# Every one of WHO goes with a verb in the past, whatever its number.
WHO = _lines("""
    the neighbours | most people | everybody in the room | the children | our teacher | the whole family
    an old friend | two strangers | the visitors | my grandmother | the people next door
    the youngest of them | somebody at the back | the crowd | one of the guests | those who stayed
    the experts | plenty of people | our little group | the others | the woman at the desk
    the man by the door | both of the twins | several readers | the quiet ones | the newcomers
    some of us
""")

WHEN = _lines("""
    in the morning | on quiet evenings | after the first week | before dinner | at the end of the day
    during the winter | late at night | by the time the rain stopped | on the second try
    long before sunrise | in the middle of June | after some thought | from the very beginning
    when nobody was looking | without much fuss | in those days | as soon as the doors opened
    on the way home | between two cups of tea | at just the right moment | in the end | at noon
    before breakfast | on the last day | shortly after midnight | at first light | late in the autumn
""")

WHERE = _lines("""
    in the kitchen | by the window | at the station | across the street | under the old roof
    near the river | in the next room | at the edge of town | behind the house | on the front page
    in the back row | along the shore | at the long table | in the garden | on the stairs
    in the workshop | beside the fire | on the bench outside | in every corner | out in the open
""")

DID = _lines("""
    noticed | remembered | described | mentioned | admired | examined | praised | talked about
    thought about | asked about | wondered about | pointed at | smiled at | returned to | looked for
    discovered | understood | appreciated | missed
""")
"""What somebody did to a thing, in the past."""

FELT = _lines("""
    calm | surprised | grateful | hopeful | puzzled | at home | relieved | proud | strangely happy
    wide awake | slightly nervous | ready for more | understood | less alone | full of ideas
""")

QUALITY = _lines("""
    ordinary | remarkable | simple | familiar | important | different | beautiful | complicated
    perfectly normal | strange | peaceful | promising | easy to overlook | harder than expected
    worth the effort | almost magical | rather comical | surprisingly useful | quite serious
    hard to describe
""")

LETTER_WORDS: dict[str, tuple[str, ...]] = {
    line.split()[0]: tuple(line.split()[1:])
    for line in """
    a banana panorama cascade avalanche caravan catalogue pajama papaya savanna alpaca almanac marmalade
    b bubble bobbin rabbit babble barbecue pebble ribbon cobbler blueberry cupboard hobby baobab
    c cactus bicycle circus crocodile coconut accident success calendar broccoli cyclone cricket concert
    d daffodil riddle puddle saddle shadow ladder wedding dividend middle meadow sidewalk dandelion
    e sleeve cheese reference evergreen freezer employee referee experience tree sentence excellence
    f traffic coffee waffle giraffe cliff fluff scaffold muffin taffeta daffodil firefly staff
    g baggage luggage garage giggle language gauge gadget nugget lodging geography gingerbread eggplant
    h hedgehog highlight health hatch hurrah toothbrush chrysanthemum rhythm hearth sunshine lighthouse
    i visibility infinity civilisation initiative invitation ability limit civility minimum simplicity bikini
    j judge jungle jigsaw journey banjo jewel jacket pajama majesty ninja juice jujube
    k kiosk kick knack knock backpack bookmark kayak keepsake cookbook trick clockwork skunk
    l lullaby hill parallel shell syllable alligator waterfall umbrella dollhouse pillow volleyball lily
    m mammoth summer moment museum hammer mushroom momentum maximum comma medium drummer mime
    n nonsense onion tunnel companion lantern banana innovation intention union cinnamon noon convention
    o cocoon monsoon bamboo typhoon tattoo kangaroo igloo footstool notebook bookshop monotony schoolroom
    p apple pepper puppet popcorn puppy ripple proposal purpose hippo slipper paprika envelope
    q quilt queen quartz quest quarry mosque antique squirrel sequence banquet bouquet aquarium
    r mirror arrow terror barrier carrier error horror strawberry orchard river corridor refrigerator
    s process glass possession session assessment success compass address blossom sunset stress lesson
    t attitude cottage butterfly letter statement tattoo potato tutor attention testament treatment rattle
    u museum universe future culture sculpture cucumber futurist curriculum luxury menu guru bureau
    v valve vivacity velvet revival survivor village evolution verve river volume weaver vineyard violin
    w window willow swallow wigwam rainbow waterway wallow shadow snow crow meadow snowplow
    x fox box axe wax taxi saxophone luxury textbook exhibition mixture complex oxygen
    y mystery memory century diary synergy daisy library journey rhythm symphony eyelid history
    z pizza puzzle jazz buzz blizzard drizzle muzzle nozzle razzmatazz pizzazz zigzag fuzz
    """.strip().splitlines()
}

BLANKS = _lines("""
    name | address | date | time | place | city | phone number | email | company | job title
    first name | last name | street | country | age | price | amount | deadline | topic | venue
    organiser | signature | recipient | sender | website | event | product | season | colour
    favourite song | book title | department | teacher | class | number of guests | weekday | month
    reason | animal | ingredient | quantity | friend | neighbour | hometown | occupation | order number
    opening hours | contact person
""")

# What a text in English tends to say whatever its topic: worth forbidding, and possible to avoid.
HABITS = tuple(
    """
    very really good great important because always never people time thing beautiful simple perfect best
    first finally however today world life love dream magic special story moment also maybe should would
    everyone nothing something little journey heart truly wonderful nice
    """.split()
)

# Last words that fit any text.
END_PHRASES = _lines("""
    That is all there is to say.
    Let me know what you think.
    And that made all the difference.
    What would you have done?
    Thank you for reading, and take care.
    See you next time!
    The rest is up to you.
    Well, that is how it was.
    Is there anything you would like to add?
    And so, at last, the day was over.
    Nobody ever spoke of it again.
    Feel free to write back at any time.
    Try it yourself, and you will see.
    With kind regards from all of us.
    May it bring you joy.
    How could it be otherwise?
    Tomorrow is another day.
    In the end, patience wins.
    Keep calm and stay curious.
    Everything else can wait.
    Now it is your turn!
    Who would have thought so?
    If in doubt, ask a friend.
    We look forward to hearing from you.
    Good night, and sleep well.
    Some questions have no answer.
    Please pass it on.
    There is no place like home, after all.
    Does that answer your question?
    The best is yet to come.
    No more, no less.
    Stay tuned for more.
    It was worth every minute.
    Have you got any questions?
    Sooner or later, everybody finds out.
    Until we meet again!
    Remember, small steps count.
    Here ends the tale.
""")
