"""Projector of a shared weight's updates off the inputs that it has served.

For inputs X (n x d, rows are inputs) and alpha > 0 the projector is

    P = I - X^T (X X^T + alpha I)^-1 X = alpha (alpha I + X^T X)^-1,

so a direction that carries the energy e (an eigenvalue of X^T X) keeps the factor alpha / (alpha + e) of
its update. The first form is what the recursion of orthogonal weight modification (Zeng et al. 2019,
"Continual learning of context-dependent processing in neural networks") gives for any order and any
grouping of the rows; it is exact and cheap while n < d. The second needs the d x d energy alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from evonas.errors import SettingsError, TrainingError

ALL = slice(None)


def closed_form(inputs: Tensor, alpha: float) -> Tensor:
    """Return the projector of some inputs in one go.

    Args:
        inputs: (..., n, d) rows.
        alpha: Energy that counts as used, > 0, in squared units of the inputs.

    Returns:
        (..., d, d) matrix `alpha (alpha I + X^T X)^-1`.
    """
    identity = torch.eye(inputs.shape[-1], dtype=inputs.dtype, device=inputs.device)
    projector: Tensor = alpha * torch.linalg.inv(alpha * identity + inputs.mT @ inputs)
    return projector


def woodbury(projector: Tensor, inputs: Tensor, alpha: float) -> Tensor:
    """Return a projector after a block of further inputs; one row is the recursion of Zeng et al. 2019.

    Args:
        projector: (..., d, d), the identity at first.
        inputs: (..., b, d) rows.
        alpha: As in `closed_form`; must not change between calls.
    """
    gain = projector @ inputs.mT
    gram = inputs @ gain
    identity = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    projected: Tensor = projector - gain @ torch.linalg.solve(alpha * identity + gram, gain.mT)
    return projected


class Projector:
    """The projector of one shared weight, one block per group of a grouped convolution.

    It holds rows with the energy X^T X of all that was absorbed. Rows are exact up to `2 * rank`; then a
    weight of at most that many inputs goes over to the d x d energy, still exact, and a wider one keeps the
    `rank` strongest directions (the rank cap of gradient projection memory, Saha et al. 2021), so that
    memory is at most `2 * rank * d` per group.

    Args:
        size: Inputs d of one output: `in_channels / groups * k * k`.
        groups: Groups of a convolution.
        alpha: Energy that counts as used, > 0; may be changed at any time.
        rank: Directions kept where d is above `2 * rank`; None keeps all.
        dtype: Of what is held; energies grow with the steps while alpha does not, hence double.
        device: Where it is held.

    Raises:
        SettingsError: `alpha` or `rank` is not positive.
    """

    def __init__(
        self,
        size: int,
        *,
        groups: int = 1,
        alpha: float = 1.0,
        rank: int | None = 32,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str | None = None,
    ) -> None:
        if not alpha > 0:
            raise SettingsError(f"alpha must be above 0, got {alpha}; 1 suits batch means")
        if rank is not None and rank < 1:
            raise SettingsError(f"rank must be at least 1, got {rank}; None keeps every direction")
        self.size = size
        self.groups = groups
        self.alpha = alpha
        self.rank = rank
        self._is_energy = False
        self._kept = torch.zeros(groups, 0, size, dtype=dtype, device=device)  # rows, or their energy

    @property
    def held(self) -> int:
        """Numbers held in memory."""
        return self._kept.numel()

    @property
    def device(self) -> torch.device:
        """Where it is held."""
        return self._kept.device

    def absorb(self, inputs: Tensor, *, keep: float = 1.0, groups: slice = ALL) -> None:
        """Count inputs as used.

        Args:
            inputs: (groups taken, n, d) rows.
            keep: Share of the earlier energy that stays, in [0, 1]; below 1 old inputs are forgotten.
            groups: The groups that have read `inputs`; the others stay as they are.
        """
        if self._is_energy:
            inputs = inputs.to(self._kept)
            self._kept[groups] = keep * self._kept[groups] + inputs.mT @ inputs
            return
        rows = self._kept
        fresh = rows.new_zeros(self.groups, inputs.shape[1], self.size)
        fresh[groups] = inputs.to(rows)
        if keep != 1.0:
            rows = rows.clone()
            rows[groups] *= keep**0.5
        self._kept = torch.cat([rows, fresh], dim=1)
        limit = self.size if self.rank is None else min(self.size, 2 * self.rank)
        if self._kept.shape[1] > limit:
            self._condense()

    def _condense(self) -> None:
        if self.rank is None or self.size <= 2 * self.rank:
            self._kept, self._is_energy = self._kept.mT @ self._kept, True
            return
        _, strength, directions = torch.linalg.svd(self._kept, full_matrices=False)
        self._kept = (strength[..., None] * directions)[:, : self.rank].contiguous()

    def project(
        self, update: Tensor, *, strength: float = 1.0, columns: Tensor | None = None, groups: slice = ALL
    ) -> Tensor:
        """Return an update with what would disturb earlier inputs taken out.

        Args:
            update: (groups taken, outputs per group, columns) rows, each the change of one output's weights.
            strength: Share of the correction that is made, in [0, 1]; 0 returns `update` itself.
            columns: Indices into d where only a part of the weight is in use; the projector is then that of
                the inputs as this part sees them. None: all.
            groups: The groups in use.
        """
        if strength == 0.0:
            return update
        held = self._kept
        wide = update.to(held.dtype)
        if not self._is_energy:
            rows = held[groups] if columns is None else held[groups][..., columns]
            if rows.shape[1] == 0:
                return update
            factor, _ = self._factor(rows @ rows.mT)
            result = wide - strength * (torch.cholesky_solve(rows @ wide.mT, factor).mT @ rows)
        else:
            energy = held[groups] if columns is None else held[groups][:, columns][..., columns]
            factor, alpha = self._factor(energy)
            projected = alpha * torch.cholesky_solve(wide.mT, factor).mT
            result = (1.0 - strength) * wide + strength * projected
        return result.to(update.dtype)

    def _factor(self, gram: Tensor) -> tuple[Tensor, Tensor]:
        """Return the Cholesky factor of `alpha I + gram` and alpha, lifted above what rounding blurs."""
        certain = 1e4 * gram.shape[-1] * torch.finfo(gram.dtype).eps
        floor = certain * gram.diagonal(dim1=-2, dim2=-1).amax(-1)
        shift = floor.clamp(min=self.alpha)[:, None, None]
        identity = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
        return torch.linalg.cholesky_ex(gram + shift * identity).L, shift

    def matrix(self) -> Tensor:
        """Return the projector as a (groups, d, d) tensor."""
        held = self._kept
        identity = torch.eye(self.size, dtype=held.dtype, device=held.device)
        return self.project(identity.expand(self.groups, -1, -1))

    def trace(self) -> float:
        """Return trace(P) / d, the mean over groups: 1 where nothing is protected, 0 where all is frozen."""
        gram = self._kept if self._is_energy else self._kept @ self._kept.mT
        if gram.shape[-1] == 0:
            return 1.0
        free = self.size - gram.shape[-1]
        factor, alpha = self._factor(gram)
        kept = (alpha * torch.cholesky_inverse(factor)).diagonal(dim1=-2, dim2=-1).sum(-1)
        return float((kept + free).mean()) / self.size

    def state_dict(self) -> dict[str, Tensor]:
        """Return what was absorbed: `rows` or `energy`."""
        return {"energy" if self._is_energy else "rows": self._kept}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over what another projector of this shape has absorbed.

        Raises:
            TrainingError: The tensor is not of this projector's shape.
        """
        kind, tensor = next(iter(state.items()), ("nothing", torch.empty(0)))
        expected = {"rows": (self.groups, tensor.shape[1] if tensor.dim() > 1 else 0, self.size)}
        expected["energy"] = (self.groups, self.size, self.size)
        if tuple(tensor.shape) != expected.get(kind):
            raise TrainingError(
                f"Expected a projector of shape {expected.get(kind, expected['rows'])}, got {kind} of shape "
                f"{tuple(tensor.shape)}; the state is of another network"
            )
        held = self._kept
        self._kept, self._is_energy = tensor.detach().to(held, copy=True), kind == "energy"
