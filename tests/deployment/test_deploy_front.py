from __future__ import annotations

import pytest

from evonas.deployment.deploy_front import deploy_front, front_deployment_summary
from evonas.errors import ExportError, RunError, SettingsError
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runtime import export as real_export


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    # Few timings: seconds instead of minutes.
    monkeypatch.setattr("evonas.deployment.deploy_steps.REPEATS", 10)
    # The quicker exporter.
    monkeypatch.setattr(
        "evonas.deployment.deploy_steps.export",
        lambda module, example, **options: real_export(module, example, exporter="quick", opset=options["opset"]),
    )


@pytest.mark.parametrize("error", [ExportError, RunError])
def test_every_member_gets_a_folder_and_a_row_and_a_refused_one_its_cause(run, tmp_path, monkeypatch, error):
    with Run.open(run) as opened:
        members = len(read_front(opened))
    assert members > 1
    from evonas.deployment import deploy_front as module

    real = module.deploy

    def refuse_the_last(source, select, *rest, **options):
        if select == f"index:{members - 1}":
            raise error("worse in every figure")
        return real(source, select, *rest, **options)

    # A member whose deploying fails.
    monkeypatch.setattr(module, "deploy", refuse_the_last)
    front = deploy_front(run, tmp_path / "all")
    assert list(front.deployed) == list(range(members - 1))
    assert front.refused == {members - 1: "worse in every figure"}
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == [str(i) for i in range(members - 1)]
    assert all((tmp_path / "all" / str(i) / "model.onnx").is_file() for i in front.deployed)
    lines = front_deployment_summary(front)
    for index, one in front.deployed.items():
        (line,) = (line for line in lines if line.split()[0] == str(index) and line.endswith(one.folder.name))
        assert f"{one.figures.size:,}" in line
    assert lines[-1] == f"{members - 1} was refused: worse in every figure"


def test_settings_that_are_wrong_for_all_are_refused_at_once(run, tmp_path):
    with pytest.raises(SettingsError, match="Did you mean 'int8'"):
        deploy_front(run, tmp_path / "all", quantize="int4")
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "file").touch()
    with pytest.raises(ExportError, match="a folder that holds something"):
        deploy_front(run, tmp_path / "all")


def test_where_all_are_refused_the_first_cause_is_the_error(run, monkeypatch):
    def refuse(*_, **__):
        raise ExportError("worse in every figure")

    # A member whose deploying fails.
    monkeypatch.setattr("evonas.deployment.deploy_front.deploy", refuse)
    with pytest.raises(ExportError, match=r"No member of the front .* the first: worse in every figure"):
        deploy_front(run)
