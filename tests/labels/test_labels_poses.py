import hashlib
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from label_samples import MOUSE, SCENE, assert_same_poses, one_animal, poses

from posenb.core import Poses, Skeleton
from posenb.errors import LabelError
from posenb.labels import read_poses, write_labels, write_poses

RATS = ("rat 1", "rat 2")


@pytest.mark.parametrize("suffix", ["", ".h5", ".csv"])
@pytest.mark.parametrize(
    "made", [poses(), poses(individuals=RATS), poses(individuals=RATS, skeleton=SCENE), poses(0)]
)
def test_poses_come_back(tmp_path, made, suffix):
    write_poses(tmp_path / "m1DLC_net", made)
    assert_same_poses(read_poses(tmp_path / f"m1DLC_net{suffix}"), made)


def of_an_ensemble(**options) -> Poses:
    made = poses(**options)
    spread = np.random.default_rng(3).gamma(1.0, 2.0, made.likelihoods.shape)
    if len(made):
        spread[0, 0, 0] = np.nan
    once = [made.skeleton.keypoints.index(name) for name in made.skeleton.unique]
    spread[:, 1:, once] = np.nan
    return replace(made, spread=spread)


@pytest.mark.parametrize("suffix", ["", ".h5", ".csv"])
@pytest.mark.parametrize(
    "options", [{}, {"individuals": RATS}, {"individuals": RATS, "skeleton": SCENE}]
)
def test_the_spread_of_an_ensemble_comes_back(tmp_path, options, suffix):
    made = of_an_ensemble(**options)
    write_poses(tmp_path / "p", made)
    read = read_poses(tmp_path / f"p{suffix}")
    assert_same_poses(read, made)
    np.testing.assert_array_equal(read.spread, made.spread)


def test_a_spread_changes_nothing_of_what_others_read(tmp_path):
    made = of_an_ensemble()
    write_poses(tmp_path / "with", made)
    write_poses(tmp_path / "without", replace(made, spread=None))
    for suffix in ("h5", "csv"):
        table = (tmp_path / f"with.{suffix}").read_bytes()
        assert table == (tmp_path / f"without.{suffix}").read_bytes()
    assert read_poses(tmp_path / "without").spread is None


def test_pandas_reads_a_spread(tmp_path):
    made = of_an_ensemble()
    write_poses(tmp_path / "p", made)
    table = pd.read_csv(tmp_path / "p_spread.csv", header=[0, 1, 2], index_col=0)
    assert table.columns[0] == ("DLC_net", "snout", "spread")
    pd.testing.assert_frame_equal(
        table, pd.read_hdf(tmp_path / "p_spread.h5"), check_dtype=False, check_names=False
    )
    np.testing.assert_allclose(table.to_numpy(), made.spread[:, 0], rtol=1e-14)


def test_poses_without_a_spread_take_that_of_others_away(tmp_path):
    write_poses(tmp_path / "p", of_an_ensemble())
    write_poses(tmp_path / "p", poses())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.csv", "p.h5"]
    assert read_poses(tmp_path / "p").spread is None


def test_a_spread_of_other_frames_is_refused(tmp_path):
    write_poses(tmp_path / "p", of_an_ensemble())
    write_poses(tmp_path / "q", of_an_ensemble(count=4))
    (tmp_path / "q_spread.h5").rename(tmp_path / "p_spread.h5")
    with pytest.raises(LabelError, match="belongs to the poses beside it"):
        read_poses(tmp_path / "p.h5")
    assert read_poses(tmp_path / "p.csv").spread is not None


def test_poses_come_back_from_the_cloud():
    url = write_poses("memory://poses/m1/run/", poses())
    assert url == "memory://poses/m1/run/poses.h5"
    assert_same_poses(read_poses("memory://poses/m1/run"), poses())


