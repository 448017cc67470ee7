"""Tables of text: how they are read, and that code names each of them."""

import ast
from pathlib import Path

import pytest

import ifpref
from ifpref import data

PACKAGE = Path(ifpref.__file__).parent
FILES = {path.relative_to(PACKAGE / "data").as_posix() for path in (PACKAGE / "data").glob("*/*")}


def strings(path: Path) -> set[str]:
    """The string constants of a module."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_table_is_named_by_the_code_that_uses_it():
    """Then the code that a table belongs to can be found by looking, and no table is left over."""
    named = set().union(*(strings(path) for path in PACKAGE.rglob("*.py")))
    assert len(FILES) >= 15 and named >= FILES


def test_a_text_file_has_rows_sections_and_comments(monkeypatch):
    text = "# A comment.\n\nfirst\n second, after a blank\n\n[a b]\n[be] {S}?\n# no row\n\n[empty]\n"
    monkeypatch.setattr(data, "_read", lambda name: text)
    data.read_sections.cache_clear()
    assert dict(data.read_sections("x.txt")) == {
        "": ("first", " second, after a blank"),
        "a b": ("[be] {S}?",),
        "empty": (),
    }
    assert data.read_lines("x.txt") == ("first", " second, after a blank")
    with pytest.raises(TypeError):
        data.read_sections("x.txt")["a b"] = ()
    data.read_sections.cache_clear()


def test_a_heading_that_stands_twice_is_refused(monkeypatch):
    monkeypatch.setattr(data, "_read", lambda name: "[a]\nx\n[b]\ny\n[a]\nz\n")
    with pytest.raises(ValueError, match=r"ifpref/data/twice.txt: the heading \[a\] stands there twice"):
        data.read_sections("twice.txt")


def test_a_table_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match=r"no\.txt"):
        data.read_lines("open/no.txt")
