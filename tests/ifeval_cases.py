"""What IFEval's checks say about small texts: for every id a pass, a fail, a near miss, and each known quirk.

`(name, kwargs, response, strict, loose)` by id, the answers worked out by hand from ../shared/ifeval/SEMANTICS.md.
tests/test_checks.py holds `verify` to them, and sees to it that a wrong check fails at least one.
"""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    id: str
    name: str
    kwargs: dict
    response: str
    strict: bool
    loose: bool
    differs: str = ""  # why IFEval's own code says otherwise, where it does


T, F = True, False
BOTH, NONE, LOOSE = (T, T), (F, F), (F, T)  # strict, loose
CASES: list[Case] = []


def cases(id: str, *rows: tuple) -> None:
    for name, kwargs, response, (strict, loose), *differs in rows:
        CASES.append(Case(id, name, kwargs, response, strict, loose, *differs))


AT_LEAST, LESS = "at least", "less than"

# ----------------------------------------------------------------------------------------------- keywords

cat, cat_sun = {"keywords": ["cat"]}, {"keywords": ["cat", "sun"]}
cases(
    "keywords:existence",
    ("all there", cat_sun, "The cat lies in the sun.", BOTH),
    ("one missing", cat_sun, "The cat lies in the shade.", NONE),
    ("none there", cat_sun, "The dog lies in the shade.", NONE),
    ("near miss", cat_sun, "The c at lies in the sun.", NONE),
    ("any case", cat, "CAT", BOTH),
    ("keyword in capitals", {"keywords": ["CAT"]}, "a cat", BOTH),
    ("inside a longer word", {"keywords": ["art"]}, "a party", BOTH),
    ("several words", {"keywords": ["black cat"]}, "a Black  cat", NONE),
    ("not of ASCII", {"keywords": ["Élan"]}, "with élan", BOTH),
    ("accents are not folded", {"keywords": ["Élan"]}, "with elan", NONE),
    ("the long s folds to s", {"keywords": ["sun"]}, "the \u017fun", BOTH),
    ("the Kelvin sign folds to k", {"keywords": ["kelvin"]}, "\u212aelvin", BOTH),
    ("three letters that fold oddly", {"keywords": ["sun"]}, "\u0130\u0131\u017fun", BOTH),
    ("the dotted I folds to i", {"keywords": ["i"]}, "\u0130", BOTH),
    ("and is one letter", {"keywords": ["in"]}, "\u0130n", BOTH),
    ("curly quotes beside it", cat, "‘Cat’", BOTH),
    ("a star in it, loosely", cat, "c*at", LOOSE),
    ("a period is a period", {"keywords": ["a.b"]}, "axb", NONE, "IFEval's keyword is a pattern"),
    ("a metacharacter cannot crash", {"keywords": ["a(b"]}, "f(a(b))", BOTH, "IFEval raises re.error"),
    ("C++ is C++", {"keywords": ["C++"]}, "C", NONE, "IFEval's keyword is a pattern"),
)


def river(frequency: int, relation: str = AT_LEAST) -> dict:
    return {"keyword": "river", "frequency": frequency, "relation": relation}


two_rivers = "The river met a River."
cases(
    "keywords:frequency",
    ("at least, just enough", river(2), two_rivers, BOTH),
    ("at least, one short", river(3), two_rivers, NONE),
    ("less than, just few enough", river(3, LESS), two_rivers, BOTH),
    ("less than, one too many", river(2, LESS), two_rivers, NONE),
    ("at least none", river(0), "The sea.", BOTH),
    ("less than one", river(1, LESS), "The sea.", BOTH),
    ("inside longer words", river(2), "rivers and riverbanks", BOTH),
    ("without overlap", {"keyword": "aa", "frequency": 2, "relation": AT_LEAST}, "aaa", NONE),
    ("without overlap, enough", {"keyword": "aa", "frequency": 2, "relation": AT_LEAST}, "aaaa", BOTH),
    ("the keyword is stripped", {"keyword": " river ", "frequency": 1, "relation": AT_LEAST}, "(river)", BOTH),
    ("the keyword in capitals", {"keyword": "RIVER", "frequency": 1, "relation": AT_LEAST}, "river", BOTH),
    ("not of ASCII", {"keyword": "É", "frequency": 2, "relation": AT_LEAST}, "été", BOTH),
    ("not of ASCII, too few", {"keyword": "É", "frequency": 3, "relation": AT_LEAST}, "été", NONE),
    ("the long s folds to s", {"keyword": "s", "frequency": 2, "relation": AT_LEAST}, "\u017fs", BOTH),
    ("curly quotes beside it", river(2), "‘river’ “River”", BOTH),
    ("fewer without the last line", river(2, LESS), two_rivers + "\n", NONE),
    ("fewer without the first line", river(2, LESS), "river\nriver", LOOSE),
    ("a period is a period", {"keyword": "a.b", "frequency": 1, "relation": LESS}, "axb", BOTH, "a pattern"),
)

