from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from evonas.report import gather
from evonas.report.importance_section import importance_section
from evonas.runs.run import Run
from evonas.spaces import load_space


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
    assert "over 200 evaluated architectures" in html
    assert "of the 100% that all of them do" in html


def test_nothing_is_said_of_few_or_of_a_space_that_is_gone(make_run):
    contents = read(make_run(n=40))
    assert importance_section(contents)
    assert importance_section(replace(contents, settings={**contents.settings, "space": "gone.toml"})) == ""
    few = replace(contents, texts=contents.texts[:10], values=contents.values[:10])
    assert importance_section(few) == ""
