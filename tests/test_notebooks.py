"""Running notebooks: toy notebooks that this file writes; then, in the second part, those of the study in `smoke`."""

import base64
import json
import os
import re
import shutil
import statistics
import sys
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from ifpref.analysis.words import code
from ifpref.publish import notebooks, render
from ifpref.publish.execute import NotebookError, read_source
from ifpref.publish.report import Report, calm
from ifpref.study import Study, StudyError

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "notebooks").glob("*.ipynb"))
PARAMETERS = 'profile = "none"  # a name in params/\noverrides = {}  # some of its parameters, replaced'


@dataclass
class ToyStudy:
    """What the runner asks of a Study."""

    source: str = "toy"
    overrides: dict = field(default_factory=dict)
    params: dict = field(default_factory=dict)
    artefacts: list = field(default_factory=lambda: ["k1"])
    fails: tuple = ()
    name: str = "toy"

    def run(self, notebook=None):
        if notebook in self.fails:
            raise StudyError(f"{notebook}: 1 of 9 artefacts could not be made")

    def keys(self, notebook=None):
        return self.artefacts


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A project folder with nothing in it but the folders."""
    folder = tmp_path / "project"
    for name in ("params", "notebooks"):
        (folder / name).mkdir(parents=True)
    monkeypatch.setenv("IFPREF_HOME", str(folder))
    return folder


def write(home, name, *cells, parameters=PARAMETERS):
    """A notebook of these code cells, after a `parameters` cell."""
    first = [new_code_cell(parameters, metadata={"tags": ["parameters"]}, id="parameters")] if parameters else []
    made = [new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(cells)]
    path = home / "notebooks" / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell(f"# {name}", id="title"), *first, *made]), path)
    return path


def run(study, *sources, **options):
    said = []
    outcomes = notebooks.run_notebooks(study, sources, say=said.append, **options)
    return {one.notebook: one for one in outcomes}, "\n".join(said)


def texts(path):
    """What the cells of an executed notebook printed."""
    cells = nbformat.read(path, as_version=4).cells
    return "".join(out.get("text", "") for cell in cells for out in cell.get("outputs", []))


# ---- the runner


@pytest.mark.filterwarnings("error::papermill.exceptions.PapermillWarning")
def test_one_fails_the_other_is_whole_and_the_next_run_takes_only_what_failed(home, capsys, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")  # the kernel's figures must come in spite of it
    kernel = home / "jupyter" / "kernels" / "python3"  # some other project's kernel, by the name that all have
    kernel.mkdir(parents=True)
    spec = {"argv": ["/nowhere/python", "-f", "{connection_file}"], "display_name": "x", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(home / "jupyter"))
    good = write(
        home,
        "good",
        "import os, sys\nprint(profile, overrides, os.getcwd(), sys.executable, sep='|')",
        "print('on its way', file=sys.stderr)",
        "from ifpref.publish.report import Report\n"
        "report = Report('good', 'toy')\nreport.record('c1', {'estimate': 0.5})",
        "report.table([{'arm': 'rs', 'gain': 1 / 3}], 'gains', caption='Gains')",
        "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots(figsize=(1, 1))\nplt.close(figure)\nfigure",
    )
    bad = write(home, "bad", "import sys\nprint('before', file=sys.stderr)", "# why\nraise KeyError('gone')", "1 + 1")
    study = ToyStudy(overrides={"beta": 0.05, "ids": ("a", "b"), "n": None, "on": False})

    outcomes, said = run(study, bad, good)
    folder = home / "outputs" / "toy" / "notebooks"
    assert (outcomes["bad"].state, outcomes["good"].state) == ("failed", "done")
    assert "bad: FAILED" in said and "In [4] (cell cell-1) `# why`: KeyError: 'gone'" in said
    assert "outputs/toy/notebooks/bad.failed.ipynb" in said and str(home) not in said
    assert {path.name for path in folder.iterdir()} == {
        *("bad.failed.ipynb", "bad.log", "good.ipynb", "good.html", "good.log", "good.stamp.json")
    }
    assert "on its way" in capsys.readouterr().err  # progress is seen while it runs
    assert (folder / "good.log").read_text() == "on its way\n" and "on its way" not in texts(folder / "good.ipynb")
    assert "before" in texts(folder / "bad.failed.ipynb")

    executed = nbformat.read(folder / "good.ipynb", as_version=4)
    nbformat.validate(executed)
    where, *_ = texts(folder / "good.ipynb").splitlines()
    interpreter = render.without_places(sys.executable)
    assert where == f"toy|{{'beta': 0.05, 'ids': ['a', 'b'], 'n': None, 'on': False}}|./notebooks|{interpreter}"
    assert "image/png" in executed.cells[-1].outputs[0].data
    assert "0.333" in executed.cells[-2].outputs[0].data["text/html"]
    for path in folder.iterdir():
        for trace in (str(home), '"papermill":', " at 0x"):
            assert trace not in path.read_text(), path.name
    html = (folder / "good.html").read_text()
    assert "data:image/png;base64," in html and "Gains" in html and "getcwd" in html
    assert "<script" not in html and "<link" not in html and 'src="http' not in html
    assert json.loads((home / "outputs/toy/results/good.json").read_text()) == {"c1": {"estimate": 0.5}}

    write(home, "bad", "1 + 1")
    outcomes, said = run(study, bad, good)
    assert (outcomes["bad"].state, outcomes["good"].state) == ("done", "unchanged")
    assert outcomes["good"].seconds < 1
    assert not (folder / "bad.failed.ipynb").exists() and not (folder / "bad.log").exists()


def test_what_a_notebook_no_longer_makes_is_removed(home):
    def cells(name):
        return f"from ifpref.publish.report import Report\nReport('one', 'toy').table([{{'a': 1}}], '{name}')"

    folder, study = home / "outputs" / "toy" / "tables", ToyStudy()
    run(study, write(home, "one", cells("old")))
    (folder / "one_more-old.csv").write_text("of another notebook")
    _, said = run(study, write(home, "one", cells("new")))
    assert "changed: cells" in said
    assert {path.name for path in folder.iterdir()} == {"one-new.csv", "one_more-old.csv"}
    (folder / "one-new.csv").write_text("by hand")
    _, said = run(study, home / "notebooks" / "one.ipynb")
    assert "not as it was made: tables/one-new.csv" in said and (folder / "one-new.csv").read_text() == "a\n1\n"


def test_other_parameters_run_it_again_also_where_its_artefacts_stay(home):
    source = write(home, "one", "1")
    run(ToyStudy(params={"confidence": 0.95}), source)
    assert "nothing changed" in run(ToyStudy(params={"confidence": 0.95}), source)[1]
    assert "changed: profile" in run(ToyStudy(params={"confidence": 0.9}), source)[1]


def test_a_profile_may_be_a_file_wherever_it_lies(home, monkeypatch):
    shutil.copytree(ROOT / "params", home / "params", dirs_exist_ok=True)
    file = home / "mine.yaml"
    file.write_text(re.sub("(?m)^seed: .*", "", (home / "params" / "smoke.yaml").read_text()) + "seed: 41\n")
    monkeypatch.setattr(Study, "run", lambda self, notebook=None: {})
    monkeypatch.setattr(Study, "keys", lambda self, notebook=None: [])
    cell = "from ifpref.study import Study\nstudy = Study(profile, **overrides)\n"
    source = write(home, "one", cell + "print(study.profile, study.name, study.params.seed, study.params.beta)")
    monkeypatch.chdir(home)
    for profile in ("mine.yaml", file):  # as typed, from another folder than the kernel's; and as a Path
        study = Study(profile, beta=0.25)
        outcomes, _ = run(study, source)
    assert outcomes["one"].state == "unchanged"
    assert re.fullmatch("mine-[0-9a-f]{8}", study.name) and Study(file).name == "mine"
    executed = home / "outputs" / study.name / "notebooks" / "one.ipynb"
    assert texts(executed) == f"mine {study.name} 41 0.25\n"
    assert 'profile = "./mine.yaml"' in executed.read_text().replace("\\", "") and str(home) not in executed.read_text()


def test_a_kernel_that_dies_is_a_failure_that_names_its_cell(home):
    source = write(home, "dies", "import os", "os.kill(os.getpid(), 9)")
    outcomes, said = run(ToyStudy(), source)
    assert outcomes["dies"].state == "failed"
    assert "(cell cell-1) `os.kill(os.getpid(), 9)`: the kernel died" in said
    assert (home / "outputs/toy/notebooks/dies.failed.ipynb").exists()


def test_a_study_that_fails_leaves_its_notebook_unrun_and_the_others_run(home):
    sources = [write(home, "prefix", "1 / 0"), write(home, "contrast", "1")]
    outcomes, said = run(ToyStudy(fails=("prefix",)), *sources)
    assert (outcomes["prefix"].state, outcomes["contrast"].state) == ("failed", "done")
    assert "prefix: not run: prefix: 1 of 9 artefacts could not be made" in said


@pytest.mark.parametrize(
    "parameters, what",
    [
        (None, "0 cells are tagged 'parameters'"),
        ('profile = "smoke"', "does not set 'overrides'; it sets profile"),
        ("pass", "does not set 'profile'; it sets nothing"),
    ],
)
def test_parameters_that_would_not_arrive_are_refused_before_anything_is_run(home, parameters, what):
    sources = [write(home, "fine", "1"), write(home, "odd", "1", parameters=parameters)]
    with pytest.raises(NotebookError, match=what) as caught:
        run(ToyStudy(), *sources)
    assert "notebooks/odd.ipynb" in str(caught.value) and not (home / "outputs").exists()


def test_what_is_no_notebook_is_refused(home):
    path = home / "notebooks" / "broken.ipynb"
    path.write_text("{")
    with pytest.raises(NotebookError, match=r"notebooks/broken\.ipynb: not a notebook"):
        read_source(path)
    with pytest.raises(NotebookError, match="the name may hold"):
        read_source(write(home, "my-notes", "1"))


def test_the_order_is_the_studys_and_findings_come_last(home):
    for name in ("zebra", "findings", "contrast", "tour", "own"):
        write(home, name, "1")
    names = [path.stem for path in notebooks.find_sources()]
    assert names == ["tour", "contrast", "own", "zebra", "findings"]
    assert [path.stem for path in notebooks.find_sources(["findings", "tour"])] == ["tour", "findings"]
    with pytest.raises(ValueError, match="did you mean 'contrast'"):
        notebooks.find_sources(["contrst"])


def test_a_stamp_says_what_changed(tmp_path):
    made = tmp_path / "tables" / "x-a.csv"
    made.parent.mkdir()
    made.write_text("1")
    stamp = tmp_path / "notebooks" / "x.stamp.json"
    stamp.parent.mkdir()
    inputs = {"cells": "a", "parameters": ["toy", {}], "code": {"m": "1"}, "artefacts": ["k"]}
    assert notebooks.why_again(stamp, inputs) == "for the first time"
    stamp.write_text(json.dumps({"inputs": inputs, "files": {"tables/x-a.csv": notebooks.files.state(made)}}))
    assert notebooks.why_again(stamp, inputs) == ""
    assert notebooks.why_again(stamp, inputs | {"artefacts": [], "cells": "b"}) == "changed: cells, artefacts"
    assert notebooks.why_again(stamp, inputs | {"code": {"m": "2"}}) == "changed: code"
    made.unlink()
    assert notebooks.why_again(stamp, inputs) == "not as it was made: tables/x-a.csv"
    for damaged in ("{", "[]", "null", '{"inputs": {}}', '{"inputs": [], "files": 1}'):
        stamp.write_text(damaged)
        assert notebooks.why_again(stamp, inputs) == "x.stamp.json cannot be read", damaged


@pytest.mark.parametrize(
    "arguments, what",
    [("nowhere", "no such file"), ("smoke --set bta=1", "'beta'"), ("smoke --only x", "notebook 'x'")],
)
def test_the_command_says_what_it_cannot_begin(home, capsys, arguments, what):
    for profile in ("pocket", "smoke"):  # smoke extends pocket
        shutil.copy(ROOT / "params" / f"{profile}.yaml", home / "params")
    write(home, "tour", "1")
    assert notebooks.main(arguments.split()) == 2
    assert what in capsys.readouterr().err


def test_outputs_that_cannot_be_written_are_a_line(home, capsys, monkeypatch):
    shutil.copytree(ROOT / "params", home / "params", dirs_exist_ok=True)
    write(home, "one", "1")
    (home / "outputs").write_text("a file")
    monkeypatch.setattr(Study, "run", lambda self, notebook=None: {})
    assert notebooks.main(["smoke"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "outputs" in error and "directory" in error and error[-1] == "\n"


# ---- cleaning and HTML


def test_no_place_of_the_machine_stays_and_nothing_else_changes(home, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/users/ada"))
    clean = render.without_places
    assert clean(f"File {home}/ifpref/a.py, {home}, {home}-2") == f"File ./ifpref/a.py, ., {home}-2"
    assert clean("/users/ada/x /users/adam/x a/users/ada") == "~/x /users/adam/x a/users/ada"
    assert clean(f"{sys.prefix}/lib") == "<python>/lib"
    monkeypatch.setattr(Path, "home", lambda: Path("/"))
    assert clean("a / b, /etc") == "a / b, /etc"
    assert clean("<x.Y object at 0x7f10ab34cd50>, <function <lambda> at 0x7F10AB34CD50>") == (
        "<x.Y object>, <function <lambda>>"
    )
    assert clean("at 0x7, an offset of 0x7f10ab34cd50") == "at 0x7, an offset of 0x7f10ab34cd50"

    picture = base64.b64encode(str(home).encode()).decode()
    data = {"text/html": [f"<b>{home}</b>"], "image/png": picture, "application/json": {"at": [str(home)]}}
    output = new_output("display_data", data=data)
    stream = new_output("stream", name="stderr", text=f"{home}/a.py: warning\n")
    bar = new_output("display_data", data={"text/plain": "Loading: 0%", render.WIDGET: {"model_id": "1"}})
    cell = new_code_cell("1", outputs=[bar, output, stream], metadata={"papermill": {"status": "x"}, "execution": {}})
    notebook = new_notebook(cells=[cell], metadata={"papermill": {"output_path": str(home)}, "widgets": {}})
    cleaned, log = render.cleaned(notebook)
    assert log == "./a.py: warning\n"
    assert cleaned.cells[0].outputs[0].data == {
        "text/html": ["<b>.</b>"],
        "image/png": picture,
        "application/json": {"at": ["."]},
    }
    assert len(cleaned.cells[0].outputs) == 1 and cleaned.cells[0].metadata == {} and cleaned.metadata == {}


def test_html_needs_no_network_and_formulas_are_their_tex():
    notebook = new_notebook(
        cells=[
            new_markdown_cell(
                "# Loss\nThe $\\beta$ in $$-\\log \\sigma\\left(\\beta \\frac{\\pi_\\theta(y)}{\\pi_0(y)}\\right)$$ and"
                " $\\undefined{x}$; `$HOME` stays.\n\n\\begin{align}a &< b\\end{align}"
            ),
            new_code_cell("1 < 2", outputs=[new_output("display_data", data={"text/markdown": "so $x_1$"})]),
        ]
    )
    html = render.to_html(notebook, "a & b")
    assert "<title>a &amp; b</title>" in html
    assert "<code>$\\beta$</code>" in html and "<code>$x_1$</code>" in html and "<code>$HOME</code>" in html
    assert "<pre>-\\log \\sigma" in html and "a &amp;&lt; b" in html
    assert "<script" not in html and "cdn" not in html and 'src="http' not in html
    assert html == render.to_html(notebook, "a & b")


HARD = "<script>alert(1)</script> <<title>> a|b `c` $x_1$ and $5 &amp; *d*\nthe <b>second</b> line"


class Page(HTMLParser):
    """The elements of a page and its text, as a browser reads them."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)