no_cat, no_cat_or_dog = {"forbidden_words": ["cat"]}, {"forbidden_words": ["cat", "dog"]}
cases(
    "keywords:forbidden_words",
    ("none there", no_cat_or_dog, "A horse.", BOTH),
    ("blank responses satisfy nothing", no_cat, " \n ", NONE),
    ("both there", no_cat_or_dog, "A cat and a dog.", NONE),
    ("the second there", no_cat_or_dog, "A dog.", NONE),
    ("only in a longer word", no_cat, "cats concatenate", BOTH),
    ("before a hyphen", no_cat, "a cat-nap", NONE),
    ("beside an underscore", no_cat, "a cat_nap", BOTH),
    ("any case", no_cat, "CAT!", NONE),
    ("forbidden in capitals", {"forbidden_words": ["CAT"]}, "the cat", NONE),
    ("in a longer word and alone", no_cat, "cats and a cat", NONE),
    ("$5 never matches", {"forbidden_words": ["$5"]}, "It costs $5.", BOTH, "IFEval's word is a pattern"),
    ("not of ASCII", {"forbidden_words": ["été"]}, "l'ÉTÉ.", NONE),
    ("not of ASCII, in a longer word", {"forbidden_words": ["été"]}, "étés", BOTH),
    ("in the first line only", no_cat, "Cat:\nA horse.", LOOSE),
    ("in the last line only", no_cat, "A horse.\nNo cat.", LOOSE),
    ("in the first and the last line", no_cat, "Cat\nA horse.\nCat", LOOSE),
    ("in a line between", no_cat, "One\ncat\nthree", NONE),
    ("a metacharacter cannot crash", {"forbidden_words": ["a(b"]}, "a(b c", NONE, "IFEval raises re.error"),
)


def letter(letter: str, number: int, relation: str = AT_LEAST) -> dict:
    return {"letter": letter, "let_frequency": number, "let_relation": relation}


cases(
    "keywords:letter_frequency",
    ("at least, just enough", letter("a", 3), "A bana", BOTH),
    ("at least, one short", letter("a", 4), "A bana", NONE),
    ("less than, just few enough", letter("a", 4, LESS), "A bana", BOTH),
    ("less than, one too many", letter("a", 3, LESS), "A bana", NONE),
    ("letter in capitals", letter("N", 2), "banana", BOTH),
    ("accents are not folded", letter("e", 1), "été", NONE),
    ("none of it, less than one", letter("z", 1, LESS), "banana", BOTH),
    ("# as it stands", letter("#", 2), "# a\n# b", BOTH, "IFEval draws another letter"),
    ("# as it stands, too few", letter("#", 3), "# a\n# b", NONE, "IFEval draws another letter"),
    ("! as it stands", letter("!", 2, LESS), "Oh!", BOTH, "IFEval draws another letter"),
    ("fewer without the first line", letter("b", 1, LESS), "b\nc", LOOSE),
)

# ------------------------------------------------------------------------------------ language and lengths

GERMAN = "Der Fluss ist tief und kalt, und niemand weiß, woher sein Wasser kommt."
FRENCH = "La rivière est profonde et froide, et personne ne sait d'où vient son eau."
ENGLISH = "The river is deep and cold, and nobody knows where all of its water comes from."
cases(
    "language:response_language",
    ("that language", {"language": "de"}, GERMAN, BOTH),
    ("another language", {"language": "de"}, FRENCH, NONE),
    ("another language of the same letters", {"language": "en"}, GERMAN, NONE),
    ("without letters any language passes", {"language": "ja"}, "12345 67890", BOTH),
    ("mostly another language", {"language": "de"}, f"{GERMAN} {FRENCH} {FRENCH} {FRENCH}", NONE),
    ("another script", {"language": "ru"}, "Река глубокая и холодная, и никто не знает, откуда она течёт.", BOTH),
    ("Chinese is no code of its own", {"language": "ja"}, "这条河又深又冷。没有人知道它的水从哪里来。", NONE),
    ("English first line, loosely", {"language": "de"}, f"{ENGLISH * 6}\n{GERMAN}", LOOSE),
    ("blank, though nothing is found", {"language": "en"}, "\n", NONE),
)


def sentences(number: int, relation: str = AT_LEAST) -> dict:
    return {"num_sentences": number, "relation": relation}


