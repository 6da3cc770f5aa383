from __future__ import annotations

import csv

from evonas.data.skipped import Skipped, skipped_sentence
from evonas.deployment.member import note_skipped
from evonas.runs.run import Run

TORN = [Skipped("test", "test/cat/1.png", "image file is truncated"), Skipped("test", "=2.png", "broken")]


def test_test_images_that_cannot_be_decoded_join_the_list_once(make_run):
    path = make_run()
    with Run.open(path, write=True) as run:
        note_skipped(run, TORN[:1])
        note_skipped(run, TORN)
        note_skipped(run, TORN)
    rows = list(csv.reader((path / "skipped.csv").read_text().splitlines()))
    assert rows == [
        ["part", "name", "reason"],
        ["test", "test/cat/1.png", "image file is truncated"],
        ["test", "'=2.png", "broken"],
    ]


def test_the_sentence_names_three_and_counts_the_others():
    words = skipped_sentence([Skipped("test", f"{i}.png", "torn") for i in range(5)], "test images")
    assert words == "Skipped 5 test images that cannot be read: 0.png, 1.png, 2.png and 2 more (torn)"
