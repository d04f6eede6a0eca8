"""Files that others can write are not trusted, wherever on the way to them they can."""

import os
from pathlib import Path

import pytest

from filebot.system.ownership import weakness

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
SOMEBODY = 65_534


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "outer/inner").mkdir(parents=True)
    made = tmp_path / "outer/inner/file.py"
    made.touch()
    return made


def test_what_only_its_owner_writes_is_fine(file: Path) -> None:
    assert weakness(file) is None
    assert weakness(file.parent) is None
    assert weakness(file.parent / "not/there/yet") is None


@pytest.mark.parametrize("mode", [0o660, 0o606, 0o666])
def test_a_file_that_others_write_is_named_with_the_remedy(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert weakness(file) == f"{file} can be written by others; run chmod go-w {file}"


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
@pytest.mark.parametrize("above", [1, 2])
def test_a_folder_above_that_others_write_is_named(file: Path, mode: int, above: int) -> None:
    folder = file.parents[above - 1]
    folder.chmod(mode)
    for place in (file, file.parent, file.parent / "new"):
        assert weakness(place) == f"{folder} can be written by others; run chmod go-w {folder}"


def test_below_a_sticky_folder_only_what_is_of_others_counts(file: Path) -> None:
    file.parents[1].chmod(0o1777)
    assert weakness(file) is None
    assert weakness(file.parent) is None
    file.parent.chmod(0o1777)
    assert weakness(file) is None
    assert weakness(file.parent) is not None  # others may add to it


@as_root
@pytest.mark.parametrize("above", [0, 1, 2])
def test_what_belongs_to_somebody_else_is_named_with_the_remedy(file: Path, above: int) -> None:
    place = [file, *file.parents][above]
    os.chown(place, SOMEBODY, -1)
    said = weakness(file)
    assert said is not None
    assert said.startswith(f"{place} belongs to nobody, who could change it; run chown root {place}, or ")


@as_root
def test_what_belongs_to_root_is_fine_for_everybody(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)
    assert weakness(file) is None
    os.chown(file, SOMEBODY, -1)
    assert weakness(file) is None


@pytest.mark.parametrize("absolute", [True, False])
def test_links_are_followed_and_all_on_their_way_is_judged(file: Path, absolute: bool) -> None:
    link = file.parents[2] / "link"
    link.symlink_to(file.parents[1] if absolute else Path("outer"))
    assert weakness(link / "inner/file.py") is None
    assert weakness(link / "inner/../inner/file.py") is None
    file.parents[1].chmod(0o777)
    assert weakness(link / "inner/file.py") is not None


@as_root
def test_a_link_of_somebody_else_is_refused_where_everybody_can_make_one(file: Path) -> None:
    shared = file.parents[1]
    shared.chmod(0o1777)
    link = shared / "link"
    link.symlink_to(file)
    assert weakness(link) is None
    os.lchown(link, SOMEBODY, -1)
    assert weakness(link) is not None


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert weakness(tmp_path / "a/x") is None


def test_a_hostile_name_stays_on_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "a\nb c"
    folder.mkdir()
    folder.chmod(0o777)
    said = weakness(folder)
    assert said is not None
    assert said.splitlines() == [said]
    assert said.endswith(f"chmod go-w '{tmp_path}/a b c'")
