from __future__ import annotations

from collections import Counter
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import chisquare

from evonas import load_space
from evonas.errors import SettingsError
from evonas.supernet import SAMPLINGS, SupernetSettings, make_sampler, train_supernet
from evonas.supernet.sampling import as_sampler

LEVEL = 1e-3
"""Of the chi-square tests; seeds are fixed, so a test passes always or never."""


@pytest.fixture(scope="module")
def macro():
    return load_space("nasbench_macro")


def small_space(tmp_path):
    """Return four blocks of two options: 16 members, 8 of them different."""
    file = tmp_path / "little.toml"
    file.write_text("""
name = "little"
family = "stage"
source = "a test"
counts = "codes"
form = "digits"
[stem]
channels = 8
kernel = 3
stride = 1
activation = "relu"
[operations]
identity = { kind = "identity", code = "0" }
k3e3 = { kind = "mbconv", kernel = 3, expand = 3, code = "1" }
[[stages]]
width = 8
stride = 1
blocks = 4
operations = ["identity", "k3e3"]
[head]
features = 16
activation = "relu"
[skeletons.small]
resolution = 8
[skeletons.proxy]
resolution = 8
head = false
""")
    return load_space(str(file))


def test_by_choice_every_option_is_drawn_equally_often():
    space = load_space("nasbench201")
    rng = np.random.default_rng(0)
    drawn = space.sample(3000, rng, by="choice")
    sampler, again = make_sampler("choice", space), np.random.default_rng(0)
    assert str(sampler(again)) == space.key(space.sample(1, np.random.default_rng(0), by="choice")[0])
    for column, options in zip(drawn.T, space.cardinalities, strict=True):
        assert chisquare(np.bincount(column, minlength=options)).pvalue > LEVEL


def classes_of(space):
    members = [space.canonical(space.decode(np.array(g))) for g in product(*map(range, space.cardinalities))]
    return Counter(str(member) for member in members)


@pytest.mark.parametrize("name", ["size", "unique"])
def test_equal_forms_count_as_often_as_they_occur_or_once(name, tmp_path):
    space = small_space(tmp_path)
    members = classes_of(space)
    assert len(members) == 8
    assert sum(members.values()) == 16
    sampler, rng = make_sampler(name, space), np.random.default_rng(1)
    drawn = Counter(str(sampler(rng)) for _ in range(4000))
    assert drawn.keys() == members.keys()
    observed = np.array([drawn[text] for text in members])
    by_members = np.array(list(members.values())) / 16 * 4000
    once = np.full(len(members), 4000 / len(members))
    wanted, other = (by_members, once) if name == "size" else (once, by_members)
    assert chisquare(observed, wanted).pvalue > LEVEL
    assert chisquare(observed, other).pvalue < LEVEL


def test_unique_refuses_a_space_that_cannot_count_equals():
    with pytest.raises(SettingsError, match="counts equal architectures"):
        make_sampler("unique", load_space("lhd"))


def test_fair_runs_each_option_once_in_a_row_of_as_many_draws():
    space = load_space("mobilenet_v3")
    genomes = []
    sampler, rng = make_sampler("fair", space), np.random.default_rng(0)
    sampler._space = SimpleNamespace(
        cardinalities=space.cardinalities, decode=genomes.append, canonical=lambda architecture: architecture
    )
    for _ in range(36):
        sampler(rng)
    for column, options in zip(np.stack(genomes).T, space.cardinalities, strict=True):
        for start in range(0, 36, options):
            assert sorted(column[start : start + options]) == list(range(options))


def test_fair_draws_choices_independently(macro):
    sampler, rng = make_sampler("fair", macro), np.random.default_rng(0)
    codes = [str(sampler(rng)) for _ in range(3000)]
    # The first block of each stage stays where it is written, whatever the canonical form.
    pairs = Counter((code[0], code[2]) for code in codes)
    assert len(pairs) == 9
    # Fairness makes counts more even than independent draws would be: all the more it must not be rejected.
    assert chisquare(list(pairs.values())).pvalue > LEVEL


def test_a_training_with_fair_sampling_resumes_bit_for_bit(make_network, data, tmp_path):
    class Killed(BaseException):
        pass

    def stop(now):
        if now.step == 14:
            raise Killed

    options = {"epochs": 3, "batch_size": 8, "lr": 0.1, "seed": 3}
    whole, path = make_network(), tmp_path / "supernet.safetensors"
    train_supernet(whole, data, "uniform", SupernetSettings(**options), sample=make_sampler("fair", whole.space))
    network = make_network()
    with pytest.raises(Killed):
        train_supernet(
            network,
            data,
            "uniform",
            SupernetSettings(**options),
            sample=make_sampler("fair", network.space),
            checkpoint=path,
            progress=stop,
        )
    resumed = make_network(seed=7)
    sampler = make_sampler("fair", resumed.space)
    train_supernet(resumed, data, "uniform", SupernetSettings(**options), sample=sampler, checkpoint=path)
    for name, value in whole.state_dict().items():
        assert value.equal(resumed.state_dict()[name]), name


def test_warm_draws_by_rank_and_by_choice_half_each(macro):
    pool = [macro.canonical(macro.parse(code)) for code in ("22222222", "11111111", "12121212", "21212121")]
    sampler = make_sampler("warm", macro, scored=(pool, [3.0, 1.0, 2.0, float("nan")]))
    rng = np.random.default_rng(0)
    drawn = Counter(str(sampler(rng)) for _ in range(6000))
    counts = np.array([drawn[str(one)] for one in pool])
    # ranks 4, 2, 3 and 1 of 10; one draw in 6561 of the uniform half is a given member too
    expected = np.array([4, 2, 3, 1]) / 10 * 3000
    assert chisquare([*counts, 6000 - counts.sum()], [*expected, 3000]).pvalue > LEVEL


def test_warm_alone_never_leaves_its_pool(macro):
    from evonas.supernet.sampling import Warm

    pool = [macro.parse("22222222"), macro.parse("11111111")]
    sampler, rng = Warm(macro, pool, [1.0, 1.0], uniform=0.0), np.random.default_rng(0)
    counts = Counter(str(sampler(rng)) for _ in range(1000))
    assert chisquare([counts[str(one)] for one in pool]).pvalue > LEVEL
    with pytest.raises(SettingsError, match="one score per architecture"):
        Warm(macro, pool, [1.0])
    with pytest.raises(SettingsError, match="needs a warm start"):
        make_sampler("warm", macro)


def test_an_unknown_sampling_is_named_with_what_there_is(macro):
    with pytest.raises(SettingsError, match=r"among choice, size, unique, fair, warm, got 'uniqe'.*unique"):
        make_sampler("uniqe", macro)
    assert set(SAMPLINGS) == {"choice", "size", "unique", "fair", "warm"}


def test_a_function_is_a_sampler_without_memory():
    sampler = as_sampler(lambda rng: "drawn")
    assert sampler(np.random.default_rng(0)) == "drawn"
    assert sampler.state_dict() == {}
    sampler.load_state_dict({})
    assert as_sampler(sampler) is sampler


def test_half_a_sampler_is_refused():
    class Half:
        def __call__(self, rng):
            return "drawn"

        def state_dict(self):
            return {"left": 3}

    with pytest.raises(SettingsError, match=r"got one \(Half\) without load_state_dict: inherit"):
        as_sampler(Half())
