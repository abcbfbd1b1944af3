"""What is asked for, what counts and what comes again, step by step."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posenb.widgets.upload_state import (
    PIECE,
    START,
    Phase,
    Transfer,
    ask,
    ask_again,
    begin,
    chained,
    end,
    move_to,
    pause,
    sample_spans,
    seconds_left,
    speed,
    take,
)

SIZE = 12 * PIECE + 5


def transfer(**more: object) -> Transfer:
    return begin(replace(Transfer("page:0", "m.mp4", "m.mp4", SIZE), **more), now=100.0)


def piece(number: int, size: int = PIECE) -> tuple[int, str, bytes]:
    data = bytes([number % 256]) * size
    return number * PIECE, hashlib.sha256(data).hexdigest(), data


def test_a_few_pieces_are_asked_for_ahead():
    state, spans = ask(transfer())
    assert spans == tuple((n * PIECE, (n + 1) * PIECE) for n in range(8))
    assert ask(state) == (state, ())


def test_each_piece_that_comes_asks_for_one_more():
    state, _ = ask(transfer())
    state, counts = take(state, *piece(0), now=101.0)
    assert counts
    assert ask(state)[1] == ((8 * PIECE, 9 * PIECE),)


def test_the_last_piece_is_as_long_as_what_is_left():
    state = transfer(position=11 * PIECE)
    state, spans = ask(state)
    assert spans == ((11 * PIECE, 12 * PIECE), (12 * PIECE, SIZE))
    state, _ = take(state, *piece(11), now=101.0)
    state, counts = take(state, *piece(12, 5), now=101.0)
    assert counts
    assert state.whole
    assert ask(state)[1] == ()


def test_pieces_are_summed_up_by_a_chain():
    state, chain = transfer(), START
    for number in range(3):
        state, _ = take(state, *piece(number), now=101.0)
        chain = chained(chain, piece(number)[1])
    assert state.chain == chain
    assert chain != chained(chained(START, piece(1)[1]), piece(0)[1])


@pytest.mark.parametrize("number", [0, 2])
def test_a_piece_that_comes_twice_or_too_early_changes_nothing(number):
    state, _ = take(transfer(), *piece(0), now=101.0)
    assert take(state, *piece(number), now=102.0) == (state, False)


def test_a_piece_that_does_not_fit_its_sum_is_asked_for_again():
    state, _ = ask(transfer())
    start, digest, data = piece(0)
    state, counts = take(state, start, digest, data[:-1] + b"?", now=101.0)
    assert not counts
    assert ask(state)[1][0] == (0, PIECE)


def test_a_piece_of_the_wrong_length_does_not_count():
    data = b"short"
    digest = hashlib.sha256(data).hexdigest()
    state, counts = take(transfer(), 0, digest, data, now=101.0)
    assert (state.position, counts) == (0, False)


def test_after_five_damaged_pieces_in_a_row_it_stops():
    state = transfer()
    for _ in range(4):
        state, _ = take(state, 0, "0" * 64, bytes(PIECE), now=101.0)
    assert state.phase is Phase.SENDING
    state, _ = take(state, 0, "0" * 64, bytes(PIECE), now=101.0)
    assert state.phase is Phase.FAILED
    assert "what has arrived stays" in state.message


def test_one_good_piece_forgives_the_damaged_ones():
    state = transfer()
    for number in range(9):
        state, _ = take(state, number * PIECE, "0" * 64, bytes(PIECE), now=101.0)
        state, _ = take(state, *piece(number), now=101.0)
    assert state.position == 9 * PIECE


def test_what_did_not_come_for_some_seconds_is_asked_for_again():
    state, first = ask(transfer())
    assert ask(ask_again(state, now=104.0))[1] == ()
    assert ask(ask_again(state, now=105.0))[1] == first


def test_while_it_is_paused_nothing_is_asked_for_and_nothing_counts():
    state, _ = ask(transfer())
    state = pause(state)
    assert take(state, *piece(0), now=101.0) == (state, False)
    assert ask(ask_again(state, now=1000.0))[1] == ()
    assert ask(begin(state, now=1000.0))[1][0] == (0, PIECE)


def test_another_receiver_can_be_ahead():
    state = move_to(transfer(), 8 * PIECE, "ab", now=103.0)
    assert (state.position, state.chain) == (8 * PIECE, "ab")
    assert ask(state)[1][0] == (8 * PIECE, 9 * PIECE)


def test_speed_and_time_left_follow_the_last_seconds():
    state = transfer()
    assert (speed(state), seconds_left(state)) == (0.0, None)
    for second in range(1, 11):
        state, _ = take(state, *piece(second - 1), now=100.0 + second)
    assert speed(state) == pytest.approx(PIECE)
    assert seconds_left(state) == pytest.approx((SIZE - 10 * PIECE) / PIECE)
    state, _ = take(state, *piece(10), now=200.0)
    assert speed(state) == 0.0


def test_an_end_says_why_and_forgets_the_speed():
    state, _ = take(transfer(), *piece(0), now=101.0)
    state = end(state, Phase.REFUSED, "no video")
    assert (state.phase, state.message, speed(state)) == (Phase.REFUSED, "no video", 0.0)


@given(st.lists(st.sampled_from(["next", "lose", "spoil", "pause", "wait"]), max_size=80))
def test_whatever_happens_the_bytes_arrive_in_order_and_once(events):
    size = 5 * PIECE + 3
    state = begin(Transfer("k", "m", "m", size), now=0.0)
    arrived: list[int] = []
    waiting: list[tuple[int, int]] = []
    now = 0.0
    for event in [*events, *["wait", "next", "next", "next", "next", "next", "next"] * 3]:
        now += 1.0
        if event == "pause":
            state = begin(pause(state), now)
        elif event == "wait":
            waiting.clear()
            now += 10.0
            state = ask_again(state, now)
        elif waiting:
            start, stop = waiting.pop(0)
            data = bytes([start // PIECE]) * (stop - start)
            digest = hashlib.sha256(data).hexdigest()
            if event == "spoil":
                data = data[1:]
            if event != "lose":
                state, counts = take(state, start, digest, data, now)
                arrived += [start] * counts
        if state.phase is Phase.FAILED:
            state = begin(state, now)
        state, spans = ask(state)
        waiting += spans
    assert state.whole
    assert arrived == [n * PIECE for n in range(6)]


@pytest.mark.parametrize("size", [1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 1000 * PIECE + 7])
def test_samples_hold_the_first_and_the_last_byte_and_no_more_than_the_file(size):
    spans = sample_spans(size)
    assert spans[0][0] == 0
    assert spans[-1][1] == size
    assert all(0 <= start < stop <= size and stop - start <= PIECE for start, stop in spans)
    assert len(spans) <= 16