def test_what_a_table_holds_is_text_whatever_it_looks_like(report):
    index = pd.Index([HARD, "x"], name=HARD)
    frame = pd.DataFrame({HARD: [HARD, None], "list": [[HARD], 1], "n<b>": [1, 2]}, index=index)
    html = report.table(frame, "hard", caption=HARD).to_html()
    assert "mathjax_ignore" in html and "tex2jax_ignore" in html  # `$...$` is no formula in Jupyter either
    output = new_output("display_data", data={"text/html": html})
    whole = render.to_html(new_notebook(cells=[new_code_cell("1", outputs=[output])]), "t")
    page, plain = Page(whole[whole.index("<main") :]), Page(report.table([{"a": 1}], "plain").to_html())
    assert set(page.tags) - set(plain.tags) <= {"main", "div", "pre", "span", "caption"}
    assert page.text.count(HARD) == 5 and repr([HARD]) in page.text and "n<b>" in page.text
    assert list(pd.read_csv(report.folder / "tables" / "prefix-hard.csv").iloc[0, :2]) == [HARD, HARD]  # as it is


def test_markdown_that_a_cell_puts_out_holds_no_elements():
    data = f"{code(HARD)} of {HARD}\n\n<div onclick='x'>block</div>\n\n[y](javascript:x)\n\n```mermaid\n<i>\n```"
    cell = new_code_cell("1", outputs=[new_output("display_data", data={"text/markdown": data})])
    whole = render.to_html(new_notebook(cells=[new_markdown_cell("<u>ours</u>"), cell]), "t")
    page = Page(whole[whole.index("<main") :])
    assert not {"script", "title", "b", "i"} & set(page.tags) and "u" in page.tags
    assert " ".join(HARD.split()) in page.text and "<div onclick='x'>block</div>" in page.text
    assert "javascript:" not in whole and not page.tags.count("img")