cases(
    "length_constraints:number_sentences",
    ("at least, just enough", sentences(2), "It rained. We left.", BOTH),
    ("at least, one short", sentences(3), "It rained. We left.", NONE),
    ("less than, just few enough", sentences(3, LESS), "It rained. We left.", BOTH),
    ("less than, one too many", sentences(2, LESS), "It rained. We left.", NONE),
    ("a title is no end", sentences(2, LESS), "We met Dr. Ray today.", BOTH),
    ("questions and exclamations", sentences(3), "Who? You! Me.", BOTH),
    ("list items without an end are one", sentences(2, LESS), "- a\n- b\n- c", BOTH),
    ("a heading joins what follows", sentences(2, LESS), "# A heading\n\nIt rained.", BOTH),
    ("list numbers are ends", sentences(3), "1. First\n2. Second", BOTH),
    ("before small letters they are not", sentences(2, LESS), "1. first\n2. second", BOTH),
    ("closing quotes stay with their sentence", sentences(3, LESS), '"It rained." "We left."', BOTH),
    ("a curly quote is not a closing one", sentences(2, LESS), "“It rained.”", BOTH),
    ("nothing but a closing quote is left", sentences(2, LESS), 'It rained. "', BOTH),
    ("no end at all", sentences(1), "It rained", BOTH),
    ("only without the last line", sentences(2, LESS), "It rained.\nWe left.", LOOSE),
)


def paragraphs(number: int) -> dict:
    return {"num_paragraphs": number}


cases(
    "length_constraints:number_paragraphs",
    ("exactly", paragraphs(2), "One.\n\n***\n\nTwo.", BOTH),
    ("one too many", paragraphs(1), "One.\n***\nTwo.", LOOSE),
    ("one too few", paragraphs(3), "One.\n***\nTwo.", NONE),
    ("no divider", paragraphs(1), "One.\n\nStill one.", BOTH),
    ("blank lines divide nothing", paragraphs(2), "One.\n\nStill one.", NONE),
    ("* * * divides nothing", paragraphs(2), "One.\n* * *\nStill one.", NONE),
    ("--- divides nothing", paragraphs(2), "One.\n---\nStill one.", NONE),
    ("a divider first", paragraphs(1), "***\nOne.", BOTH),
    ("a divider last", paragraphs(1), "One.\n***", BOTH),
    ("dividers first and last", paragraphs(2), "***\nOne.\n***\nTwo.\n***", BOTH),
    ("a blank piece between", paragraphs(2), "One.\n***\n***\nTwo.", NONE),
    ("six stars", paragraphs(2), "One.\n******\nTwo.", NONE),
    ("bold italics split", paragraphs(2), "One ***very*** long.", NONE),
    ("bold italics split, counted", paragraphs(3), "One ***very*** long.", BOTH),
    ("within a line", paragraphs(2), "One.***Two.", BOTH),
    ("a divider too many in the first line", paragraphs(2), "Here *** it is\nOne.\n***\nTwo.", LOOSE),
    ("stars alone", paragraphs(1), "***", NONE),
)


def words(number: int, relation: str = AT_LEAST) -> dict:
    return {"num_words": number, "relation": relation}


cases(
    "length_constraints:number_words",
    ("at least, just enough", words(3), "one two three", BOTH),
    ("at least, one short", words(4), "one two three", NONE),
    ("less than, just few enough", words(4, LESS), "one two three", BOTH),
    ("less than, one too many", words(3, LESS), "one two three", NONE),
    ("don't is two", words(2), "don't", BOTH),
    ("well-known is two", words(2), "well-known", BOTH),
    ("3.14 is two", words(2), "3.14", BOTH),
    ("a_b is one", words(2, LESS), "a_b", BOTH),
    ("marks are none", words(1), "... -- !?", NONE),
    ("curly quotes divide, accents do not", words(3, LESS), "l’été", BOTH),
    ("curly quotes divide, accents do not: two", words(2), "l’été", BOTH),
    ("Chinese without spaces is one", words(2, LESS), "这条河又深又冷", BOTH),
    ("fewer without the first line", words(2, LESS), "Here it is:\nriver", LOOSE),
    ("fewer without the last line", words(2, LESS), "river\nI hope it helps", LOOSE),
    ("fewer without both", words(2, LESS), "Here it is:\nriver\nI hope it helps", LOOSE),
)


def nth(count: int, index: int, word: str = "hello") -> dict:
    return {"num_paragraphs": count, "nth_paragraph": index, "first_word": word}


