"""The watcher: words and curves of what was observed, buttons, and real notebooks."""

import math
import re
import time
from contextlib import suppress

import pytest

import posenb as pn
from posenb import storage
from posenb.core import TrainConfig
from posenb.errors import ProjectError, TrainingError, TrainingStoppedError
from posenb.jobs import Record, Row, alone, attended, observe
from posenb.jobs.record import own_record, read_record, write_record
from posenb.project import Run
from posenb.widgets import watch_view
from posenb.widgets.watch_chart import charts
from posenb.widgets.watch_state import best_row, describe, seconds_left, text_of

NAN = math.nan


def curve(count, steps=100, error=True):
    """Rows of a training that learns, each 20 s long, the first 40 s."""
    return tuple(
        {
            "step": steps * n,
            "seconds": 20.0 + 20.0 * n,
            "loss": round(0.3 / n**0.9, 4),
            "validation_error": round(2 + 40 * math.exp(-0.6 * n), 2) if error else NAN,
        }
        for n in range(1, count + 1)
    )


@pytest.fixture
def run(tmp_path):
    run = Run(storage.join(tmp_path, "reach", "runs", "mobilenet_v2_seed0_1a2b3c4d"))
    storage.write_text(run.config_url, TrainConfig(steps=2000).model_dump_json())
    return run


def seen_in_training(run, rows, now=100.0):
    with alone(run), attended(run) as attendance:
        attendance.tell(rows)
        return observe(run, now=now)


# --- words and numbers ---------------------------------------------------------------


def test_the_time_left_follows_the_last_validations_and_the_clock(run):
    seen = seen_in_training(run, curve(4))
    assert seconds_left(seen) == pytest.approx((2000 - 400) * 0.2)
    with alone(run):
        later = observe(run, seen, now=130.0)
    assert seconds_left(later) == pytest.approx((2000 - 400) * 0.2 - 30)


def test_after_one_validation_its_own_pace_is_all_there_is(run):
    assert seconds_left(seen_in_training(run, curve(1))) == pytest.approx(1900 * 0.4)
    assert seconds_left(seen_in_training(run, ())) is None


def test_the_best_validation_is_the_lowest_that_was_measured():
    rows = (Row(1, 1, 1, NAN), Row(2, 2, 1, 5.0), Row(3, 3, 1, 3.0), Row(4, 4, 1, 4.0))
    assert best_row(rows).step == 3
    assert best_row(rows[:1]) is None


def test_a_training_is_told_with_how_far_it_is_and_what_can_be_done(run):
    shown = describe(seen_in_training(run, curve(4)))
    assert (shown.title, shown.facts) == (
        "Training",
        ("step 400 of 2000", "at most 5 min 20 s left"),
    )
    assert shown.fraction == pytest.approx(0.2)
    assert (shown.can_stop, shown.can_resume) == (True, False)


def test_before_the_first_validation_it_says_when_to_expect_one(run):
    shown = describe(seen_in_training(run, ()))
    assert shown.facts == ("2000 steps", "first figures at step 100")
    assert shown.fraction == 0


def test_a_run_that_ended_early_says_why(run):
    with alone(run), attended(run) as attendance:
        attendance.tell(curve(9))
        storage.write_bytes(run.model_url, b"the model")
    shown = describe(observe(run))
    assert shown.facts == ("900 steps", "trained for 3 min 20 s")
    assert "had stopped improving" in shown.note
    assert shown.fraction == 1
    assert (shown.can_stop, shown.can_resume) == (False, False)


def test_a_failed_training_says_what_went_wrong_and_a_dead_one_its_last_lines(run, tmp_path):
    write_record(run, own_record("failed", message="The loss must stay a number."))
    shown = describe(observe(run))
    assert (shown.title, shown.trouble) == ("Failed", "The loss must stay a number.")
    assert "Once the cause is gone" in shown.note
    log = tmp_path / "log"
    log.write_text("Training: 10%\n")
    write_record(run, own_record("training", log=str(log)))
    shown = describe(observe(run))
    assert (shown.title, shown.log) == ("Died", ("Training: 10%",))
    assert "The process is gone" in shown.trouble
    assert shown.can_resume


