"""Adaptation of published weights: phases, statistics that are kept, and the classifier by regression."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from torch import nn

from evonas.data import load_data
from evonas.networks import EVERY_PATH, build
from evonas.spaces import load_space
from evonas.supernet import PathEvaluator
from evonas.supernet.adaptation import Adaptation, adapt, plan_adaptation, statistics_of_norms
from evonas.supernet.classifier import PENALTIES, features_of, fit_classifier, fit_layer, last_layer
from evonas.tasks import Classification, make_task


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    pixels = rng.integers(0, 120, (120, 16, 16, 3))
    pixels[np.arange(120), :, :, labels] += 100  # a class is a color
    path = tmp_path_factory.mktemp("data") / "colors.npz"
    np.savez(path, x_train=pixels[:90].astype(np.uint8), y_train=labels[:90],
             x_test=pixels[90:].astype(np.uint8), y_test=labels[90:])  # fmt: skip
    return load_data(path)


@pytest.fixture
def supernet(images):
    space = load_space("efficientnet_lite")
    skeleton = space.skeleton("small", classes=3, resolution=16, width=0.1)
    return build(space.under(skeleton), skeleton, seed=2)


def run(supernet, images, plan, seed=0):
    space = supernet.space
    smallest, largest = space.extremes()
    return adapt(
        supernet, images, plan, make_task(images), seed=seed,
        smallest=space.path(smallest), largest=space.path(largest),
        sample=lambda rng: space.path(space.decode(space.sample(1, rng, by="choice")[0])),
    )  # fmt: skip


def norms(network):
    names = ("running_mean", "running_var", "num_batches_tracked")
    return {key: value.clone() for key, value in network.state_dict().items() if key.endswith(names)}


def test_phases_train_and_keep_the_statistics_of_norms(supernet, images):
    before, weights = norms(supernet), supernet.state_dict()["features.0.weight"].clone()
    history = run(supernet, images, Adaptation(largest=4, sandwich=2, batch_size=16, lr=1e-4))
    assert [row["phase"] for row in history] == [1, 1, 1, 1, 2, 2]
    assert history[3]["loss"] < history[0]["loss"]
    after = norms(supernet)
    assert all(torch.equal(value, after[key]) for key, value in before.items())
    assert not torch.equal(weights, supernet.state_dict()["features.0.weight"])
    assert not any(module.training for module in supernet.modules())


def test_it_depends_on_its_arguments_alone(images):
    space = load_space("efficientnet_lite")
    skeleton = space.skeleton("small", classes=3, resolution=16, width=0.1)
    states = []
    for seed in (0, 0, 1):
        network = build(space.under(skeleton), skeleton, seed=2)
        run(network, images, Adaptation(largest=1, sandwich=1, batch_size=16), seed)
        torch.rand(3)
        states.append(network.state_dict())
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())
    assert any(not torch.equal(value, states[2][key]) for key, value in states[0].items())


def test_only_the_classifier_is_fitted_where_there_are_no_epochs(supernet, images):
    before = {key: value.clone() for key, value in supernet.state_dict().items()}
    assert run(supernet, images, plan_adaptation(60, 0)) == []
    changed = {key for key, value in supernet.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {"classifier.0.weight", "classifier.0.bias"}
    assert run(supernet, images, plan_adaptation(60, 0, own_classes=True)) == []


def test_the_classifier_is_logistic_regression(images):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 12)) * rng.uniform(0.1, 5, 12) + 1
    labels = (features @ rng.normal(size=(12, 3)) + rng.gumbel(size=(200, 3))).argmax(1)
    layer = nn.Linear(12, 3)
    fit_layer(layer, torch.from_numpy(features), torch.from_numpy(labels), Classification(3))
    standard = (features - features.mean(0)) / features.std(0, ddof=1)
    ours = layer(torch.from_numpy(features).float()).softmax(1).detach().numpy()
    distances = []
    for penalty in PENALTIES:
        theirs = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=2000).fit(standard, labels)
        distances.append(np.abs(ours - theirs.predict_proba(standard)).max())
    assert min(distances) < 1e-3
    held = []
    for penalty in PENALTIES:  # the penalty is the one that does best on the last fifth
        theirs = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=2000).fit(standard[:160], labels[:160])
        held.append(log_loss(labels[160:], theirs.predict_proba(standard[160:])))
    assert int(np.argmin(distances)) == int(np.argmin(held))


def test_fitting_the_classifier_learns_the_classes(supernet, images):
    path = supernet.space.path(supernet.space.extremes()[1])
    task = make_task(images)
    features = features_of(supernet, images.train.images, images, path)
    assert features.shape == (len(images.train), last_layer(supernet).in_features)
    loss = fit_classifier(supernet, images, path, task)
    with torch.no_grad():
        logits = supernet.eval()(images.normalize(images.train.images), path)
    assert loss == pytest.approx(float(task.loss(logits, images.train.labels)), abs=1e-3)
    assert loss < np.log(3) / 2


def test_epochs_follow_from_the_number_of_images():
    few, many = plan_adaptation(400), plan_adaptation(10_000)
    assert (few.largest, few.sandwich) == (12, 12)
    assert (many.largest, many.sandwich) == (1, 1)
    assert (plan_adaptation(400, 10).largest, plan_adaptation(400, 10).sandwich) == (4, 6)


def test_batch_statistics_are_used_and_not_taken_over(supernet, images):
    path = supernet.space.path(supernet.space.extremes()[0])
    before = norms(supernet)
    batch = images.normalize(images.train.images[:8])
    with torch.no_grad():
        kept, plain = supernet.eval()(batch, path), None
        with statistics_of_norms(supernet, "batch"):
            plain = supernet(batch, path)
        assert not torch.allclose(kept, plain, atol=1e-4)
        assert torch.equal(kept, supernet(batch, path))
    assert all(torch.equal(value, norms(supernet)[key]) for key, value in before.items())


def test_the_largest_path_is_read_with_published_statistics(supernet, images):
    smallest, largest = supernet.space.extremes()
    supernet.kept_statistics = str(largest)
    evaluator = PathEvaluator(supernet.eval(), images, images.search, memory=2**24)
    with torch.no_grad():
        expected = supernet(images.normalize(images.search.images), supernet.space.path(largest))
    task = make_task(images)
    for _ in range(2):  # the second time from what was kept
        assert evaluator(largest)["loss"] == pytest.approx(float(task.loss(expected, images.search.labels)), rel=1e-4)
        assert evaluator(smallest)["loss"] > 0
    carried = evaluator.prepare(largest).state_dict()["stem.1.running_mean"]
    assert torch.equal(carried, supernet.state_dict()["stem.1.running_mean"])
    other = evaluator.prepare(smallest).state_dict()["stem.1.running_mean"]
    assert not torch.equal(other, carried)


def test_every_path_may_be_trained_and_read_with_published_statistics(supernet, images):
    smallest = supernet.space.extremes()[0]
    supernet.kept_statistics = EVERY_PATH
    calls = []
    stem = supernet.stem[1]
    stem.register_forward_pre_hook(lambda norm, _: calls.append(norm.training))
    run(supernet, images, Adaptation(classifier=False, largest=0, sandwich=1, batch_size=45))
    assert set(calls) == {False}
    evaluator = PathEvaluator(supernet.eval(), images, images.search)
    with torch.no_grad():
        expected = supernet(images.normalize(images.search.images), supernet.space.path(smallest))
    loss = float(make_task(images).loss(expected, images.search.labels))
    assert evaluator(smallest)["loss"] == pytest.approx(loss, rel=1e-4)
    carried = evaluator.prepare(smallest).state_dict()["stem.1.running_mean"]
    assert torch.equal(carried, supernet.state_dict()["stem.1.running_mean"])


def test_it_ends_within_an_epoch_once_it_is_over(supernet, images):
    asked = iter([False, False, True])
    space = supernet.space
    smallest, largest = space.extremes()
    history = adapt(
        supernet, images, Adaptation(largest=2, sandwich=2, batch_size=16), make_task(images),
        smallest=space.path(smallest), largest=space.path(largest), sample=lambda rng: space.path(smallest),
        over=lambda: next(asked),
    )  # fmt: skip
    assert [(row["phase"], row.get("cut")) for row in history] == [(1, 3.0)]
    assert not supernet.training
