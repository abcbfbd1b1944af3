import pytest

from posenb.core import Skeleton
from posenb.errors import InvalidInputError, UnknownNameError


def test_edges_given_by_name_become_indices_and_back():
    skeleton = Skeleton.from_names(["snout", "neck", "tail"], [("snout", "neck"), ("tail", "neck")])
    assert skeleton.edges == ((0, 1), (2, 1))
    assert skeleton.edge_names == (("snout", "neck"), ("tail", "neck"))


def test_lists_become_tuples_so_that_skeletons_can_be_compared_and_hashed():
    skeleton = Skeleton(["a", "b"], [[0, 1]], unique=["b"])
    assert skeleton == Skeleton(("a", "b"), ((0, 1),), ("b",))
    assert len({skeleton, Skeleton(("a", "b"), ((0, 1),), ("b",))}) == 1


def test_the_length_is_the_number_of_keypoints():
    assert len(Skeleton(("a", "b", "c"))) == 3


@pytest.mark.parametrize(
    ("keypoints", "edges", "unique", "message"),
    [
        ((), (), (), "at least one keypoint"),
        (("a", "a", "b"), (), (), "repeated: a"),
        (("a", " "), (), (), "non-empty text"),
        (("a", 7), (), (), "non-empty text; got 7"),
        (("a", "b\n"), (), (), "control characters"),
        (("a", "b"), ((0, 0),), (), r"got \(0, 0\)"),
        (("a", "b"), ((0, 2),), (), r"index 0 to 1; got \(0, 2\)"),
        (("a", "b"), ((-1, 1),), (), r"got \(-1, 1\)"),
    ],
)
def test_what_breaks_a_rule_is_refused(keypoints, edges, unique, message):
    with pytest.raises(InvalidInputError, match=message):
        Skeleton(keypoints, edges, unique)


def test_a_misspelt_keypoint_is_answered_with_the_likely_one():
    with pytest.raises(UnknownNameError, match=r"No keypoint 'snot'. Did you mean 'snout'\?"):
        Skeleton(("snout", "tail")).index("snot")


def test_unique_keypoints_and_edges_name_known_keypoints():
    with pytest.raises(UnknownNameError, match="corner"):
        Skeleton(("a",), unique=("corner",))
    with pytest.raises(UnknownNameError, match="Known: a, b"):
        Skeleton.from_names(["a", "b"], [("a", "c")])


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("leftear", "rightear"),
        ("ear_left", "ear_right"),
        ("EarLeft", "EarRight"),
        ("LEFTPAW", "RIGHTPAW"),
        ("L_ear", "R_ear"),
        ("ear_l", "ear_r"),
        ("ear L", "ear R"),
        ("paw1L", "paw1R"),
        ("2r", "2l"),
        ("wingL", "wingR"),
        ("forelegL4", "forelegR4"),
        ("earL_tip", "earR_tip"),
        ("LEar", "REar"),
        ("lEar", "rEar"),
        ("pawLF", "pawRF"),
        ("LH_paw", "RH_paw"),
        ("paw1LH", "paw1RH"),
        ("kneeLInner", "kneeRInner"),
    ],
)
def test_sided_keypoints_find_their_mirror_image(left, right):
    assert Skeleton((left, "nose", right)).mirror_pairs() == ((0, 2),)


@pytest.mark.parametrize("name", ["nose", "tail", "LED", "cell", "Rear", "belly"])
def test_letters_within_words_name_no_side(name):
    mirrored = name.translate(str.maketrans("LlRr", "RrLl"))
    others = () if mirrored == name else (mirrored,)
    assert Skeleton((name, *others)).mirror_pairs() == ()


def test_a_side_without_its_partner_is_no_pair():
    assert Skeleton(("leftear", "tail")).mirror_pairs() == ()


@pytest.mark.parametrize(
    ("keypoints", "unpaired"),
    [
        (("nose", "leftear", "rightear", "tail"), ()),
        (("nose", "leftear", "tail"), ("leftear",)),
        (("nose", "earL", "earR", "pawR"), ("pawR",)),
        (("lear", "rear", "tail"), ("lear", "rear")),
        (("paw1LH", "paw2LF", "paw3RF", "paw4RH"), ("paw1LH", "paw2LF", "paw3RF", "paw4RH")),
        (("nose", "LED", "centre", "Tail", "lower lip", "mirror"), ()),
    ],
)
def test_sides_that_nobody_could_tell_in_a_mirrored_image_are_named(keypoints, unpaired):
    assert Skeleton(keypoints).unpaired_sides() == unpaired
