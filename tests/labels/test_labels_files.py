import csv
import shutil

import numpy as np
import pandas as pd
import pytest
from label_samples import MOUSE, assert_same_labels, changed, one_animal, two_animals

from posenb.core import Labels, Skeleton
from posenb.errors import LabelError
from posenb.labels import has_labels, labels_csv, read_labels, write_labels


def video_folder(tmp_path, video="m1"):
    return tmp_path / "labeled-data" / video


@pytest.mark.parametrize("labels", [one_animal(), two_animals()], ids=["one animal", "two"])
@pytest.mark.parametrize("suffix", ["", ".h5", ".csv"])
def test_labels_come_back_from_either_file(tmp_path, labels, suffix):
    folder = video_folder(tmp_path)
    write_labels(folder, labels)
    found = read_labels(f"{folder}/CollectedData_ann{suffix}" if suffix else folder)
    assert_same_labels(found, labels)


def test_labels_come_back_from_the_cloud():
    url = "memory://labels/labeled-data/m1"
    write_labels(url, two_animals())
    assert_same_labels(read_labels(url), two_animals())


def test_the_files_are_called_as_deeplabcut_calls_them(tmp_path):
    write_labels(tmp_path, one_animal())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "CollectedData_ann.csv",
        "CollectedData_ann.h5",
    ]


@pytest.mark.parametrize("name", ["other", "other.h5", "other.csv", "CollectedData_bob"])
def test_a_table_may_be_named_with_or_without_its_suffix(tmp_path, name):
    write_labels(
        tmp_path / "CollectedData_bob" if "bob" in name else f"{tmp_path}/x.h5", one_animal()
    )
    stem = "CollectedData_bob" if "bob" in name else "x"
    assert (tmp_path / f"{stem}.h5").exists()
    assert (tmp_path / f"{stem}.csv").exists()


def test_deeplabcut_finds_what_it_expects_in_the_h5(tmp_path):
    write_labels(tmp_path, two_animals())
    table = pd.read_hdf(tmp_path / "CollectedData_ann.h5")  # as DeepLabCut does, without a key
    assert list(table.columns.names) == ["scorer", "individuals", "bodyparts", "coords"]
    assert table.columns[:2].tolist() == [
        ("ann", "rat 1", "snout", "x"),
        ("ann", "rat 1", "snout", "y"),
    ]
    assert table.columns[-1] == ("ann", "single", "corner", "y")
    assert table.index[0] == ("labeled-data", "m1", "img1.png")
    assert table.index.nlevels == 3
    assert {str(dtype) for dtype in table.dtypes} == {"float64"}
    with pd.HDFStore(tmp_path / "CollectedData_ann.h5", "r") as store:
        assert store.keys() == ["/df_with_missing"]


def test_deeplabcut_finds_what_it_expects_in_the_csv(tmp_path):
    write_labels(tmp_path, one_animal("img1.png"))
    rows = list(csv.reader((tmp_path / "CollectedData_ann.csv").open()))
    assert rows[0] == ["scorer", "", ""] + ["ann"] * 6
    assert rows[1][:5] == ["bodyparts", "", "", "snout", "snout"]
    assert rows[2][:5] == ["coords", "", "", "x", "y"]
    assert rows[3][:5] == ["labeled-data", "m1", "img1.png", "0.0", "0.25"]
    with_pandas = pd.read_csv(
        tmp_path / "CollectedData_ann.csv", header=[0, 1, 2], index_col=[0, 1, 2]
    )
    assert with_pandas.loc[("labeled-data", "m1", "img1.png"), ("ann", "tail", "y")] == 1.25


def test_lightning_pose_labels_stay_one_csv_with_one_column_of_paths(tmp_path):
    labels = one_animal(video="")
    write_labels(tmp_path / "CollectedData.csv", labels)
    assert [path.name for path in tmp_path.iterdir()] == ["CollectedData.csv"]
    assert "\nlabeled-data/img1.png,0.0," in (tmp_path / "CollectedData.csv").read_text()
    assert_same_labels(read_labels(tmp_path / "CollectedData.csv"), labels)


