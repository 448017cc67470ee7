"""The whole of a response and its two ends: two responses, the request repeated, an end phrase, quotation marks."""

from collections.abc import Iterator

from ifpref.constraints.english import quote
from ifpref.constraints.needs import Needs
from ifpref.constraints.registry import Arg, Constraint, Kind


class TwoResponses(Kind, id="combination:two_responses"):
    """two different responses, divided by ******"""

    wordings = """
    Give exactly two different responses, separated by six asterisks: ******.
    Write two different versions of your answer, and put six asterisk symbols (******) between them.
    Provide exactly two different answers with a line of ****** between the first and the second.
    Please offer exactly two alternative responses that are not the same, divided only by ******.
    Respond twice, in two different ways, and separate the two responses with six asterisks (******).
    There should be exactly two responses, different from each other and separated by ****** alone.
    > Give two different answers with ****** between them. / Answer in two ways, split by ******.
    > Write two different texts and put ****** between them.
    """
    asks = ("two_responses", True)

    def check(self, text: str) -> bool:
        """Two pieces around ******, not blank and not alike; a blank one may stand at either end only."""
        pieces = [piece.strip() for piece in text.split("******")]
        filled = [piece for piece in pieces if piece]
        return all(pieces[1:-1]) and len(filled) == 2 and filled[0] != filled[1]


class RepeatPrompt(Kind, id="combination:repeat_prompt"):
    """begins by repeating the request"""

    # The study leaves it out: all responses to a prompt would begin alike, which plants a shared prefix in the
    # pairs of rejection sampling: the very thing whose effect is under study.
    sets = ("ifeval",)
    prompt_to_repeat = Arg("text", "what is to be repeated")
    wordings = """
    First repeat {request} word for word, changing nothing, and then answer it.
    Before you answer, repeat {request} exactly as it is, and say nothing before that.
    Begin by copying {request} word for word, with nothing in front of it, and only then answer it.
    Your response must start with an exact repetition of {request} and continue with your answer.
    Repeat {request} without changing a single word, and answer it after that.
    Start your response by restating {request} verbatim, then move on to the answer itself.
    > First repeat {request} word for word. / Start by copying {request}, then answer.
    > Say {request} again first, then answer.
    """

    def check(self, text: str, prompt_to_repeat: str) -> bool:
        """Begins with the request, in any case; nothing need follow."""
        return text.strip().lower().startswith(prompt_to_repeat.strip().lower())

    def need(self, needs: Needs, prompt_to_repeat: str) -> None:
        needs.opening = max(needs.opening, prompt_to_repeat.strip(), key=len)
        needs.texts.append(prompt_to_repeat.strip())

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        opening = mine.needs.opening.lower()
        if other.needs.quotation and not opening.startswith('"'):
            yield "the text begins with the request, not with a quotation mark"
        starts = sorted((opening, other.needs.opening.lower()), key=len)
        if not starts[1].startswith(starts[0]):
            yield "a text has one beginning"

    def slots(self, spelled: bool, prompt_to_repeat: str) -> dict[str, str]:
        return {"request": f"the request {quote(prompt_to_repeat)}"}


class EndChecker(Kind, id="startend:end_checker"):
    """ends with a given phrase, in any case"""

    end_phrase = Arg("text", "the last words")
    wordings = """
    Finish with the exact phrase {end_phrase} and write nothing after it.
    End your whole response with the exact words {end_phrase}, with no other words after them.
    The very last words of your response should be {end_phrase}, exactly as written here.
    Close your answer with the phrase {end_phrase} and add nothing after that phrase.
    Your response must end with {end_phrase}, and no other words should follow it.
    Make {end_phrase} the exact ending of your response.
    > End with {end_phrase} and nothing more. / Your last words must be {end_phrase}, just so.
    > Make {end_phrase} the end of it.
    """

    def check(self, text: str, end_phrase: str) -> bool:
        """Ends with the phrase, in any case, straight quotation marks around the whole aside."""
        return text.strip().strip('"').lower().endswith(end_phrase.strip().lower())

    def need(self, needs: Needs, end_phrase: str) -> None:
        needs.end = max(needs.end, end_phrase.strip(), key=len)
        needs.texts.append(end_phrase.strip())

    def impossible(self, end_phrase: str) -> Iterator[str]:
        if end_phrase.strip().endswith('"'):
            yield "quotation marks at the end are stripped before the end is looked at"

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        ends = sorted((c.needs.end.lower() for c in (mine, other)), key=len)
        if not ends[1].endswith(ends[0]):
            yield "a text has one end"


class Quotation(Kind, id="startend:quotation"):
    """the whole response stands in double quotation marks"""

    wordings = """
    Wrap all of your response in double quotation marks.
    Put double quotation marks around your whole response.
    Your entire answer should be enclosed in double quotes, from the first character to the last.
    Begin and end your response with a double quotation mark (").
    Please place the whole response inside double quotation marks, like "this".
    Make sure that everything you write stands between two double quotation marks, one at each end.
    > Put it all in double quotes. / Start and end with a double quote mark.
    > Wrap the whole text in "double quotes".
    """
    asks = ("quotation", True)

    def check(self, text: str) -> bool:
        """Straight double quotation marks first and last."""
        inside = text.strip()
        return len(inside) > 1 and inside[0] == inside[-1] == '"'
