"""Every benchmark, one after the other: ``python -m benchmarks``. Exits 1 if a goal was missed."""

import subprocess
import sys

BENCHMARKS = ("http", "streams", "proxy", "ibb", "answers", "listeners", "catalog", "stores", "media_types")


def main() -> int:
    """Run each in a process of its own, so that none is measured in the memory of another."""
    missed = 0
    for name in BENCHMARKS:
        print(f"\n== {name} ==", flush=True)
        missed |= subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
