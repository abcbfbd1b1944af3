import pytest

from posenb.core.names import check_name
from posenb.errors import InvalidInputError


@pytest.mark.parametrize("name", ["a", "a b", "Ohr größer", "耳", "1", "it's", "nan"])
def test_any_visible_text_is_a_name(name):
    check_name("Keypoint", name)


@pytest.mark.parametrize("name", ["", "  ", None, 3, b"a"])
def test_a_name_is_text_that_is_not_blank(name):
    with pytest.raises(InvalidInputError, match="Keypoint names are non-empty text; got"):
        check_name("Keypoint", name)


@pytest.mark.parametrize("name", ["a\0", "a\tb", "\x7f", "\ud800"])
def test_characters_that_files_cannot_hold_are_refused(name):
    with pytest.raises(InvalidInputError, match="without control characters"):
        check_name("Video", name)
