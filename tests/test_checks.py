"""The checks: a table of small cases, equality with the plain patterns, and proof that the table notices errors."""

import ast
import copy
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import reference  # pytest puts this folder on the path
from hypothesis import given, settings
from hypothesis import strategies as st
from ifeval_cases import CASES, Case

from ifpref.constraints import CONSTRAINT_SETS, Constraint, checks, needs, registry, text, verify
from ifpref.constraints.checks import loose_variants
from ifpref.constraints.families import case, detectable, ends, keywords, language, length

CONSTRAINT_OF = {(case.id, case.name): Constraint(case.id, case.kwargs) for case in CASES}

# ------------------------------------------------------------------------------------------------ the table


def table(ids: set[str] | None = None) -> list:
    return [pytest.param(case, id=f"{case.id}: {case.name}") for case in CASES if not ids or case.id in ids]


@pytest.mark.parametrize("case", table())
def test_case(case: Case):
    constraint = CONSTRAINT_OF[case.id, case.name]
    assert verify(case.response, [constraint]) == [case.strict]
    assert verify(case.response, [constraint], loose=True) == [case.loose]


@pytest.mark.parametrize("case", [case for case in table() if not case.values[0].differs])
def test_the_table_is_right_about_ifeval(case: Case, ifeval):
    for loose, expected in ((False, case.strict), (True, case.loose)):
        assert bool(reference.check(case.id, case.kwargs, case.response, loose)) is expected


def test_the_table_has_passes_and_fails_of_every_id():
    assert len(CONSTRAINT_OF) == len(CASES), "two cases of an id have the same name"
    for id in CONSTRAINT_SETS["ifeval"]:
        assert {case.strict for case in CASES if case.id == id} == {True, False}, id
    assert {case.id for case in CASES} == set(CONSTRAINT_SETS["ifeval"])


# ------------------------------------------------------------------------------------------ verify and loose

NO_COMMA = Constraint("punctuation:no_comma")
SHORT = Constraint("length_constraints:number_words", {"num_words": 3, "relation": "less than"})
LONG = Constraint("length_constraints:number_words", {"num_words": 3, "relation": "at least"})


def test_verdicts_are_positional_also_for_a_repeated_id():
    assert verify("one, two", [SHORT, NO_COMMA, LONG]) == [True, False, False]
    assert verify("one, two", [LONG, SHORT]) == [False, True]
    assert verify("one, two", []) == []


def test_each_constraint_may_pass_on_another_variant():
    words = Constraint("length_constraints:number_words", {"num_words": 5, "relation": "at least"})
    # No single variant is free of commas and has five words.
    assert verify("Sure, here:\none two three", [words, NO_COMMA]) == [True, False]
    assert verify("Sure, here:\none two three", [words, NO_COMMA], loose=True) == [True, True]


@pytest.mark.parametrize("response", [None, b"text", 5, ["text"]])
def test_a_response_must_be_a_string(response):
    with pytest.raises(TypeError, match=f"must be a string, found {type(response).__name__}"):
        verify(response, [NO_COMMA])


def test_loose_variants():
    assert loose_variants("a\n*b*\nc") == ["a\n*b*\nc", "*b*\nc", "a\n*b*", "*b*", "a\nb\nc", "b\nc", "a\nb", "b"]
    assert loose_variants("one line") == ["one line"]
    # A leading line break makes an empty first line; what is left is stripped, the response itself is not.
    assert loose_variants("\na \n") == ["\na \n", "a"]
    assert loose_variants(" \n ") == loose_variants("") == []
    assert loose_variants("**") == ["**"]


@given(st.text("ab *-\n", max_size=30))
def test_loose_variants_are_ifevals_without_blanks_and_repetitions(text):
    theirs = [variant for variant in reference.variants(text) if variant.strip()]
    assert loose_variants(text) == list(dict.fromkeys(theirs))


# ------------------------------------------------------------- equality with IFEval's patterns, used plainly

