"""Content and format that can be detected: placeholders, a postscript, lists, highlights, sections, JSON, a title."""

import json
import re
from collections.abc import Iterator

from ifpref.constraints.english import quote
from ifpref.constraints.needs import Needs
from ifpref.constraints.registry import Arg, Constraint, Counted, Kind, number


class NumberPlaceholders(Counted, id="detectable_content:number_placeholders"):
    """at least so many placeholders in square brackets"""

    num_placeholders = number("placeholders", "placeholder")
    wordings = """
    Include at least {placeholders} in square brackets, such as [address].
    Your response must have at least {placeholders}, put in square brackets like [name].
    Use {n} or more placeholders in square brackets, for example [date].
    Make sure that there [are|is] at least {placeholders} written in square brackets, like [city].
    Leave at least {placeholders} for me to fill in, written in square brackets, such as [phone number].
    The response should have no fewer than {placeholders} in square brackets, for instance [location].
    > Use at least {placeholders} like [name]. / Put in at least {placeholders} in square brackets.
    > Leave {n} or more blanks in square brackets.
    """
    unit = "placeholders"

    def count(self, text: str, **_) -> int:
        r"""So many `\[.*?\]`: closing brackets with an opening one since the last, in one line."""
        pieces = text.split("]")[:-1]
        return sum(piece.rfind("[") > piece.rfind("\n") for piece in pieces)


# Anywhere in the lower-cased text. IFEval's patterns also take the spaces before and the line after, which
# decides nothing. A marker of any other spelling, P.P.S. with its last period too, is matched as it stands.
_POSTSCRIPTS = {"P.S.": re.compile(r"p\.\s?s\."), "P.P.S": re.compile(r"p\.\s?p\.\s?s")}


class Postscript(Kind, id="detectable_content:postscript"):
    """a postscript that begins with a marker"""

    postscript_marker = Arg("text", "P.S. or P.P.S")
    wordings = """
    Let a postscript that starts with {postscript_marker} follow the main text.
    After the main text, write a postscript that begins with {postscript_marker} and adds one more thought.
    Your response should close with a {postscript_marker} postscript.
    Include a postscript, marked {postscript_marker}, at the end.
    Put {postscript_marker} at the beginning of a postscript that follows your answer.
    Please finish with a postscript, and start it with {postscript_marker} exactly as written here.
    > Add a {postscript_marker} at the end. / Put {postscript_marker} and a note at the end.
    > Close with a {postscript_marker} note.
    """

    def check(self, text: str, postscript_marker: str) -> bool:
        marker = postscript_marker.strip()
        if marker in _POSTSCRIPTS:
            return _POSTSCRIPTS[marker].search(text.lower()) is not None
        return marker.lower() in text.lower()

    def need(self, needs: Needs, postscript_marker: str) -> None:
        needs.postscript = postscript_marker
        needs.texts.append(postscript_marker)

    def slots(self, spelled: bool, postscript_marker: str) -> dict[str, str]:
        return {"postscript_marker": postscript_marker}


class NumberBulletLists(Counted, id="detectable_format:number_bullet_lists"):
    """exactly so many bullet points, lines that begin with * or -"""

    num_bullets = number("bullet points", "bullet point")
    wordings = """
    Include exactly {bullet points} in markdown, [each on|on] a line that starts with "* " or "- ".
    Your response must contain exactly {bullet points} in markdown format, such as "* This is a point".
    Use exactly {bullet points}, [each beginning|beginning] with "* " or "- " on a line of its own.
    Make sure that there [are|is] exactly {bullet points} in markdown ("* " or "- "), no more and no fewer.
    Write exactly {n} markdown bullet [points|point], starting [each|the] line with "- " or "* ".
    There should be exactly {bullet points} in your answer, using * or - as the markdown bullet.
    Your answer must have exactly {bullet points}, in the markdown form "- This is a point".
    > Use exactly {bullet points}. / Write just {bullet points}, with * or -.
    > Have exactly {bullet points} that [start|starts] with * or -.
    """
    unit, compares = "bullets", "exactly"

    def count(self, text: str, **_) -> int:
        r"""So many of `^\s*\*[^\*].*$` and `^\s*-.*$`: lines that begin with - or with one *.

        After a line that is a bare *, `[^\*]` takes the line break, and `.*` the whole next line.
        """
        count = 0
        lines = iter(text.split("\n"))
        for line in lines:
            start = line.lstrip()[:2]
            if start == "*":
                count += next(lines, None) is not None
            elif start[:1] == "*" and start != "**":
                count += 1
        return count + sum(line.lstrip().startswith("-") for line in text.split("\n"))


_ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")


class ConstrainedResponse(Kind, id="detectable_format:constrained_response"):
    """contains one of three given answers (yes, no, maybe)"""

    sets = ("ifeval",)  # the study leaves it out: it is the whole answer, so it can be combined with no other kind
    wordings = """
    Answer with {options} and use that exact phrase.
    Your response must contain one of these exact phrases: {options}, as it stands.
    Pick {options} and include your choice word for word.
    Choose one of the three options, {options}, and give it in these very words.
    Give your verdict as {options}, without changing the phrase.
    State your answer as one of the following, exactly as written: {options}, whichever fits best.
    > Say {options} in it. / Answer {options}, in these words. / Choose {options}, word for word.
    """

    def check(self, text: str) -> bool:
        """One of the three answers stands somewhere, in this very spelling."""
        return any(answer in text for answer in _ANSWERS)

    def need(self, needs: Needs) -> None:
        needs.answer = _ANSWERS[0]
        needs.texts.append("My answer is")
        needs.exact_texts.append("My answer is")

    def slots(self, spelled: bool) -> dict[str, str]:
        return {"options": '"My answer is yes.", "My answer is no." or "My answer is maybe."'}