def test_another_machine_is_named(run):
    write_record(run, Record(state="stopped", host="gpu-7", pid=1, since=time.time()))
    assert describe(observe(run)).facts[-1] == "on gpu-7"


def test_the_same_is_told_in_plain_text(run):
    lines = text_of(seen_in_training(run, curve(4))).splitlines()
    assert lines == [
        "mobilenet_v2_seed0_1a2b3c4d: training · step 400 of 2000 · at most 5 min 20 s left",
        "  loss 0.08615, validation error 5.63 px (best 5.63 px at step 400)".replace(
            "0.08615", f"{curve(4)[-1]['loss']:.4g}"
        ),
    ]
    assert "validation error" not in text_of(seen_in_training(run, curve(4, error=False)))


# --- curves --------------------------------------------------------------------------


def numbers(pattern, text):
    return [float(each) for each in re.findall(pattern, text)]


def test_the_curves_grow_from_the_left_into_all_the_steps():
    rows = tuple(Row(**row) for row in curve(10))
    html = charts(rows, 2000)
    assert html.count("<svg") == 2
    line = re.findall(r'polyline points="([^"]+)"', html)[0]
    xs = [float(point.split(",")[0]) for point in line.split()]
    assert xs == sorted(xs)
    assert xs[-1] == pytest.approx((34 + 439) / 2, abs=0.1)  # half of the way
    ys = [float(point.split(",")[1]) for point in line.split()]
    assert ys == sorted(ys)  # errors fall, so that the curve goes down


def test_the_best_validation_is_marked_and_named():
    rows = (Row(1, 1, 1, 5.0), Row(2, 2, 1, 3.0), Row(3, 3, 1, 4.0))
    html = charts(rows, 3)
    assert html.count("pnb-best") == 1
    assert "best 3.00 px at step 2" in html


def test_without_validation_frames_the_loss_stands_alone():
    html = charts(tuple(Row(**row) for row in curve(3, error=False)), 300)
    assert html.count("<svg") == 1
    assert "px" not in html.replace("px;", "")


def test_without_a_row_there_is_no_curve():
    assert charts((), 100) == ""


@pytest.mark.parametrize("values", [(0.001, 40.0), (5.0,), (0.0, 0.0), (3.0, 3.0), (1e-9, 1e-8)])
def test_whatever_the_values_all_points_lie_in_the_drawing(values):
    rows = tuple(Row(n + 1, n + 1.0, value, value) for n, value in enumerate(values))
    html = charts(rows, len(values))
    for kind, low, high in (("cx", 34, 439.1), ("cy", 7.9, 150.1), ("y1", 7.9, 150.1)):
        assert all(low <= place <= high for place in numbers(rf'{kind}="([^"]+)"', html))
    assert len(numbers(r'y1="([^"]+)"', html)) <= 2 * 8


# --- the widget without a browser ----------------------------------------------------


def test_a_run_is_watched_by_itself_by_its_verb_and_by_its_url(run):
    for watch in (run.watch(), pn.watch(run), pn.watch(run.url)):
        assert watch.run == run
        assert repr(watch) == text_of(watch.seen)


def test_what_is_no_run_cannot_be_watched(tmp_path):
    with pytest.raises(ProjectError, match="a folder with a config"):
        pn.watch(tmp_path)


def pulse(watch):
    watch._pulse._handle_custom_msg({"kind": "pulse"}, [])


def test_a_pulse_of_the_page_brings_what_is_new_and_is_answered(run):
    with alone(run), attended(run) as attendance:
        attendance.tell(())
        watch = run.watch()
        assert watch._charts.layout.display == "none"
        attendance.tell(curve(3))
        pulse(watch)
        assert "step 300 of 2000" in watch._says.value
        assert "<svg" in watch._charts.value
        assert watch._pulse.answers == 1
        assert watch._pulse.going
        storage.write_bytes(run.model_url, b"the model")
    pulse(watch)
    assert "Finished" in watch._says.value
    assert not watch._pulse.going