cases(
    "length_constraints:nth_paragraph_first_word",
    ("the second", nth(2, 2), "One.\n\nHello there.", BOTH),
    ("the first", nth(2, 1), "Hello there.\n\nTwo.", BOTH),
    ("another word", nth(2, 2), "One.\n\nHallo there.", NONE),
    ("a longer word", nth(2, 2), "One.\n\nHello-there.", NONE),
    ("only the first", nth(2, 2), "Hello.\n\nTwo.", NONE),
    ("one paragraph too many", nth(2, 2), "One.\n\nHello.\n\nThree.", LOOSE),
    ("one paragraph too few", nth(3, 2), "One.\n\nHello.", NONE),
    ("the nth is not there", nth(3, 3), "One.\n\nHello.", NONE),
    ("any case", nth(1, 1, "HELLO"), "hello", BOTH),
    ("a full stop ends the word", nth(1, 1), "Hello.", BOTH),
    ("a comma ends the word", nth(1, 1), "Hello, you.", BOTH),
    ("a question mark ends the word", nth(1, 1), "Hello?", BOTH),
    ("an exclamation mark ends the word", nth(1, 1), "Hello!", BOTH),
    ("an apostrophe ends the word", nth(1, 1), "Hello's", BOTH),
    ("a quote ends the word", nth(1, 1), 'Hello"', BOTH),
    ("a colon does not", nth(1, 1), "Hello: you.", NONE),
    ("bold does not pass, loosely it does", nth(1, 1), "**Hello** you.", LOOSE),
    ("a heading does not pass", nth(1, 1), "# Hello", NONE),
    ("quotes before it", nth(1, 1), '"Hello" you.', BOTH),
    ("apostrophes before it", nth(1, 1), "'Hello' you.", BOTH),
    ("apostrophe, then quote", nth(1, 1), "'\"Hello", BOTH),
    ("quote, then apostrophe", nth(1, 1), "\"'Hello", NONE),
    ("another mark before it", nth(1, 1), "~Hello", NONE),
    ("a word with an apostrophe never matches", nth(1, 1, "it's"), "It's", NONE),
    ("a blank piece before moves the index", nth(2, 1), "\n\nHello\n\nb", LOOSE),
    ("a blank piece before, and the index is moved", nth(2, 2), "\n\nHello\n\nb", BOTH),
    ("four line breaks move it", nth(2, 2, "b"), "Hello\n\n\n\nb", NONE),
    ("three line breaks do not", nth(2, 2, "b"), "Hello\n\n\nb", BOTH),
    ("the target itself is blank", nth(2, 2, "b"), "a\n\n \n\nb", NONE),
    ("a piece of spaces is none", nth(2, 1), "Hello\n\n \n\nb", BOTH),
    ("an introduction, loosely", nth(2, 1), "Well:\n\n\nHello\n\nb", LOOSE),
    ("single line breaks divide nothing", nth(1, 1), "Hello\nyou", BOTH),
    ("a last Σ is lower-cased as a letter of its own", nth(1, 1, "ΑΣ"), "ΑΣ", NONE),
)

# --------------------------------------------------------------------------------------- content and format


def placeholders(number: int) -> dict:
    return {"num_placeholders": number}


cases(
    "detectable_content:number_placeholders",
    ("just enough", placeholders(2), "Dear [name], I live in [city].", BOTH),
    ("one short", placeholders(3), "Dear [name], I live in [city].", NONE),
    ("more than enough", placeholders(1), "Dear [name], I live in [city].", BOTH),
    ("none is needed", placeholders(0), "Dear Ann.", BOTH),
    ("round brackets are none", placeholders(1), "Dear (name).", NONE),
    ("empty brackets", placeholders(1), "[]", BOTH),
    ("a link", placeholders(1), "[here](there)", BOTH),
    ("nested brackets are one", placeholders(2), "[[x]]", NONE),
    ("not across lines", placeholders(1), "[a\nb]", NONE),
    ("closed before opened", placeholders(1), "]a[", NONE),
    ("one opening, two closing", placeholders(2), "[a] b]", NONE),
    ("two opening, one closing", placeholders(2), "[a [b]", NONE),
    ("on two lines", placeholders(2), "[a]\n[b]", BOTH),
    ("a carriage return is not a line break", placeholders(1), "[a\rb]", BOTH),
)