RELATION = st.sampled_from(("less than", "at least"))
SMALL = st.integers(0, 4)
ARGUMENTS = {
    "keywords:existence": {
        "keywords": st.lists(st.sampled_from(("a", "AB", "é", "s", "k", "i", "x y", "ß", "Σ")), min_size=1, max_size=2)
    },
    "keywords:frequency": {
        "keyword": st.sampled_from(("a", "AB", "é", "aa", "s", " k ", "i", "Σ")),
        "frequency": SMALL,
        "relation": RELATION,
    },
    "keywords:forbidden_words": {
        "forbidden_words": st.lists(st.sampled_from(("a", "AB", "é", "s", "a-b", "i")), min_size=1, max_size=2)
    },
    "keywords:letter_frequency": {"letter": st.sampled_from("aBs"), "let_frequency": SMALL, "let_relation": RELATION},
    "length_constraints:number_sentences": {"num_sentences": SMALL, "relation": RELATION},
    "length_constraints:number_paragraphs": {"num_paragraphs": st.integers(1, 3)},
    "length_constraints:number_words": {"num_words": SMALL, "relation": RELATION},
    "length_constraints:nth_paragraph_first_word": {
        "num_paragraphs": st.just(2),
        "nth_paragraph": st.integers(1, 2),
        "first_word": st.sampled_from(("a", "AB", "aΣ")),
    },
    "detectable_content:number_placeholders": {"num_placeholders": SMALL},
    "detectable_content:postscript": {"postscript_marker": st.sampled_from(("P.S.", "P.P.S", "PS"))},
    "detectable_format:number_bullet_lists": {"num_bullets": SMALL},
    "detectable_format:constrained_response": {},
    "detectable_format:number_highlighted_sections": {"num_highlights": SMALL},
    "detectable_format:multiple_sections": {
        "section_spliter": st.sampled_from(("S", "1", "ab", "1 1")),
        "num_sections": SMALL,
    },
    "detectable_format:json_format": {},
    "detectable_format:title": {},
    "combination:two_responses": {},
    "combination:repeat_prompt": {"prompt_to_repeat": st.sampled_from(("a", "AB "))},
    "startend:end_checker": {"end_phrase": st.sampled_from(("a", "Ab."))},
    "startend:quotation": {},
    "change_case:capital_word_frequency": {"capital_frequency": SMALL, "capital_relation": RELATION},
    "punctuation:no_comma": {},
}
# Small alphabets and small pieces, so that the patterns' corners are hit again and again.
PIECES = (
    *("*", "**", "***", "******", "-", " ", "\n", "\n\n", "\r", "\x0b", "\x85", "\u2028", "\u00a0"),
    *("a", "AB", "ab", "aΣ", "Ab.", "É", "é", "ß", "ẞ", "I", "\u0130", "\u0131", "\u017f", "\u212a", "Σ"),
    *("<<", ">>", "<", ">", "[", "]", '"', "'", ".", "?", "!", ",", "```json", "```", "{}"),
    *("P.S.", "p. p. s", "S 1", "1", "My answer is yes."),
)
TEXTS = st.one_of(
    st.text("*- \nab<>[]\"'.,PSs1!?#é", max_size=24),
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join),
    st.text(max_size=12),
)
DETECTING = {"language:response_language", "change_case:english_capital", "change_case:english_lowercase"}


@pytest.mark.parametrize("id", ARGUMENTS)
def test_equal_to_the_plain_patterns(id, ifeval):
    @settings(max_examples=400, database=None)
    @given(TEXTS, st.fixed_dictionaries(ARGUMENTS[id]), st.booleans())
    def holds(text, kwargs, loose):
        assert verify(text, [Constraint(id, kwargs)], loose) == [bool(reference.check(id, kwargs, text, loose))]

    assert set(ARGUMENTS) == set(CONSTRAINT_SETS["ifeval"]) - DETECTING
    holds()


def test_user_text_takes_no_exponential_time():
    text = "a" * 5000 + "!"
    for id, name in (("keywords:existence", "keywords"), ("keywords:forbidden_words", "forbidden_words")):
        verify(text, [Constraint(id, {name: ["(a+)+$", "(a|a)*b"]})])
    verify(text, [Constraint("detectable_format:multiple_sections", {"section_spliter": "(a+)+", "num_sections": 1})])


# ------------------------------------------------------------------------------------------------- mutation

# Mutants that give the same verdict on every text: (line, mutated line) and the reason.
TITLE = "if 0 <= start < end and line[start:end].lstrip('<').rstrip('>').strip():"
PARAGRAPHS = "return sum(filled) if all(filled[1:-1]) else -1"
EQUIVALENT = {
    (TITLE, TITLE.replace("0 <=", "-1 <=")): "from the last character to the start of a >> there is nothing",
    (TITLE, TITLE.replace("< end", "<= end")): "a << and a >> never begin at one character",
    (PARAGRAPHS, PARAGRAPHS.replace("else -1", "else -2")): "no constraint asks for so many paragraphs",
    (PARAGRAPHS, PARAGRAPHS.replace("else -1", "else -0")): "no constraint asks for so many paragraphs",
}

FAMILY = ("check", "count")
# What decides verdicts: (module, the names in it, or None for all of it). A family's checks and counts are all in.
JUDGES = (
    (checks, None),
    (text, ("literal", "is_language")),
    (needs, ("Bounds.__contains__",)),
    (registry, ("Counted.check", "Kind.counted", "Kind.bounds")),
    *((family, FAMILY) for family in (keywords, language, length, detectable, ends, case)),
)

