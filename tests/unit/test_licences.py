"""Every locked distribution is under an accepted licence: dependencies, extras and development tools."""

import re
from importlib import metadata
from pathlib import Path

import pytest

from tests.unit.test_lock import locked

ACCEPTED = {
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MIT-0",
    "MIT-CMU",  # the MIT licence with the names of its owners
    "MPL-2.0",  # of files, not of what uses them
    "PSF-2.0",
}
"""By SPDX identifier: none asks anything of the rest of a work."""

WORDINGS = {
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "ISC License (ISCL)": "ISC",
    "ISC license": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""SPDX identifiers for the licence names in older metadata."""

READ_BY_HAND = {
    "jinja2": ("BSD-3-Clause", "LICENSE.txt in its wheel"),
    "pyasn1-modules": ("BSD-2-Clause", "LICENSE.txt in its wheel"),
}
"""Licence and its source for packages whose metadata does not say which BSD licence."""


def licences(told: metadata.PackageMetadata) -> set[str]:
    """Return the identifiers of all licences that the metadata names; what is unknown stays as it is."""
    expression, text = (
        next(iter(told.get_all(key) or []), "") for key in ("License-Expression", "License")
    )
    classifiers = [
        each.rpartition(" :: ")[2] for each in told.get_all("Classifier") or [] if "License ::" in each
    ]
    if expression:
        named = set(re.split(r"\s+(?:AND|OR)\s+|[()]", expression))
    elif text and text != "UNKNOWN":
        named = {text}
    else:
        named = set(classifiers) - {"DFSG approved", "OSI Approved"}
    return {WORDINGS.get(each, each) for each in named if each}


def verdict(name: str, told: metadata.PackageMetadata) -> set[str]:
    """Return what was not accepted."""
    if name in READ_BY_HAND:
        return {READ_BY_HAND[name][0]} - ACCEPTED
    return (licences(told) or {"none named"}) - ACCEPTED


def installed() -> list[str]:
    """Return the locked distributions that this platform has."""
    return [name for name, (each, _) in locked().items() if each.marker is None or each.marker.evaluate()]


@pytest.mark.parametrize("name", installed())
def test_licence_was_accepted(name: str) -> None:
    assert verdict(name, metadata.metadata(name)) == set()


def test_tables_name_locked_distributions_alone() -> None:
    assert set(READ_BY_HAND) <= set(locked())


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("License-Expression", "MIT AND AGPL-3.0-or-later"),
        ("License-Expression", "LicenseRef-Unheard-Of"),
        ("License", "Beerware"),
        ("Classifier", "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"),
        ("Summary", "says nothing of a licence"),
    ],
)
def test_unknown_licence_is_found(tmp_path: Path, header: str, value: str) -> None:
    (tmp_path / "METADATA").write_text(f"{header}: {value}\n")
    assert verdict("something", metadata.Distribution.at(tmp_path).metadata) != set()
