"""Errors of a transfer for the reasons that end a session, and the other way round."""

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
from filebot.protocol.jingle.actions import JingleReason
from filebot.protocol.jingle.effects import Ended
from filebot.xmpp.bytestreams.ibb_sender import failure
from filebot.xmpp.bytestreams.offer_policy import Rejection

_DECLINED: Final = frozenset({JingleReason.DECLINE, JingleReason.CANCEL})
_GONE: Final = frozenset(
    {
        JingleReason.BUSY,
        JingleReason.CONNECTIVITY_ERROR,
        JingleReason.EXPIRED,
        JingleReason.FAILED_TRANSPORT,
        JingleReason.GONE,
    }
)

_REASONS: Final[dict[type[FilebotError], JingleReason]] = {
    DigestMismatch: JingleReason.MEDIA_ERROR,
    TransferTimeout: JingleReason.TIMEOUT,
    PeerGone: JingleReason.CONNECTIVITY_ERROR,
    PeerProtocolError: JingleReason.FAILED_APPLICATION,
    UserError: JingleReason.DECLINE,
    FilebotError: JingleReason.GENERAL_ERROR,
}
"""The first that fits."""


def failure_of(ended: Ended) -> TransferError | None:
    """The error; None if all went well."""
    if ended.reason is JingleReason.SUCCESS:
        return None
    if ended.error is not None:
        return failure(ended.error)
    if ended.reason in _DECLINED:
        return Refused(status=403)
    if ended.reason is JingleReason.TIMEOUT:
        return TransferTimeout(idle_s=ended.waited_s)
    why = f"ended: {ended.reason.value} {ended.text!r:.200}"
    return PeerGone(why) if ended.reason in _GONE else PeerProtocolError(why)


def reason_of(error: BaseException) -> JingleReason:
    """Return the reason that a peer is told when the bot cannot go on."""
    return next(
        (reason for kind, reason in _REASONS.items() if isinstance(error, kind)), JingleReason.CANCEL
    )


def reason_of_rejection(rejection: Rejection) -> JingleReason:
    """Return the reason that goes with an answer to an offer that is not taken."""
    return JingleReason.BUSY if rejection.for_now else JingleReason.DECLINE
