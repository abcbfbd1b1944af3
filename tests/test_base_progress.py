import re
import sys
import time

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


def test_a_log_file_gets_the_start_and_the_end_and_little_between(capsys):
    with tqdm_progress(2000, "Reading") as bar:
        for _ in range(2000):
            time.sleep(0.0002)
            bar.advance()
    states = capsys.readouterr().err.strip().split("\r")
    assert len(states) <= 2
    assert "2000/2000" in states[-1]


def test_a_terminal_sees_the_bar_move(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with tqdm_progress(2000, "Reading") as bar:
        for _ in range(2000):
            time.sleep(0.0002)
            bar.advance()
    assert len(capsys.readouterr().err.strip().split("\r")) > 2


def test_what_was_done_another_time_counts_but_not_as_speed(capsys):
    with tqdm_progress(1000, "Training", "step", 900) as bar:
        time.sleep(0.2)
        bar.advance(2)
    first, *_, last = capsys.readouterr().err.strip().split("\r")
    assert "900/1000" in first
    assert "902/1000" in last
    assert float(re.search(r"([\d.]+)step/s", last)[1]) <= 10


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
