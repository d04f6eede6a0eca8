"""Errors of sending files to people."""

from filebot.errors.base import FilebotError, TransferError, UserError


class NoSuchRecipient(UserError):
    """A file cannot be sent to this address: not an address, not served, or a room without the bot."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target


class TransferCancelled(UserError):
    """The person stopped a transfer."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class AlreadySending(UserError):
    """The same file is going to the same person at this moment, because the same person asked."""

    def __init__(self, number: int) -> None:
        super().__init__(str(number))
        self.number = number


class TooManyWaiting(UserError):
    """No more files can be on their way to people, or wait for them: the asker's, or all together.

    ``own`` tells whether it is the asker who has too many.
    """

    def __init__(self, *, limit: int, own: bool) -> None:
        super().__init__(f"limit {limit}, own: {own}")
        self.limit = limit
        self.own = own


class DeliveryExpired(UserError):
    """A file waited for somebody who did not come online with a client that takes it."""

    def __init__(self, *, target: str, days: int) -> None:
        super().__init__(f"{days} days for {target}")
        self.target = target
        self.days = days


class NoTransferMethod(UserError):
    """None of the person's clients takes a file by the method asked for, or by any that could be used.

    ``method`` is what people type (``socks5``), or None if they named none. Where it is ``through_room``,
    no stream can be at all.
    """

    def __init__(self, *, method: str | None, through_room: bool = False) -> None:
        super().__init__(str(method))
        self.method = method
        self.through_room = through_room


class TooSlowInBand(TransferError):
    """A client takes files only inside of the XMPP stream, and that would take too long."""

    def __init__(self, *, seconds: float) -> None:
        super().__init__(f"about {seconds:.0f} s")
        self.seconds = seconds


class NotDelivered(TransferError):
    """Nothing that was tried brought a file to somebody.

    ``causes`` has each cause once, in the order in which they showed; ``target`` is a bare JID, or None
    for the asker.
    """

    def __init__(self, name: str, causes: tuple[FilebotError, ...], *, target: str | None = None) -> None:
        super().__init__("; ".join(f"{each.kind}: {each}" for each in causes))
        self.name = name
        self.causes = causes
        self.target = target