@pytest.mark.parametrize("text", ["a", "`", "a``b`", "$x$", "<b>", "`a` | b", "two\nlines"])
def test_a_text_in_a_code_font_is_as_it_is(text):
    cell = new_code_cell("1", outputs=[new_output("display_data", data={"text/markdown": f"x {code(text)} y"})])
    whole = render.to_html(new_notebook(cells=[cell]), "t")
    assert f"<code>{escape(' '.join(text.split()), quote=False)}</code> y" in whole


# ---- the report


@pytest.fixture
def report(home):
    return Report("prefix", "toy")


def test_records_are_written_at_once_and_the_same_values_are_the_same_bytes(report, home):
    path = home / "outputs" / "toy" / "results" / "prefix.json"
    report.record("c2", {"low": np.float64(0.1), "high": np.int64(2), "estimate": float("nan")})
    first = path.read_bytes()
    report.record("c1", [np.array([1.5, np.nan]), True, None, "é"])
    both = path.read_bytes()
    assert json.loads(first) == {"c2": {"estimate": None, "high": 2, "low": 0.1}}
    assert json.loads(both) == {"c1": [[1.5, None], True, None, "é"], "c2": json.loads(first)["c2"]}

    again = Report("prefix", "toy")  # in another order
    again.record("c1", [np.array([1.5, np.nan]), True, None, "é"])
    assert list(json.loads(path.read_bytes())) == ["c1"]  # results of one run
    again.record("c2", {"estimate": None, "high": 2, "low": 0.1})
    assert path.read_bytes() == both
    assert not list(path.parent.glob("*.new"))


