"""The files for people who join the project name paths and make targets that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("CONTRIBUTING.md", "SECURITY.md")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_linked_and_quoted_paths_exist(document: str) -> None:
    text = read(document)
    linked = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    quoted = re.findall(r"`((?:docs|filebot|plugins|scripts|tests)/[\w./-]*)`", text)
    typed = re.findall(r"(?:pytest|python) ((?:tests|scripts)/\S+?\.py)", text)
    assert [path for path in linked + quoted + typed if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", [*DOCUMENTS, "README.md"])
def test_named_make_targets_exist(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", read(document), re.MULTILINE)) <= targets


def test_issue_template_for_bugs_asks_for_what_is_needed_to_repeat_one() -> None:
    asked = re.findall(r"^    id: (\w+)$", read(".github/ISSUE_TEMPLATE/bug.yml"), re.MULTILINE)
    assert {"client", "server", "version", "typed", "came"} <= set(asked)


def test_pre_commit_runs_the_tools_of_the_checkout() -> None:
    entries = re.findall(r"^ +entry: (\S+)", read(".pre-commit-config.yaml"), re.MULTILINE)
    assert {Path(entry).name for entry in entries} == {"ruff", "mypy"}
    assert all(entry.startswith(".venv/bin/") for entry in entries)
