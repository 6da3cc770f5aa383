"""Verification of what the default estimate of accuracy gave, which learns from paths before it gives anything."""

from __future__ import annotations

import pytest

from evonas.deployment.verify import verify
from evonas.pipeline import run as pipeline


@pytest.mark.usefixtures("few_references")
def test_the_default_estimate_is_learned_again_alike(made, tmp_path):
    pipeline.search(
        space=str(made.parent / "tiny.toml"), supernet=str(made), out=tmp_path / "run", population=2, generations=1,
        warm_start=0, train_limit=500, batch_size=100, sharing="uniform", epochs=1,
    ).close()  # fmt: skip
    checks = verify(tmp_path / "run", "index:0")
    assert {check.name for check in checks} == {"acc", "acc_top1", "acc_report", "flops", "params"}
    assert all(check.now == check.before for check in checks)
