"""What the notebooks are, unexecuted: stripped, complete, without paths to edit."""

import ast
import re
import tomllib
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from notebook_runs import NOTEBOOKS, ROOT, read, text_of

import posenb as pn
from posenb.app.state import QUALITIES

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
ALL_FORMS = "zoo_forms"
FORMS = ("own_project_gpu", "tpu", ALL_FORMS)


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def python_of(source: str) -> ast.Module:
    return ast.parse(TransformerManager().transform_cell(source))


def verbs_in(source: str) -> set[str]:
    """Names that are taken from ``pn`` and ``pn.zoo``."""
    return set(re.findall(r"\bpn\.((?:zoo\.)?[a-z_]+)", source))


def test_there_are_the_notebooks_that_were_promised():
    assert {path.stem for path in NOTEBOOKS} == {
        *("own_project", "zoo", "from_deeplabcut", "cloud_bucket", "cluster"),
        *FORMS,
    }


@each_notebook
def test_it_is_valid_and_holds_no_output(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert not set(cell.metadata) & {"execution", "outputId", "colab"}


@each_notebook
def test_its_file_is_written_as_nbformat_writes_it(path, tmp_path):
    nbformat.write(read(path), tmp_path / "again.ipynb")
    assert (tmp_path / "again.ipynb").read_text() == path.read_text()


@each_notebook
def test_its_first_code_installs_only_where_posenb_is_absent(path, monkeypatch):
    first = code_cells(path)[0]
    assert "install" in first.metadata.tags
    tree = python_of(first.source)
    choices = [node for node in ast.walk(tree) if isinstance(node, ast.If)]
    installs = [node for node in choices if "find_spec('posenb') is None" in ast.unparse(node.test)]
    assert len(installs) == 1
    outside = [node for node in tree.body if node is not installs[0]]
    assert "pip" in ast.unparse(installs[0])
    assert "pip" not in "".join(map(ast.unparse, outside))


@each_notebook
def test_what_it_installs_are_extras_that_exist(path):
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (asked,) = re.findall(r"%pip install --quiet \"?posenb(?:\[([\w,]+)\])?", text_of(read(path)))
    assert {*asked.split(",")} - {""} <= set(extras["optional-dependencies"])
    assert " --find-links ." in text_of(read(path))  # a wheel beside the notebook serves as well


@each_notebook
def test_its_values_to_change_stand_in_one_cell_and_are_plain(path):
    (cell,) = [c for c in code_cells(path) if "parameters" in c.metadata.get("tags", ())]
    if path.stem == ALL_FORMS:
        return
    for statement in python_of(cell.source).body:
        assert isinstance(statement, ast.Assign)
        if not (isinstance(statement.value, ast.Dict) and path.stem in FORMS):
            ast.literal_eval(statement.value)


def test_the_forms_ask_for_what_the_app_asks_for_and_every_model_can_be_chosen():
    code = text_of(read(f"colab/{ALL_FORMS}.ipynb"))
    lines = [line for line in code.splitlines() if "# @param" in line]
    asked = {line.split(" = ")[0]: line for line in lines}
    assert set(asked) == {
        *("keep_in_drive", "own_video", "video_name", "model", "further_models"),
        *("quality", "from_second", "to_second", "animal_size"),
    }
    for line in lines:
        ast.literal_eval(line.split(" = ", 1)[1].split("  # @param")[0])
    assert [f'"{card.name}"' in asked["model"] for card in pn.zoo.list()].count(False) == 0
    assert "allow-input: true" in asked["model"]
    assert all(f'"{each}"' in asked["quality"] for each in QUALITIES)


@each_notebook
def test_no_path_of_some_machine_is_in_its_code(path):
    for cell in code_cells(path):
        for node in ast.walk(python_of(cell.source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not re.match(
                    r"(/(home|Users|root|work|data|mnt|tmp)\b|[A-Z]:|gs:|s3:)", node.value
                )


@each_notebook
def test_it_calls_posenb_by_names_that_exist_and_holds_no_functions_of_its_own(path):
    code = text_of(read(path))
    for verb in verbs_in(code):
        room, _, name = verb.rpartition(".")
        assert hasattr(getattr(pn, room) if room else pn, name), verb
    kinds = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.While, ast.Try)
    assert not [node for node in ast.walk(python_of(code)) if isinstance(node, kinds)]


@each_notebook
def test_what_its_words_call_exists(path):
    for verb in verbs_in(text_of(read(path), "markdown")):
        room, _, name = verb.rpartition(".")
        assert hasattr(getattr(pn, room) if room else pn, name), verb


@pytest.mark.parametrize("name", FORMS)
def test_colab_shows_a_form_for_what_is_to_be_chosen(name):
    cells = code_cells(ROOT / "colab" / f"{name}.ipynb")
    asked = [cell for cell in cells if "@param" in cell.source]
    assert asked
    assert all(cell.metadata.cellView == "form" for cell in asked)


def test_the_forms_hide_all_code():
    for cell in code_cells(ROOT / "colab" / "zoo_forms.ipynb"):
        assert cell.source.startswith("# @title ")
        assert cell.metadata.cellView == "form"
        assert not [n for n in ast.walk(python_of(cell.source)) if isinstance(n, ast.Assert)]


def test_the_tpu_notebook_chooses_jax_before_posenb_is_imported():
    code = text_of(read("colab/tpu.ipynb"))
    assert 0 < code.index('os.environ["KERAS_BACKEND"] = "jax"') < code.index("import posenb")


def test_colab_is_asked_for_the_machine_that_each_notebook_is_about():
    asked = {name: read(f"colab/{name}.ipynb").metadata.get("accelerator") for name in FORMS}
    assert asked == {"own_project_gpu": "GPU", "tpu": "TPU", "zoo_forms": None}


@pytest.mark.parametrize("folder", ["notebooks", "colab"])
def test_the_folder_tells_of_each_notebook(folder):
    words = (ROOT / folder / "README.md").read_text()
    for path in NOTEBOOKS:
        if path.parent.name == folder:
            assert f"({path.name})" in words


def test_badges_open_the_notebooks_of_the_repository_that_pyproject_names():
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"].get("urls", {})
    words = "".join(path.read_text() for path in (ROOT / "README.md", *ROOT.glob("*/README.md")))
    badges = re.findall(
        r"colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)/\S*?([\w]+)\.ipynb", words
    )
    if "Repository" not in urls:
        assert badges == []  # there is no address yet that a badge could lead to
        return
    home = urls["Repository"].removeprefix("https://github.com/")
    assert {(home, path.stem) for path in NOTEBOOKS} == set(badges)