ps, pps = {"postscript_marker": "P.S."}, {"postscript_marker": "P.P.S"}
cases(
    "detectable_content:postscript",
    ("P.S. last", ps, "Dear Ann.\n\nP.S. Write soon.", BOTH),
    ("no postscript", ps, "Dear Ann.", NONE),
    ("PS: is none", ps, "Dear Ann.\nPS: Write soon.", NONE),
    ("P.S without its last period", ps, "Dear Ann.\nP.S Write soon.", NONE),
    ("anywhere", ps, "It ended with a p.s. as ever.", BOTH),
    ("a space within", ps, "P. S. Write soon.", BOTH),
    ("two spaces within", ps, "P.  S. Write soon.", NONE),
    ("P.P.S. satisfies P.S.", ps, "P.P.S. Write soon.", BOTH),
    ("P.P.S", pps, "P.P.S Write soon.", BOTH),
    ("P.P.S. with its last period", pps, "P.P.S. Write soon.", BOTH),
    ("P. P. S", pps, "P. P. S Write soon.", BOTH),
    ("P.P.S, a space too many", pps, "P.P.  S Write soon.", NONE),
    ("P.S. is no P.P.S", pps, "P.S. Write soon.", NONE),
    ("PPS is no P.P.S", pps, "PPS Write soon.", NONE),
    ("blank before the marker is stripped", {"postscript_marker": " P.S. "}, "P. S. Soon.", BOTH, "IFEval strips too"),
    ("another marker", {"postscript_marker": "PS:"}, "Dear Ann.\nps: Write soon.", BOTH),
    ("another marker, not there", {"postscript_marker": "PS:"}, "Dear Ann.\nP.S. Write soon.", NONE),
    ("P.P.S. with its period is matched literally", {"postscript_marker": "P.P.S."}, "P.P.S. Soon.", BOTH),
    ("and its periods are periods", {"postscript_marker": "P.P.S."}, "pxpxsx", NONE, "IFEval's marker is a pattern"),
)


def bullets(number: int) -> dict:
    return {"num_bullets": number}


cases(
    "detectable_format:number_bullet_lists",
    ("stars, exactly", bullets(2), "Two:\n* a\n* b", BOTH),
    ("stars, one too many", bullets(1), "Two:\n* a\n* b", LOOSE),
    ("stars, one too few", bullets(3), "Two:\n* a\n* b", NONE),
    ("dashes", bullets(2), "- a\n- b", BOTH),
    ("dashes and stars", bullets(2), "- a\n* b", BOTH),
    ("nested", bullets(2), "* a\n  * b", BOTH),
    ("nested dashes", bullets(2), "- a\n  - b", BOTH),
    ("no space after a star", bullets(1), "*a", BOTH),
    ("emphasis counts", bullets(1), "*emph* line", BOTH),
    ("bold does not", bullets(0), "**bold** line", BOTH),
    ("bold is not one", bullets(1), "**bold** line", NONE),
    ("a rule counts", bullets(1), "---", BOTH),
    ("a negative number counts", bullets(1), "-5 degrees", BOTH),
    ("a plus does not", bullets(1), "+ a", NONE),
    ("a number does not", bullets(1), "1. a", NONE),
    ("a dot does not", bullets(1), "• a", NONE),
    ("in the line does not", bullets(1), "a * b - c", NONE),
    ("a bare star swallows the next line", bullets(1), "*\n* b", BOTH),
    ("but not the one after", bullets(2), "*\n* b\n* c", BOTH),
    ("a bare star and a dash are two", bullets(2), "*\n- b", BOTH),
    ("a bare star last is none", bullets(1), "a\n*", NONE),
    ("a bare star and an empty line", bullets(1), "*\n", BOTH),
    ("blank lines before", bullets(1), "\n \n* a", BOTH),
    ("a star and a space", bullets(1), "* ", BOTH),
    ("two bare stars", bullets(1), "*\n*", BOTH),
    ("loosely, stars are not there", bullets(0), "* a", LOOSE),
    ("loosely, dashes are", bullets(1), "* a\n- b\n* c", LOOSE),
)

cases(
    "detectable_format:constrained_response",
    ("yes", {}, "My answer is yes.", BOTH),
    ("no", {}, "My answer is no.", BOTH),
    ("maybe", {}, "My answer is maybe.", BOTH),
    ("in a longer text", {}, "Well, My answer is no. Sorry.", BOTH),
    ("two at once", {}, "My answer is yes. My answer is no.", BOTH),
    ("another answer", {}, "My answer is never.", NONE),
    ("another case", {}, "my answer is yes.", NONE),
    ("without its period", {}, "My answer is yes", NONE),
    ("no without its period", {}, "My answer is no", NONE),
    ("maybe without its period", {}, "My answer is maybe", NONE),
    ("bold within, loosely", {}, "My answer is **yes**.", LOOSE),
)


def highlights(number: int) -> dict:
    return {"num_highlights": number}


