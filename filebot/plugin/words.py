"""Words of a plugin that is a package: its folders ``templates`` and ``locale``."""

from importlib.util import find_spec
from pathlib import Path

from filebot.errors import PluginError

SUFFIX = ".txt"


def folder_of(package: str) -> Path:
    """Return the folder of a package. Raises PluginError if it is none, or is not in the file system."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError) as error:
        raise PluginError(f"package={package!r}: {error}") from error
    if spec is None or not spec.submodule_search_locations:
        raise PluginError(f"package={package!r} is no package; write package=__name__ in its __init__.py")
    return Path(next(iter(spec.submodule_search_locations)))


def templates_in(folder: Path) -> dict[str, str]:
    """Return the texts of ``templates/*.txt`` by name. Raises PluginError for one that cannot be read."""
    found = {}
    for file in sorted((folder / "templates").glob(f"*{SUFFIX}")):
        try:
            found[file.stem] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PluginError(f"template {file} cannot be read: {error}") from error
    return found