def test_results_of_statistics_are_recorded_by_their_to_dict(report, home):
    from ifpref.statistics import effect

    report.record("c1", effect([[1, 2, 3, 6], [2, 2, 4, 8], [3, 5, 5, 7]]))
    kept = json.loads((home / "outputs/toy/results/prefix.json").read_text())["c1"]
    assert kept["estimate"] == 4.0 and kept["replicates"] == 3 and kept["reason"] is None


def test_what_json_has_not_is_refused_with_its_place(report):
    with pytest.raises(ValueError, match=r"prefix\.c1\.cells\[1\] = inf is not kept"):
        report.record("c1", {"cells": [0.0, float("inf")]})
    with pytest.raises(ValueError, match=r"prefix\.c1\.arm = <object"):
        report.record("c1", {"arm": object()})
    with pytest.raises(ValueError, match=r"prefix\.c1: key 3 is no text"):
        report.record("c1", {3: 1})


@pytest.mark.parametrize("name", ["a/b", "", "../x", "ü"])
def test_names_that_are_no_files_are_refused(report, name):
    for call in (lambda: report.record(name, 1), lambda: report.table([{"a": 1}], name), lambda: Report(name, "toy")):
        with pytest.raises(ValueError, match="allowed are letters"):
            call()


def test_a_table_reads_back_as_it_was_and_shows_a_few_digits(report, home):
    rows = [
        {"arm": "rs", "gain": 1 / 3, "p": 0.0004, "pairs": 12345, "rate": 5e-6, "perfect": True},
        {"arm": "mcts", "gain": float("nan"), "p": 0.25, "pairs": 7, "rate": 2e-5, "perfect": False},
    ]
    styler = report.table(rows, "gains", caption="Gains in points")
    path = home / "outputs" / "toy" / "tables" / "prefix-gains.csv"
    pd.testing.assert_frame_equal(pd.read_csv(path), pd.DataFrame(rows), check_exact=True)
    first = path.read_bytes()
    html = styler.to_html()
    for text in ("0.333", "–", "<0.001", "0.250", "12,345", "5e-06", "2e-05", "True"):
        assert f">{escape(text)}</td>" in html, text
    assert "<caption>Gains in points</caption>" in html
    assert report.table(pd.DataFrame(rows), "gains", caption="Gains in points").to_html() == html
    assert path.read_bytes() == first


