import pytest

from posenb._registry import Registry, unknown_name
from posenb.errors import InvalidInputError, UnknownNameError


def test_a_name_resolves_to_what_it_stands_for():
    registry = Registry("path tool")
    registry.add("join", "os.path:join")
    assert registry.get("join")("a", "b") == __import__("os").path.join("a", "b")


def test_nothing_is_imported_until_it_is_asked_for():
    registry = Registry("backbone")
    registry.add("ghost", "no.such.module:thing")
    assert list(registry) == ["ghost"]
    with pytest.raises(ModuleNotFoundError):
        registry.get("ghost")


def test_a_name_is_given_once():
    registry = Registry("backbone")
    registry.add("net", "a:b")
    with pytest.raises(InvalidInputError, match="'net' is already a:b"):
        registry.add("net", "c:d")
    assert len(registry) == 1


@pytest.mark.parametrize("target", ["module", "a:b:c", ""])
def test_a_target_is_a_module_and_an_attribute(target):
    with pytest.raises(InvalidInputError, match=r"package\.module:attribute"):
        Registry("backbone").add("net", target)


def test_a_miss_names_the_likely_and_the_known_names_in_order():
    registry = Registry("backbone")
    for name in ("resnet50", "mobilenet_v2"):
        registry.add(name, "a:b")
    expected = (
        r"No backbone 'mobilnet'. Did you mean 'mobilenet_v2'\? Known: mobilenet_v2, resnet50"
    )
    with pytest.raises(UnknownNameError, match=expected):
        registry.get("mobilnet")


def test_a_miss_in_an_empty_registry_says_so():
    assert str(unknown_name("video", "x", ())) == "No video 'x'. Known: none."


def test_membership_is_by_name():
    registry = Registry("backbone")
    registry.add("net", "a:b")
    assert "net" in registry
    assert "other" not in registry
