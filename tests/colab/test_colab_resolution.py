"""posenb beside what Colab's three images hold, as Colab itself lists it.

Two questions are put to each image. Do the image's versions satisfy posenb's
requirements? uv resolves them with the whole list as constraints. And does an
everyday ``pip install`` leave them alone, though nothing tells it to? Both pip and
uv plan the install into a stand-in environment that claims to hold the list.
"""

import json
import re
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from IPython.core.interactiveshell import InteractiveShell
from packaging.requirements import Requirement
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
LISTS = ROOT.parent / "shared" / "colab"
PYTHON = "3.13"
FILES = {"CPU": "pip-freeze.txt", "GPU": "pip-freeze.gpu.txt", "TPU": "pip-freeze.tpu.txt"}
INSTALLS = [
    ("CPU", ""),
    ("CPU", "tensorflow"),
    ("CPU", "cpu"),
    ("CPU", "onnxruntime"),
    ("CPU", "gcs"),
    ("CPU", "app"),
    ("GPU", ""),
    ("GPU", "tensorflow"),
    ("GPU", "jax"),
    ("GPU", "dask"),
    ("TPU", ""),
    ("TPU", "jax"),
    ("TPU", "xarray"),
]
each_install = pytest.mark.parametrize(
    ("image", "extra"), INSTALLS, ids=[f"{image}-{extra or 'plain'}" for image, extra in INSTALLS]
)


@dataclass(frozen=True)
class Image:
    """What one image holds: canonical names and versions.

    `unknown` names what was installed from a source tree whose version the list does
    not tell.
    """

    name: str
    versions: dict[str, str]
    unknown: frozenset[str]

    @property
    def constraints(self) -> str:
        """Lines that hold every package of the image where it is."""
        return "\n".join(f"{name}=={version}" for name, version in self.versions.items())


def version_in_address(address: str) -> str | None:
    """Version told by the name of the wheel or source archive at `address`, if it is one."""
    file = unquote(urlsplit(address).path.rpartition("/")[2])
    try:
        return str(parse_wheel_filename(file)[1])
    except InvalidWheelFilename:
        pass
    try:
        return str(parse_sdist_filename(file)[1])
    except InvalidSdistFilename:
        return None


def parse_image(name: str, text: str) -> Image:
    """Read a ``pip freeze`` list; a line that is not understood raises."""
    versions, unknown = {}, set()
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        entry = Requirement(line)
        package = canonicalize_name(entry.name)
        pins = [pin.version for pin in entry.specifier if pin.operator == "=="]
        version = version_in_address(entry.url) if entry.url else pins[0]
        if version is None:
            unknown.add(package)
        else:
            versions[package] = version
    return Image(name, versions, frozenset(unknown))


@pytest.fixture(scope="session")
def images() -> dict[str, Image]:
    if not LISTS.is_dir():
        pytest.skip("Colab's package lists (../shared/colab) are not at hand")
    return {name: parse_image(name, (LISTS / file).read_text()) for name, file in FILES.items()}


