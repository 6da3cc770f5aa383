"""Searches on a Ray cluster of two nodes on this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from evonas.config import make_settings
from evonas.engine import LocalEngine, WorkerSpec
from evonas.errors import MissingExtraError
from evonas.files.progress import Silent
from evonas.pipeline import run as pipeline
from evonas.runs.run import Run
from evonas.runs.store import Store
from evonas.spaces import as_candidates, load_space, shipped

sys.path.insert(0, str(Path(__file__).parent))
from faulty import make

QUICK = {"train_limit": 300, "epochs": 1, "population": 6, "generations": 3, "warm_start": 12}
NODE = {"num_cpus": 2, "object_store_memory": 100 * 2**20, "include_dashboard": False}
SERVER = multiprocessing.get_context("forkserver")


def test_without_ray_the_extra_is_named(tmp_path, monkeypatch):
    from evonas.engine.cluster import RayPool

    # What is installed is a matter of the environment.
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'evonas\[ray\]'"):
        RayPool(WorkerSpec("faulty:make", {}, {"length": "f"}), 1)


slow = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # the warnings are Ray's


@pytest.fixture
def cluster(monkeypatch):
    """A head and a second node, of two cores each as far as Ray is concerned."""
    pytest.importorskip("ray", reason="ray is not installed: pip install 'evonas[ray]'")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    cluster.second = cluster.add_node(num_cpus=2, object_store_memory=NODE["object_store_memory"])
    cluster.wait_for_nodes()
    yield cluster
    import ray

    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def tiny(tmp_path) -> str:
    small = "[skeletons.small]\nchannels = 8\ncells = 3\n"
    path = tmp_path / "tiny.toml"
    path.write_text(shipped()["darts"].read_text().replace(small, "[skeletons.small]\nchannels = 4\ncells = 2\n"))
    return str(path)


class TestCluster:
    pytestmark = slow

    def test_a_lost_node_and_failures_cost_only_what_they_were_at(self, cluster, tmp_path):
        from evonas.engine.cluster import RayPool

        space = load_space("darts")
        forms = [space.canonical(space.decode(g)) for g in space.sample(40, np.random.default_rng(0))]
        plan = {str(forms[3]): "exit", str(forms[5]): "nan", str(forms[7]): "hang"}
        arguments = {"plan": plan, "folder": str(tmp_path), "sleep": 0.2}
        spec = WorkerSpec("faulty:make", arguments, {"length": "f"})
        pool = RayPool(spec, 4, timeout=30.0, address=cluster.address)
        done = []

        def lose_a_node(n: int) -> None:
            done.append(n)
            if len(done) == 8:
                cluster.remove_node(cluster.second, allow_graceful=False)

        with Store(tmp_path / "s", create=True) as store:
            engine = LocalEngine(make(plan, str(tmp_path))[1], store, pool)
            values = engine.evaluate(as_candidates(forms), ["length", "twice"], lose_a_node)
            failed = [str(forms[i]) for i in np.flatnonzero(np.isnan(values[:, 0]))]
            causes = {t: store.lookup([t], "length", "f")[t].cause for t in failed}
        pool.close()
        assert sum(done) == 40
        assert sorted(failed) == sorted(plan), causes
        assert "is gone" in causes[str(forms[3])]
        assert "ValueError" in causes[str(forms[5])]
        assert "took longer than 30 s twice" in causes[str(forms[7])]
        calls = (tmp_path / "calls").read_text().split("\n")[:-1]
        assert len(calls) <= 40 + 2 + 2  # tried twice: two that failed, and what the lost node was at

    def test_the_front_is_that_of_a_local_search_also_when_the_driver_is_killed(self, cluster, tiny, tmp_path):
        with pipeline.search(make_settings(space=tiny, **QUICK), tmp_path / "local") as local:
            expected = (local.path / "front.csv").read_bytes(), (local.path / "front.json").read_bytes()
        settings = make_settings(space=tiny, engine="ray", address=cluster.address, workers=2, **QUICK)
        path = tmp_path / "far"
        process = SERVER.Process(target=pipeline.search, args=(settings, path), kwargs={"progress": Dies(path)})
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        before = known(path)
        assert before >= 4
        with pipeline.resume(path) as run:
            assert run.manifest["timings"]["evaluations_computed"] > 0
            assert ((path / "front.csv").read_bytes(), (path / "front.json").read_bytes()) == expected
            assert run.store.series() == Run.open(local.path).store.series()
        assert os.environ.get("RAY_USAGE_STATS_ENABLED") == "0"


class Dies(Silent):
    """Progress that ends its process without warning once a run holds four accuracies."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def advance(self, n: int = 1, note: str = "") -> None:
        if known(self.path) >= 4:
            os.kill(os.getpid(), signal.SIGKILL)


def known(path: Path) -> int:
    """Return how many accuracies a run holds."""
    if not (path / "evaluations.sqlite").exists():
        return 0
    with Store(path / "evaluations.sqlite", write=False) as store:
        return sum(n for (objective, _), n in store.series().items() if objective == "acc")
