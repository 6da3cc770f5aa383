from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from evonas.report import gather
from evonas.report.importance_section import importance_section
from evonas.runs.run import Run
from evonas.spaces import Candidate, load_space


def read(path):
    with Run.open(path) as run:
        return gather(run)


def test_the_choice_that_decides_comes_first_with_its_options_by_name(make_run):
    contents = read(make_run(n=200))
    space = load_space("darts")
    place = space.choices.index("normal.5.operation0")
    genes = np.array([space.encode(space.parse(text))[place] for text in contents.texts])
    best = space.option_names[place].index("sep_conv_5x5")
    values = contents.values.copy()
    values[:, 0] = 0.5 + 0.1 * (genes == best)
    html = importance_section(replace(contents, values=values))
    first = re.search(r"<tbody><tr>(.*?)</tr>", html)
    assert first is not None
    assert "normal.5.operation0" in first[1]
    assert "sep_conv_5x5 (+0.0" in first[1]
    assert "fitted to 200 evaluated architectures" in html
    share = re.search(r"predicts (\d+)% of the spread of those left out", html)
    assert share is not None
    assert 90 <= int(share[1]) <= 100


def test_a_resolution_that_candidates_chose_is_one_of_the_choices(make_run):
    contents = read(make_run(n=40))
    space = load_space("efficientnet_lite")
    rng = np.random.default_rng(0)
    forms = [space.canonical(space.decode(genome)) for genome in space.sample(200, rng)]
    sides = rng.choice([64, 96], 200)
    texts = tuple(
        str(Candidate(form, resolution=(int(side), int(side)))) for form, side in zip(forms, sides, strict=True)
    )
    values = np.column_stack([0.5 + 0.004 * sides, np.ones((200, contents.values.shape[1] - 1))])
    settings = {**contents.settings, "space": "efficientnet_lite"}
    html = importance_section(replace(contents, settings=settings, texts=texts, values=values))
    first = re.search(r"<tbody><tr>(.*?)</tr>", html)
    assert first is not None
    assert ">resolution<" in first[1]
    assert "96x96 (+0.0" in first[1]


def test_nothing_is_said_of_few_or_of_a_space_that_is_gone(make_run):
    contents = read(make_run(n=200))
    space = load_space("darts")
    genes = np.array([space.encode(space.parse(text))[0] for text in contents.texts])
    contents = replace(contents, values=np.column_stack([0.1 * genes, contents.values[:, 1:]]))
    assert importance_section(contents)
    assert importance_section(replace(contents, settings={**contents.settings, "space": "gone.toml"})) == ""
    few = replace(contents, texts=contents.texts[:10], values=contents.values[:10])
    assert importance_section(few) == ""
