import pytest
import yaml

from posenb.errors import ConfigError, ProjectError
from posenb.project.manifest import (
    Manifest,
    Video,
    add_entries,
    make_manifest,
    make_video,
    parse,
    write_new,
)

FACTS = {"name": "reach", "scorer": "ann", "keypoints": ["nose", "tail"]}


def text(**changes):
    return yaml.safe_dump({"version": 1, **FACTS, **changes}).encode()


def test_a_manifest_written_and_read_is_the_same(tmp_path):
    manifest = make_manifest(
        **FACTS,
        skeleton=[("nose", "tail")],
        individuals=["größer"],
        unique_keypoints=["tail"],
        videos={"m1": {"path": "videos/m1.mp4", "crop": [0, 10, 5, 20]}},
    )
    url = str(tmp_path / "posenb.yaml")
    write_new(url, manifest)
    assert parse((tmp_path / "posenb.yaml").read_bytes(), url) == manifest


def test_a_manifest_is_made_for_people_to_read(tmp_path):
    write_new(str(tmp_path / "posenb.yaml"), make_manifest(**FACTS))
    assert (tmp_path / "posenb.yaml").read_text() == (
        "# A posenb project. Paths are relative to this folder unless they are URLs.\n"
        "version: 1\nkind: posenb\nname: reach\nscorer: ann\nkeypoints:\n- nose\n- tail\n"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "names its version"),
        (b"- a", "names its version"),
        (b"a: [", "is a YAML file"),
        (b"\xff\xfe\xfa", "is a YAML file"),
        (b"version: one", "names its version"),
        (text(version=2), r"version 2; .*pip install --upgrade posenb"),
        (text(keypoint=["a"]), "'keypoint' is not an option"),
        (text(keypoints=[]), "needs a name, a scorer and keypoints"),
        (text(scorer="a/b"), "scorer"),
        (text(kind="sleap"), "kind"),
        (text(kind="deeplabcut"), "stand in its own files"),
        (text(videos={"m1": {"path": "a/../m1.mp4"}}), "climbs only at its start"),
        (text(videos={"m1": {"path": "../a/../m1.mp4"}}), "climbs only at its start"),
        (text(videos={"m1": {"path": "a\\..\\m1.mp4"}}), "climbs only at its start"),
        (text(videos={"m1": {"path": "..\\m1.mp4"}}), "climbs only at its start"),
        (text(videos={"m1": {"path": ".."}}), "climbs only at its start"),
        (text(videos={"m1": {"path": "../"}}), "climbs only at its start"),
        (text(videos={"../m1": {"path": "m1.mp4"}}), "videos"),
        (text(videos={"m1": {"path": ""}}), "path"),
        (text(videos={"a/b": {"path": "m1.mp4"}}), "videos"),
        (text(videos={"m1": {"path": "m1.mp4", "crop": [9, 9, 0, 5]}}), "0 <= x1 < x2"),
        (text(videos={"m1": "m1.mp4"}), r"videos\.m1"),
    ],
)
def test_a_manifest_that_breaks_a_rule_is_refused_with_its_name(content, message):
    with pytest.raises(ProjectError, match=message) as caught:
        parse(content, "gs://lab/posenb.yaml")
    assert "gs://lab/posenb.yaml" in str(caught.value)


def test_yaml_that_would_run_code_is_refused():
    with pytest.raises(ProjectError, match="could not determine a constructor"):
        parse(b"version: !!python/object/apply:os.getcwd []", "x")


def test_a_video_may_lie_beside_the_project():
    videos = {"m1": {"path": "../../raw/m1.mp4"}}
    assert parse(text(videos=videos), "x").videos["m1"].path == "../../raw/m1.mp4"


def test_a_second_manifest_is_refused_and_the_first_stays(tmp_path):
    url = str(tmp_path / "posenb.yaml")
    write_new(url, make_manifest(**FACTS))
    with pytest.raises(ProjectError, match="Open it with open_project"):
        write_new(url, make_manifest(**{**FACTS, "name": "other"}))
    assert parse((tmp_path / "posenb.yaml").read_bytes(), url).name == "reach"


def test_entries_are_added_to_those_that_others_added(tmp_path):
    url = str(tmp_path / "posenb.yaml")
    write_new(url, make_manifest(**FACTS))
    add_entries(url, "posenb", {"a": Video(path="a.mp4")}, {})
    add_entries(url, "posenb", {"b": Video(path="b.mp4", crop=(0, 1, 0, 1))}, {})
    manifest = parse((tmp_path / "posenb.yaml").read_bytes(), url)
    assert manifest.videos == {
        "a": Video(path="a.mp4"),
        "b": Video(path="b.mp4", crop=(0, 1, 0, 1)),
    }
    assert manifest.name == "reach"


def test_an_entry_replaces_only_what_was_known(tmp_path):
    url = str(tmp_path / "posenb.yaml")
    write_new(url, make_manifest(**FACTS, videos={"a": {"path": "a.mp4"}}))
    with pytest.raises(ProjectError, match=r"'a' is a.mp4 and cannot be b.mp4 too"):
        add_entries(url, "posenb", {"a": Video(path="b.mp4")}, {})
    add_entries(url, "posenb", {"a": Video(path="b.mp4")}, {"a": "a.mp4"})
    assert parse((tmp_path / "posenb.yaml").read_bytes(), url).videos["a"].path == "b.mp4"


def test_beside_another_programs_files_a_manifest_holds_videos_alone(tmp_path):
    url = str(tmp_path / "posenb.yaml")
    add_entries(url, "deeplabcut", {"a": Video(path="a.mp4")}, {})
    assert yaml.safe_load((tmp_path / "posenb.yaml").read_text()) == {
        "version": 1,
        "kind": "deeplabcut",
        "videos": {"a": {"path": "a.mp4"}},
    }


def test_a_damaged_manifest_is_left_as_it_is(tmp_path):
    (tmp_path / "posenb.yaml").write_text("version: 7")
    with pytest.raises(ProjectError, match="Upgrade"):
        add_entries(str(tmp_path / "posenb.yaml"), "posenb", {"a": Video(path="a.mp4")}, {})
    assert (tmp_path / "posenb.yaml").read_text() == "version: 7"


def test_new_facts_that_break_a_rule_are_config_errors():
    with pytest.raises(ConfigError, match="create_project: name"):
        make_manifest(**{**FACTS, "name": "a:b"})
    with pytest.raises(ConfigError, match="0 <= x1 < x2"):
        make_video("a.mp4", (-1, 5, 0, 5))


def test_a_manifest_does_not_change():
    with pytest.raises(ValueError, match="frozen"):
        Manifest(**FACTS).name = "x"
