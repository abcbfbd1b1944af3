import inspect

import pytest

from posenb import errors


def test_every_error_is_a_child_of_one_parent_and_the_rest_are_warnings():
    for name in errors.__all__:
        kind = getattr(errors, name)
        assert issubclass(kind, errors.PosenbError | Warning)
    classes = [
        n for n, v in inspect.getmembers(errors, inspect.isclass) if v.__module__ == errors.__name__
    ]
    assert sorted(classes) == sorted(errors.__all__)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.InvalidInputError, ValueError),
        (errors.UnknownNameError, KeyError),
        (errors.ConfigError, ValueError),
        (errors.MissingPackageError, ImportError),
        (errors.StorageError, OSError),
    ],
)
def test_errors_are_also_what_python_programmers_expect(error, builtin):
    with pytest.raises(builtin):
        raise error("text")


def test_the_message_of_an_unknown_name_is_not_quoted():
    assert str(errors.UnknownNameError("No video 'x'.")) == "No video 'x'."
    assert str(errors.UnknownNameError()) == ""
