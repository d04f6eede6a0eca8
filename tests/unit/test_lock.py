"""requirements.lock has everything that pyproject.toml asks for, within its bounds, each by hash."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def wanted() -> list[Requirement]:
    """Return what filebot, its extras, its development tools and its build need."""
    project = PROJECT["project"]
    extras: dict[str, list[str]] = project.get("optional-dependencies", {})
    lines: list[str] = [
        *project["dependencies"],
        *(line for extra in extras.values() for line in extra),
        *PROJECT["dependency-groups"]["dev"],
        *PROJECT["build-system"]["requires"],
    ]
    return [Requirement(line) for line in lines]


def locked() -> dict[str, tuple[Requirement, list[str]]]:
    """Return each locked requirement with its hashes, by name."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    found: dict[str, tuple[Requirement, list[str]]] = {}
    for entry in re.split(r"\n(?=\S)", text.strip()):
        if not entry.startswith("#"):
            line, *hashes = entry.replace("\\\n", "\n").splitlines()
            requirement = Requirement(line)
            found[canonicalize_name(requirement.name)] = (requirement, [each.strip() for each in hashes])
    return found


@pytest.mark.parametrize("requirement", wanted(), ids=str)
def test_lock_is_within_the_bounds(requirement: Requirement) -> None:
    pinned, _ = locked()[canonicalize_name(requirement.name)]
    [pin] = pinned.specifier
    assert requirement.specifier.contains(pin.version, prereleases=True), "run make lock"


def test_every_entry_is_one_version_with_its_hashes() -> None:
    entries = locked()
    assert len(entries) > len(PROJECT["project"]["dependencies"])
    for requirement, hashes in entries.values():
        assert [pin.operator for pin in requirement.specifier] == ["=="], requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", each) for each in hashes), requirement


def test_slixmpp_is_bounded_to_one_minor_version() -> None:
    [slixmpp] = [each for each in wanted() if each.name == "slixmpp"]
    assert str(slixmpp.specifier) == "<1.18,>=1.17"
