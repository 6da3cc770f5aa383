from __future__ import annotations

import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from evonas.cli.display import LARGEST_JUMP, ProgressState, bar, duration, fit
from evonas.cli.progress import EVERY, PipedProgress, TerminalProgress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


PLAN = {"Scoring architectures by SWAP": 10.0, "Training the supernet": 50.0, "Searching": 40.0}


def halfway() -> ProgressState:
    clock = Clock()
    state = ProgressState(clock)
    state.plan(PLAN)
    state.end(state.begin("Scoring architectures by SWAP", 500))
    phase = state.begin("Training the supernet", 1_200)
    clock.now += 90.0
    phase.done, state.note = 600, "epoch 3, loss 1.234"
    return state


def test_columns_are_dropped_by_their_priority():
    lines = {width: fit(halfway(), width) for width in (60, 80, 100, 120, 200)}
    assert lines[60] == "2/3 Training the supernet   35%  3 min 11 s left"
    assert lines[80] == "2/3 Training the supernet   35%  3 min 11 s left  1 min 30 s passed  600/1,200"
    assert lines[100] == lines[80] + "  6.7/s"
    assert lines[120] == (
        "2/3 Training the supernet  ━━━━━━━─────────────   35%  3 min 11 s left  1 min 30 s passed  600/1,200  6.7/s"
    )
    assert lines[200].endswith("epoch 3, loss 1.234")


@given(width=st.integers(1, 200), done=st.integers(0, 1200), note=st.text("abc ", max_size=80))
def test_a_line_never_has_more_characters_than_there_is_room(width: int, done: int, note: str):
    state = halfway()
    assert state.shown is not None
    state.shown.done, state.note = done, note
    assert 0 < len(fit(state, width)) <= width


def test_slow_units_have_a_time_each():
    state = halfway()
    assert state.shown is not None
    state.shown.done = 6
    assert "15 s each" in fit(state, 200)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (125, "2 min 5 s"),
        (3599.7, "1 h"),
        (4800, "1 h 20 min"),
        (7200, "2 h"),
    ],
)
def test_lengths_of_time_are_said_in_words(seconds: float, words: str):
    assert duration(seconds) == words


def test_a_bar_is_full_at_the_end_and_empty_at_the_start():
    assert (bar(0.0, 4), bar(0.5, 4), bar(0.625, 4), bar(1.0, 4)) == ("────", "━━──", "━━╸─", "━━━━")


@given(seconds=st.lists(st.floats(0.1, 20.0), min_size=30, max_size=60), slow=st.floats(0.1, 30.0))
def test_time_left_does_not_jump_after_the_first_tenth(seconds: list[float], slow: float):
    clock = Clock()
    state = ProgressState(clock)
    state.plan(PLAN)
    shown: list[tuple[float, float | None]] = []
    for factor, name in zip((1.0, slow, 1.0), PLAN, strict=True):
        phase = state.begin(name, len(seconds))
        for step in seconds:
            clock.now += factor * step
            phase.done += 1
            shown.append((state.share, state.left()))
        state.end(phase)
    assert shown[-1][1] is not None
    for (share, before), (_, after) in itertools.pairwise(shown):
        if share >= 0.1:
            assert before is not None
            assert after is not None
            assert before / LARGEST_JUMP - 1e-9 <= after <= before * LARGEST_JUMP + 1e-9


@given(pace=st.floats(0.5, 5.0))
def test_time_left_of_steady_work_is_right(pace: float):
    clock = Clock()
    state = ProgressState(clock)
    state.plan(PLAN)
    for name, weight in PLAN.items():
        phase = state.begin(name, 20)
        for _ in range(20):
            clock.now += pace * weight / 20
            phase.done += 1
            if 0.1 < state.share < 0.9:
                truth = 100 * pace - state.elapsed
                assert state.left() == pytest.approx(truth, rel=0.05)
        state.end(phase)
    assert state.share == 1.0


@given(order=st.lists(st.sampled_from([*PLAN, "Another"]), min_size=1, max_size=6))
def test_the_share_never_falls_whatever_phases_come(order: list[str]):
    state = ProgressState(Clock())
    state.plan(PLAN)
    shares = [state.share]
    for name in order:
        phase = state.begin(name, 2)
        phase.done = 1
        shares.append(state.share)
        state.end(phase)
        shares.append(state.share)
    assert shares == sorted(shares)
    assert shares[-1] <= 1.0


def test_phases_that_have_nothing_to_do_are_not_counted():
    state = ProgressState(Clock())
    state.plan(PLAN)
    state.end(state.begin("Scoring architectures by SWAP", 1))
    phase = state.begin("Searching", 2)
    phase.done = 1
    assert state.number == "2/2"


