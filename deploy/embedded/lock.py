"""A lock on a file that says who holds it. The kernel releases it with the holder, however that ends."""

import fcntl
import os
from pathlib import Path


class FileLock:
    """Hold a file exclusively among processes, and among the locks of one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def acquire(self) -> int | None:
        """Take the lock and give None, or give the process id of its holder (0 when it is unknown)."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(fd, 20)
            os.close(fd)
            return int(holder) if holder.isdigit() else 0
        os.ftruncate(fd, 0)
        os.write(fd, str(os.getpid()).encode())
        self._fd = fd
        return None

    def release(self) -> None:
        """Let the next one have it. The file stays: removing it would let two hold it at once."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None
