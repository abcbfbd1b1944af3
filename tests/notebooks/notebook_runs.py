"""The notebooks of the repository, executed by nbclient in a folder of their own."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

__all__ = [
    "NOTEBOOKS",
    "ROOT",
    "TINY",
    "execute",
    "kill_after",
    "printed",
    "read",
    "shown",
    "text_of",
    "told",
]

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted([*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("colab/*.ipynb")])
TINY = {
    "backbone": "mobilenet_v2_035",
    "weights": None,
    "width": 8,
    "scale": 0.5,
    "window": 96,
    "steps": 4,
    "validate_every": 2,
}
_SECONDS = 400  # for one cell: other tests may load the machine


def read(name: str | Path) -> NotebookNode:
    return nbformat.read(ROOT / name, as_version=4)


def text_of(notebook: NotebookNode, kind: str = "code") -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == kind)


def with_parameters(notebook: NotebookNode, parameters: dict[str, Any]) -> NotebookNode:
    """Return a notebook with other values, in its forms or after its cell of parameters."""
    parameters = {k: v for k, v in parameters.items() if not _fill_in(notebook, k, v)}
    if not parameters:
        return notebook
    place = next(
        n for n, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", ())
    )
    source = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    notebook.cells.insert(place + 1, new_code_cell(source))
    return notebook


def _fill_in(notebook: NotebookNode, name: str, value: Any) -> bool:
    """Put a value into a form, as Colab does when somebody types it there."""
    for cell in notebook.cells:
        filled = re.sub(
            rf"^{name} = .*(?=  # @param)", lambda _: f"{name} = {value!r}", cell.source, flags=re.M
        )
        if filled != cell.source:
            cell.source = filled
            return True
    return False


def execute(name: str, folder: Path, /, **parameters: Any) -> NotebookNode:
    """Run all cells of a notebook in `folder` and return it; an error in a cell is one here."""
    notebook = with_parameters(read(name), parameters)
    with _kernel(notebook, folder) as client:
        for n, cell in enumerate(notebook.cells):
            client.execute_cell(cell, n)
    kept = os.environ.get("POSENB_EXECUTED")  # a folder, to look at what the cells show
    if kept:
        client.set_widgets_metadata()
        nbformat.write(notebook, Path(kept) / Path(name).name)
    return notebook


def kill_after(text: str, name: str, folder: Path, **parameters: Any) -> None:
    """Run a notebook up to the first cell that holds `text`, then kill its kernel."""
    notebook = with_parameters(read(name), parameters)
    with _kernel(notebook, folder) as client:
        for n, cell in enumerate(notebook.cells):
            client.execute_cell(cell, n)
            if cell.cell_type == "code" and text in cell.source:
                break
        else:
            raise AssertionError(f"no cell of {name} holds {text!r}")
        os.kill(client.km.provisioner.pid, signal.SIGKILL)


@contextmanager
def _kernel(notebook: NotebookNode, folder: Path) -> Iterator[NotebookClient]:
    client = NotebookClient(
        notebook,
        timeout=_SECONDS,
        startup_timeout=_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )
    client.reset_execution_trackers()
    # A kernel that knows of pytest does not show what libraries in C write.
    surroundings = {key: os.environ[key] for key in os.environ if key != "PYTEST_CURRENT_TEST"}
    with client.setup_kernel(env=surroundings):
        yield client


def shown(notebook: NotebookNode, text: str) -> set[str]:
    """Return the kinds of output of the cell that holds `text`, such as ``image/png``."""
    (cell,) = [c for c in notebook.cells if c.cell_type == "code" and text in c.source]
    return {kind for output in cell.outputs for kind in output.get("data", {})}


def told(notebook: NotebookNode, text: str, kind: str = "text/plain") -> str:
    """Return what the cell that holds `text` shows, in one kind."""
    (cell,) = [c for c in notebook.cells if c.cell_type == "code" and text in c.source]
    return "\n".join(output.get("data", {}).get(kind, "") for output in cell.outputs)


def printed(notebook: NotebookNode) -> str:
    """Return all that the cells printed, warnings included."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "".join(output.get("text", "") for output in outputs)