_HIGHLIGHT = re.compile(r"\*([^\n*]*)\*")
_DOUBLE_HIGHLIGHT = re.compile(r"\*\*([^\n*]*)\*\*")


class NumberHighlightedSections(Counted, id="detectable_format:number_highlighted_sections"):
    """at least so many parts *highlighted* in markdown"""

    num_highlights = number("highlighted parts", "section", "part")
    wordings = """
    Highlight at least {sections} of your response with markdown, such as *highlighted section*.
    Use *asterisks*, as in markdown, to make at least {sections} of your answer stand out.
    Mark {n} or more sections of your text with asterisks, for example *highlighted text*.
    Make sure that at least {sections} of your response [are|is] highlighted in markdown, like *this section*.
    Wrap at least {parts} of your answer in asterisks, like *so*, to highlight [them|it].
    Your response should have no fewer than {sections} highlighted in markdown with *asterisks*.
    > Highlight at least {parts} like *this*. / Put stars around at least {parts}, like *this*.
    > Mark {n} or more parts like *this*.
    """
    unit = "highlights"

    def count(self, text: str, **_) -> int:
        """So many *x* and **x** that are not blank, counted apart: ***x*** is two."""
        found = _HIGHLIGHT.findall(text) + _DOUBLE_HIGHLIGHT.findall(text)
        return sum(bool(inside.strip()) for inside in found)


class MultipleSections(Counted, id="detectable_format:multiple_sections"):
    """at least so many sections, each headed by a word and its number"""

    section_spliter = Arg("text", "the word that heads a section, such as Section")
    num_sections = number("sections", "section")
    wordings = """
    Your response must have at least {sections}, headed {headings}.
    Divide your answer into at least {sections}, and mark the start of each with {heading X}, X being its number.
    Organize your response in {n} or more sections that are marked {headings}.
    Write at least {sections}, each starting with {heading X}, where X is the number of the section.
    Structure your response into no fewer than {sections} with the [headings|heading] {headings}.
    Your answer should contain at least {sections}, labeled {headings}.
    > Write at least {sections}, headed {headings}. / Use at least {sections}: {headings}.
    > Make {n} or more sections, marked {headings}.
    """

    def count(self, text: str, section_spliter: str, **_) -> int:
        r"""So many of the word and a number, in this very case; "see Section 2" is one too."""
        return len(re.findall(re.escape(section_spliter.strip()) + r"\s?\d+", text))

    def need(self, needs: Needs, section_spliter: str, num_sections: int) -> None:
        headings = [f"{section_spliter} {n + 1}" for n in range(num_sections)]
        needs.headings += headings
        needs.texts += headings
        needs.exact_texts += headings

    def slots(self, spelled: bool, section_spliter: str, num_sections: int) -> dict[str, str]:
        first, second, any_one = (quote(f"{section_spliter} {mark}") for mark in (1, 2, "X"))
        return {"headings": first if num_sections == 1 else f"{first}, {second} and so on", "heading X": any_one}


class JsonFormat(Kind, id="detectable_format:json_format"):
    """the whole response is JSON, in a code fence or not"""

    wordings = """
    Your entire response should be valid JSON; putting it in markdown ticks (```) is fine.
    Give the entire output as JSON, and write nothing outside of it.
    Please give your whole answer as a single JSON value, with or without a ```json fence around it.
    Make sure that the response is one valid JSON block and nothing else.
    Format everything you write as JSON, without any text before or after it.
    Respond only with JSON that a parser can read, optionally inside a ``` code block.
    The whole response must be in JSON format.
    > Write it all as JSON. / Answer only in JSON. / The whole answer must be JSON.
    """
    asks = ("json", True)

    def check(self, text: str) -> bool:
        """Any JSON value, in a code fence or not; what is nested too deep for Python's parser is none."""
        inside = text.strip()
        for fence in ("```json", "```Json", "```JSON", "```"):
            inside = inside.removeprefix(fence)
        try:
            json.loads(inside.removesuffix("```").strip())
        except (ValueError, RecursionError):
            return False
        return True

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        theirs = other.needs
        if theirs.bullets.low:
            yield "a string in JSON holds no line break, so no line of JSON can begin with a bullet"
        if theirs.opening:
            yield "a text that begins by repeating the request is not JSON"
        if 1 in theirs.first_words and theirs.pieces.low > 1:
            yield "JSON of several paragraphs begins with a bracket, not with a word"
        for text in theirs.texts:
            if '"' in text or "\\" in text:
                yield f"{text!r} cannot stand in JSON as it is: its marks must be escaped"


class Title(Kind, id="detectable_format:title"):
    """a title in double angular brackets, <<title>>"""

    wordings = """
    Your answer needs a title of its own, put in double angular brackets like <<title>>.
    Give your response a title in double angular brackets, for example <<my title>>.
    Include a title and wrap it in << and >>, so that it looks like <<this title>>.
    Make sure that there is a title and that it stands on one line inside << and >>.
    Put a title in double angle brackets, like <<this one>>, into your response.
    Add a title of your own and enclose it in double angular brackets, like <<so>>.
    > Give it a title like <<this>>. / Add a <<title>> in double angle brackets. / Put a title in << and >>.
    """
    asks = ("title", True)

    def check(self, text: str) -> bool:
        r"""A `<<[^\n]+>>` that holds something: from the first << of a line to the last >>."""
        for line in text.split("\n"):
            start, end = line.find("<<"), line.rfind(">>")
            if 0 <= start < end and line[start:end].lstrip("<").rstrip(">").strip():
                return True
        return False