def test_in_a_folder_the_table_is_called_poses(tmp_path):
    assert write_poses(tmp_path, poses()) == str(tmp_path / "poses.h5")
    assert write_poses(f"{tmp_path}/new/", poses()) == str(tmp_path / "new" / "poses.h5")
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["poses.csv", "poses.h5"]
    assert_same_poses(read_poses(tmp_path), poses())


def test_names_with_dots_are_left_whole(tmp_path):
    url = write_poses(tmp_path / "m1.part2", poses())
    assert url.endswith("m1.part2.h5")
    assert (tmp_path / "m1.part2.csv").exists()


def test_frames_that_do_not_start_at_zero_come_back(tmp_path):
    made = Poses(np.zeros((2, 1, 3, 2)), np.ones((2, 1, 3)), MOUSE, [7, 2**40])
    write_poses(tmp_path / "p", made)
    for suffix in (".h5", ".csv"):
        assert read_poses(tmp_path / f"p{suffix}").frames.tolist() == [7, 2**40]


def test_deeplabcut_and_pandas_find_what_they_expect(tmp_path):
    write_poses(tmp_path / "p", made := poses(individuals=RATS))
    table = pd.read_hdf(tmp_path / "p.h5")
    assert list(table.columns.names) == ["scorer", "individuals", "bodyparts", "coords"]
    assert table.columns[:3].tolist() == [
        ("DLC_net", "rat 1", "snout", coord) for coord in ("x", "y", "likelihood")
    ]
    assert table.index.dtype == "int64"
    np.testing.assert_array_equal(
        table["DLC_net"]["rat 2"]["tail"][["x", "y"]].to_numpy(), made.positions[:, 1, 2]
    )
    with pd.HDFStore(tmp_path / "p.h5", "r") as store:
        assert store.keys() == ["/df_with_missing"]
        assert store.get_storer("df_with_missing").format_type == "table"
    from_csv = pd.read_csv(tmp_path / "p.csv", header=[0, 1, 2, 3], index_col=0)
    np.testing.assert_allclose(from_csv.to_numpy(), table.to_numpy(), rtol=1e-14)
    assert from_csv.columns.tolist() == table.columns.tolist()


@pytest.mark.parametrize("suffix", ["h5", "csv"])
@pytest.mark.parametrize("individuals", [("",), RATS])
def test_movement_reads_the_files(tmp_path, suffix, individuals):
    load_poses = pytest.importorskip("movement.io.load_poses")
    made = poses(individuals=individuals)
    write_poses(tmp_path / "p", made)
    dataset = load_poses.from_dlc_file(tmp_path / f"p.{suffix}", fps=30)
    position = dataset.position.to_numpy()  # time, space, keypoint, individual
    np.testing.assert_allclose(position, made.positions.transpose(0, 3, 2, 1), rtol=1e-14)
    confidence = dataset.confidence.to_numpy()
    np.testing.assert_allclose(confidence, made.likelihoods.transpose(0, 2, 1), rtol=1e-14)
    names = [dataset[dim].to_numpy().tolist() for dim in dataset.confidence.dims[1:]]
    assert names[0] == list(MOUSE.keypoints)
    assert names[1] == list(individuals) or individuals == ("",)


def test_the_same_poses_give_the_same_bytes_at_any_time(tmp_path):
    digests = []
    for name in ("a", "b"):
        write_poses(tmp_path / name, poses(individuals=RATS))
        files = [(tmp_path / f"{name}{suffix}").read_bytes() for suffix in (".h5", ".csv")]
        digests.append([hashlib.sha256(content).hexdigest() for content in files])
        time.sleep(1.1)  # HDF5 counts whole seconds
    assert digests[0] == digests[1]


