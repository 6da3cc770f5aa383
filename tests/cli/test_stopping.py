"""Signals that ask a command to end: none is lost, whatever a library makes of the exception."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading

import pytest
import typer

from evonas.cli import main
from evonas.cli.progress import make_progress
from evonas.cli.stopping import exit_code, signals_stop, words_when_stopped
from evonas.errors import EvonasError

BOTH = pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])


@pytest.fixture(autouse=True)
def heard():
    """Tests that run in the background of a shell have inherited that interrupts are ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def stopped(work):
    with words_when_stopped(lambda: "Stopped."):
        work()


class Loses:
    """Python drops what is raised while its destructor runs."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        os.kill(os.getpid(), self.number)
        for _ in range(1000):
            pass


@BOTH
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("quiet", [True, False])
def test_a_signal_lost_in_a_destructor_stops_the_step_that_runs(number, code, quiet, capsys):
    steps = []

    def work():
        with make_progress(quiet).task("Counting", 3) as task:
            task.advance()
            one = Loses(number)
            del one
            steps.append("the signal was lost")
            task.advance()
            steps.append("went on")

    with signals_stop(), pytest.raises(typer.Exit) as ended:
        stopped(work)
    assert steps == ["the signal was lost"]
    assert ended.value.exit_code == code
    assert capsys.readouterr().err.endswith("\nStopped.\n")


@BOTH
def test_an_error_that_a_signal_was_turned_into_ends_as_the_signal(number, code):
    def work():
        try:
            os.kill(os.getpid(), number)
        except KeyboardInterrupt:
            raise RuntimeError("a library's own") from None

    with signals_stop(), pytest.raises(typer.Exit) as ended:
        stopped(work)
    assert ended.value.exit_code == code


def test_an_error_in_its_own_right_stays_one():
    with signals_stop(), pytest.raises(RuntimeError, match="mine"), words_when_stopped(lambda: "Stopped."):
        raise RuntimeError("mine")
    assert exit_code(RuntimeError()) is None
    assert exit_code(KeyboardInterrupt()) == 130


def test_handlers_come_back_and_nothing_is_remembered():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(KeyboardInterrupt), signals_stop():
        os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert exit_code(RuntimeError()) is None


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with signals_stop():
            os.kill(os.getpid(), signal.SIGINT)
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_nothing_is_touched():
    seen = []

    def work():
        with signals_stop():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]


class Pressed(io.StringIO):
    """A terminal where a signal comes when the first words are printed."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def write(self, text):
        os.kill(os.getpid(), self.number)
        return super().write(text)


class Turned(Pressed):
    """One whose signal a library turns into an error that a user could have caused."""

    def write(self, text):
        try:
            return super().write(text)
        except KeyboardInterrupt:
            raise EvonasError("Cannot write") from None


@BOTH
@pytest.mark.parametrize("printed_to", [Pressed, Turned])
def test_any_command_ends_with_the_code_of_the_signal(number, code, printed_to, monkeypatch):
    # What is printed to is the process's own.
    monkeypatch.setattr(sys, "stdout", printed_to(number))
    with pytest.raises(SystemExit) as ended:
        main(["list", "rules"])
    assert ended.value.code == code
