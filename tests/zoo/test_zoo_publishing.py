"""Publishing: whole, with a card that lacks nothing, and findable afterwards."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from zoo_models import FACTS, KEYPOINTS, write_run

from posenb import storage
from posenb._progress import silent_progress
from posenb.core import Skeleton
from posenb.errors import ProjectError, ZooError
from posenb.zoo import CardFacts, add_index, fetch, publish, show, verify
from posenb.zoo.picture import draw_preview


def publish_quietly(run, url, **options):
    return publish(
        run, url, **{"name": "spots", "facts": FACTS, **options}, progress=silent_progress
    )


def test_what_was_published_is_found_verified_and_says_what_it_is(zoo):
    add_index(zoo)
    card = show("spots")
    assert card.keypoints == KEYPOINTS
    assert card.skeleton == (("snout", "ear"), ("ear", "tail"))
    assert card.body_length == 20.0
    assert card.software == {"posenb": "0"}
    assert [each.name for each in verify("spots")] == ["spots"]


def test_accuracy_is_that_of_the_runs_test_frames(zoo, run):
    (row,) = show(zoo / "spots").accuracy
    assert (row.size, row.frames, row.found) == (1.0, 1, None)
    assert row.mean == pytest.approx(1 / 3, abs=0.1)  # two of three labels are half a pixel off
    assert row.of_body == pytest.approx(row.mean / 20, abs=1e-3)


def test_a_published_model_has_a_page_and_a_picture_for_people(zoo):
    assert "A bright spot" in (zoo / "spots" / "README.md").read_text()
    with Image.open(zoo / "spots" / "preview.png") as picture:
        assert picture.size == (480, 480)
        assert len(picture.convert("RGB").getcolors(480 * 480)) > 10


def test_a_picture_of_ones_own_is_taken_as_it_is(run, tmp_path):
    Image.new("RGB", (40, 30), "red").save(tmp_path / "mine.png")
    publish_quietly(run, tmp_path / "zoo", preview=tmp_path / "mine.png")
    assert (tmp_path / "zoo/spots/preview.png").read_bytes() == (tmp_path / "mine.png").read_bytes()


def test_a_model_is_published_to_a_bucket_and_used_from_there(run, gs_bucket):
    publish_quietly(run, f"{gs_bucket}/zoo")
    add_index(f"{gs_bucket}/zoo")
    assert (fetch("spots") / "model.keras").is_file()


def test_several_models_share_an_index(run, zoo):
    publish_quietly(run, zoo, name="dots", skeleton=(("snout", "tail"),))
    add_index(zoo)
    assert show("spots").name == "spots"
    assert show("dots").skeleton == (("snout", "tail"),)
    assert len(verify(str(zoo / "dots"))) == 1


def test_all_that_the_card_lacks_is_named_at_once(run, tmp_path):
    with pytest.raises(ZooError) as caught:
        publish_quietly(run, tmp_path, facts={"species": "spot"})
    for name in ("title", "view", "licence", "data", "limits"):
        assert f"{name} (" in str(caught.value)
    assert "species (" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_was_not_evaluated_is_not_published(tmp_path):
    run = write_run(tmp_path / "project")
    with pytest.raises(ZooError, match=r"accuracy \(evaluate the run first"):
        publish_quietly(run, tmp_path / "zoo")


def test_a_run_that_is_not_finished_is_not_published(run, tmp_path):
    copy = tmp_path / "runs" / "spots"
    storage.copy_folder(run.url, copy)
    (copy / "model.keras").unlink()
    with pytest.raises(ZooError, match="train it to its end"):
        publish_quietly(copy, tmp_path / "zoo")


def test_what_is_no_run_is_not_published(tmp_path):
    with pytest.raises(ProjectError, match=r"config\.json"):
        publish_quietly(tmp_path, tmp_path / "zoo")


def test_a_model_for_several_animals_is_not_published(tmp_path):
    run = write_run(tmp_path / "project", individuals=("a", "b"))
    storage.write_text(f"{run.evaluation_url}/summary.csv", "")
    with pytest.raises(ZooError, match="one animal"):
        publish_quietly(run, tmp_path / "zoo")


def test_a_model_is_not_replaced_by_accident(run, zoo):
    before = (zoo / "index.json").read_bytes()
    with pytest.raises(ZooError, match="replace=True"):
        publish_quietly(run, zoo)
    assert (zoo / "index.json").read_bytes() == before
    facts = CardFacts(**{**FACTS, "title": "A brighter spot"})
    publish_quietly(run, zoo, facts=facts, replace=True)
    assert show(zoo / "spots").title == "A brighter spot"


@pytest.mark.parametrize("name", ["My Model", "../evil", "", "a/b"])
def test_a_name_that_is_none_is_refused(name, run, tmp_path):
    with pytest.raises(ZooError, match="small letters"):
        publish_quietly(run, tmp_path, name=name)


def test_publishing_that_is_cut_off_leaves_the_index_as_it_was(run, zoo, monkeypatch):
    before = (zoo / "index.json").read_bytes()
    whole = storage.copy

    def breaking(source, target):
        if Path(target).name == "model.onnx":
            raise KeyboardInterrupt
        whole(source, target)

    monkeypatch.setattr(storage, "copy", breaking)
    with pytest.raises(KeyboardInterrupt):
        publish_quietly(run, zoo, name="dots")
    assert (zoo / "index.json").read_bytes() == before
    monkeypatch.undo()
    publish_quietly(run, zoo, name="dots")
    assert set(json.loads((zoo / "index.json").read_text())["models"]) == {"dots", "spots"}


def test_a_picture_can_be_drawn_of_a_single_point(tmp_path):
    draw_preview(tmp_path / "one.png", np.array([[3.0, 4.0]]), Skeleton(("nose",)))
    assert (tmp_path / "one.png").stat().st_size > 0


def test_a_keypoint_that_is_not_known_is_left_out_of_the_picture(tmp_path):
    posture = np.array([[0.0, 0.0], [np.nan, np.nan], [30.0, 40.0]])
    draw_preview(tmp_path / "two.png", posture, Skeleton(KEYPOINTS, ((0, 1), (1, 2))))
    assert (tmp_path / "two.png").stat().st_size > 0
