from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas.errors import SettingsError, TrainingError
from evonas.supernet.projector import Projector, closed_form, woodbury


def rows(n, d, seed=0, groups=None, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    shape = (n, d) if groups is None else (groups, n, d)
    return scale * torch.randn(shape, generator=generator, dtype=torch.float64)


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(1, 40),
    d=st.integers(1, 24),
    block=st.integers(1, 9),
    alpha=st.floats(1e-3, 1e3),
    seed=st.integers(0, 999),
)
def test_closed_recursive_block_and_held_forms_agree(n, d, block, alpha, seed):
    x = rows(n, d, seed)
    closed = closed_form(x, alpha)
    recursive = blocks = torch.eye(d, dtype=torch.float64)
    for row in x:
        recursive = woodbury(recursive, row[None], alpha)
    projector = Projector(d, alpha=alpha, rank=None)
    for part in x.split(block):
        blocks = woodbury(blocks, part, alpha)
        projector.absorb(part[None])
    for other in (recursive, blocks, projector.matrix()[0]):
        torch.testing.assert_close(other, closed, rtol=0, atol=1e-10)
    torch.testing.assert_close(projector.trace(), float(closed.trace()) / d, rtol=0, atol=1e-10)


def test_a_direction_keeps_alpha_over_alpha_plus_its_energy():
    projector = Projector(5, alpha=2.0)
    projector.absorb(torch.tensor([[[3.0, 0, 0, 0, 0], [0, 0.5, 0, 0, 0]]]))
    kept = projector.matrix()[0].diagonal()
    expected = torch.tensor([2 / 11, 2 / 2.25, 1, 1, 1], dtype=torch.float64)
    torch.testing.assert_close(kept, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("d", "n", "ratio"), [(144, 64, 1.37e-3), (27, 10, 1.4e-3)])
def test_an_update_stops_acting_on_absorbed_inputs(d, n, ratio):
    measured = []
    for seed in range(5):
        x = rows(n, d, seed, scale=d**-0.5)
        projector = Projector(d, alpha=1e-3, rank=None)
        projector.absorb(x[None])
        update = rows(32, d, seed + 100)
        after = projector.project(update[None])[0]
        measured.append(float((after @ x.T).norm() / (update @ x.T).norm()))
        energy = torch.linalg.svdvals(x).square()
        factors = 1e-3 / (1e-3 + energy)
        # The update is random, so the ratio is that of its expectation to within its 32 rows.
        assert measured[-1] == pytest.approx(float(((factors**2 * energy).sum() / energy.sum()).sqrt()), rel=0.15)
    assert sum(measured) / 5 == pytest.approx(ratio, rel=0.05 if n > 50 else 0.3)


def test_a_vanishing_alpha_projects_exactly():
    x = rows(7, 20)
    projector = Projector(20, alpha=1e-12)
    projector.absorb(x[None])
    p = projector.matrix()[0]
    assert float((p @ p - p).abs().max()) < 1e-6
    assert int(torch.linalg.matrix_rank(p, tol=1e-6)) == 20 - 7
    assert float((p @ x.T).abs().max()) < 1e-6


def test_repeated_inputs_do_not_break_a_vanishing_alpha():
    x = rows(1, 20).repeat(6, 1)
    projector = Projector(20, alpha=1e-30)
    projector.absorb(x[None])
    p = projector.matrix()[0]
    assert float((p @ p - p).abs().max()) < 1e-6
    assert projector.trace() == pytest.approx(19 / 20, abs=1e-3)


def test_a_huge_alpha_changes_nothing():
    update = rows(8, 30)
    for n in (5, 200):
        projector = Projector(30, alpha=1e12)
        projector.absorb(rows(n, 30)[None])
        change = projector.project(update[None])[0] - update
        assert float(change.norm() / update.norm()) < 1e-9


def test_strength_blends_and_zero_is_the_update_itself():
    update = rows(8, 10)[None]
    for n in (4, 50):
        projector = Projector(10, alpha=0.5)
        projector.absorb(rows(n, 10, seed=1)[None])
        full = projector.project(update)
        assert projector.project(update, strength=0.0) is update
        torch.testing.assert_close(
            projector.project(update, strength=0.25), 0.75 * update + 0.25 * full, rtol=0, atol=1e-12
        )


