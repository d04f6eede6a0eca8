"""Media types of public sample files, and the time that they take beside libmagic alone.

``python -m benchmarks.media_types [--corpus DIR] [--also DIR]... [--blind] [--list]``

The samples are the test documents of Apache Tika and the fixtures of file-type. They are cloned for the
run, or read from ``DIR/tika`` and ``DIR/file-type``. ``--also`` adds a folder of other samples, ``--blind``
hides the names of the files from the inspector, ``--list`` also shows what is unknown.

The expected type is what the corpus itself expects of a name: Tika by its table of types, file-type by its
source. `benchmarks.media_type_truth` says when two types are the same, and lists samples whose name lies.

A sample is *right* if the type found is the expected one or, by Tika's table, a kind of it (RSS for
``.xml``). It is *unknown* if the inspector found ``application/octet-stream``, or ``text/plain`` where some
other text was expected; an expected ``text/plain`` is right. Everything else is *wrong*. Samples that are
empty, or whose name says nothing (``.bin``), do not count.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import magic

from benchmarks.media_type_truth import EXCEPTIONS, FileTypeNames, TikaNames, canonical
from filebot.filetype.inspector import LibmagicInspector

TIKA_URL: Final = "https://github.com/apache/tika"
FILE_TYPE_URL: Final = "https://github.com/sindresorhus/file-type"
RIGHT_GOAL: Final = 0.95
WRONG_GOAL: Final = 0.01
TIME_GOAL: Final = 3.0
SMALL_BYTES: Final = 64 * 1024
ROUNDS: Final = 5


class Sample(NamedTuple):
    """A file and the types that its corpus expects."""

    file: Path
    expected: frozenset[str]


def clone(url: str, target: Path) -> Path:
    """Clone the newest commit of a repository unless it is there."""
    if not target.exists():
        command = [
            "git",
            "clone",
            "--quiet",
            "--depth",
            "1",
            "--filter",
            "blob:limit=20m",
            url,
            str(target),
        ]
        subprocess.run(command, check=True)
    return target


def samples(folder: Path, expected: TikaNames | FileTypeNames, part: str = "") -> Iterator[Sample]:
    """Each sample below a folder that the corpus expects something of."""
    for file in sorted(folder.rglob("*")):
        inner = str(file.relative_to(folder))
        if part not in inner or ".git" in file.parts or file.is_symlink() or not file.is_file():
            continue
        if not file.stat().st_size:
            continue
        exception = EXCEPTIONS.get(file.name)
        kinds = {exception.split()[0].rstrip(",:")} - {"-"} if exception else expected.of_name(file.name)
        if kinds:
            yield Sample(file, frozenset(map(canonical, kinds)))


def verdict(found: str, expected: frozenset[str], tika: TikaNames) -> str:
    """Right, unknown or wrong."""
    found = canonical(found)
    if expected & {found, *tika.supertypes(found)}:
        return "right"
    if found == "application/octet-stream" or (found == "text/plain" and any(map(tika.is_text, expected))):
        return "unknown"
    return "wrong"


class Times:
    """Times of both ways for each small sample; the smallest of some rounds."""

    def __init__(self, inspector: LibmagicInspector) -> None:
        self._inspector = inspector
        self._magic = magic.Magic(mime=True)
        self.ratios: list[float] = []

    def add(self, file: Path) -> None:
        """Measure both in turn, each from the opening of the file."""
        ours: list[float] = []
        plain: list[float] = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            self._magic.from_file(str(file))
            between = time.perf_counter()
            self._inspector.examine(file, file.name, None)
            plain.append(between - started)
            ours.append(time.perf_counter() - between)
        self.ratios.append(min(ours) / min(plain))


def score(name: str, corpus: list[Sample], tika: TikaNames, options: argparse.Namespace) -> Counter[str]:
    """Print how many samples of a corpus are right, and each that is wrong."""
    inspector = LibmagicInspector()
    counts: Counter[str] = Counter()
    lines = []
    for file, expected in corpus:
        found = inspector.examine(file, "" if options.blind else file.name, None).media_type
        result = verdict(found, expected, tika)
        counts[result] += 1
        if result == "wrong" or (result == "unknown" and options.list):
            lines.append(f"  {result}: {file.name}: {found}, expected {' or '.join(sorted(expected))}")
    total = counts.total()
    shares = ", ".join(f"{counts[kind] / total:.1%} {kind}" for kind in ("right", "unknown", "wrong"))
    print(f"{name}: {total} samples, {shares}")
    for line in lines:
        print(line)
    return counts


def main() -> int:
    """Score all corpora and compare the times. Return 1 if a goal was missed."""
    parser = argparse.ArgumentParser(description="Score the media types of public samples.")
    parser.add_argument("--corpus", type=Path, help="folder with copies of tika and file-type")
    parser.add_argument("--also", type=Path, action="append", default=[], help="folder of other samples")
    parser.add_argument("--blind", action="store_true", help="hide the names of the files")
    parser.add_argument("--list", action="store_true", help="also show what is unknown")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = options.corpus or Path(temporary)
        tika_folder = clone(TIKA_URL, root / "tika")
        file_type_folder = clone(FILE_TYPE_URL, root / "file-type")
        tika = TikaNames(tika_folder)
        corpora = {
            "tika": list(samples(tika_folder, tika, "test-documents")),
            "file-type": list(samples(file_type_folder / "fixture", FileTypeNames(file_type_folder))),
        }
        corpora |= {str(folder): list(samples(folder, tika)) for folder in options.also}
        counts: Counter[str] = Counter()
        for name, corpus in corpora.items():
            counts += score(name, corpus, tika, options)
        times = Times(LibmagicInspector())
        for corpus in corpora.values():
            for file, _ in corpus:
                if file.stat().st_size <= SMALL_BYTES:
                    times.add(file)
    right, wrong = counts["right"] / counts.total(), counts["wrong"] / counts.total()
    ratio = median(times.ratios)
    print(f"all: {right:.1%} right (goal {RIGHT_GOAL:.0%}), {wrong:.1%} wrong (goal {WRONG_GOAL:.0%})")
    print(f"time of {len(times.ratios)} small files: {ratio:.2f} x libmagic (goal {TIME_GOAL} x, median)")
    return 0 if right >= RIGHT_GOAL and wrong <= WRONG_GOAL and ratio <= TIME_GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
