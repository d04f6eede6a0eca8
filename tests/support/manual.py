"""Examples of the manual for plugin authors."""

import re
import sys
from pathlib import Path
from types import ModuleType

MANUAL = Path(__file__).parents[2] / "docs/plugins.md"


def example(plugin: str) -> ModuleType:
    """Return the module of the example that makes this plugin."""
    written = re.findall(r"```python\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    [text] = [each for each in written if re.search(rf'Plugin\[\w+\]\(\s*"{plugin}"', each)]
    module = ModuleType(plugin)
    sys.modules[plugin] = module  # dataclasses look their module up there
    exec(compile(text, str(MANUAL), "exec"), module.__dict__)
    return module
