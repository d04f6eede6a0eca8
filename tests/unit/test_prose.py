"""Docstrings and comments open with a verb or a noun, never with a clause that hides the subject."""

import ast
import re
import subprocess
import tokenize
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("filebot", "plugins", "scripts", "benchmarks", "examples", "tests")
OPENING = re.compile(r"(What|Who|Whose|Those|As|Of)\b")

Text = tuple[int, str]
"""Line and words of a docstring or comment."""


def tracked_files() -> list[str]:
    """Return the Python files of the repository, in the order of their paths."""
    listing = ["git", "ls-files", "-z", "--", *(f"{folder}/*.py" for folder in FOLDERS)]
    try:
        found = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git checkout")
    return sorted(path for path in found.stdout.split("\0") if (ROOT / path).is_file())


def docstrings(source: str) -> Iterator[Text]:
    """Yield the docstrings of modules, classes, functions and attributes."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(ast.Constant(str() as text)):
                yield node.lineno, text.strip()


def comments(source: str) -> Iterator[Text]:
    """Yield each comment once; a block of lines without code between them is one comment."""
    end = 0
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            is_alone = not token.line[: token.start[1]].strip()
            if not (is_alone and token.start[0] == end + 1):
                yield token.start[0], token.string.lstrip("#: ")
            end = token.start[0] if is_alone else 0


def faults(path: str, source: str) -> list[str]:
    """Return where a docstring or comment opens with one of the words, as ``file:line: text``."""
    texts = sorted([*docstrings(source), *comments(source)])
    return [f"{path}:{line}: {text.splitlines()[0]}" for line, text in texts if OPENING.match(text)]


def test_no_docstring_and_no_comment_hides_its_subject() -> None:
    found = [
        fault
        for path in tracked_files()
        for fault in faults(path, (ROOT / path).read_text(encoding="utf-8"))
    ]
    assert not found, "open these with a verb or a noun:\n" + "\n".join(found)


@pytest.mark.parametrize("word", ["What", "Who", "Whose", "Those", "As", "Of"])
def test_each_word_is_found_wherever_it_opens_a_text(word: str) -> None:
    source = (
        f'"""{word} is it."""\n'
        f"LIMIT = 1  # {word} is it\n"
        f'"""\n{word} is it."""\n'
        f"# {word} is it,\n"
        f"# {word} again\n"
        "def each() -> None:\n"
        f'    """{word} is it."""\n'
    )
    assert faults("a.py", source) == [
        f"a.py:1: {word} is it.",
        f"a.py:2: {word} is it",
        f"a.py:3: {word} is it.",
        f"a.py:5: {word} is it,",
        f"a.py:8: {word} is it.",
    ]


def test_other_words_and_later_lines_are_left_alone() -> None:
    source = '"""Whatever is it.\n\nWhat follows."""\n# Asks for it.\n# Often.\ntext = "# What"\n'
    assert faults("a.py", source) == []
