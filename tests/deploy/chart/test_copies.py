"""Alerts and dashboards in the chart are those of deploy/."""

from pathlib import Path

import pytest

from deploy.chart.copies import COPIES, Copy, differing, main


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (source / "one.yaml").write_text("one: 1\n")
    (source / "README.md").write_text("no rule")
    return Copy(source, "*.yaml", target)


def test_the_charts_copies_are_those_of_their_sources() -> None:
    assert [] == differing(COPIES)


def test_every_source_has_something() -> None:
    for copy in COPIES:
        assert copy.wanted(), copy.source


def test_what_is_missing_outdated_or_too_many_is_found(copy: Copy, capsys: pytest.CaptureFixture[str]) -> None:
    copy.target.mkdir()
    (copy.target / "old.yaml").write_text("old: 1\n")

    assert [copy.target / "old.yaml", copy.target / "one.yaml"] == differing([copy])
    assert 1 == main(["--check"], [copy])
    assert "old.yaml is not its source's copy" in capsys.readouterr().err
    assert not (copy.target / "one.yaml").exists()


def test_writing_makes_both_equal(copy: Copy) -> None:
    copy.target.mkdir()
    (copy.target / "old.yaml").write_text("old: 1\n")

    assert 0 == main([], [copy])

    assert {"one.yaml": "one: 1\n"} == {file.name: file.read_text() for file in copy.target.iterdir()}
    assert 0 == main(["--check"], [copy])