cases(
    "detectable_format:number_highlighted_sections",
    ("just enough", highlights(2), "A *red* and a *blue* one.", BOTH),
    ("one short", highlights(3), "A *red* and a *blue* one.", NONE),
    ("bold is one", highlights(1), "A **red** one.", BOTH),
    ("bold is not two", highlights(2), "A **red** one.", NONE),
    ("bold italics are two", highlights(2), "A ***red*** one.", BOTH),
    ("bold italics are not three", highlights(3), "A ***red*** one.", NONE),
    ("a bullet and bold are two", highlights(2), "* **Bold:** text", BOTH),
    ("a product is one", highlights(1), "2 * 3 * 4", BOTH),
    ("a product is not two", highlights(2), "2 * 3 * 4", NONE),
    ("four stars are two", highlights(2), "*a*b*c*", BOTH),
    ("four stars are not three", highlights(3), "*a*b*c*", NONE),
    ("blank ones do not count", highlights(1), "* * and ** **", NONE),
    ("not across lines", highlights(1), "*a\nb*", NONE),
    ("underscores do not count", highlights(1), "_a_ and `b`", NONE),
    ("a single star", highlights(1), "5* hotel", NONE),
    ("none is needed", highlights(0), "plain", BOTH),
)


def sections(number: int, spliter: str = "Section") -> dict:
    return {"section_spliter": spliter, "num_sections": number}


cases(
    "detectable_format:multiple_sections",
    ("just enough", sections(2), "Section 1\na\nSection 2\nb", BOTH),
    ("one short", sections(3), "Section 1\na\nSection 2\nb", NONE),
    ("more than enough", sections(1), "Section 1\na\nSection 2\nb", BOTH),
    ("another case", sections(1), "SECTION 1", NONE),
    ("letters are no numbers", sections(1), "Section A", NONE),
    ("Roman numbers are none", sections(1), "Section I", NONE),
    ("without a space", sections(1), "Section1", BOTH),
    ("two spaces", sections(1), "Section  1", NONE),
    ("a line break is a space", sections(1), "Section\n1", BOTH),
    ("bold around the word, loosely", sections(1), "**Section** 1", LOOSE),
    ("bold around both", sections(1), "**Section 1**", BOTH),
    ("within a text, and repeated", sections(2), "see Section 2, and Section 2", BOTH),
    ("the word is stripped", sections(1, " Day "), "Day 1", BOTH),
    ("two digits are one number", sections(2), "Section 12", NONE),
    ("a number is taken whole", sections(2, "1"), "1 11 1", NONE),
    ("a period is a period", sections(1, "S."), "Sx1", NONE, "IFEval's word is a pattern"),
    ("a metacharacter cannot crash", sections(1, "("), "( 1", BOTH, "IFEval raises re.error"),
)

cases(
    "detectable_format:json_format",
    ("an object", {}, '{"a": [1, 2]}', BOTH),
    ("no JSON", {}, "a: 1", NONE),
    ("blanks around its fence", {}, '\n ```json\n{"a": 1}\n``` \n', BOTH),
    ("a comma too many", {}, '{"a": 1,}', NONE),
    ("in a fence", {}, '```json\n{"a": 1}\n```', BOTH),
    ("in a fence, Json", {}, '```Json\n{"a": 1}\n```', BOTH),
    ("in a fence, JSON", {}, '```JSON\n{"a": 1}\n```', BOTH),
    ("in a bare fence", {}, '```\n{"a": 1}\n```', BOTH),
    ("in a fence of another name", {}, '```js\n{"a": 1}\n```', LOOSE),
    ("the fence is not closed", {}, '```json\n{"a": 1}', BOTH),
    ("no-break spaces in the fence", {}, '```json\u00a0{"a": 1}\u00a0```', BOTH),
    ("a fence before another", {}, '```json```\n{"a": 1}\n```', BOTH),
    ("a number", {}, "5", BOTH),
    ("a string", {}, '"hi"', BOTH),
    ("NaN", {}, "NaN", BOTH),
    ("a key twice", {}, '{"a": 1, "a": 2}', BOTH),
    ("blank around it", {}, ' \n{"a": 1}\n ', BOTH),
    ("text around it, loosely", {}, 'Here it is:\n{"a": 1}', LOOSE),
    ("text around it on both sides, loosely", {}, 'Here it is:\n{"a": 1}\nEnjoy!', LOOSE),
    ("two values", {}, "1 2", NONE),
    ("a number too long for Python", {}, "9" * 5000, NONE),
    ("nested too deep", {}, "[" * 200_000, NONE, "IFEval raises RecursionError"),
    ("objects nested too deep", {}, '{"a":' * 200_000, NONE, "IFEval raises RecursionError"),
)

