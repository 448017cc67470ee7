"""The language of a response."""

from collections.abc import Iterator
from types import MappingProxyType

from ifpref.constraints.needs import Needs
from ifpref.constraints.registry import Arg, Constraint, Kind
from ifpref.constraints.text import is_language

# The 30 codes that IFEval offers; langdetect has a profile of each.
LANGUAGES = MappingProxyType(
    {
        "en": "English", "es": "Spanish", "pt": "Portuguese", "ar": "Arabic", "hi": "Hindi", "fr": "French",
        "ru": "Russian", "de": "German", "ja": "Japanese", "it": "Italian", "bn": "Bengali", "uk": "Ukrainian",
        "th": "Thai", "ur": "Urdu", "ta": "Tamil", "te": "Telugu", "bg": "Bulgarian", "ko": "Korean",
        "pl": "Polish", "he": "Hebrew", "fa": "Persian", "vi": "Vietnamese", "ne": "Nepali", "sw": "Swahili",
        "kn": "Kannada", "mr": "Marathi", "gu": "Gujarati", "pa": "Punjabi", "ml": "Malayalam", "fi": "Finnish",
    }
)  # fmt: skip


class ResponseLanguage(Kind, id="language:response_language"):
    """the response is in one language, as langdetect sees it"""

    language = Arg("text", "ISO 639-1 code", choices=tuple(LANGUAGES))
    wordings = """
    The whole of your response should be in {language}, with no other language in it.
    Write your answer in {language} only.
    Please respond using only the {language} language.
    Answer entirely in {language}.
    Make sure that your whole response is in {language} and in no other language.
    Use {language} throughout, and do not mix in any other language.
    Respond in {language}, and do not use any other language.
    > Write it in {language}. / Use only {language}. / Answer in {language}.
    """

    def check(self, text: str, language: str) -> bool:
        """The one language langdetect sees in the whole text; a text without letters passes any."""
        return is_language(text, language)

    def need(self, needs: Needs, language: str) -> None:
        needs.language = language

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        if other.id == self.id and other.kwargs != mine.kwargs:
            yield f"the text cannot be in {mine.kwargs['language']!r} and in {other.kwargs['language']!r}"

    def slots(self, spelled: bool, language: str) -> dict[str, str]:
        return {"language": LANGUAGES[language]}