def test_an_index_with_a_name_is_kept(report, home):
    frame = pd.DataFrame({"gain": [1.0, 2.0]}, index=pd.Index(["rs", "mcts"], name="arm"))
    assert ">mcts<" in report.table(frame, "gains").to_html()
    assert (home / "outputs/toy/tables/prefix-gains.csv").read_text() == "arm,gain\nrs,1.0\nmcts,2.0\n"
    assert ">0<" not in calm(pd.DataFrame({"a": ["x"]})).to_html()


def test_headers_stand_where_their_columns_do():
    html = calm(pd.DataFrame({"arm": ["rs"], "gain": [0.5], "why": [None], "pairs": [3]}), uuid="t").to_html()
    left = set(re.findall(r"#T_t (th\.col\d) {\s*text-align: left;", html))
    assert left == {"th.col0", "th.col2"}
    assert "#T_t_row0_col0, #T_t_row0_col2 {\n  text-align: left;" in html


def test_a_figure_is_saved_twice_over_and_closed(report, home):
    import matplotlib.pyplot as plt

    with matplotlib.rc_context({"backend": "agg"}):
        figure, axes = plt.subplots(figsize=(2, 1))
        axes.plot([0, 1])
        assert report.figure(figure, "line") is figure
        assert not plt.fignum_exists(figure.number)
    folder = home / "outputs" / "toy" / "figures"
    assert {path.name for path in folder.iterdir()} == {"prefix-line.png", "prefix-line.svg"}