COMPARISONS = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt,),
    ast.Gt: (ast.GtE,),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
STRING_METHODS = ("strip", "lstrip", "rstrip", "lower", "removeprefix", "removesuffix", "replace")


def mutations(node: ast.AST) -> Iterator[ast.AST]:
    """Small errors that somebody could have made at this node."""
    match node:
        case ast.Compare(ops=ops):
            for index, op in enumerate(ops):
                for other in COMPARISONS[type(op)]:
                    mutant = copy.deepcopy(node)
                    mutant.ops[index] = other()
                    yield mutant
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(value=str(value)) if value:
            yield from (ast.Constant(value + "~"), ast.Constant(value[:-1]))
        case ast.Name(id="all" | "any" as name):
            yield ast.Name("any" if name == "all" else "all", ast.Load())
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.AugAssign(target=target, op=ast.Add(), value=value):
            yield ast.AugAssign(target, ast.Sub(), value)
        case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in STRING_METHODS:
            yield value


def sites(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Where a mutation may go: (parent, field, index), docstrings, annotations, decorators and errors aside."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if isinstance(child, ast.AST) and not docstring and not isinstance(child, ast.Raise):
                yield node, field, index
                yield from sites(child)


def judging(tree: ast.Module, names: tuple[str, ...] | None) -> Iterator[ast.AST]:
    """The parts of a module that decide verdicts: functions and methods by name, and the private names beside them."""
    for node in tree.body:
        name = getattr(node, "name", "")
        if isinstance(node, (ast.Expr, ast.Import, ast.ImportFrom)):  # a docstring, an import
            continue
        if names is None or name in names:
            yield node
        elif isinstance(node, ast.ClassDef):
            methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
            yield from (method for method in methods if {method.name, f"{name}.{method.name}"} & set(names))
        elif names == FAMILY and (name or ast.unparse(node)).startswith("_"):
            yield ast.Module([node], [])


def mutants() -> Iterator[tuple[str, str, types.ModuleType, str]]:
    """(line, mutated line, module, its mutated source) for every mutation of what decides verdicts."""
    for module, names in JUDGES:
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        lines = ast.unparse(tree).split("\n")
        for part in list(judging(tree, names)):
            for parent, field, index in list(sites(part)):
                slot = getattr(parent, field)
                child = slot if index is None else slot[index]
                for mutant in mutations(child):
                    set_child(parent, field, index, mutant)
                    source = ast.unparse(tree)
                    set_child(parent, field, index, child)
                    changed = [(a, b) for a, b in zip(lines, source.split("\n"), strict=False) if a != b]
                    yield changed[0][0].strip(), changed[0][1].strip(), module, source


def set_child(parent: ast.AST, field: str, index: int | None, child: ast.AST) -> None:
    if index is None:
        setattr(parent, field, child)
    else:
        getattr(parent, field)[index] = child


def survives(module: types.ModuleType, source: str) -> bool:
    """Whether a mutated module, put in the place of the real one, gives every answer of the table."""
    mutant, judge = types.ModuleType("mutant"), verify
    with pytest.MonkeyPatch.context() as patch:
        for name, registered in (("_KINDS", registry._KINDS), ("_SETS", registry._SETS)):
            for key, value in registered.items():  # a mutated family registers its kinds: undone at the end
                patch.setitem(getattr(registry, name), key, value)
        try:
            exec(compile(source, "mutant", "exec"), mutant.__dict__)
            if module is checks:
                judge = mutant.verify
            elif module is text:
                patch.setattr(keywords, "literal", mutant.literal)
                patch.setattr(language, "is_language", mutant.is_language)
                patch.setattr(case, "is_language", mutant.is_language)
            elif module is registry:
                patch.setattr(registry.Counted, "check", mutant.Counted.check)
                patch.setattr(registry.Kind, "counted", mutant.Kind.counted)
                patch.setattr(registry.Kind, "bounds", mutant.Kind.bounds)
            elif module is needs:
                patch.setattr(registry, "Bounds", mutant.Bounds)
            return all(
                judge(case.response, [CONSTRAINT_OF[case.id, case.name]]) == [case.strict]
                and judge(case.response, [CONSTRAINT_OF[case.id, case.name]], loose=True) == [case.loose]
                for case in CASES
            )
        except Exception:  # whatever a broken check raises, it has been noticed
            return False


def test_errors_in_the_checks_are_noticed():
    survivors = {(line, mutated) for line, mutated, module, source in mutants() if survives(module, source)}
    assert survivors == set(EQUIVALENT), "\n".join(f"{a}\n    -> {b}" for a, b in sorted(survivors ^ set(EQUIVALENT)))
