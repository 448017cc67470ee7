"""One notebook in a kernel of this very Python, by papermill: checked, run, cleaned.

    notebook = read_source(Path("notebooks/prefix.ipynb"))           # NotebookError if it cannot be run
    executed, error = execute(notebook, Path("prefix.partial.ipynb"), {"profile": "smoke"}, Path("notebooks"))

Decisions
- papermill passes over a missing `parameters` cell, and over a parameter that the cell does not have, with a warning:
  here both are errors, before anything is run.
- The kernel is the Python that runs this, whatever kernels are installed: the name python3 is looked up in no folder,
  which leaves ipykernel's own, of `sys.executable`. Nothing is installed for it.
- It starts in the notebook's own folder, as in JupyterLab, and draws with the inline backend, whatever MPLBACKEND says.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
import zmq
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from ifpref import paths
from ifpref.publish.render import cleaned, without_places
from ifpref.store import files

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
PARAMETERS = ("profile", "overrides")
INLINE = "module://matplotlib_inline.backend_inline"


class NotebookError(ValueError):
    """A notebook that cannot be run as it is; the message names the file."""


def read_source(path: Path) -> NotebookNode:
    """A notebook that can be run with parameters. NotebookError says what is wrong with it."""
    if not re.fullmatch("[a-z][a-z0-9_]*", path.stem):  # its figures are called <notebook>-<figure>
        raise NotebookError(f"{paths.shown(path)}: the name may hold a-z, 0-9 and '_'")
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise NotebookError(f"{paths.shown(path)}: not a notebook: {error}") from None
    notebook.metadata.kernelspec = NotebookNode(KERNEL)
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise NotebookError(
            f"{paths.shown(path)}: {len(tagged)} cells are tagged 'parameters'; allowed: one, that sets "
            f"{' and '.join(PARAMETERS)} (JupyterLab: property inspector, cell tags)"
        )
    known = papermill.inspect_notebook(notebook)
    for name in PARAMETERS:
        if name not in known:
            found = ", ".join(known) or "nothing"
            raise NotebookError(f"{paths.shown(path)}: its 'parameters' cell does not set {name!r}; it sets {found}")
    return notebook


def execute(
    notebook: NotebookNode, partial: Path, parameters: Mapping[str, Any], cwd: Path
) -> tuple[NotebookNode, str]:
    """The notebook as it was run in a kernel of this Python, and which cell failed, and how; "" where none did.

    Progress and warnings are shown as they come.

    partial  is written after each cell, and gone at the end: the notebook is in what is returned, cleaned
    """
    partial.parent.mkdir(parents=True, exist_ok=True)
    error = ""
    try:
        papermill.execute_notebook(
            notebook,
            str(partial).replace("{", "{{").replace("}", "}}"),  # papermill fills in parameters
            dict(parameters),
            kernel_name=KERNEL["name"],
            kernel_manager_class=ThisPython,
            progress_bar=False,
            stderr_file=sys.stderr,
            start_timeout=120,
            shutdown_kernel="immediate",  # all cells are done; a polite end takes a second, and complains
            record_timing=False,
            cwd=cwd,
        )
    except papermill.PapermillExecutionError as caught:
        error = f"{caught.ename}: {caught.evalue}"
    except DeadKernelError:
        error = "the kernel died (killed for memory?)"
    executed = nbformat.read(partial, as_version=4)
    if error:
        error = f"{_last_begun(executed)}: {without_places(error)}"
    executed, log = cleaned(executed, keep_stderr=bool(error))
    log_file = partial.with_name(partial.name.replace(".partial.ipynb", ".log"))
    if log:
        files.replace(log_file, log.encode())
    else:
        log_file.unlink(missing_ok=True)
    partial.unlink()
    return executed, error


def _last_begun(notebook: NotebookNode) -> str:
    """The cell that was running, in words: its number on screen, its id, its first line."""
    begun = [cell for cell in notebook.cells if cell.metadata.get("papermill", {}).get("start_time")]
    code = [cell for cell in begun if cell.cell_type == "code"]
    if not code:
        return "no cell"
    lines = code[-1].source.strip().splitlines() or [""]
    return f"In [{code[-1].execution_count or ' '}] (cell {code[-1].id}) `{lines[0]}`"


class ThisPython(AsyncKernelManager):
    """Kernels of this very Python."""

    def _kernel_spec_manager_default(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[])  # none installed: ipykernel's own is left, of sys.executable

    def _transport_encryption_default(self) -> str:  # as others on the machine could listen; from 8.10 on
        return "auto" if zmq.has("curve") else "disabled"

    async def start_kernel(self, **options: Any) -> None:
        environment = {**os.environ, "MPLBACKEND": INLINE}  # another one would leave cells without their figures
        await super().start_kernel(**{**options, "env": environment})
