"""Check of a run's ranking by full trainings: members beside random architectures of equal cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from evonas.deployment.member import Weights, train_members
from evonas.deployment.model import to_json
from evonas.deployment.ranking_check import RankedNetwork, RankingCheck
from evonas.errors import RunError, SettingsError
from evonas.files.progress import Progress
from evonas.objectives import Context, make_evaluator
from evonas.pareto.front import Front, Member
from evonas.pareto.objective import Objective
from evonas.pipeline.context import run_context
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runs.selection import choose
from evonas.runtime.threads import torch_threads
from evonas.spaces import Candidate
from evonas.tasks import make_task, task_measures
from evonas.training import TrainingRecipe

__all__ = ["RANKING_FILE", "pick_matched", "verify_ranking"]

RANKING_FILE = "ranking.json"
"""What the last check of a run gave."""
DRAWN = 1000
"""Random architectures among which those of equal FLOPs are searched for."""
FEWEST = 3
"""Members that a rank correlation needs."""


def verify_ranking(
    run: Run | str | Path,
    number: int,
    recipe: TrainingRecipe | str | Path | None = None,
    *,
    seed: int = 0,
    data: str | None = None,
    progress: Progress | None = None,
) -> RankingCheck:
    """Train members of a run and as many random architectures to the end, and compare with what the search says.

    Members are spread over the front's FLOPs; each has a random architecture of the nearest FLOPs beside it. All are
    trained by one recipe and seed: from fresh weights, or from the shared ones where these came from published
    weights. What was trained before is read, what was stopped goes on from its last epoch (`train_members`), and the
    outcome is written to the run's ``ranking.json``.

    Args:
        run: A run that ended, by path, or open for writing.
        number: Members, `FEWEST` or more.
        recipe: As `train_members` takes it.
        seed: Of the trainings, and of the draw of random architectures.
        data: Where the run's data are now, the same ones; None: where they were.
        progress: Shows how far it is.

    Raises:
        EvonasError: Fewer members on the front, an objective that no training improves, or a training that failed.
    """
    if not isinstance(run, Run):
        with Run.open(run, write=True) as opened:
            return verify_ranking(opened, number, recipe, seed=seed, data=data, progress=progress)
    run.relocate(data)
    front = read_front(run)
    objective = _learned(run, front)
    if not FEWEST <= number <= len(front):
        raise SettingsError(
            f"Expected --ranking {FEWEST} to {len(front)}, for the front has {len(front)} members, got {number}"
        )
    context = run_context(run, with_supernet=(run.path / "supernet.safetensors").is_file())
    assert context.data is not None  # an accuracy was estimated on it
    primary = make_task(context.data).objective
    if objective.name != primary:
        raise RunError(f"Expected a run that ranks by {primary}, which trainings are measured by, got {objective.name}")
    with torch_threads(context.threads):
        networks = _networks(context, front, objective, number, seed)
    texts = [network.architecture for network in networks]
    published = run.settings.get("pretrained", "none") not in ("none", "auto")
    weights: Weights = "inherited" if published else "fresh"
    trained = train_members(run, texts, recipe, seeds=(seed,), weights=weights, transfer=False, progress=progress)
    done = [network.with_trained(one.accuracy) for network, one in zip(networks, trained, strict=True)]
    check = RankingCheck(objective.name, objective.direction, trained[0].test_images, trained[0].how, tuple(done))
    run.write(RANKING_FILE, to_json(asdict(check) | {"agreement": check.agreements(), "summary": check.summary()}))
    return check


def pick_matched(wanted: np.ndarray, costs: np.ndarray) -> list[int]:
    """Return for each wanted cost the row of the nearest one, each row once, by the ratio of costs.

    Args:
        wanted: Positive, shape ``(n,)``.
        costs: Positive, shape ``(m,)``, m >= n.
    """
    left = np.ones(len(costs), dtype=bool)
    chosen = []
    for cost in wanted:
        far = np.where(left, np.abs(np.log(costs / cost)), np.inf)
        chosen.append(int(np.argmin(far)))
        left[chosen[-1]] = False
    return chosen


def _learned(run: Run, front: Front) -> Objective:
    """Return the objective that training improves."""
    measures = {"acc", *task_measures()}
    found = None if run.settings.get("table") else next((o for o in front.objectives if o.name in measures), None)
    if found is None:
        names = ", ".join(o.name for o in front.objectives)
        raise RunError(f"Expected a run whose accuracy is estimated, to train what it ranks, got one of {names}")
    return found


def _networks(context: Context, front: Front, objective: Objective, number: int, seed: int) -> list[RankedNetwork]:
    """Return the members, spread over FLOPs, then the random architectures, neither trained yet."""
    space, cost = context.space, make_evaluator("flops", context)

    def flops(candidates: Sequence[Candidate]) -> np.ndarray:
        return np.array([row["flops"].value or np.nan for row in cost.evaluate(candidates)], dtype=np.float64)

    forms = [choose(front, space, f"index:{i}").architecture for i in range(len(front))]
    own = flops([Candidate(form) for form in forms])
    order = np.argsort(own, kind="stable")
    picked = order[np.linspace(0, len(order) - 1, number).round().astype(int)].tolist()
    rng = np.random.default_rng([seed, 41])
    drawn = {str(form): form for form in map(space.canonical, map(space.decode, space.sample(DRAWN, rng)))}
    others = [form for text, form in sorted(drawn.items()) if text not in set(map(str, forms))]
    costs = flops([Candidate(form) for form in others])
    others = [form for form, known in zip(others, np.isfinite(costs), strict=True) if known]
    costs = costs[np.isfinite(costs)]
    if len(others) < number:
        raise RunError(f"Expected {number} architectures that are not on the front, the space holds {len(others)}")
    matched = pick_matched(own[picked], costs)
    estimates = make_evaluator(objective.name, context).evaluate([Candidate(others[row]) for row in matched])
    members = [_member(front[i], objective, float(own[i])) for i in picked]
    random = [
        RankedNetwork(str(others[row]), False, float(costs[row]), result[objective.name].value)
        for row, result in zip(matched, estimates, strict=True)
    ]
    return [*members, *random]


def _member(member: Member, objective: Objective, flops: float) -> RankedNetwork:
    return RankedNetwork(member.architecture, True, flops, member.values[objective.name])
