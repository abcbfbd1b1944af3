import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_samples import changed, one_animal

from posenb.core import FrameName, Labels, Skeleton, Split, SplitConfig
from posenb.errors import InvalidInputError, LabelError
from posenb.labels import given_split, make_split, read_split, write_split

POINT = Skeleton(("nose",))


def labelled(videos, each=1):
    frames = tuple(
        FrameName(f"v{v}", f"img{n:03d}.png") for v in range(videos) for n in range(each)
    )
    return Labels(frames, np.ones((len(frames), 1, 1, 2)), POINT)


def sizes(split):
    return len(split.train), len(split.validation), len(split.test)


def everything(split):
    return sorted((*split.train, *split.validation, *split.test))


fractions = st.floats(0, 0.99)


@settings(deadline=None)
@given(st.integers(1, 40), fractions, fractions, st.integers(0, 5))
def test_every_labelled_frame_stands_in_one_part_and_some_train(count, test, validation, seed):
    labels = labelled(1, count)
    config = SplitConfig(test_fraction=test, validation_fraction=validation, seed=seed)
    split = make_split(labels, config)
    assert everything(split) == sorted(labels.frames)
    assert len(split.train) >= 1
    assert bool(split.validation) or validation == 0 or count - len(split.test) < 3
    assert abs(len(split.test) - test * count) <= 1


@settings(deadline=None)
@given(st.integers(2, 8), st.integers(1, 4), fractions, fractions)
def test_videos_are_never_torn_apart(videos, each, test, validation):
    config = SplitConfig(test_fraction=test, validation_fraction=validation, by="video")
    labels = labelled(videos, each)
    split = make_split(labels, config)
    assert everything(split) == sorted(labels.frames)
    parts = [{f.video for f in part} for part in (split.train, split.validation, split.test)]
    assert sum(map(len, parts)) == videos
    assert parts[0]


def test_the_shares_are_those_of_the_config():
    config = SplitConfig(test_fraction=0.1, validation_fraction=0.2)
    assert sizes(make_split(labelled(1, 100), config)) == (72, 18, 10)
    assert sizes(make_split(labelled(10, 10), config.replace(by="video"))) == (70, 20, 10)


@pytest.mark.parametrize(("count", "expected"), [(1, (1, 0, 0)), (2, (2, 0, 0)), (3, (2, 1, 0))])
def test_few_frames_still_train(count, expected):
    assert sizes(make_split(labelled(1, count))) == expected


def test_without_shares_all_frames_train():
    config = SplitConfig(test_fraction=0, validation_fraction=0)
    assert sizes(make_split(labelled(1, 20), config)) == (20, 0, 0)
    assert sizes(make_split(labelled(1, 20), config.replace(by="video"))) == (20, 0, 0)


def test_the_same_seed_gives_the_same_split_whatever_the_order_of_the_rows():
    labels = labelled(3, 10)
    shuffled = labels.select(np.random.default_rng(0).permutation(30))
    assert make_split(shuffled) == make_split(labels)
    assert make_split(shuffled, SplitConfig(by="video")) == make_split(
        labels, SplitConfig(by="video")
    )


def test_another_seed_gives_another_split():
    splits = {make_split(labelled(1, 50), SplitConfig(seed=seed)) for seed in range(5)}
    assert len(splits) == 5


def test_a_split_is_the_same_on_every_machine():
    split = make_split(labelled(2, 10), SplitConfig(test_fraction=0.2, seed=3))
    assert [f"{video} {image[3:6]}" for video, image in split.test] == [
        "v0 003",
        "v0 004",
        "v0 005",
        "v1 008",
    ]


