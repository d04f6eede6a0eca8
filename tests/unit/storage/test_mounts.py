"""Folders on another machine are known as such."""

from pathlib import Path

import pytest

from filebot.storage.mounts import remote_file_system

MOUNTS = r"""
22 28 0:20 / /proc rw,nosuid shared:5 - proc proc rw
28 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
40 28 0:50 / /srv rw shared:9 - nfs4 files:/srv rw,vers=4.2
41 40 254:2 / /srv/local\040disk rw - xfs /dev/vdb rw
42 28 0:51 / /mnt/box rw - fuse.sshfs box: rw
43 28 0:52 / /over rw - ext4 /dev/vdc rw
44 28 0:53 / /over rw - cifs //files/over rw
a broken line
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/lib/filebot", None),
        ("/srv", "nfs4"),
        ("/srv/filebot/data", "nfs4"),
        ("/srvant", None),
        ("/srv/local disk/data", None),
        ("/mnt/box/data", "fuse.sshfs"),
        ("/over/data", "cifs"),
    ],
)
def test_the_nearest_mount_counts(tmp_path: Path, folder: str, kind: str | None) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert remote_file_system(Path(folder), mounts) == kind


def test_without_mountinfo_no_file_system_is_remote(tmp_path: Path) -> None:
    assert remote_file_system(tmp_path, tmp_path / "nowhere") is None
    assert remote_file_system(tmp_path) is None
