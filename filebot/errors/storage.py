"""Errors of the bot's own storage."""

from filebot.errors.base import StorageError


class StorageFull(StorageError):
    """The disk or the configured total is full."""


class PluginStoreFull(StorageError):
    """A plugin keeps as much as it may."""

    def __init__(self, plugin: str) -> None:
        super().__init__(f"plugin {plugin} keeps as much as it may")
        self.plugin = plugin


class StorageUnavailable(StorageError):
    """A storage on another machine cannot be reached, or refuses; what is there is as it was."""


class NoDescriptors(StorageError):
    """The process or the machine has no more file descriptors for now."""


class BlobCorrupt(StorageError):
    """Stored bytes are missing or no longer have their digest.

    ``name`` is that of the file, where it is known.
    """

    def __init__(self, message: str = "", *, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class CatalogUnavailable(StorageError):
    """The catalog cannot be read or written."""


class CatalogDamaged(CatalogUnavailable):
    """The file of the catalog is corrupt."""


class JobQueueFull(StorageError):
    """A plugin has as many jobs as it may have, or all have."""