def test_the_h5_counts_where_both_are_there(tmp_path):
    write_labels(tmp_path, one_animal(start=100))
    shutil.copy(tmp_path / "CollectedData_ann.csv", tmp_path / "kept.csv")
    write_labels(tmp_path, one_animal(start=0))
    shutil.copy(tmp_path / "kept.csv", tmp_path / "CollectedData_ann.csv")
    assert read_labels(tmp_path).positions[0, 0, 0, 0] == 0
    (tmp_path / "CollectedData_ann.h5").unlink()
    assert read_labels(tmp_path).positions[0, 0, 0, 0] == 100


def test_a_table_in_a_renamed_folder_tells_of_the_video_of_that_name(tmp_path):
    write_labels(video_folder(tmp_path, "new"), one_animal(video="old"))
    assert read_labels(video_folder(tmp_path, "new")).videos == ("new",)


def test_a_table_elsewhere_keeps_its_videos(tmp_path):
    write_labels(tmp_path, one_animal(video="old"))
    assert read_labels(tmp_path).videos == ("old",)


def test_a_skeleton_brings_order_edges_and_missing_keypoints(tmp_path):
    write_labels(tmp_path, one_animal())
    skeleton = Skeleton.from_names(["tail", "paw", "snout"], [("tail", "paw")])
    labels = read_labels(tmp_path, skeleton)
    assert labels.skeleton is skeleton
    assert labels.visibility[0, 0].tolist() == [2, 0, 2]
    assert labels.positions[0, 0, 2].tolist() == [0, 0.25]


def test_individuals_are_chosen_and_ordered(tmp_path):
    write_labels(tmp_path, two_animals())
    labels = read_labels(tmp_path, individuals=["rat 3", "rat 2"])
    assert labels.individuals == ("rat 3", "rat 2")
    assert labels.positions[0, 1].tolist()[:2] == two_animals().positions[0, 1].tolist()[:2]
    assert labels.positions[0, 0, 2].tolist() == two_animals().positions[0, 0, 2].tolist()
    assert np.isnan(labels.positions[:, 0, :2]).all()


def test_individuals_that_are_not_there_at_all_are_refused(tmp_path):
    write_labels(tmp_path, two_animals())
    with pytest.raises(LabelError, match="none of the individuals"):
        read_labels(tmp_path, individuals=["fly"])


def test_machine_labels_with_likelihoods_are_read(tmp_path):
    columns = pd.MultiIndex.from_product(
        [["net"], ["snout"], ["x", "y", "likelihood"]], names=["scorer", "bodyparts", "coords"]
    )
    index = pd.MultiIndex.from_tuples([("labeled-data", "m1", "img1.png")])
    frame = pd.DataFrame([[1.0, 2.0, 0.9]], index=index, columns=columns)
    frame.to_hdf(tmp_path / "machinelabels-iter0.h5", key="df_with_missing")
    labels = read_labels(tmp_path / "machinelabels-iter0.h5")
    assert labels.positions.tolist() == [[[[1, 2]]]]


def test_predictions_are_no_labels(tmp_path):
    (tmp_path / "p.csv").write_text("scorer,a,a\nbodyparts,k,k\ncoords,x,y\n")
    frame = pd.DataFrame(
        [[1.0, 2.0]], columns=pd.MultiIndex.from_tuples([("a", "k", "x"), ("a", "k", "y")])
    )
    frame.to_hdf(tmp_path / "p.h5", key="df_with_missing")
    with pytest.raises(LabelError, match=r"p\.h5: .*Read it with read_poses"):
        read_labels(tmp_path / "p.h5")


def test_a_folder_with_two_tables_is_not_guessed_at(tmp_path):
    write_labels(tmp_path, one_animal())
    write_labels(tmp_path, one_animal(scorer="bob"))
    with pytest.raises(
        LabelError, match=r"several tables \(CollectedData_ann, CollectedData_bob\)"
    ):
        read_labels(tmp_path)