def shown_buttons(watch):
    buttons = {"stop": watch._stop, "resume": watch._resume, "again": watch._again}
    return {name for name, button in buttons.items() if button.layout.display != "none"}


def test_stop_asks_the_training_and_says_that_it_did(run):
    with alone(run), attended(run) as attendance:
        attendance.tell(curve(2))
        watch = run.watch()
        assert shown_buttons(watch) == {"stop", "again"}
        watch._stop.click()
        assert watch.seen.phase == "stopping"
        assert "after its next validation, in about 20 s, with" in watch._words.value
        assert shown_buttons(watch) == {"again"}
        assert attendance.tell(curve(3)) is True


def test_resume_starts_it_here_and_what_hinders_that_is_shown(run, monkeypatch):
    write_record(run, own_record("stopped"))
    watch = run.watch()
    assert shown_buttons(watch) == {"resume", "again"}
    asked = []

    def refuse(which):
        asked.append(which)
        raise TrainingError("No <backend> here.")

    monkeypatch.setattr(watch_view, "resume", refuse)
    watch._resume.click()
    assert asked == [run]
    assert "No &lt;backend&gt; here." in watch._words.value
    pulse(watch)
    assert "No &lt;backend&gt; here." in watch._words.value  # it stays to be read
    watch._again.click()
    assert "backend" not in watch._words.value


def test_a_run_that_is_gone_is_a_message_and_no_traceback(run):
    watch = run.watch()
    storage.remove(run.url, recursive=True)
    pulse(watch)
    assert "A run is a folder with a config.json" in watch._words.value


def test_names_and_messages_cannot_bring_markup(run):
    write_record(run, own_record("failed", message="<img src=x>"))
    assert "<img" not in run.watch()._words.value


# --- in real notebooks ---------------------------------------------------------------

CELL = """
import posenb as pn
watch = pn.open_run({url!r}).watch()
watch
"""


@pytest.mark.browser
@pytest.mark.parametrize("surface", ["lab", "voila", "colab"])
def test_the_page_follows_a_training_by_itself_and_stops_it(open_notebook, run, surface):
    with suppress(TrainingStoppedError), alone(run), attended(run) as attendance:
        attendance.tell(curve(6))
        notebook = open_notebook([CELL.format(url=run.url)], surface)
        notebook.wait_for(".pnb-facts:has-text('step 600 of 2000')")
        attendance.tell(curve(13))
        notebook.wait_for(".pnb-facts:has-text('step 1300 of 2000')")  # nobody clicked
        notebook.screenshot(f"watch-training-{surface}")
        notebook.wait_for("button:has-text('Stop')").click()
        notebook.wait_for(".pnb-state-stopping")
        notebook.screenshot(f"watch-stopping-{surface}")
        assert attendance.tell(curve(14)) is True
        raise TrainingStoppedError("Stopped after 1400 of 2000 steps.")
    notebook.wait_for(".pnb-state-stopped")
    notebook.wait_for("button:has-text('Resume')")
    assert read_record(run).state == "stopped"


@pytest.mark.browser
def test_a_busy_kernel_is_told_and_forgotten_when_it_answers(open_notebook, run):
    busy = "import time\nfor _ in range(160): time.sleep(0.1)"
    with alone(run), attended(run) as attendance:
        attendance.tell(curve(6))
        notebook = open_notebook([CELL.format(url=run.url), busy], run=False)
        notebook.start_all()
        notebook.wait_for(".pnb-silent .pnb-quiet")
        notebook.screenshot("watch-silent")
        attendance.tell(curve(7))
        notebook.wait_for(".pnb-facts:has-text('step 700 of 2000')")
        assert notebook.page.locator(".pnb-silent").count() == 0
