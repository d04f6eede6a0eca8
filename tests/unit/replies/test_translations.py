"""Every message of every template is translated, and every error that people meet has words."""

import importlib.util
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from filebot import errors
from filebot.replies import Replies
from filebot.replies.catalogues import LANGUAGES

PLUGINS = Path(__file__).parents[3] / "plugins"
ROOTS = (errors.UserError, errors.TransferError, errors.StorageError)

UNREACHED: tuple[errors.ServerNotReached, ...] = (
    errors.NoSuchHost("files.example.org"),
    errors.NoSuchHost("files.example.org", temporary=True),
    errors.ConnectionRefused("files.example.org"),
    errors.HostUnreachable("files.example.org"),
    errors.ConnectionReset("files.example.org"),
    errors.ServerTimeout("files.example.org", idle_s=60.0),
    *(
        errors.CertificateInvalid("files.example.org", reason=reason, detail="not accepted")
        for reason in ("expired", "early", "self-signed", "unknown", "")
    ),
    errors.CertificateMismatch("files.example.org"),
    errors.TlsFailed("files.example.org", "NO_PROTOCOLS_AVAILABLE"),
    errors.ServerNotReached("files.example.org", "some other cause"),
)
"""One for each sentence about a web server that was not reached."""

CAUSES: tuple[errors.FilebotError, ...] = (
    errors.TooLargeForService(size_bytes=2_000, limit_bytes=1_000),
    errors.TooLargeForService(size_bytes=2_000, limit_bytes=None),
    errors.NoUploadService(),
    errors.ServiceQuotaReached(retry_at=datetime(2030, 1, 1, tzinfo=UTC)),
    errors.ServiceQuotaReached(retry_at=None),
    errors.ServiceRefused(),
    errors.TooSlowInBand(seconds=4000.0),
    errors.NoTransferMethod(method=None),
    errors.NoTransferMethod(method=None, is_online=True),
    errors.Refused(status=403),
    errors.TransferTimeout(idle_s=60.0),
    errors.PeerGone(),
    errors.PeerProtocolError(),
    *map(errors.UploadServiceNotReached, UNREACHED),
    errors.UploadServiceForbidden("up.example.org", reason="private"),
    errors.LinkDead("up.example.org"),
)
"""Errors that may keep a file from being delivered."""

SAMPLES: tuple[errors.FilebotError, ...] = (
    errors.FileTooLarge(size_bytes=2_100_000_000, limit_bytes=1_000_000_000),
    errors.FileTooLarge(size_bytes=None, limit_bytes=1_000_000_000),
    errors.FileTooLarge(size_bytes=2_100_000_000, limit_bytes=1_000_000_000, of_room=True),
    errors.FileTooLarge(size_bytes=None, limit_bytes=1_000_000_000, of_room=True),
    errors.EmptyFile(),
    errors.FileGone(),
    errors.QuotaExceeded(size_bytes=5_000, used_bytes=9_999, limit_bytes=10_000),
    errors.TooManyFiles(count=20, limit=10),
    errors.TooManyFiles(count=31, limit=10, left_out=tuple("abcdefghijklmnopqrstu")),
    errors.TooManyFiles(count=11, limit=10, wildcard="IMG*"),
    errors.TooManyRequests(),
    errors.MessageTooLong(length=200_000, limit=4_000),
    errors.NoSuchEntry("reprot.pdf", suggestions=("report.pdf",)),
    errors.NoSuchEntry("x"),
    errors.AmbiguousName("rep", candidates=("report.pdf", "reply.txt")),
    errors.DuplicateName("plan.txt", ids=(4, 2)),
    errors.FileInSeveralRooms("plan.txt", ((4, "team@muc.example.org"), (2, "ops@muc.example.org"))),
    errors.Bounced("plan.txt", target="bob@example.org", is_room=False, condition="item-not-found"),
    *(
        errors.NotAllowed(reason=r)
        for r in (
            "hidden",
            "unserved",
            "owner",
            "voice",
            "mute",
            "members",
            "left",
            "room",
            "unseen",
            "member",
            "admin",
        )
    ),
    *(errors.NoHistory("den@muc.example.org", reason=r) for r in ("closed", "off", "ids", "lost")),
    errors.BadRoomSetting("archive", "maybe", known=True, available={"archive": "on|off"}),
    errors.BadRoomSetting("size", "", known=False, available={"archive": "on|off"}),
    errors.PluginStoreFull("tags"),
    errors.RoomQuotaExceeded(size_bytes=3, used_bytes=8, limit_bytes=10),
    errors.NoSuchRoom("den"),
    errors.NoSuchRoom("den@rooms.example.org"),
    errors.RoomConfigured("den@muc.example.org"),
    *(
        errors.CannotEnterRoom("den@muc.example.org", reason=r)
        for r in ("banned", "members", "password", "limit", "silent", "other")
    ),
    errors.NoSuchRecipient("nobody@example.org", is_address=True),
    errors.NoSuchRecipient("nobody", is_address=False),
    *(
        errors.BadCommand(command="get", usage=("get NAME", "get #ID"), missing=missing)
        for missing in (False, True)
    ),
    *(
        errors.BadValue(command="roll", usage=("roll SIDES",), word="SIDES", value="x", kind=kind)
        for kind in ("number", "size", "duration", "when", "switch", "jid")
    ),
    errors.BadValue(
        command="roll", usage=("roll SIDES",), word="SIDES", value="9", kind="number", bounds=(1, 6)
    ),
    errors.BadValue(
        command="roll", usage=("roll DIE",), word="DIE", value="9", kind="choice", choices=("d4", "d6")
    ),
    *(
        errors.BadForm(problem=problem, field="Size")
        for problem in ("missing", "choice", "value", "form", "size")
    ),
    *(errors.NoFileInReply(several=several) for several in (False, True)),
    *(errors.NothingToConfirm(late=late) for late in (False, True)),
    errors.NotAllowed(reason="owner", file="plan.pdf"),
    errors.UnknownCommand("fnid", suggestions=("find",)),
    errors.UnknownCommand("xyzzy"),
    *(errors.WrongPlace(command="keep", place=place) for place in ("room", "private")),
    errors.Refusal("no_executables/refused"),
    errors.CheckFailed(author="plugin scanner"),
    errors.HarmfulFile(found="Eicar-Test-Signature"),
    errors.NoSuchTransfer(7),
    errors.TransferCancelled("a b.pdf"),
    *(errors.NoTransferMethod(method=m) for m in (None, "socks5", "ibb")),
    errors.AlreadySending(7),
    *(errors.TooManyWaiting(limit=50, own=own) for own in (True, False)),
    errors.DeliveryExpired(target="bob@example.org", days=30),
    errors.TooSlowInBand(seconds=4000.0),
    *(errors.NotDelivered("a b.pdf", CAUSES, target=target) for target in (None, "bob@example.org")),
    errors.NotDelivered("a b.pdf", (errors.TransferTimeout(idle_s=60.0),)),
    errors.TransferError(),
    errors.PeerProtocolError(),
    errors.SizeMismatch(announced_bytes=10, received_bytes=11),
    errors.DigestMismatch(algorithm="sha-256"),
    errors.DigestMismatch(resumed=True),
    errors.PeerGone(),
    errors.StreamHostRefused(),
    errors.Unresumable(),
    errors.TransferTimeout(idle_s=60.0),
    errors.Refused(status=403),
    errors.Refused(status=404),
    errors.Refused(status=500),
    *(
        errors.ForbiddenTarget(reason=r)
        for r in ("scheme", "insecure", "private", "redirects", "redirect_loop", "downgrade", "malformed")
    ),
    *UNREACHED,
    errors.WebPageInstead("files.example.org"),
    errors.LinkDead("up.example.org"),
    errors.UploadServiceForbidden("up.example.org", reason="private"),
    *map(errors.UploadServiceNotReached, UNREACHED),
    errors.Refused(status=204),
    errors.Refused(status=429, retry_after_s=120.0),
    errors.NoUploadService(),
    errors.TooLargeForService(size_bytes=2_000, limit_bytes=1_000),
    errors.TooLargeForService(size_bytes=2_000, limit_bytes=None),
    errors.ServiceQuotaReached(retry_at=None),
    errors.ServiceQuotaReached(retry_at=datetime(2030, 1, 1, tzinfo=UTC)),
    errors.ServiceRefused(),
    errors.StorageError(),
    errors.StorageFull(),
    errors.JobQueueFull(),
    errors.NoDescriptors(),
    errors.StorageUnavailable(),
    errors.PostTooLarge(limit_bytes=131_072),
    errors.BlobCorrupt(),
    errors.CatalogUnavailable(),
    errors.CatalogDamaged(),
)