def test_where_there_are_no_labels_the_error_says_what_was_looked_for(tmp_path):
    with pytest.raises(LabelError, match="holds no CollectedData_<scorer>"):
        read_labels(tmp_path)
    with pytest.raises(LabelError, match=r"neither CollectedData_ann.h5 nor .csv"):
        read_labels(tmp_path / "CollectedData_ann")


def test_it_is_known_whether_there_are_labels(tmp_path):
    stem = tmp_path / "CollectedData_ann"
    assert not any(has_labels(url) for url in (tmp_path, stem, f"{stem}.h5"))
    write_labels(tmp_path, one_animal())
    assert all(has_labels(url) for url in (tmp_path, stem, f"{stem}.h5"))
    assert not has_labels(tmp_path / "CollectedData_bob")


def test_a_table_without_frames_comes_back(tmp_path):
    write_labels(tmp_path, one_animal().select([]))
    found = read_labels(tmp_path)
    assert len(found) == 0
    assert found.skeleton.keypoints == MOUSE.keypoints


def test_occlusion_comes_back_from_both_files(tmp_path):
    labels = changed(two_animals(), {(0, 0, 0): (1,), (1, 1, 1): (1, 3.5, 4.5), (0, 0, 2): (0,)})
    write_labels(tmp_path, labels)
    assert_same_labels(read_labels(tmp_path / "CollectedData_ann.h5"), labels)
    assert_same_labels(read_labels(tmp_path / "CollectedData_ann.csv"), labels)


def test_real_labels_are_read_as_pandas_reads_them(shared_data):
    folder = shared_data / "openfield" / "labeled-data" / "m4s1"
    expected = pd.read_hdf(folder / "CollectedData_Pranav.h5")
    for labels in (read_labels(folder), read_labels(folder / "CollectedData_Pranav.csv")):
        assert len(labels) == 116
        assert labels.scorer == "Pranav"
        assert labels.skeleton.keypoints == ("snout", "leftear", "rightear", "tailbase")
        assert ["/".join(("labeled-data", *frame)) for frame in labels.frames] == list(
            expected.index
        )
        np.testing.assert_array_equal(labels.positions.reshape(116, 8), expected.to_numpy())


def test_real_labels_of_lightning_pose_are_read(shared_data):
    labels = read_labels(shared_data / "mirror-mouse" / "CollectedData.csv")
    assert labels.positions.shape == (90, 1, 17, 2)
    assert labels.frames[0] == ("", "img01.png")
    assert 0.05 < (labels.visibility == 0).mean() < 0.15


def test_real_labels_written_anew_hold_the_same(shared_data, tmp_path):
    folder = shared_data / "openfield" / "labeled-data" / "m4s1"
    labels = read_labels(folder)
    write_labels(tmp_path, labels)
    assert_same_labels(read_labels(tmp_path), labels)
    ours = pd.read_hdf(tmp_path / "CollectedData_Pranav.h5")
    theirs = pd.read_hdf(folder / "CollectedData_Pranav.h5")
    np.testing.assert_array_equal(ours.to_numpy(), theirs.to_numpy())
    assert ours.columns.equals(theirs.columns)
    assert ["/".join(row) for row in ours.index] == list(theirs.index)


def test_a_hidden_file_in_the_folder_is_not_taken_for_labels(tmp_path):
    write_labels(tmp_path, one_animal())
    (tmp_path / "._CollectedData_ann.h5").write_bytes(b"macOS")
    assert isinstance(read_labels(tmp_path), Labels)


def test_labels_as_text_are_what_the_file_holds(tmp_path):
    labels = one_animal()
    write_labels(tmp_path, labels)
    assert labels_csv(labels) == (tmp_path / "CollectedData_ann.csv").read_text(encoding="utf-8")
