"""Forms (XEP-0004), and the steps of a command that somebody fills in (XEP-0050), without their XML."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique


@unique
class FieldKind(Enum):
    """Kind of a field. The values are the types of XEP-0004 section 3.3."""

    TEXT = "text-single"
    TEXTS = "text-multi"
    CHOICE = "list-single"
    CHOICES = "list-multi"
    SWITCH = "boolean"
    ADDRESS = "jid-single"
    FIXED = "fixed"
    """Text to read; nothing can be filled in."""


@dataclass(frozen=True, slots=True)
class FormOption:
    """Choice of a list."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class FormField:
    """Field of a form."""

    name: str
    kind: FieldKind
    label: str
    is_required: bool = False
    values: tuple[str, ...] = ()
    """Values that stand there before anything is filled in."""
    options: tuple[FormOption, ...] = ()
    """Choices of a list. Nothing else is taken, except where ``is_open``."""
    is_open: bool = False
    """Whether other values than the options are taken (XEP-0122 section 3.4)."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """Questions to somebody."""

    title: str
    instructions: str = ""
    fields: tuple[FormField, ...] = ()


Submission = Mapping[str, tuple[str, ...]]
"""Values that somebody filled in, by the name of their field. They are of fields that the form had, and of
options that it offered; those of switches are ``true`` and ``false``. There are none of fields that were
left empty."""


@dataclass(frozen=True, slots=True)
class Column:
    """Column of a table; its kind tells clients how to show it."""

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT


@dataclass(frozen=True, slots=True)
class Table:
    """Results in rows (XEP-0004 section 3.4). Each row has a value for each column."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@unique
class FormAction(Enum):
    """Action of somebody in a form (XEP-0050 section 3.4)."""

    NEXT = "next"
    PREVIOUS = "prev"
    COMPLETE = "complete"
    CANCEL = "cancel"


@unique
class Severity(Enum):
    """Kind of a note (XEP-0050 section 4.3)."""

    INFO = "info"
    WARNING = "warn"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class FormStep:
    """Answer to a step of a command: a form to fill in, or the result."""

    text: str = ""
    """Note to the person in their language."""
    severity: Severity = Severity.INFO
    form: Form | None = None
    """Form of the next step; None if the command is over."""
    table: Table | None = None
    """Result that is shown beside the text, of a command that is over."""
    actions: tuple[FormAction, ...] = ()
    """Actions that lead on from the form, the usual one first; each one but ``CANCEL``, which is always
    allowed."""

    @property
    def is_over(self) -> bool:
        """Whether the command is over."""
        return self.form is None


@dataclass(frozen=True, slots=True)
class CommandItem:
    """Command in the list of those that somebody may use (XEP-0050 section 2.2)."""

    node: str
    name: str
    """Words for people, in their language."""