def script() -> ModuleType:
    path = Path(__file__).parents[3] / "scripts" / "messages.py"
    spec = importlib.util.spec_from_file_location("messages", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def below(cls: type[errors.FilebotError]) -> Iterator[type[errors.FilebotError]]:
    """The classes of the errors package under one of them; a plugin's or a test's own do not count."""
    for child in cls.__subclasses__():
        if child.__module__.startswith(f"{errors.__name__}."):
            yield child
            yield from below(child)


def test_every_message_is_translated_surely_and_with_the_same_placeholders() -> None:
    messages = script()
    catalogues = messages.catalogues()
    domains = {path.stem for path in catalogues}
    assert domains == {"filebot", *(path.parent.name for path in PLUGINS.glob("*/templates"))}
    assert len(catalogues) == len(domains) * (len(LANGUAGES) - 1)
    for path in catalogues:
        assert list(messages.shortcomings(path)) == []


def test_shortcomings_of_a_catalogue_are_found(tmp_path: Path) -> None:
    messages = script()
    path = tmp_path / "locale" / "zh_CN" / "LC_MESSAGES" / "filebot.po"
    path.parent.mkdir(parents=True)
    text = messages.catalogues()[0].read_text()
    text = text.replace('msgstr "刚刚"', 'msgstr ""').replace(
        'msgstr "%(format)s 图片"', 'msgstr "%(fromat)s"'
    )
    path.write_text(
        text.replace('msgid "font"', '#, fuzzy\nmsgid "font"') + '\nmsgid "old"\nmsgstr "旧"\n',
        encoding="utf-8",
    )
    found = "\n".join(messages.shortcomings(path))
    for expected in (
        "not translated: 'just now'",
        "other placeholders",
        "fuzzy: 'font'",
        "not used: 'old'",
    ):
        assert expected in found


def test_there_is_a_sample_of_every_error_that_people_meet() -> None:
    wanted = {cls for root in ROOTS for cls in below(root)}
    assert wanted - {type(sample) for sample in SAMPLES} == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_every_error_has_words_of_its_own(error: errors.FilebotError, language: str) -> None:
    replies = Replies()
    template = replies.template_for(error)
    assert template is not None
    own = f"errors/{type(error).__name__.lower()}"
    assert template.replace("_", "") == ("errors/servernotreached" if error in UNREACHED else own)
    for values in ({}, {"name": "a b.pdf"}, {"name": None}):
        text = replies.render(template, language, error=error, **values)
        assert text
        assert "  " not in text.replace("\n  ", "\n")
        assert "None" not in text
        assert text.isascii() == (language == "en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ["errors/incident", "errors/stranger", "errors/encrypted"])
def test_the_other_refusals_have_words(template: str, language: str) -> None:
    assert Replies().render(template, language, incident="7f3a")