cases(
    "detectable_format:title",
    ("a title", {}, "<<The River>>\n\nIt runs.", BOTH),
    ("no title", {}, "The River\n\nIt runs.", NONE),
    ("single brackets", {}, "<The River>", NONE),
    ("empty", {}, "<<>>", NONE),
    ("blank", {}, "<< >>", NONE),
    ("one character", {}, "<<a>>", BOTH),
    ("a mark", {}, "<<~>>", BOTH),
    ("closed by a single bracket", {}, "<<a>", NONE),
    ("anywhere in a line", {}, "It is <<a>> here.", BOTH),
    ("across lines", {}, "<<a\nb>>", NONE),
    ("in the second line", {}, "It is\n<<a>>", BOTH),
    ("empty, then empty", {}, "<<>> or <<>>", BOTH),
    ("shifted left and right", {}, "a << b >> c", BOTH),
    ("closed before opened", {}, ">>a<<", NONE),
    ("brackets only", {}, "<<<<>>>>", NONE),
    ("a bracket only", {}, "<<>>>", NONE),
    ("three opening", {}, "<<<a>>", BOTH),
    ("no room", {}, "<<>> b", NONE),
    ("closed once more before", {}, ">> <<a>>", BOTH),
    ("stars within, loosely", {}, "<*<a>>", LOOSE),
)

# ---------------------------------------------------------------------------- combinations, start and end

cases(
    "combination:two_responses",
    ("two", {}, "One.\n******\nTwo.", BOTH),
    ("one", {}, "One.", NONE),
    ("three", {}, "One.\n******\nTwo.\n******\nThree.", LOOSE),
    ("four, the first and the last a line each", {}, "a\n******\nb\n******\nc\n******\nd", LOOSE),
    ("five", {}, "a\n******\nb\n******\nc\n******\nd\n******\ne", NONE),
    ("five stars", {}, "One.\n*****\nTwo.", NONE),
    ("seven stars", {}, "One.\n*******\nTwo.", BOTH),
    ("alike", {}, "One.\n******\n One. ", NONE),
    ("alike but for the case", {}, "One.\n******\none.", BOTH),
    ("a separator first", {}, "******\nOne.\n******\nTwo.", BOTH),
    ("a separator last", {}, "One.\n******\nTwo.\n******", BOTH),
    ("a blank one between", {}, "a\nOne.\n******\n******\nTwo.\nb", NONE),
    ("separators only", {}, "******", NONE),
    ("one and a separator", {}, "One.\n******", NONE),
)

story = {"prompt_to_repeat": "Write a story."}
cases(
    "combination:repeat_prompt",
    ("repeated", story, "Write a story. Once upon a time.", BOTH),
    ("not repeated", story, "Once upon a time.", NONE),
    ("nothing follows", story, "Write a story.", BOTH),
    ("any case", story, "WRITE A STORY. Once.", BOTH),
    ("blank before", story, "\n Write a story. Once.", BOTH),
    ("a quotation mark before", story, '"Write a story." Once.', NONE),
    ("a space too many", story, "Write a  story. Once.", NONE),
    ("later on", story, "Sure: Write a story.", NONE),
    ("in the second line, loosely", story, "Sure:\nWrite a story.", LOOSE),
    ("bold, loosely", story, "**Write a story.**", LOOSE),
    ("the prompt is stripped", {"prompt_to_repeat": " Write. \n"}, "Write. Once.", BOTH),
    ("the prompt in capitals", {"prompt_to_repeat": "WRITE."}, "Write. Once.", BOTH),
)

the_end = {"end_phrase": "The end."}
cases(
    "startend:end_checker",
    ("ends so", the_end, "We left. The end.", BOTH),
    ("ends otherwise", the_end, "We left. The end is near.", NONE),
    ("without its period", the_end, "We left. The end", NONE),
    ("any case", the_end, "We left. THE END.", BOTH),
    ("blank after", the_end, "The end.\n\n", BOTH),
    ("a quotation mark after", the_end, '"We left. The end."', BOTH),
    ("two quotation marks after", the_end, 'The end.""', BOTH),
    ("a quotation mark after a space", the_end, 'The end. "', NONE),
    ("a curly quotation mark after", the_end, "“The end.”", NONE),
    ("another mark after", the_end, "The end.~", NONE),
    ("bold, loosely", the_end, "**The end.**", LOOSE),
    ("the last line is another, loosely", the_end, "The end.\nBye!", LOOSE),
    ("the phrase is stripped", {"end_phrase": " The end. "}, "The end.", BOTH),
    ("the phrase in capitals", {"end_phrase": "THE END."}, "The end.", BOTH),
    ("a phrase that ends in a quotation mark", {"end_phrase": 'end."'}, '"The end."', NONE),
)

cases(
    "startend:quotation",
    ("quoted", {}, '"It rained."', BOTH),
    ("blanks around the marks", {}, ' "It rained."\n', BOTH),
    ("not quoted", {}, "It rained.", NONE),
    ("opened only", {}, '"It rained.', NONE),
    ("closed only", {}, 'It rained."', NONE),
    ("blank around", {}, '\n "It rained." ', BOTH),
    ("nothing quoted", {}, '""', BOTH),
    ("a single mark", {}, '"', NONE),
    ("curly", {}, "“It rained.”", NONE),
    ("apostrophes", {}, "'It rained.'", NONE),
    ("two quotations", {}, '"a" and "b"', BOTH),
    ("bold, loosely", {}, '**"It rained."**', LOOSE),
    ("within a text, loosely", {}, 'Here:\n"It rained."\nBye', LOOSE),
)

