"""The queue of the catalog through ``kill -9``, with real processes."""

import json
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filebot.jobs.worker import MOST_RUNNING, MOST_TRIES
from tests.support import job_process
from tests.support.job_process import JOBS

KILLS = 7
ACTS = ("add", "rename", "remove")
assert KILLS < MOST_TRIES  # else a job that all of them meet is given up


class Process:
    """A process, and what it says."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        self._running = running

    def says(self, lines: int) -> list[str]:
        """Wait for so many lines."""
        assert self._running.stdout is not None
        return [self._running.stdout.readline().strip() for _ in range(lines)]

    def says_to_its_end(self) -> list[str]:
        assert self._running.stdout is not None
        return [line.strip() for line in self._running.stdout]

    def killed(self) -> list[str]:
        """Kill it and return what it had said."""
        self._running.kill()
        return self.says_to_its_end()


@contextmanager
def process(folder: Path, what: str) -> Iterator[Process]:
    """Run a process that is killed at the end of the context."""
    command = [sys.executable, "-m", job_process.__name__, str(folder), what]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield Process(running)
        finally:
            running.kill()


def query(folder: Path, statement: str) -> list[str]:
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog:
        return [row[0] for row in catalog.execute(statement)]


def test_a_thousand_jobs_survive_kills_and_each_is_done(tmp_path: Path) -> None:
    with process(tmp_path, "fill") as running:
        assert running.says(1) == ["filled"]
    chance, done = random.Random(1), Counter[str]()
    for _ in range(KILLS):
        with process(tmp_path, "work") as running:
            done.update(running.says(chance.randrange(30, 120)) + running.killed())
    assert len(done) < JOBS  # the kills came while there was something to do
    with process(tmp_path, "work") as running:
        done.update(running.says_to_its_end())
    assert set(done) == {str(number) for number in range(JOBS)}
    assert sum(done.values()) - JOBS <= KILLS * MOST_RUNNING  # those under way at a kill
    assert query(tmp_path, "SELECT payload FROM jobs") == []


def test_a_change_and_its_job_are_there_together_or_not_at_all(tmp_path: Path) -> None:
    chance, said = random.Random(2), set[str]()
    for _ in range(KILLS):
        with process(tmp_path, "change") as running:
            said |= {*running.says(chance.randrange(20, 200)), *running.killed()}
        brought = [json.loads(jobs) for jobs in query(tmp_path, "SELECT jobs FROM outbox")]
        recorded = query(tmp_path, "SELECT payload FROM jobs")
        recorded += [payload for row in brought for payload, *_ in row]
        assert len(set(recorded)) == len(recorded)
        assert said <= set(recorded)
        of = {
            what: {id_ for each in recorded for act, id_ in [each.split()] if act == what} for what in ACTS
        }
        there = set(map(str, query(tmp_path, "SELECT id FROM entries")))
        assert of["add"] - of["remove"] == there
        renamed = set(map(str, query(tmp_path, "SELECT id FROM entries WHERE name = 'b'")))
        assert of["rename"] - of["remove"] == renamed
        assert query(tmp_path, "PRAGMA integrity_check") == ["ok"]
