"""The contract of a search space."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from evonas.errors import EvonasError, SettingsError, SpaceError
from evonas.networks import Network, build
from evonas.spaces import Architecture, Skeleton, Space, Step, path_names

GENOMES = 200
"""Genomes that each test draws."""
NETWORKS = 2
"""Architectures that each test builds."""


class SpaceContract(ABC):
    """Tests of every space that the package relies on; run by pytest in a subclass whose name starts with ``Test``."""

    @abstractmethod
    def make_space(self) -> Space:
        """Return the space under test."""

    # ------------------------------------------------------------------------------------ choices, sampling

    def test_describes_its_choices(self) -> None:
        """Each choice has a name of its own and at least two options."""
        space = self.make_space()
        assert space.name
        assert space.counts
        assert len(space.choices) == len(set(space.choices)) == len(space.cardinalities) > 0
        assert (space.cardinalities >= 2).all()
        assert [len(names) for names in space.option_names] == space.cardinalities.tolist()
        assert all(len(set(names)) == len(names) for names in space.option_names)
        assert space.ordered.shape == space.cardinalities.shape
        assert space.ordered.dtype == bool
        assert isinstance(space.size, int)
        assert 1 < space.size <= np.prod(space.cardinalities.astype(object))

    def test_samples_genomes_in_range(self) -> None:
        """Samples are int16, in range, and follow from the generator alone."""
        space = self.make_space()
        for by in ("size", "choice"):
            genomes = space.sample(GENOMES, np.random.default_rng(0), by=by)
            assert genomes.dtype == np.int16
            assert genomes.shape == (GENOMES, len(space.choices))
            assert (genomes >= 0).all()
            assert (genomes < space.cardinalities).all()
            again = space.sample(GENOMES, np.random.default_rng(0), by=by)
            assert np.array_equal(genomes, again)
            assert space.sample(0, np.random.default_rng(0), by=by).shape == (0, len(space.choices))
        _refuses(SettingsError, lambda: space.sample(1, np.random.default_rng(0), by="luck"))

    def test_decodes_any_genome_in_range(self) -> None:
        """Crossover and mutation need no repair: every combination of genes is an architecture."""
        space = self.make_space()
        rng = np.random.default_rng(1)
        for genome in rng.integers(0, space.cardinalities, size=(GENOMES, len(space.choices))):
            architecture = space.decode(genome)
            assert space.decode(space.encode(architecture)) == architecture

    def test_refuses_genomes_out_of_range(self) -> None:
        """A wrong length, a gene too large and a negative one are errors that say which."""
        space = self.make_space()
        genome = space.sample(1, np.random.default_rng(0))[0]
        for gene in (0, len(genome) - 1):
            for value in (-1, int(space.cardinalities[gene])):
                wrong = genome.copy()
                wrong[gene] = value
                assert str(value) in _refuses(SpaceError, partial(space.decode, wrong))
        _refuses(SpaceError, lambda: space.decode(genome[:-1]))
        _refuses(SpaceError, lambda: space.decode(np.append(genome, 0)))

    # --------------------------------------------------------------------------- encoding, text, equal forms

    def test_encoding_and_text_return_the_architecture(self) -> None:
        """Genome and text hold all that an architecture is."""
        space = self.make_space()
        for architecture in self._draw(space):
            genome = space.encode(architecture)
            assert genome.dtype == np.int16
            assert space.decode(genome) == architecture
            assert space.parse(str(architecture)) == architecture
            assert "\n" not in str(architecture)

    def test_canonical_form_is_a_member_and_stays(self) -> None:
        """The canonical form is idempotent, is written like a member, and is the store's key."""
        space = self.make_space()
        for architecture in self._draw(space):
            canonical = space.canonical(architecture)
            assert canonical.pruned
            assert space.canonical(canonical) == canonical
            assert hash(space.canonical(canonical)) == hash(canonical)
            member = space.parse(str(canonical))
            assert space.canonical(member) == canonical
            assert str(member) == str(canonical) == space.key(space.encode(architecture))
            assert space.literature_key(member) == space.literature_key(canonical)

    def test_multiplicity_counts_members(self) -> None:
        """Where it is known, at least the architecture itself shares its canonical form."""
        space = self.make_space()
        for architecture in self._draw(space)[:20]:
            count = space.multiplicity(architecture)
            assert count is None or 1 <= count <= space.size
            assert count == space.multiplicity(space.canonical(architecture))

    def test_refuses_what_is_no_architecture(self) -> None:
        """Whatever the text, the answer is one line that quotes it or says where it fails."""
        space = self.make_space()
        drawn = [str(architecture) for architecture in self._draw(space)]
        text, other = drawn[0], next(other for other in drawn if other != drawn[0])
        for wrong in ("", "  ", "?", text[:-1], text + other, text.replace(text[len(text) // 2], "é"), "[" * 9999):
            message = _refuses(SpaceError, partial(space.parse, wrong))
            assert len(message) < 1000

    # ---------------------------------------------------------------- what others ask without knowing the family

    def test_paths_are_steps(self) -> None:
        """No step comes twice, names are one line, and equal architectures run the same."""
        space = self.make_space()
        for architecture in self._draw(space)[:20]:
            canonical = space.canonical(architecture)
            for path in (space.path(architecture), space.path(canonical)):
                assert all(isinstance(step, Step) for step in path)
                assert len(set(path)) == len(path)
                assert all(name and "\n" not in name for name in path_names(path))
            assert space.path(space.canonical(space.parse(str(canonical)))) == space.path(canonical)

    def test_shows_its_choices_and_architectures(self) -> None:
        """Reports and predictors read choices, skeletons, pictures and counted parts."""
        space = self.make_space()
        choices = space.describe_choices()
        assert choices
        assert all(choices.values())
        fields = set(Skeleton.__dataclass_fields__)
        for name in space.skeletons:
            described = space.describe_skeleton(name)
            assert set(described) <= fields
            assert described["resolution"] == space.skeleton(name).resolution
        assert space.literature_skeleton() == space.skeleton(space.literature)
        for architecture in self._draw(space)[:20]:
            canonical = space.canonical(architecture)
            for one in (architecture, canonical):
                assert space.picture(one)
                assert space.picture(one, space.skeleton("small"))
            parts = space.count_parts(canonical)
            assert all(count > 0 for counts in parts.values() for count in counts.values())
            assert parts == space.count_parts(space.canonical(space.parse(str(canonical))))

    # ------------------------------------------------------------------------------------ skeletons, networks

    def test_has_a_small_and_a_proxy_skeleton(self) -> None:
        """The two are what a search and its warm start begin with."""
        space = self.make_space()
        assert {"small", "proxy"} <= set(space.skeletons)
        for name in space.skeletons:
            skeleton = space.skeleton(name, classes=7, in_channels=2)
            assert (skeleton.classes, skeleton.in_channels) == (7, 2)
        assert "small" in _refuses(SettingsError, lambda: space.skeleton("smal"))
        _refuses(SettingsError, lambda: space.skeleton("small", colour=3))

    def test_small_networks_learn_from_tiny_images(self) -> None:
        """From 8x8 gray images up, squares or not: finite logits, and a gradient for every parameter on a path."""
        space = self.make_space()
        for resolution, channels in ((8, 1), ((12, 28), 1), (32, 3)):
            skeleton = space.skeleton("small", resolution=resolution, in_channels=channels, classes=3)
            for architecture in self._draw(space)[:NETWORKS]:
                network = build(space, skeleton, space.canonical(architecture))
                logits = network(_images(network.skeleton, 4))
                assert logits.shape == (4, 3)
                assert torch.isfinite(logits).all()
                logits.square().sum().backward()
                assert all(p.grad is not None for p in network.parameters())

    def test_supernet_holds_every_network(self) -> None:
        """A path's logits are those of the network extracted from it, whose keys are the stand-alone one's."""
        space = self.make_space()
        skeleton = space.skeleton("small", resolution=(12, 20))
        supernet = build(space, skeleton).eval()
        for written in self._draw(space)[:NETWORKS]:
            for architecture in (written, space.canonical(written)):
                alone = supernet.extract(architecture)
                images = _images(alone.skeleton, 2)
                with torch.no_grad():
                    path = supernet(images, space.path(architecture))
                    assert torch.allclose(alone(images), path, rtol=1e-5, atol=1e-5)
                assert _shapes(alone) == _shapes(build(space, skeleton, architecture))

    def test_supernet_runs_every_candidate(self) -> None:
        """The paths of `coverage` reach all modules of all slots."""
        space = self.make_space()
        supernet = build(space, space.skeleton("small", resolution=16)).eval()
        seen = set()
        wanted = set()
        for name, slot in supernet.slots():
            assert slot.options
            for key, module in slot.items():
                wanted.add((name, key))
                module.register_forward_hook(lambda *_, at=(name, key): seen.add(at))
        with torch.no_grad():
            for path in supernet.coverage():
                supernet(_images(supernet.skeleton, 2), path)
        assert seen == wanted

    def test_proxy_networks_see_each_kind_of_image(self) -> None:
        """The skeleton of training-free scores builds, and is smaller than the small one's network."""
        space = self.make_space()
        skeleton = space.skeleton("proxy")
        for architecture in self._draw(space)[:NETWORKS]:
            network = build(space, skeleton, space.canonical(architecture))
            assert torch.isfinite(network(_images(network.skeleton, 4))).all()

    def _draw(self, space: Space) -> list[Architecture]:
        return [space.decode(genome) for genome in space.sample(GENOMES, np.random.default_rng(0))]


def _images(skeleton: Skeleton, n: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(n, *skeleton.shape, generator=generator)


def _shapes(network: Network) -> dict[str, torch.Size]:
    return {key: value.shape for key, value in network.state_dict().items()}


def _refuses(error: type[EvonasError], call: Callable[[], object]) -> str:
    """Return the message of the error that a call raises; fail where it raises none, or one of many lines."""
    try:
        call()
    except error as raised:
        message = str(raised)
        assert message, "the error has no message"
        assert "\n" not in message, f"the message has several lines: {message}"
        return message
    raise AssertionError(f"expected {error.__name__}, nothing was raised")
