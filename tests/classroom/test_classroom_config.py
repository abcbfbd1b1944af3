"""The classroom's configuration and its guide, without a hub."""

import re
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks" / "classroom"
CONFIG, GUIDE = FOLDER / "jupyterhub_config.py", FOLDER / "classroom.md"


def read(monkeypatch, folder: Path, **environment: str):
    """Return what the configuration says in an environment."""
    pytest.importorskip("jupyterhub", reason="JupyterHub is not installed")
    from traitlets.config import Config

    for name in ("PASSWORD", "URL"):
        monkeypatch.delenv(f"POSENB_CLASSROOM_{name}", raising=False)
    monkeypatch.delenv("POSENB_ZOO", raising=False)
    monkeypatch.setenv("POSENB_CLASSROOM", str(folder))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    names = {"get_config": Config, "__file__": str(CONFIG), "__name__": "config"}
    exec(compile(CONFIG.read_text(), CONFIG, "exec"), names)
    return names["c"]


@pytest.mark.parametrize("password", ["", "short"])
def test_without_a_password_there_is_no_hub(monkeypatch, tmp_path, password):
    with pytest.raises(SystemExit, match="at least 8 characters"):
        read(monkeypatch, tmp_path, POSENB_CLASSROOM_PASSWORD=password)
    assert list(tmp_path.iterdir()) == []


def test_the_hub_is_this_machines_own_until_told_otherwise(monkeypatch, tmp_path):
    config = read(monkeypatch, tmp_path, POSENB_CLASSROOM_PASSWORD="good enough")
    assert config.JupyterHub.bind_url == "http://127.0.0.1:8000"
    told = {"POSENB_CLASSROOM_PASSWORD": "good enough", "POSENB_CLASSROOM_URL": "http://:8000"}
    assert read(monkeypatch, tmp_path, **told).JupyterHub.bind_url == "http://:8000"


def test_everybody_reads_one_cache_and_further_models(monkeypatch, tmp_path):
    told = {"POSENB_CLASSROOM_PASSWORD": "good enough", "POSENB_ZOO": "gs://lab/zoo"}
    environment = read(monkeypatch, tmp_path, **told).Spawner.environment
    assert environment["POSENB_CACHE"] == str(tmp_path / "cache")
    assert environment["POSENB_ZOO"] == "gs://lab/zoo"
    assert environment["CUDA_VISIBLE_DEVICES"] == ""
    assert not any("PASSWORD" in name for name in environment)


def test_what_the_hub_keeps_is_closed_to_others(monkeypatch, tmp_path):
    config = read(monkeypatch, tmp_path, POSENB_CLASSROOM_PASSWORD="good enough")
    assert stat.S_IMODE((tmp_path / "hub").stat().st_mode) == 0o700
    kept = (config.JupyterHub.cookie_secret_file, config.ConfigurableHTTPProxy.pid_file)
    assert all(Path(each).is_relative_to(tmp_path / "hub") for each in kept)
    assert str(tmp_path / "hub") in config.JupyterHub.db_url


def test_no_pupil_is_asked_about_news(monkeypatch, tmp_path):
    config = read(monkeypatch, tmp_path, POSENB_CLASSROOM_PASSWORD="good enough")
    place = Path(config.Spawner.environment["JUPYTER_CONFIG_PATH"], "labconfig", "page_config.json")
    assert "announcements" in place.read_text()


@pytest.mark.parametrize("name", ["..", "../ada", "Ada", "a/b", "", "a" * 32, "-a"])
def test_names_that_make_no_folder_are_no_names(monkeypatch, tmp_path, name):
    config = read(monkeypatch, tmp_path, POSENB_CLASSROOM_PASSWORD="good enough")
    assert not re.fullmatch(config.Authenticator.username_pattern, name)
    assert re.fullmatch(config.Authenticator.username_pattern, "ada-1")


def test_the_guide_speaks_of_every_setting_and_of_no_other():
    text, config = GUIDE.read_text(), CONFIG.read_text()
    settings = set(re.findall(r"^([A-Z]+) = ", config, re.MULTILINE)) - {"FOLDER", "URL"}
    assert settings <= set(re.findall(r"`([A-Z_]+)`", text))
    variables = set(re.findall(r"POSENB_[A-Z_]+", config))
    assert variables == set(re.findall(r"POSENB_[A-Z_]+", text))


def test_the_link_of_the_guide_leads_to_a_notebook_that_is_there():
    (link,) = re.findall(r"^https?://\S+git-pull\?\S+$", GUIDE.read_text(), re.MULTILINE)
    parts = urlsplit(link)
    assert parts.path == "/hub/user-redirect/git-pull"
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    folder = query["repo"].rstrip("/").rsplit("/", 1)[-1]
    place = query["urlpath"].removeprefix(f"lab/tree/{folder}/")
    assert query["branch"] == "main"
    assert (ROOT / place).is_file()


def test_the_guide_names_files_that_are_there():
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", GUIDE.read_text()):
        assert (FOLDER / link).exists(), link
