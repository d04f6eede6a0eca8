"""Plugins of the manual for authors."""

import re
from pathlib import Path
from types import ModuleType
from typing import Any

from filebot.plugin import Plugin

MANUAL = (Path(__file__).parents[2] / "docs/plugins.md").read_text(encoding="utf-8")


def example(name: str) -> Plugin[Any]:
    """The plugin of the manual that has this name."""
    [code] = [
        code
        for code in re.findall(r"```python\n(.*?)```", MANUAL, re.DOTALL)
        if re.search(rf'Plugin\[.*\]\(\s*"{name}"', code)
    ]
    module = ModuleType(name)
    exec(compile(code, "docs/plugins.md", "exec"), module.__dict__)
    found: Plugin[Any] = module.plugin
    return found
