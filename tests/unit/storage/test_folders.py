"""Reasons why a folder cannot be written to."""

import os
from pathlib import Path

import pytest

from filebot.storage.folders import obstacle, try_writing


@pytest.mark.parametrize("below", ["", "deep/below"])
def test_a_folder_that_is_there_or_can_be_made_has_no_obstacle(tmp_path: Path, below: str) -> None:
    assert obstacle(tmp_path / below) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["", "deep/below"])
@pytest.mark.parametrize(
    ("flags", "reason"), [(0, "Permission denied"), (os.ST_RDONLY, "Read-only file system")]
)
def test_the_obstacle_is_the_systems_error(
    tmp_path: Path, below: str, flags: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(os, "access", lambda place, _: asked.append(place))  # root may do everything
    monkeypatch.setattr(os, "statvfs", lambda _: type("", (), {"f_flag": flags}))
    assert obstacle(tmp_path / below) == reason
    assert asked == [tmp_path]


def test_a_file_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert obstacle(tmp_path / "file") == obstacle(tmp_path / "file" / "below") == "Not a directory"


def test_trying_to_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    assert try_writing(tmp_path, ["blobs", "partial"]) > 0
    assert [file.name for file in tmp_path.rglob("*")] == ["blobs"]


def test_a_closed_folder_below_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blobs").mkdir()
    monkeypatch.setattr(os, "access", lambda place, _: place != tmp_path / "blobs")
    with pytest.raises(PermissionError, match="blobs"):
        try_writing(tmp_path, ["blobs", "partial"])
