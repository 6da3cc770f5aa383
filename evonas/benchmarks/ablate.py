"""Ablations run on columns of accuracies that are known."""

from __future__ import annotations

from typing import Any

from evonas.benchmarks.ablation import RESAMPLES, Accuracies, compare_rankings, compare_steps, refuse_unknown
from evonas.benchmarks.variance import explain_variance

__all__ = ["ablate_columns", "ablation_results"]


def ablate_columns(ablation: str, accuracies: Accuracies, *, resamples: int = RESAMPLES) -> dict[str, Any]:
    """Return an ablation of accuracies as they are, such as columns of a table.

    Args:
        ablation: One of `ABLATIONS`. For ``macro`` the columns are levels of one factor, the frame.
        accuracies: What is compared.
        resamples: Bootstrap samples behind each interval.

    Raises:
        SettingsError: No such ablation.

    Returns:
        ``ablation, columns, n, dropped, rows`` and ``values``, from which the figure is drawn.
    """
    refuse_unknown(ablation)
    if ablation == "tricks":
        rows = compare_steps(accuracies, resamples=resamples)
    elif ablation == "macro":
        rows = explain_variance(accuracies.values[:, :, None], ["columns"], resamples=resamples)
    else:
        rows = compare_rankings(accuracies, resamples=resamples)
    return ablation_results(ablation, accuracies, rows)


def ablation_results(ablation: str, accuracies: Accuracies, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return rows with what they rest on."""
    results: dict[str, Any] = {
        "ablation": ablation, "columns": list(accuracies.columns), "n": len(accuracies), "dropped": accuracies.dropped,
        "rows": rows, "values": accuracies.values.tolist(),
    }  # fmt: skip
    return results | ({"architectures": list(accuracies.architectures)} if accuracies.architectures else {})
