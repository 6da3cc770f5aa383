from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from evonas.training.ladder import Ladder
from evonas.training.pyramid import Pyramid, climb

ladders = st.builds(
    Ladder,
    st.sets(st.integers(1, 40), min_size=1, max_size=5).map(lambda levels: tuple(sorted(levels))),
    st.integers(1, 20).map(lambda twentieths: twentieths / 20),
)


class Trainer:
    """Trainings whose accuracy rises with epochs and with a hidden quality, the key's number."""

    def __init__(self, ladder: Ladder, broken: Sequence[str] = ()) -> None:
        self.ladder, self.broken = ladder, broken
        self.epochs = 0
        self.done: dict[str, int] = {}

    def __call__(self, keys: Sequence[str], level: int) -> list[tuple[float | None, str | None]]:
        for key in keys:
            assert self.done.get(key, -1) == level - 1  # no level is left out, none is trained twice
            self.done[key] = level
            self.epochs += self.ladder.steps[level]
        return [
            (None, "diverged") if key in self.broken else (float(key) + self.ladder.epochs[level], None) for key in keys
        ]


@given(ladders, st.integers(1, 40), st.lists(st.integers(1, 12), max_size=4), st.randoms())
def test_a_simulation_takes_the_epochs_of_the_closed_form(ladder: Ladder, pool: int, rounds: list[int], random) -> None:  # type: ignore[no-untyped-def]  # hypothesis's Random
    keys = [str(k) for k in range(pool + sum(rounds))]
    random.shuffle(keys)
    pyramid, train = Pyramid(ladder), Trainer(ladder)
    climb(pyramid, keys[:pool], train)
    assert train.epochs == ladder.start_epochs(pool)
    used = pool
    for k in rounds:
        climb(pyramid, keys[used : used + k], train)
        used += k
    assert train.epochs == ladder.total_epochs(pool, rounds)
    assert set(pyramid.values) == set(keys)  # none that paused is lost
    assert {key: len(reached) - 1 for key, reached in pyramid.values.items()} == train.done


@given(ladders, st.integers(1, 40))
def test_the_start_ends_with_the_true_top(ladder: Ladder, pool: int) -> None:
    pyramid = Pyramid(ladder)
    climb(pyramid, [str(k) for k in range(pool)], Trainer(ladder))
    top = pyramid.standing(len(ladder.epochs) - 1)
    assert top == [str(k) for k in range(pool - 1, -1, -1)][: ladder.sizes(pool)[-1]]


def test_a_training_that_fails_pauses_with_its_cause_and_others_climb() -> None:
    ladder = Ladder((1, 2, 4), 0.5)
    pyramid = Pyramid(ladder)
    train = Trainer(ladder, broken=["3"])
    climb(pyramid, ["0", "1", "2", "3"], train)
    assert pyramid.failed == {"3": "diverged"}
    assert pyramid.values == {"0": [1.0], "1": [2.0, 3.0], "2": [3.0, 4.0, 6.0], "3": []}


def test_a_training_enters_once() -> None:
    ladder = Ladder((1, 2))
    pyramid, train = Pyramid(ladder), Trainer(ladder)
    climb(pyramid, ["1", "1", "2"], train)
    before = train.epochs
    climb(pyramid, ["1", "2"], train)
    assert train.epochs == before
    assert list(pyramid.values) == ["1", "2"]
