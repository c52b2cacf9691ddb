"""How a restored log takes the place of what a data directory held: all of it, or nothing.

Redo, never undo: a directory ``restored-STAMP`` is complete, and whoever holds the lock finishes its move.
"""

import os
import shutil
from pathlib import Path
from typing import Final

from workers.embedded.lock import DirectoryLock, end_orphans

STAGED: Final = "restoring-"
READY: Final = "restored-"
KEPT: Final = "before-restore-"
# Temporal's database only goes: runs that know another past than the log must not go on.
PARTS: Final = ("temporal", "postgres", "postgres.password", "key-encryption-keys")


def holds_log(data_dir: Path) -> bool:
    """This will say whether there is a log in *data_dir*, or one that is about to take its place there."""
    return (data_dir / "postgres" / "data").exists() or any(data_dir.glob(f"{READY}*"))


def stage(data_dir: Path, stamp: str) -> Path:
    """This will name a place to restore to, and clear what restores that were cut off have left.

    :raises EmbeddedError: another process still restores there.
    """
    for left in data_dir.glob(f"{STAGED}*"):
        lock = DirectoryLock(left)
        try:
            # Its watchdog may still be stopping a server.
            lock.take()
            end_orphans(left)
            shutil.rmtree(left)
        finally:
            lock.release()
    return data_dir / f"{STAGED}{stamp}"


def commit(staged: Path) -> None:
    """This will declare what was restored complete: from now on it takes its place, whatever happens."""
    staged.rename(staged.with_name(staged.name.replace(STAGED, READY, 1)))
    _sync(staged.parent)


def finish(data_dir: Path) -> Path | None:
    """This will put what is complete in its place; returns where the former state is kept, if there was one.

    The caller holds the directory's lock, and no server runs on it.
    """
    kept = None
    for ready in sorted(data_dir.glob(f"{READY}*")):
        aside = data_dir / ready.name.replace(READY, KEPT, 1)
        for part in PARTS:
            _exchange(ready / part, data_dir / part, aside / part)
        _sync(data_dir)
        shutil.rmtree(ready)
        kept = aside if aside.exists() else kept
    return kept


def _exchange(new: Path, place: Path, aside: Path) -> None:
    """Move *place* aside and *new* to it; done again after a crash, it does what is left to do."""
    if not new.exists() and place.name != "temporal":
        return
    if place.exists():
        aside.parent.mkdir(mode=0o700, exist_ok=True)
        place.rename(aside)
    if new.exists():
        new.rename(place)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