def test_groups_are_projectors_of_their_own():
    x = rows(6, 9, groups=4)
    update = rows(3, 9, seed=5, groups=4)
    together = Projector(9, groups=4, alpha=0.3)
    together.absorb(x)
    for group in range(4):
        alone = Projector(9, alpha=0.3)
        alone.absorb(x[group : group + 1])
        torch.testing.assert_close(
            together.project(update)[group : group + 1],
            alone.project(update[group : group + 1]),
            rtol=0,
            atol=1e-12,
        )


@pytest.mark.parametrize("first", [4, 40])
def test_groups_that_read_nothing_stay_as_they_are(first):
    projector = Projector(9, groups=4, alpha=0.3)
    projector.absorb(rows(first, 9, groups=4))
    before = projector.matrix()
    projector.absorb(rows(2, 9, seed=3, groups=2), keep=0.5, groups=slice(0, 2))
    after = projector.matrix()
    torch.testing.assert_close(after[2:], before[2:], rtol=0, atol=1e-14)
    assert float((after[:2] - before[:2]).abs().max()) > 1e-3


@pytest.mark.parametrize("n", [3, 60])
def test_a_part_of_a_weight_is_projected_off_the_inputs_as_it_sees_them(n):
    x, columns = rows(n, 12), torch.tensor([0, 1, 2, 5, 7])
    projector = Projector(12, alpha=0.4)
    projector.absorb(x[None])
    update = rows(4, 5, seed=2)
    torch.testing.assert_close(
        projector.project(update[None], columns=columns)[0],
        update @ closed_form(x[:, columns], 0.4),
        rtol=0,
        atol=1e-10,
    )


def test_forgetting_lets_old_inputs_fade():
    old, new = torch.eye(6, dtype=torch.float64)[:1], torch.eye(6, dtype=torch.float64)[1:2]
    projector = Projector(6, alpha=1.0)
    projector.absorb(old[None])
    for _ in range(50):
        projector.absorb(new[None], keep=0.8)
    kept = projector.matrix()[0].diagonal()
    assert float(kept[0]) == pytest.approx(1 / (1 + 0.8**50), abs=1e-12)
    assert float(kept[1]) == pytest.approx(1 / (1 + 5 * (1 - 0.8**50)), abs=1e-9)


def test_a_capped_rank_keeps_the_strongest_directions_and_little_memory():
    projector = Projector(100, alpha=1.0, rank=4)
    strong = torch.linalg.qr(rows(100, 100)).Q[:3] * 10
    for row in strong:
        projector.absorb(row[None, None])
    for row in rows(200, 100, seed=9, scale=0.01):
        projector.absorb(row[None, None])
        assert projector.held <= 8 * 100
    assert float((projector.matrix()[0] @ strong.T).norm() / strong.norm()) < 0.02


def test_its_state_restores_it():
    for n in (3, 30):
        first, second = Projector(9, groups=2), Projector(9, groups=2)
        first.absorb(rows(n, 9, groups=2))
        second.load_state_dict(first.state_dict())
        assert torch.equal(first.matrix(), second.matrix())
        first.absorb(rows(1, 9, groups=2))
        assert not torch.equal(first.matrix(), second.matrix())


def test_a_foreign_state_is_refused():
    with pytest.raises(TrainingError, match=r"shape \(2, 9, 9\), got energy of shape \(2, 8, 8\)"):
        Projector(9, groups=2).load_state_dict({"energy": torch.zeros(2, 8, 8)})
    with pytest.raises(TrainingError, match=r"got rows of shape \(2, 5, 8\)"):
        Projector(9, groups=2).load_state_dict({"rows": torch.zeros(2, 5, 8)})


@pytest.mark.parametrize("options", [{"alpha": 0.0}, {"alpha": float("nan")}, {"rank": 0}])
def test_senseless_settings_are_refused(options):
    with pytest.raises(SettingsError, match=r"must be"):
        Projector(9, **options)