@pytest.fixture(scope="session")
def stand_ins(
    images: dict[str, Image], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Environments whose package records claim what the images hold."""
    return {
        name: make_stand_in(image, tmp_path_factory.mktemp(name)) for name, image in images.items()
    }


def make_stand_in(image: Image, folder: Path) -> Path:
    venv.create(folder, with_pip=False)
    site = next(folder.glob("lib/python*/site-packages"))
    for name, version in image.versions.items():
        record = site / f"{name.replace('-', '_')}-{version}.dist-info"
        record.mkdir()
        (record / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        (record / "INSTALLER").write_text("pip\n")
        (record / "RECORD").write_text("")
    return folder / "bin" / "python"


def output_of(*command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a resolver; what it says when it fails is the test's failure."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}", pytrace=False)
    return done


def resolve(image: Image, extra: str, folder: Path) -> dict[str, str]:
    """Resolve this checkout's requirements with all of the image's versions held."""
    held = folder / "image.txt"
    held.write_text(image.constraints)
    done = output_of(
        *(find_uv_bin(), "pip", "compile", str(ROOT / "pyproject.toml")),
        *(("--extra", extra) if extra else ()),
        *("--constraints", str(held), "--python-version", PYTHON),
        *("--python-platform", "x86_64-unknown-linux-gnu"),
        *("--no-header", "--no-annotate", "--no-python-downloads", "--quiet"),
    )
    lines = [Requirement(line) for line in done.stdout.splitlines() if line.strip()]
    return {canonicalize_name(line.name): next(iter(line.specifier)).version for line in lines}


def pip_plan(python: Path, *requirements: str) -> dict[str, str]:
    """Names and versions pip would install into the stand-in."""
    done = output_of(
        *(sys.executable, "-m", "pip", "--python", str(python), "install", "--dry-run"),
        *("--quiet", "--report", "-", "--python-version", PYTHON),
        *("--platform", "manylinux_2_28_x86_64", "--only-binary", ":all:"),
        *requirements,
    )
    chosen = [item["metadata"] for item in json.loads(done.stdout)["install"]]
    return {canonicalize_name(item["name"]): item["version"] for item in chosen}


def uv_plan(python: Path, *requirements: str) -> tuple[dict[str, str], set[str]]:
    """Names and versions uv would install into the stand-in, and names it would remove."""
    done = output_of(
        *(find_uv_bin(), "pip", "install", "--dry-run", "--python", str(python)),
        *("--python-version", PYTHON, "--python-platform", "x86_64-unknown-linux-gnu"),
        *("--no-python-downloads", *requirements),
    )
    added = dict(re.findall(r"^ \+ ([^=@ ]+)(?:==| @ )(\S+)", done.stderr, re.MULTILINE))
    return added, set(re.findall(r"^ - ([^=@ ]+)", done.stderr, re.MULTILINE))


def with_extra(wheel: Path, extra: str) -> str:
    return f"{wheel}[{extra}]" if extra else str(wheel)


# --- the lists -----------------------------------------------------------------------


def test_a_package_installed_from_a_wheels_address_keeps_the_version_in_its_name():
    image = parse_image("x", "torch @ https://host/torch-2.11.0%2Bcpu-cp313-cp313-linux_x86_64.whl")
    assert image.versions == {"torch": "2.11.0+cpu"}


def test_a_package_installed_from_a_local_archive_keeps_its_version():
    image = parse_image("x", "google-colab @ file:///colabtools/dist/google_colab-1.0.0.tar.gz")
    assert image.versions == {"google-colab": "1.0.0"}


def test_a_package_installed_from_a_repository_is_known_to_be_there():
    image = parse_image("x", "jupyter_kernel_gateway @ git+https://host/gateway@b134e99")
    assert image.versions == {}
    assert image.unknown == {"jupyter-kernel-gateway"}


def test_names_are_compared_however_they_are_spelt():
    assert parse_image(
        "x", "# comment\n\nPyYAML==6.0.3\nipython_pygments.lexers==1.1"
    ).versions == {
        "pyyaml": "6.0.3",
        "ipython-pygments-lexers": "1.1",
    }


def test_a_line_that_is_not_understood_is_no_quiet_loss():
    with pytest.raises(ValueError, match="-e"):
        parse_image("x", "-e /some/checkout")


def test_the_lists_are_those_of_whole_images(images):
    assert {name: len(image.versions) > 250 for name, image in images.items()} == {
        "CPU": True,
        "GPU": True,
        "TPU": True,
    }
    assert "tensorflow" in images["CPU"].versions
    assert "tensorflow" in images["GPU"].versions
    assert "tensorflow" not in images["TPU"].versions


# --- what the image holds satisfies posenb -------------------------------------------


@each_install
def test_the_versions_of_the_image_satisfy_posenb(images, image, extra, tmp_path):
    held = images[image]
    resolved = resolve(held, extra, tmp_path)
    moved = {
        name: f"{held.versions[name]} -> {version}"
        for name, version in resolved.items()
        if name in held.versions and held.versions[name] != version
    }
    assert not moved
    assert not held.unknown & resolved.keys()
    assert "keras" in resolved
    assert ("tensorflow" in resolved) == (extra == "tensorflow")


# --- pip and uv leave the image alone of their own accord ----------------------------


@each_install
def test_pip_changes_nothing_that_the_image_holds(images, stand_ins, wheel, image, extra):
    plan = pip_plan(stand_ins[image], with_extra(wheel, extra))
    new = ", ".join(f"{name} {version}" for name, version in sorted(plan.items()))
    print(f"\n| {image} | `{with_extra(Path('posenb'), extra)}` | {new} |")  # noqa: T201
    assert {"posenb", "av", "ipycanvas"} <= plan.keys()
    assert not plan.keys() & (images[image].versions.keys() | images[image].unknown)
    assert not [name for name in plan if name.startswith("tensorflow")]


@each_install
def test_uv_changes_nothing_that_the_image_holds(images, stand_ins, wheel, image, extra):
    added, removed = uv_plan(stand_ins[image], with_extra(wheel, extra))
    assert {"posenb", "av", "ipycanvas"} <= added.keys()
    assert not removed
    assert not added.keys() & (images[image].versions.keys() | images[image].unknown)
    assert not [name for name in added if name.startswith("tensorflow")]


def test_buckets_on_the_tpu_image_ask_for_the_client_of_its_fsspec(images, stand_ins, wheel):
    held = images["TPU"].versions
    plan = pip_plan(stand_ins["TPU"], with_extra(wheel, "jax,gcs"), f"fsspec=={held['fsspec']}")
    assert plan["gcsfs"] == held["fsspec"]
    assert not plan.keys() & held.keys()


def test_a_cluster_on_the_cpu_image_asks_for_the_scheduler_of_its_dask(images, stand_ins, wheel):
    held, python = images["CPU"].versions, stand_ins["CPU"]
    asked = with_extra(wheel, "tensorflow,dask"), f"dask=={held['dask']}"
    plan = pip_plan(python, *asked)
    assert plan["distributed"] == held["dask"]
    assert not plan.keys() & held.keys()
    added, removed = uv_plan(python, *asked)
    assert added["distributed"] == held["dask"]
    assert not removed
    assert not added.keys() & held.keys()


def test_a_cluster_on_the_tpu_image_needs_no_help(images, stand_ins, wheel):
    # uv alone: pip would judge Dask's needs by the Python that runs it here, not by the image's.
    added, removed = uv_plan(stand_ins["TPU"], with_extra(wheel, "jax,dask"))
    assert {"dask", "distributed"} <= added.keys()
    assert not removed
    assert not added.keys() & images["TPU"].versions.keys()


@pytest.mark.parametrize("there", [True, False])
def test_the_notebook_of_the_cluster_holds_dask_where_it_is(images, monkeypatch, there):
    held = images["CPU"].versions["dask"]
    cells = json.loads((ROOT / "notebooks" / "cluster.ipynb").read_text())["cells"]
    (install,) = ("".join(c["source"]) for c in cells if "install" in c["metadata"].get("tags", ()))
    shell, asked = InteractiveShell(), []
    shell.register_magic_function(asked.append, "line", "pip")
    monkeypatch.setattr("importlib.util.find_spec", {"dask": there or None}.get)
    monkeypatch.setattr("importlib.metadata.version", {"dask": held}.__getitem__)
    shell.run_cell(install).raise_error()
    dask = f" dask=={held} " if there else "  "
    assert asked == [f'install --quiet "posenb[tensorflow,dask]"{dask}--find-links .']


def test_the_stand_in_shows_a_version_that_would_change(images, stand_ins):
    plan = pip_plan(stand_ins["CPU"], "ipywidgets>=8")
    assert plan["ipywidgets"] > images["CPU"].versions["ipywidgets"]
    added, removed = uv_plan(stand_ins["CPU"], "ipywidgets>=8")
    assert "ipywidgets" in added
    assert "ipywidgets" in removed
