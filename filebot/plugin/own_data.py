"""A plugin's own data: what its functions are given to keep things in the catalog."""

from filebot.errors import PluginError
from filebot.plugin.database import PluginDatabase
from filebot.plugin.store import PluginStore
from filebot.ports import Catalog


class OwnData:
    """Access of one plugin to its own data."""

    def __init__(self, catalog: Catalog, plugin: str, *, has_tables: bool) -> None:
        self.store = PluginStore(catalog.plugin_data, plugin)
        self._plugin = plugin
        self._database = PluginDatabase(catalog.plugin_tables) if has_tables else None

    @property
    def db(self) -> PluginDatabase:
        """The plugin's tables. Raises PluginError if it has none."""
        if self._database is None:
            raise PluginError(f"plugin {self._plugin!r} has no tables; declare its migrations")
        return self._database
