"""All shipped proxies keep the contract on all shipped spaces, and the contract catches one that is blind."""

from __future__ import annotations

import pytest

from evonas.proxies import Params, load_proxy, proxies
from evonas.spaces import load_space, shipped
from evonas.testing import ProxyContract

OPTIONS = {
    "swap": {"repeats": 4},
    "swap_regularized": {"repeats": 4, "setting": "paper_b"},
    "jacov": {"batch": 8, "repeats": 2},
    "nlc": {"batch": 8, "products": 2},
    "params": {"batch": 2},
    "flops": {"batch": 2},
    "synflow": {"batch": 2},
}
"""Fewer images and draws than in use, for it is only asked what a score sees."""
EACH_KIND = ("darts", "mobilenet_v3", "nasbench201")
SIDE = 16
"""Of the images; SWAP sees those of its skeleton."""


class _Contract(ProxyContract):
    name: str
    space: str

    def make_proxy(self):
        return load_proxy(self.name, **OPTIONS.get(self.name, {"batch": 8}))

    def make_space(self):
        return load_space(self.space)

    def make_skeleton(self):
        skeleton = super().make_skeleton()
        return skeleton if self.name == "swap" else skeleton.replace(resolution=min(SIDE, skeleton.resolution))


class TestQuickly(_Contract):
    """The proxies that cost little, on the smallest space."""

    space = "nasbench201"

    @pytest.fixture(params=["params", "synflow", "naswot"], autouse=True)
    def _name(self, request):
        request.instance.name = request.param


@pytest.mark.slow
class TestOnAllSpaces(_Contract):
    """SWAP, which starts the search, on every space; the others on a space of each kind."""

    @pytest.fixture(
        params=[
            *(("swap", space) for space in sorted(shipped())),
            *((name, space) for name in proxies() if name != "swap" for space in EACH_KIND),
        ],
        ids=":".join,
        autouse=True,
    )
    def _pair(self, request):
        request.instance.name, request.instance.space = request.param


class _Seen(_Contract):
    def make_skeleton(self):
        return self.make_space().skeleton("proxy_paper", resolution=SIDE)


def test_a_skeleton_that_leaves_a_kind_of_cell_out_is_caught():
    """On the published proxy network every score sees the reduction cell alone."""
    contract = _Seen()
    contract.name, contract.space = "params", "darts"
    with pytest.raises(AssertionError) as caught:
        contract.test_sees_every_choice()
    message = str(caught.value)
    assert all(f"normal.{node}.operation{edge}" in message for node in range(2, 6) for edge in range(2))


def test_a_reason_is_needed_for_what_is_not_seen():
    class Excused(Params):
        """A score that gives no reason of three words for one of its patterns."""

        unseen = {"normal.*": "the published network holds no normal cell", "reduce.*": "too"}

    contract = _Seen()
    contract.space = "darts"
    contract.make_proxy = lambda: Excused(batch=2)
    contract.test_sees_every_choice()
    with pytest.raises(AssertionError) as caught:
        contract.test_describes_itself()
    assert "in proxy.unseen.items()" in str(caught.traceback[-1].statement)
