"""File systems that are on another machine, where locks may not hold."""

import os
import re
from pathlib import Path
from typing import Final

_MOUNTS: Final = Path("/proc/self/mountinfo")

_REMOTE: Final = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|9p|afs|ceph|coda|lustre|ncpfs|virtiofs|vboxsf|davfs"
    r"|fuse\.(sshfs|s3fs|rclone|glusterfs|ceph|davfs2?|curlftpfs|gcsfuse|juicefs)|glusterfs"
)


def remote_file_system(folder: Path, mounts: Path = _MOUNTS) -> str | None:
    """Return the kind of file system that a folder is on if it is another machine's; None if it is not.

    None, too, where the system does not tell.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    wanted, best, kind = os.path.realpath(folder), "", ""
    for line in lines:
        # proc(5): ... root, mount point, options, ..., a hyphen, the file system's type
        before, hyphen, after = line.partition(" - ")
        fields = before.split(" ")
        if not hyphen or len(fields) < 5:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[4])
        # The last of those at the same place covers the others.
        if len(point) >= len(best) and (wanted + "/").startswith(point.rstrip("/") + "/"):
            best, kind = point, after.split(" ")[0]
    return kind if _REMOTE.fullmatch(kind) else None