def test_a_phase_inside_another_is_shown_in_its_place_and_is_no_phase_of_its_own():
    state = ProgressState(Clock())
    state.plan(PLAN)
    state.begin("Searching", 10)
    inner = state.begin("Reading paths", 128)
    inner.done = 64
    assert fit(state, 80).startswith("3/3 Reading paths")
    assert "64/128" in fit(state, 120)
    state.end(inner)
    assert "Searching" in fit(state, 80)


def test_piped_output_has_a_line_per_phase_and_per_half_minute():
    clock, stream = Clock(), io.StringIO()
    progress = PipedProgress(stream, clock)
    progress.plan({"First": 1.0, "Second": 3.0})
    with progress.task("First", 4) as task:
        for _ in range(4):
            clock.now += EVERY / 3
            task.advance()
    with progress.task("Second", 2) as task:
        task.advance(2)
    lines = stream.getvalue().splitlines()
    assert [line.split("  ")[0] for line in lines] == ["1/2 First", "1/2 First", "2/2 Second"]
    assert "3/4" in lines[1]
    assert "━" not in lines[1]


def test_a_terminal_shows_one_line_at_a_time_and_keeps_what_phases_took():
    clock = Clock()
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    progress = TerminalProgress(console, clock)
    progress.plan({"First": 1.0, "Second": 3.0})
    with progress.task("First", 4) as task:
        clock.now += 65
        task.advance(4)
        with progress.task("Inside", 2) as inner:
            inner.advance(2)
    with pytest.raises(KeyboardInterrupt), progress.task("Second", 2):
        raise KeyboardInterrupt
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "1/2 First: 1 min 5 s\n" in shown.replace("\r", "")
    assert "Second: " not in shown


def nested() -> tuple[ProgressState, Clock]:
    """A search whose planned reading of paths begins inside the searching, after training took 50 s of weight 50."""
    clock = Clock()
    state = ProgressState(clock)
    state.plan({"Training": 50.0, "Reading paths": 20.0, "Searching": 30.0})
    phase = state.begin("Training", 1)
    clock.now += 50.0
    state.end(phase)
    return state, clock


def test_a_planned_phase_inside_another_has_its_own_share_and_the_time_left_keeps_true():
    state, clock = nested()
    outer = state.begin("Searching", 60)
    inner = state.begin("Reading paths", 40)
    for done in range(40):
        assert state.left() == pytest.approx(50.0 - 0.5 * done, rel=0.02)
        clock.now += 0.5
        inner.done += 1
    assert (state.number, state.share) == ("2/3", pytest.approx(0.7))
    state.end(inner)
    assert state.number == "3/3"
    for done in range(60):
        assert state.left() == pytest.approx(max(1.0, 30.0 - 0.5 * done), rel=0.02)
        clock.now += 0.5
        outer.done += 1
        assert state.rate == pytest.approx(2.0)  # without the time of what ran inside
    state.end(outer)
    assert state.share == 1.0


def test_no_more_time_is_left_than_until_the_deadline():
    clock = Clock()
    state = ProgressState(clock)
    state.plan({"First": 1.0, "Second": 1.0}, 30.0)
    phase = state.begin("First", 10)
    left = []
    for _ in range(5):  # the two would take 200 s
        clock.now += 5.0
        phase.done += 1
        left.append(state.left())
    assert left[:2] == [25.0, 20.0]
    assert left == sorted(left, reverse=True)
    clock.now += 50.0
    assert state.left() == 0.0


def test_the_number_of_the_phase_never_falls():
    state = ProgressState(Clock())
    state.plan(dict.fromkeys(("Training", "Anchors", "Reading", "Searching"), 1.0))
    told = []
    for outer, inner in (("Training", None), ("Anchors", "Reading"), ("Searching", None)):
        phase = state.begin(outer, 1)
        told.append(state.number)
        if inner is not None:
            state.end(state.begin(inner, 1))
            told.append(state.number)
        phase.done = 1
        state.end(phase)
        told.append(state.number)
    assert told == sorted(told)
    assert told[-1] == "4/4"


def test_ending_a_phase_ends_what_began_inside_it():
    state, clock = nested()
    outer = state.begin("Searching", 60)
    state.begin("Reading paths", 40)
    clock.now += 5.0
    state.end(outer)
    assert state.shown is outer
    assert state.share == 1.0
    state.begin("Another", 3)
    assert "Another" in fit(state, 80)


def test_what_ran_before_there_was_a_plan_has_no_share_in_it():
    clock = Clock()
    state = ProgressState(clock)
    phase = state.begin("Reading the data", 1)
    clock.now += 60.0
    state.end(phase)
    state.plan({"First": 1.0, "Second": 3.0})
    assert state.share == 0.0
    first = state.begin("First", 10)
    assert state.number == "2/3"
    clock.now += 5.0
    first.done = 5
    assert state.left() == pytest.approx(35.0, rel=0.05)
