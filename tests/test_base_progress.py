import pytest

from posenb._progress import silent_progress, tqdm_progress


def test_the_bar_counts_and_shows_figures(capsys):
    with tqdm_progress(3, "Reading", unit="frame") as bar:
        bar.advance()
        bar.advance(2, loss="0.5")
    shown = capsys.readouterr().err
    assert "Reading" in shown
    assert "3/3" in shown
    assert "loss=0.5" in shown


def test_an_unknown_length_is_fine(capsys):
    with tqdm_progress(None, "Reading") as bar:
        bar.advance(5)
    assert "5it" in capsys.readouterr().err


def test_silence_shows_nothing(capsys):
    with silent_progress(3, "Reading") as bar:
        bar.advance(3, loss="0.5")
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize("make", [tqdm_progress, silent_progress])
def test_errors_within_pass_through(make):
    with pytest.raises(ZeroDivisionError), make(1, "Failing"):
        raise ZeroDivisionError
