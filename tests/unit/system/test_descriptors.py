"""File descriptors: the limit is raised, and what is given out always leaves a reserve."""

import errno
import resource

import pytest

from filebot.errors import NoDescriptors
from filebot.storage.file_system import storage_errors
from filebot.system import descriptors
from filebot.system.descriptors import PER_SLOT, RESERVE, budget, is_shortage, raise_limit
from filebot.transfer.http.errors import peer_errors


@pytest.mark.parametrize("limit", [256, 512, 1024, 2048, 4096, 20_000, 1_000_000])
def test_all_that_is_given_out_leaves_the_reserve(limit: int) -> None:
    share = budget(limit)
    assert 2 * share.slots * PER_SLOT + share.handshakes + share.dials + RESERVE <= limit


@pytest.mark.parametrize("limit", [16, 64, 128])
def test_very_few_descriptors_are_enough_for_something(limit: int) -> None:
    assert budget(limit).slots >= 2


def test_what_is_wanted_is_enough_for_all() -> None:
    assert budget(descriptors.WANTED) == budget(10**6)
    assert budget(descriptors.WANTED).slots == descriptors.MOST_SLOTS


@pytest.mark.parametrize(
    ("limits", "after"),
    [
        ((1024, 524_288), (4096, 524_288)),
        ((1024, 2048), (2048, 2048)),
        ((1024, resource.RLIM_INFINITY), (4096, resource.RLIM_INFINITY)),
        ((8192, 524_288), (8192, 524_288)),
        ((256, 256), (256, 256)),
    ],
)
def test_the_soft_limit_is_raised_to_the_hard_one_up_to_what_is_wanted(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], after: tuple[int, int]
) -> None:
    now = list(limits)
    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(now))
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: now.__setitem__(slice(None), wanted))
    assert raise_limit() == after[0]
    assert tuple(now) == after


def test_a_system_that_does_not_allow_it_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuses)
    assert raise_limit() == 256


def test_a_shortage_is_known_by_its_number_also_behind_other_errors() -> None:
    outer = ValueError("wrapped")
    outer.__cause__ = OSError(errno.EMFILE, "too many")
    assert is_shortage(outer)
    assert is_shortage(OSError(errno.ENFILE, "too many"))
    assert not is_shortage(OSError(errno.ENOENT, "none"))


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_a_shortage_met_by_storage_or_http_is_told_as_what_it_is(number: int) -> None:
    with pytest.raises(NoDescriptors), storage_errors():
        raise OSError(number, "too many open files")
    with pytest.raises(NoDescriptors), peer_errors("example.org", 60):
        raise OSError(number, "too many open files")
