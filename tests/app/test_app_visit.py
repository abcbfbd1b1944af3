"""Visitors' folders: their own, limited, and gone afterwards."""

import os
import stat
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from posenb.app.visit import VARIABLE, Visit, sweep
from posenb.errors import StorageError


def long_ago(folder) -> None:
    """Make a folder older than the time in which it may lack its lock."""
    os.utime(folder, (time.time() - 1000,) * 2)


def test_each_visit_has_a_folder_of_its_own_that_only_its_owner_can_read():
    first, second = Visit(), Visit()
    assert first.folder != second.folder
    assert stat.S_IMODE(first.folder.stat().st_mode) == 0o700
    first.close()
    assert not first.folder.exists()
    assert second.folder.exists()
    second.close()


def test_closing_twice_does_nothing_more(visit):
    visit.close()
    visit.close()


def test_what_does_not_fit_is_refused_with_the_numbers(visit):
    visit.limit = 5_000_000
    (visit.folder / "video").write_bytes(bytes(3_000_000))
    assert visit.room() <= 2_000_000
    visit.check_room(1_000_000, "“m.mp4”")
    with pytest.raises(StorageError, match=r"“m\.mp4” needs 3 MB\. Take a shorter video"):
        visit.check_room(3_000_000, "“m.mp4”")


def test_where_the_disk_has_less_than_the_limit_that_is_what_is_told(visit, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2_000_000))
    with pytest.raises(StorageError, match="but on the disk only 2 MB are left"):
        visit.check_room(3_000_000, "“m.mp4”")


def test_the_limit_is_that_of_the_environment(monkeypatch):
    monkeypatch.setenv(VARIABLE, "123")
    visit = Visit()
    assert visit.limit == 123
    visit.close()


def test_a_place_is_made_empty(visit):
    (visit.place("run") / "old").write_text("x")
    assert list(visit.place("run").iterdir()) == []


def test_what_a_killed_process_left_is_swept_away_and_what_is_in_use_stays(own_surroundings):
    code = (
        "import os, tempfile; from posenb.app.visit import Visit\n"
        "print(Visit().folder, flush=True); os._exit(9)"
    )
    surroundings = {**os.environ, "TMPDIR": str(own_surroundings)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=surroundings, check=False
    )
    left = next(own_surroundings.glob("posenb-visit-*"))
    assert str(left) in done.stdout
    here = Visit()
    assert left.exists()  # so young that its process may be about to take its lock
    long_ago(left)
    long_ago(here.folder)
    sweep()
    assert not left.exists()
    assert here.folder.exists()
    here.close()


def test_a_server_that_ends_sweeps_away_even_what_is_young(own_surroundings):
    left = own_surroundings / "posenb-visit-left"
    left.mkdir()
    sweep()
    assert left.exists()
    sweep(young=-1)
    assert not left.exists()


def test_links_are_not_followed(own_surroundings, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis").write_text("x")
    (own_surroundings / "posenb-visit-link").symlink_to(tmp_path / "mine")
    long_ago(tmp_path / "mine")
    sweep()
    assert (tmp_path / "mine" / "thesis").exists()


def test_a_process_that_ends_removes_its_visit(own_surroundings):
    code = "from posenb.app.visit import Visit; print(Visit().folder)"
    surroundings = {**os.environ, "TMPDIR": str(own_surroundings)}
    subprocess.run([sys.executable, "-c", code], env=surroundings, check=True)
    assert list(own_surroundings.glob("posenb-visit-*")) == []