# --------------------------------------------------------------------------------- case and punctuation


def capitals(number: int, relation: str = AT_LEAST) -> dict:
    return {"capital_frequency": number, "capital_relation": relation}


def exactly(name: str, number: int, text: str) -> tuple[tuple, tuple]:
    return (
        (f"{name} is {number}", capitals(number), text, BOTH),
        (f"{name} is not {number + 1}", capitals(number + 1, LESS), text, BOTH),
    )


cases(
    "change_case:capital_word_frequency",
    ("at least, just enough", capitals(2), "NASA and ESA", BOTH),
    ("at least, one short", capitals(3), "NASA and ESA", NONE),
    ("less than, just few enough", capitals(3, LESS), "NASA and ESA", BOTH),
    ("less than, one too many", capitals(2, LESS), "NASA and ESA", NONE),
    ("capitalised words do not count", capitals(1), "Paris Rome", NONE),
    *exactly("I and A", 2, "I saw. A bird."),
    *exactly("CAN'T", 2, "CAN'T"),
    *exactly("CAN'T at the end of a sentence", 4, "I CAN'T. We all know it. I do."),
    *exactly("I'M", 2, "I'M here"),
    *exactly("I'm", 1, "I'm here"),
    *exactly("CANNOT", 2, "we CANNOT go"),
    *exactly("WANNA, before a space,", 2, "WANNA go"),
    *exactly("WANNA, before a period,", 2, "We WANNA. Then we go."),
    *exactly("'TIS", 2, "so 'TIS true"),
    *exactly("TIS", 1, "so TIS true"),
    *exactly("WELL-KNOWN", 1, "WELL-KNOWN"),
    *exactly("well-KNOWN", 0, "well-KNOWN"),
    *exactly("**BOLD**", 1, "**BOLD**"),
    *exactly("#TAG", 1, "#TAG"),
    *exactly("U.S.", 1, "the U.S. then"),
    *exactly("A number", 0, "in 2024"),
    *exactly("COVID-19", 1, "of COVID-19"),
    *exactly("É", 1, "É a vida"),
    *exactly("A dash between words", 2, "YES—NO"),
    *exactly("A slash between words", 1, "YES/NO"),
    *exactly("A comma between words", 2, "YES,NO"),
    *exactly("A quote before a space", 2, "X'S' y"),
    *exactly("A quote before a line break", 1, "X'S'\ny"),
    ("fewer without the first line", capitals(1, LESS), "HERE IT IS\nriver", LOOSE),
)

cases(
    "change_case:english_capital",
    ("capitals", {}, ENGLISH.upper(), BOTH),
    ("not capitals", {}, ENGLISH, NONE),
    ("one small letter", {}, "x " + ENGLISH.upper(), NONE),
    ("digits and marks are fine", {}, "123! " + ENGLISH.upper(), BOTH),
    ("another language", {}, FRENCH.upper(), NONE),
    ("without any letter", {}, "123!", NONE),
    ("a letter, nothing to detect", {}, "Ⅷ", BOTH),
    ("a small first line, loosely", {}, f"Here it is:\n{ENGLISH.upper()}", LOOSE),
)

cases(
    "change_case:english_lowercase",
    ("small letters", {}, ENGLISH.lower(), BOTH),
    ("not small letters", {}, ENGLISH, NONE),
    ("one capital", {}, ENGLISH.lower() + " I", NONE),
    ("digits and emoji are fine", {}, "123 😀 " + ENGLISH.lower(), BOTH),
    ("another language", {}, GERMAN.lower(), NONE),
    ("without any letter", {}, "123!", NONE),
    ("a letter, nothing to detect", {}, "ⅷ", BOTH),
    ("a first line with a capital, loosely", {}, f"Here it is:\n{ENGLISH.lower()}", LOOSE),
)

cases(
    "punctuation:no_comma",
    ("none", {}, "It rained; we left.", BOTH),
    ("an empty response satisfies nothing", {}, "", NONE),
    ("one", {}, "It rained, and we left.", NONE),
    ("in a number", {}, "1,000", NONE),
    ("full width", {}, "雨，雪、风", BOTH),
    ("in the first line only, loosely", {}, "Sure, here:\nIt rained.", LOOSE),
    ("in the last line only, loosely", {}, "It rained.\nWell, bye.", LOOSE),
    ("in a line between", {}, "a\nb, c\nd", NONE),
)