def test_the_h5_comes_last_so_that_it_stands_for_both(tmp_path, monkeypatch):
    def cut(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("posenb.labels.poses.write_hdf", cut)
    with pytest.raises(KeyboardInterrupt):
        write_poses(tmp_path / "p", poses())
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["p.csv"]


def test_many_keypoints_of_many_animals_are_no_trouble(tmp_path):
    skeleton = Skeleton(tuple(f"keypoint number {n}" for n in range(400)))
    animals = tuple(f"individual {n}" for n in range(5))
    made = poses(3, animals, skeleton)
    write_poses(tmp_path / "p", made)
    assert_same_poses(read_poses(tmp_path / "p.h5"), made)
    assert_same_poses(read_poses(tmp_path / "p.csv"), made)
    assert pd.read_hdf(tmp_path / "p.h5").shape == (3, 6000)


def test_tables_written_in_parts_are_those_written_at_once(tmp_path, monkeypatch):
    made = poses(50, RATS)
    write_poses(tmp_path / "whole", made)
    monkeypatch.setattr("posenb.labels.poses._ROWS", 7)
    digests = set()
    for name in ("a", "b"):
        write_poses(tmp_path / name, made)
        digests.add(hashlib.sha256((tmp_path / f"{name}.h5").read_bytes()).hexdigest())
        assert_same_poses(read_poses(tmp_path / f"{name}.h5"), made)
    assert len(digests) == 1
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    pd.testing.assert_frame_equal(
        pd.read_hdf(tmp_path / "a.h5"), pd.read_hdf(tmp_path / "whole.h5")
    )


def test_parts_of_tables_too_wide_to_be_added_to_are_written_at_once(tmp_path, monkeypatch):
    skeleton = Skeleton(tuple(f"keypoint number {n}" for n in range(400)))
    made = poses(5, tuple(f"individual {n}" for n in range(5)), skeleton)
    monkeypatch.setattr("posenb.labels.poses._ROWS", 2)
    write_poses(tmp_path / "p", made)
    assert_same_poses(read_poses(tmp_path / "p.h5"), made)
    assert_same_poses(read_poses(tmp_path / "p.csv"), made)


@pytest.mark.slow
def test_an_hour_of_video_is_no_trouble(tmp_path):
    made = poses(100_000)
    write_poses(tmp_path / "p", made)
    assert_same_poses(read_poses(tmp_path / "p.h5"), made)
    assert_same_poses(read_poses(tmp_path / "p.csv"), made)


def test_tracks_under_deeplabcuts_own_key_are_read(tmp_path):
    write_poses(tmp_path / "p", poses(individuals=RATS))
    frame = pd.read_hdf(tmp_path / "p.h5")
    frame.to_hdf(tmp_path / "p_el.h5", key="tracks", format="table", mode="w")
    assert_same_poses(read_poses(tmp_path / "p_el.h5"), poses(individuals=RATS))


def test_labels_are_no_poses(tmp_path):
    write_labels(tmp_path / "t.h5", one_animal())
    with pytest.raises(LabelError, match=r"t\.h5: Each keypoint has the columns x, y, likelihood"):
        read_poses(tmp_path / "t.h5")


def test_rows_that_are_not_numbered_by_increasing_frames_are_refused(tmp_path):
    head = "scorer,a,a,a\nbodyparts,k,k,k\ncoords,x,y,likelihood\n"
    (tmp_path / "named.csv").write_text(head + "img1.png,1,2,3\n")
    with pytest.raises(LabelError, match=r"numbered by frames .*read_labels"):
        read_poses(tmp_path / "named.csv")
    (tmp_path / "twice.csv").write_text(head + "4,1,2,3\n4,1,2,3\n")
    with pytest.raises(LabelError, match="strictly increasing"):
        read_poses(tmp_path / "twice.csv")


def test_where_there_are_no_poses_the_error_says_what_was_looked_for(tmp_path):
    with pytest.raises(LabelError, match=r"neither poses\.h5 nor \.csv is there"):
        read_poses(tmp_path)
    with pytest.raises(LabelError, match=r"neither p\.h5 nor \.csv is there"):
        read_poses(tmp_path / "p")
