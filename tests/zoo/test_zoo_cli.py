"""``posenb zoo``: the verbs of the zoo as commands."""

import json
import re
import shutil
import zipfile

import pytest
from typer.testing import CliRunner
from zoo_models import FACTS, altered

from posenb.cli import app
from posenb.project import open_project
from posenb.video import probe


@pytest.fixture
def posenb():
    """Call the program: ``posenb("zoo", "list")``."""

    def call(*arguments: object):
        return CliRunner().invoke(app, [str(each) for each in arguments])

    return call


def test_list_tells_name_animal_and_licence_of_every_model(posenb, published):
    lines = posenb("zoo", "list", "--index", published).stdout.splitlines()
    assert lines[0].split()[:2] == ["name", "animal"]
    assert any(line.startswith("mouse_openfield") and "Apache-2.0" in line for line in lines)
    assert any(line.startswith("spots") and "CC0-1.0" in line for line in lines)


def test_show_prints_the_card(posenb, published):
    shown = posenb("zoo", "show", published / "spots").stdout
    assert shown.startswith("# A bright spot")
    assert "It knows one spot." in shown


def test_run_fetch_and_verify_by_the_folder_of_a_model(posenb, published, clip, tmp_path):
    clip = shutil.copy(clip, tmp_path / "clip.mp4")
    done = posenb(
        *("zoo", "run", published / "spots", clip, "--size", "1", "--quiet"),
        *("-k", "snout=nose,tail", "--stop", "4", "--without", "video,report,table,zip"),
    )
    assert done.exit_code == 0, done.output
    folder = tmp_path / "clip_poses" / "spots"
    assert done.stdout.splitlines()[-1] == str(folder)
    assert {path.name for path in folder.iterdir()} == {
        *("poses.h5", "poses.csv", "meta.json", "all_keypoints")
    }
    meta = json.loads((tmp_path / "clip_poses" / "spots" / "meta.json").read_text())
    assert meta["zoo"]["keypoints"] == {"snout": "nose", "tail": "tail"}
    assert posenb("zoo", "fetch", published / "spots").stdout.strip() == str(published / "spots")
    assert "as the card says" in posenb("zoo", "verify", published / "spots", "--quiet").stdout


def test_run_draws_sums_up_and_packs_what_it_found(posenb, published, clip, tmp_path):
    clip = shutil.copy(clip, tmp_path / "clip.mp4")
    call = ("zoo", "run", published / "spots", clip, "--size", "1", "--quiet")
    done = posenb(*call, "--quality", "normal")
    assert done.exit_code == 0, done.output
    assert "24 frames, 100 % of the body found surely" in done.stdout
    assert re.search(r"^snout +100% +\d\.\d\d$", done.stdout, re.MULTILINE)
    folder = tmp_path / "clip_poses" / "spots"
    assert probe(folder / "labelled.mp4").frame_count == 24
    with zipfile.ZipFile(folder / "posenb-results.zip") as archive:
        names = {name.removeprefix("posenb-results/") for name in archive.namelist()}
        assert str(tmp_path) not in archive.read("posenb-results/poses/meta.json").decode()
    assert names == {
        *("README.txt", "summary.csv", "model.md", "preview.png", "report.html", "labelled.mp4"),
        *("positions.csv", "poses/poses.h5", "poses/poses.csv", "poses/meta.json"),
    }
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*[!n]")}
    assert posenb(*call).stdout == done.stdout
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_run_prints_no_summary_if_none_is_wanted_and_knows_what_it_makes(
    posenb, published, clip, tmp_path
):
    call = ("zoo", "run", published / "spots", clip, "--size", "1", "--quiet")
    less = ("--without", "video,report", "--without", "zip,summary")
    done = posenb(*call, "--output", tmp_path / "o", *less)
    assert done.stdout.splitlines() == [str(tmp_path / "o")]
    assert (tmp_path / "o" / "positions.csv").is_file()
    done = posenb(*call, "--without", "vidoe")
    assert done.exit_code == 1
    assert "Did you mean 'video'" in done.stderr


def test_run_takes_one_output_for_one_video(posenb, published, tmp_path):
    done = posenb("zoo", "run", published / "spots", "a.mp4", "b.mp4", "--output", tmp_path / "o")
    assert done.exit_code == 1
    assert "one by one" in done.stderr


def test_verify_fails_on_an_altered_file(posenb, zoo):
    path = zoo / "spots" / "model.onnx"
    path.write_bytes(altered(path.read_bytes(), 500))
    done = posenb("zoo", "verify", zoo / "spots", "--quiet")
    assert done.exit_code == 1
    assert "another SHA-256" in done.stderr


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_publish_takes_the_facts_from_a_file(suffix, posenb, run, tmp_path):
    facts = tmp_path / f"facts.{suffix}"
    facts.write_text(json.dumps(FACTS))  # JSON is YAML too
    done = posenb(
        *("zoo", "publish", run.url, tmp_path / "zoo", "--name", "dots"),
        *("--facts", facts, "--quiet"),
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(tmp_path / "zoo" / "dots")
    assert (tmp_path / "zoo" / "index.json").is_file()


def test_publish_names_all_that_is_missing(posenb, run, tmp_path):
    done = posenb("zoo", "publish", run.url, tmp_path / "zoo", "--name", "dots", "--quiet")
    assert done.exit_code == 1
    for name in ("title", "species", "view", "licence", "data", "limits"):
        assert f"{name} (" in done.stderr


@pytest.mark.parametrize("content", ["- a list", "{broken: ["])
def test_publish_refuses_facts_that_are_none(content, posenb, run, tmp_path):
    (tmp_path / "facts.yaml").write_text(content)
    done = posenb(
        *("zoo", "publish", run.url, tmp_path / "zoo", "--name", "dots"),
        *("--facts", tmp_path / "facts.yaml"),
    )
    assert done.exit_code == 1
    assert "Facts are" in done.stderr


def test_at_a_terminal_what_is_missing_is_asked_for(monkeypatch):
    from posenb.cli import zoo

    answers = iter(["Mouse", "side", "CC0-1.0", "ours", "CC0-1.0", "Us.", "One mouse."])
    monkeypatch.setattr(zoo.typer, "prompt", lambda text: next(answers))
    assert zoo._asked({"species": "mouse"}) == {
        "title": "Mouse",
        "species": "mouse",
        "view": "side",
        "licence": "CC0-1.0",
        "data": [{"name": "ours", "licence": "CC0-1.0", "citation": "Us."}],
        "limits": ["One mouse."],
    }


def test_help_lists_the_verbs(posenb):
    shown = posenb("zoo", "--help").stdout
    for verb in ("list", "show", "run", "adapt", "create", "fetch", "publish", "verify"):
        assert verb in shown


def test_create_makes_a_project_for_the_animal_of_a_model(posenb, published, tmp_path):
    done = posenb("zoo", "create", published / "spots", tmp_path / "mine", "-k", "snout,tip")
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(tmp_path / "mine")
    assert open_project(tmp_path / "mine").skeleton.keypoints == ("snout", "tip")
    whole = posenb("zoo", "create", published / "spots", tmp_path / "whole")
    assert open_project(whole.stdout.strip()).skeleton.keypoints == ("snout", "ear", "tail")