def test_a_split_does_not_depend_on_pythons_hash_seed():
    program = (
        "import numpy as np\n"
        "from posenb.core import *\nfrom posenb.labels import make_split\n"
        "frames = tuple(('v', f'{n}.png') for n in range(20))\n"
        "labels = Labels(frames, np.ones((20, 1, 1, 2)), Skeleton(('k',)))\n"
        "print(make_split(labels))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_most_frames_keep_their_part_when_frames_are_added():
    config = SplitConfig(test_fraction=0.2)
    before = make_split(labelled(1, 100), config)
    after = make_split(labelled(1, 110), config)
    assert len(set(before.test) & set(after.test)) >= 15


def test_frames_without_any_label_stay_out():
    labels = changed(
        one_animal("a.png", "b.png", "c.png", "d.png"), {(1, 0, k): (0,) for k in range(3)}
    )
    assert ("m1", "b.png") not in everything(make_split(labels))
    hidden = changed(labels, {(1, 0, 0): (1,)})
    assert ("m1", "b.png") in everything(make_split(hidden))


def test_without_labelled_frames_there_is_no_split():
    nothing = Labels((("v", "i.png"),), np.full((1, 1, 1, 2), np.nan), POINT)
    with pytest.raises(LabelError, match="none is labelled"):
        make_split(nothing)


def test_one_video_cannot_be_split_by_video():
    with pytest.raises(LabelError, match=r"two videos or more; got \['v0'\]"):
        make_split(labelled(1, 9), SplitConfig(by="video"))


def test_a_given_split_is_checked_and_the_rest_trains():
    labels = labelled(1, 4)
    split = given_split(labels, validation=["v0/img001.png"], test=[FrameName("v0", "img003.png")])
    assert [frame.image for frame in split.train] == ["img000.png", "img002.png"]
    assert given_split(labels, train=["v0/img002.png"]) == Split((labels.frames[2],))


def test_whole_videos_may_be_given_by_name():
    labels = labelled(3, 2)
    split = given_split(labels, validation=["v1"], test=["v2/img000.png", "v0"])
    assert split.validation == labels.frames[2:4]
    assert split.test == (labels.frames[4], *labels.frames[0:2])
    assert split.train == labels.frames[5:]


@pytest.mark.parametrize(
    ("parts", "error", "message"),
    [
        ({"test": ["v0/other.png"]}, LabelError, r"v0/other\.png .*not labelled"),
        ({"test": ["v7"]}, LabelError, "v7 .*not labelled"),
        ({"train": ["v0/img000.png"], "test": ["v0/img000.png"]}, InvalidInputError, "twice"),
        ({"test": [f"v0/img00{n}.png" for n in range(4)]}, LabelError, "none is left"),
        ({"train": []}, LabelError, "none is left"),
    ],
)
def test_a_given_split_that_breaks_a_rule_is_refused(parts, error, message):
    with pytest.raises(error, match=message):
        given_split(labelled(1, 4), **parts)


def test_a_split_is_kept_with_the_run(tmp_path):
    split = make_split(labelled(3, 10))
    write_split(tmp_path / "split.json", split)
    assert read_split(tmp_path / "split.json") == split
    kept = json.loads((tmp_path / "split.json").read_text())
    assert kept["version"] == 1
    assert all(name.startswith("v") and name.endswith(".png") for name in kept["train"])


def test_frames_without_a_video_and_in_nested_folders_are_kept(tmp_path):
    split = Split((("", "a.png"),), (("day 1/größe", "b.png"),))
    write_split(tmp_path / "split.json", split)
    assert read_split(tmp_path / "split.json") == split


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no split"),
        ('{"version": 1, "train": []}', "validation"),
        ('{"version": 2, "train": [], "validation": [], "test": []}', "Upgrade posenb"),
        ('{"version": 1, "train": ["v/a"], "validation": ["v/a"], "test": []}', "twice"),
        ('{"version": 1, "train": [], "validation": [], "test": [], "x": 1}', "'x'"),
    ],
)
def test_a_damaged_or_newer_split_is_refused(tmp_path, text, message):
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(LabelError, match=message):
        read_split(tmp_path / "split.json")
