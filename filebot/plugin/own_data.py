"""A plugin's own data: what its functions are given to keep things in the catalog."""

from filebot.plugin.store import PluginStore
from filebot.ports import PluginData


class OwnData:
    """Access of one plugin to its own data."""

    def __init__(self, data: PluginData, plugin: str) -> None:
        self.store = PluginStore(data, plugin)
