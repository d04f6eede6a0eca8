"""The wheel holds all that runs, and nothing but the wheel and its dependencies is needed to run it."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files_of(folder: Path) -> set[str]:
    found = (file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {file.relative_to(folder).as_posix() for file in found}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", target, ROOT, cwd=target)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel alone.

    To be quick it borrows the dependencies by a .pth file. The .pth files among them are not read in their
    turn, so this checkout, which is installed there as editable, stays out of sight.
    """
    venv = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=venv)
    interpreter = venv / "bin" / "python"
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--python",
        interpreter,
    ]
    run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=venv)
    (site_packages,) = venv.glob("lib/python*/site-packages")
    (site_packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return interpreter


def test_every_file_of_the_package_and_of_the_plugins_is_in_the_wheel(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"filebot/{name}" for name in files_of(ROOT / "filebot")}
    wanted |= {f"filebot_plugins/{name}" for name in files_of(ROOT / "plugins")}
    assert wanted - packed == set()
    # A guard against a folder that was moved: the kinds that are not code.
    for part in ("filebot/templates/", "filebot/locale/", "filebot/catalog/migrations/versions/"):
        assert any(name.startswith(part) for name in packed), part
    assert "filebot/py.typed" in packed


def test_the_wheel_carries_no_tests_and_no_folder_with_a_common_name(wheel: Path) -> None:
    top = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"filebot", "filebot_plugins"}


def test_every_bundled_plugin_comes_from_the_installed_wheel(python: Path, tmp_path: Path) -> None:
    modules = sorted(file.stem for file in (ROOT / "plugins").glob("*.py") if file.stem != "__init__")
    listing = (
        "import importlib, filebot\n"
        f"for name in {modules!r}:\n"
        "    module = importlib.import_module(f'filebot_plugins.{name}')\n"
        "    print(name, module.plugin.name, module.__file__)\n"
        "print(filebot.__file__)\n"
    )
    lines = run(python, "-I", "-c", listing, cwd=tmp_path).splitlines()
    assert [line.split()[0] for line in lines[:-1]] == modules
    environment = str(python.parent.parent)
    assert all(line.split()[-1].startswith(environment) for line in lines)
