"""Errors of sending files to people."""

from filebot.errors.base import FilebotError, TransferError, UserError


class NoSuchRecipient(UserError):
    """A file cannot be sent to this address.

    It is not an address at all, or that of nobody who is served and of no room in which the bot sees the
    sender. Which of these is not told: rooms that one is not in are nobody's business.
    """

    def __init__(self, target: str, *, is_address: bool) -> None:
        super().__init__(target)
        self.target = target
        self.is_address = is_address


class Bounced(UserError):
    """The message with a file came back; ``condition`` is that of RFC 6120 section 8.3.3."""

    def __init__(self, name: str, *, target: str, is_room: bool, condition: str) -> None:
        super().__init__(f"{target}: {condition}")
        self.name = name
        self.target = target
        self.is_room = is_room
        self.condition = condition

    @property
    def domain(self) -> str:
        """The server of the ``target``."""
        return self.target.rpartition("@")[2]


class TransferCancelled(UserError):
    """The person stopped a transfer."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class AlreadySending(UserError):
    """The same file is on its way to the same person already, for the same asker."""

    def __init__(self, number: int) -> None:
        super().__init__(str(number))
        self.number = number


class TooManyWaiting(UserError):
    """The queue of deliveries is full: the asker's own part if ``own``, else as a whole."""

    def __init__(self, *, limit: int, own: bool) -> None:
        super().__init__(f"limit {limit}, own: {own}")
        self.limit = limit
        self.own = own


class DeliveryExpired(UserError):
    """A delivery waited too long for the recipient to come online with a client that takes files."""

    def __init__(self, *, target: str, days: int) -> None:
        super().__init__(f"{days} days for {target}")
        self.target = target
        self.days = days


class NoTransferMethod(UserError):
    """None of the person's clients takes a file by the method asked for, or by any that could be used.

    ``method`` is the word that people type (``socks5``), or None if they named none. ``through_room``
    tells that the person is known only through a room, where no stream is possible; ``is_online``, that a
    client of theirs is online, but takes no files.
    """

    def __init__(self, *, method: str | None, through_room: bool = False, is_online: bool = False) -> None:
        super().__init__(str(method))
        self.method = method
        self.through_room = through_room
        self.is_online = is_online


class TooSlowInBand(TransferError):
    """A client takes files only in-band, and that would take too long."""

    def __init__(self, *, seconds: float) -> None:
        super().__init__(f"about {seconds:.0f} s")
        self.seconds = seconds


class NotDelivered(TransferError):
    """Every method that was tried failed.

    ``causes`` has each cause once, in the order of the attempts; ``target`` is a bare JID, or None for the
    asker.
    """

    def __init__(self, name: str, causes: tuple[FilebotError, ...], *, target: str | None = None) -> None:
        super().__init__("; ".join(f"{each.kind}: {each}" for each in causes))
        self.name = name
        self.causes = causes
        self.target = target
