"""A plugin's own data: what its functions are given to keep things in the catalog."""

from filebot.plugin.database import PluginDatabase
from filebot.plugin.store import PluginStore
from filebot.ports import Catalog


class OwnData:
    """Access of one plugin to its own data."""

    def __init__(self, catalog: Catalog, plugin: str) -> None:
        self.store = PluginStore(catalog.plugin_data, plugin)
        self.db = PluginDatabase(catalog.plugin_tables, plugin)
