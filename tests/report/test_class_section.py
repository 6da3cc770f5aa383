from __future__ import annotations

import json

import numpy as np

from evonas.report.class_section import class_section, read_class_reports
from evonas.tasks.class_report import report_classes

ANSWERS = np.array([0, 0, 1, 1])
REPORT = report_classes(np.array([0, 0, 0, 1]), ANSWERS, np.eye(2)[ANSWERS], ("<b>cat", "dog"))


def write(models, name, content):
    (models / name).mkdir(parents=True)
    (models / name / "training.json").write_text(json.dumps(content))


def test_trainings_are_shown_the_latest_first_and_names_are_inert(tmp_path):
    content = REPORT.to_content()
    write(tmp_path, "older", {"finished": "2026-01-01", "classes": content})
    write(tmp_path, "newer", {"finished": "2026-02-01", "classes": content})
    page = class_section(read_class_reports(tmp_path))
    assert page.index("newer") < page.index("older")
    assert "&lt;b&gt;cat" in page
    assert "<b>cat" not in page
    assert "66.7" in page  # recall of the cats, in percent
    assert "accuracy (%)" in page
    assert "--part:67%" in page  # as dark in the confusion matrix
    assert "always &lt;b&gt;cat" in page


def test_records_without_classes_and_damaged_ones_are_left_out(tmp_path):
    write(tmp_path, "old", {"finished": "2026-01-01"})
    write(tmp_path, "damaged", {"finished": "2026-01-01", "classes": {"names": ["a"], "confusion": [[3, 0, 1]]}})
    assert read_class_reports(tmp_path) == {}
    assert class_section({}) == ""
