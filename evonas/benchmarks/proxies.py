"""Rank correlation of scores with known truth, with the floors that any score must beat beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from evonas.errors import SettingsError, suggest
from evonas.pareto.correlation import coverage, kendall, spearman
from evonas.spaces import Architecture
from evonas.tables.direction import column_direction
from evonas.tables.table import Table

FLOORS = ("params", "flops")
"""Scores that cost nothing: one that ranks no better is not worth computing."""

Score = Callable[[Sequence[Architecture], int], ArrayLike]
"""What scores architectures: (architectures, seed) -> one value each, NaN where it could not score."""
Together = Callable[[Sequence[str], Sequence[Architecture], int], Mapping[str, ArrayLike]]
"""What scores architectures by several sources at once: (names, architectures, seed) -> the values of each."""


def bench_proxies(
    table: Table,
    target: str,
    proxies: Sequence[str],
    *,
    sources: Mapping[str, Score],
    together: Together | None = None,
    seeds: int | Sequence[int] = 3,
    limit: int | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Correlate scores with measured truth.

    Args:
        table: Truth; its columns, but for the target, go before sources of the same name, and are the same for
            every seed.
        target: Column to be ranked, ``NAME`` or ``NAME:max|min``; "max" where neither says so.
        proxies: Names of columns or sources; the floors are added where they are not named.
        sources: Computes what is no column; the floors must be here or in the table.
        together: Computes several of the sources with the work that they share; None: one after the other.
        seeds: How many (0, 1, …), or which. A seed draws the rows under `limit` and seeds the scores.
        limit: Architectures to score, drawn by each seed, the same for all proxies; None: all rows.
        progress: Called with a proxy, or those that are scored together, and the seed before they are.

    Returns:
        One row per proxy and seed: ``proxy, seed, n`` (pairs compared), ``spearman, kendall`` over all,
        ``kendall_top30, kendall_top10, kendall_top5`` inside the true top, ``coverage`` (share of the
        architectures that were scored). NaN where fewer than two pairs differ.

    Raises:
        SettingsError: An unknown name, a floor that nothing provides, or a limit below two.

    Source: floors as in White et al. (2021), "A deeper look at zero-cost proxies for lightweight NAS".
    """
    name, sign = _target(target)
    truth = sign * table[name]
    names = list(dict.fromkeys([*proxies, *FLOORS]))
    seeds = range(seeds) if isinstance(seeds, int) else seeds
    _check(names, [*table.columns, *sources], limit, seeds)
    # A column cannot be measured by itself: a score of the same name is computed.
    asked = [proxy for proxy in names if proxy not in table or (proxy == name and proxy in sources)]
    candidates = np.flatnonzero(~np.isnan(truth))
    results = []
    for seed in seeds:
        rows = candidates
        if limit is not None and limit < len(candidates):
            rows = np.sort(np.random.default_rng(seed).choice(candidates, limit, replace=False))
        chosen = [table.architectures[row] for row in rows]
        scores: dict[str, ArrayLike] = {proxy: table[proxy][rows] for proxy in names if proxy not in asked}
        scores |= _computed(asked, chosen, seed, sources, together, progress)
        for proxy in names:
            row = _row(np.asarray(scores[proxy], dtype=np.float64), truth[rows])
            results.append({"proxy": proxy, "seed": int(seed), **row})
    return results


def _check(names: Sequence[str], known: Sequence[str], limit: int | None, seeds: Sequence[int]) -> None:
    """Refuse proxies that nothing provides, and too few architectures or seeds."""
    for proxy in names:
        if proxy not in known:
            raise SettingsError(f"No proxy '{proxy}': expected one of {', '.join(known)}.{suggest(proxy, known)}")
    if limit is not None and limit < 2:
        raise SettingsError(f"Expected a limit of two or more architectures, got {limit}.")
    if not len(seeds):
        raise SettingsError("Expected one seed or more, got none.")


def _computed(
    names: Sequence[str],
    architectures: Sequence[Architecture],
    seed: int,
    sources: Mapping[str, Score],
    together: Together | None,
    progress: Callable[[str, int], None] | None,
) -> dict[str, ArrayLike]:
    """Return the scores of sources: of all at once where their work is shared, else one after the other."""
    scores: dict[str, ArrayLike] = {}
    for group in [names] if together is not None and names else [[name] for name in names]:
        if progress is not None:
            progress(", ".join(group), seed)
        if together is not None:
            scores.update(together(group, architectures, seed))
        else:
            scores.update({name: sources[name](architectures, seed) for name in group})
    return scores


def _row(scores: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    return {
        "n": int((~np.isnan(scores)).sum()),
        "spearman": spearman(scores, truth),
        "kendall": kendall(scores, truth),
        "kendall_top30": kendall(scores, truth, top=0.30),
        "kendall_top10": kendall(scores, truth, top=0.10),
        "kendall_top5": kendall(scores, truth, top=0.05),
        "coverage": coverage(scores, truth),
    }


def _target(text: str) -> tuple[str, float]:
    try:
        name, direction = column_direction(text)
    except SettingsError:
        if ":" in text:
            raise
        name, direction = text.strip(), "max"
    return name, 1.0 if direction == "max" else -1.0
