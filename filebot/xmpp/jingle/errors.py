"""What the end of a session means for the transfer, and the other way round."""

from typing import Final

from filebot.errors import (
    DigestMismatch,
    FilebotError,
    PeerGone,
    PeerProtocolError,
    Refused,
    TransferError,
    TransferTimeout,
    UserError,
)
from filebot.protocol.jingle.actions import Reason
from filebot.protocol.jingle.effects import Ended
from filebot.xmpp.bytestreams.ibb_sender import failure
from filebot.xmpp.bytestreams.offer_policy import Rejection

_DECLINED: Final = frozenset({Reason.DECLINE, Reason.CANCEL})
_GONE: Final = frozenset(
    {Reason.BUSY, Reason.CONNECTIVITY_ERROR, Reason.EXPIRED, Reason.FAILED_TRANSPORT, Reason.GONE}
)

_REASONS: Final[dict[type[FilebotError], Reason]] = {
    DigestMismatch: Reason.MEDIA_ERROR,
    TransferTimeout: Reason.TIMEOUT,
    PeerGone: Reason.CONNECTIVITY_ERROR,
    PeerProtocolError: Reason.FAILED_APPLICATION,
    UserError: Reason.DECLINE,
    FilebotError: Reason.GENERAL_ERROR,
}
"""The first that fits."""


def failure_of(ended: Ended) -> TransferError | None:
    """The error; None if all went well."""
    if ended.reason is Reason.SUCCESS:
        return None
    if ended.error is not None:
        return failure(ended.error)
    if ended.reason in _DECLINED:
        return Refused(status=403)
    if ended.reason is Reason.TIMEOUT:
        return TransferTimeout(idle_s=ended.waited_s)
    why = f"ended: {ended.reason.value} {ended.text!r:.200}"
    return PeerGone(why) if ended.reason in _GONE else PeerProtocolError(why)


def reason_of(error: BaseException) -> Reason:
    """What a peer is told when the bot cannot go on."""
    return next((reason for kind, reason in _REASONS.items() if isinstance(error, kind)), Reason.CANCEL)


def reason_of_rejection(rejection: Rejection) -> Reason:
    """Return the reason that goes with an answer to an offer that is not taken."""
    return Reason.BUSY if rejection.for_now else Reason.DECLINE
