"""An executed notebook made fit to keep: no trace of the machine in it, and one HTML file that needs no network.

    notebook, log = cleaned(nbformat.read("prefix.partial.ipynb", 4))
    Path("prefix.html").write_text(to_html(notebook, "prefix"))

Decisions
- papermill's metadata (paths, times, host) go. In outputs the project's folder is `.`, the user's `~`, and the
  interpreter's `<python>`; addresses in memory (`<object at 0x7f...>`) go.
- Markdown that a cell puts out holds data, so HTML in it is shown, not followed. The cells' own Markdown may hold HTML.
- What a kernel writes to stderr is progress and warnings: it is taken out, as the notebook's log. Widgets go, too:
  without a kernel they are dead, and libraries draw their progress bars with them.
- HTML is nbconvert's `lab` template, code visible and figures embedded, without its scripts: those load MathJax,
  require.js and mermaid from elsewhere. A formula is shown as its TeX, in a code font.
"""

from __future__ import annotations

import logging
import re
import sys
import tempfile
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

from ifpref import paths

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{6,}\b")
WIDGET = "application/vnd.jupyter.widget-view+json"

TEMPLATE = """
{%- extends 'index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block extra_css -%}
<style>main {max-width: 62rem; margin: 0 auto; padding: 1rem 2rem;}</style>
{%- endblock -%}
"""


def cleaned(notebook: NotebookNode, *, keep_stderr: bool = False) -> tuple[NotebookNode, str]:
    """The notebook without traces of machine and moment, changed in place; and what its cells wrote to stderr."""
    for name in ("papermill", "widgets"):
        notebook.metadata.pop(name, None)
    log = []
    for cell in notebook.cells:
        for name in ("papermill", "execution"):
            cell.metadata.pop(name, None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"  # papermill draws one at random
            cell.source = without_places(cell.source)  # a profile that is a file
        if cell.cell_type == "code":
            cell.outputs = [_without_places(output) for output in cell.outputs if WIDGET not in output.get("data", {})]
            log += [output.text for output in cell.outputs if _is_stderr(output)]
            if not keep_stderr:
                cell.outputs = [output for output in cell.outputs if not _is_stderr(output)]
    return notebook, "".join(log)


def without_places(text: str) -> str:
    """A text without folders of this machine and addresses in its memory."""
    for pattern, name in _places():
        text = pattern.sub(name, text)
    return text


def _places() -> list[tuple[re.Pattern[str], str]]:
    """What stands for which folder, the longest first: they lie in each other."""
    folders = {paths.home(): ".", Path(sys.prefix): "<python>", Path(sys.base_prefix): "<python>", Path.home(): "~"}
    longest = sorted(folders.items(), key=lambda item: -len(str(item[0])))
    known = [(folder, name) for folder, name in longest if len(folder.parts) > 1]  # a home of "/" is everywhere
    patterns = [(re.compile(rf"(?<![\w.]){re.escape(str(folder))}(?![\w-])"), name) for folder, name in known]
    cells = rf"{re.escape(tempfile.gettempdir())}/ipykernel_\d+/"  # where the kernel says that a cell's code lies
    return [(ADDRESS, ""), (re.compile(cells), "cell/"), *patterns]


def _without_places(value: Any) -> Any:
    if isinstance(value, str):
        return without_places(value)
    if isinstance(value, list):
        return [_without_places(inner) for inner in value]
    if isinstance(value, Mapping):
        same = {name: inner for name, inner in value.items() if name.startswith("image/") and name != "image/svg+xml"}
        return NotebookNode({name: _without_places(inner) for name, inner in value.items()} | same)
    return value


def _is_stderr(output: NotebookNode) -> bool:
    return output.output_type == "stream" and output.name == "stderr"


def to_html(notebook: NotebookNode, title: str) -> str:
    """One HTML file, readable without a network."""
    exporter = _Exporter(template_name="lab", raw_template=TEMPLATE, log=_quiet())
    html, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})
    return html


def _quiet() -> logging.Logger:
    """nbconvert warns of each image without a description, which no output can carry."""
    log = logging.getLogger("ifpref.publish.render.nbconvert")
    log.setLevel(logging.ERROR)
    return log


class _Exporter(HTMLExporter):
    """The filter of Markdown is nbconvert's, but for the renderer."""

    @pass_context
    def markdown2html(self, context: Mapping[str, Any], source: str) -> str:
        cell = context.get("cell", {})
        own = "output" not in context  # a cell's source, not what it put out
        renderer = _Renderer(escape=not own, allow_harmful_protocols=own, attachments=cell.get("attachments", {}))
        return MarkdownWithMath(renderer=renderer).render(source)


class _Renderer(IPythonRenderer):
    """What scripts would draw is shown as it was written: the scripts are left out."""

    def inline_math(self, body: str) -> str:
        return f"<code>${escape(body)}$</code>"

    def block_math(self, body: str) -> str:
        return f"<pre>{escape(body.strip())}</pre>"

    block_mermaidjs = block_math

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(body)
