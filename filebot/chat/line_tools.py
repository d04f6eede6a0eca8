"""Tools with which lines are read, made once for one set of plugins."""

from collections.abc import Callable
from datetime import datetime
from functools import cached_property

from filebot.chat.command_kinds import takes_target
from filebot.files.shown_lists import ShownLists
from filebot.plugin.calls import PluginCalls
from filebot.plugin.commands import CommandList
from filebot.reading.sentences import Grammar
from filebot.reading.slips import Slips
from filebot.reading.spelling import Speller
from filebot.reading.tables import TABLES


class LineTools:
    """Commands with the grammar, the speller and the finder of slips that know their words."""

    def __init__(
        self,
        calls: PluginCalls,
        commands: CommandList,
        lists: ShownLists,
        clock: Callable[[], datetime],
    ) -> None:
        """``clock`` gives the present in UTC."""
        self.calls = calls
        self.commands = commands
        self.lists = lists
        self.grammar = Grammar(commands.phrases(), commands.words(), TABLES)
        targeted = [each for each in commands.words() if takes_target(commands.named(each))]
        self.slips = Slips(commands.words(), targeted)
        self._clock = clock

    @cached_property
    def speller(self) -> Speller:
        """Speller of the words of commands and sentences; made when the first line is not understood."""
        return Speller(self.grammar.vocabulary())

    @property
    def now(self) -> datetime:
        """The present in UTC."""
        return self._clock()