# ---- second part: the notebooks of the study


IN_SMOKE = ["sharing", "as_they_come", "stability", "triples", "remedy", "difficulty"]


def test_every_notebook_of_the_study_runs_in_smoke(tmp_path, monkeypatch, capsys):
    """As `make reproduce PROFILE=smoke` does, in a project folder of its own; then again, in seconds. Of the
    comparisons those that differ in what is computed or drawn, which halves the time."""
    for name in ("params", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name)
    file = tmp_path / "params" / "smoke.yaml"
    text, n = re.subn("(?m)^comparisons:\n(  - .*\n)+", f"comparisons: [{', '.join(IN_SMOKE)}]\n", file.read_text())
    assert n == 1
    file.write_text(text)
    monkeypatch.setenv("IFPREF_HOME", str(tmp_path))
    monkeypatch.setenv("IFPREF_WORKERS", os.environ.get("IFPREF_WORKERS", "2"))
    code = notebooks.main(["smoke"])
    said = capsys.readouterr()
    assert code == 0, said.out + said.err
    folder = tmp_path / "outputs" / "smoke" / "notebooks"
    for source in SOURCES:
        executed = nbformat.read(folder / source.name, as_version=4)
        assert all(cell.execution_count for cell in executed.cells if cell.cell_type == "code"), source.name
        html = (folder / f"{source.stem}.html").read_text()
        assert str(tmp_path) not in html and "<script" not in html, source.name
        results = json.loads((folder.parent / "results" / source.name).with_suffix(".json").read_text())
        assert source.stem == "tour" or results["ifeval"] == [], source.name  # which this profile does not ask
    assert notebooks.main(["smoke"]) == 0
    assert capsys.readouterr().out.count("nothing changed") == len(SOURCES)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs_in_cells_that_fit_a_screen(source):
    cells = nbformat.read(source, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    lengths = [len(cell.source.splitlines()) for cell in code]
    assert statistics.median(lengths) <= 8 and max(lengths) <= 40
    read_source(source)
