"""Folders of files that are complete or absent, and verified before use: a manifest, written last, seals them.

`manifest.json` has size and SHA-256 of every file. Decision record: docs/decisions/0006-checkpoints.md.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from thawline.errors import UserError
from thawline.failpoint import failpoint
from thawline.storage.room import require_room

MANIFEST = "manifest.json"
FORMAT = 1

_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600
_GROUP_READS_FOLDER: Final = 0o050
_GROUP_READS_FILE: Final = 0o040


def write_sealed(
    target: Path, step: int, write: Callable[[Path], None], *, num_bytes: int = 0, shared: bool = False
) -> str:
    """Makes the folder `target` of what `write` puts into the empty folder that it is given; all of it, on the disk.

    `num_bytes` are about what it takes. The modes are those of the run folder, that is for nobody but the user, or
    those of the umask where the folder is `shared`. Returns the SHA-256 of the manifest. A folder that was there is
    replaced. What `write` and the file system raise passes through, and leaves nothing behind.
    """
    folder = target.parent
    draft = folder / f".draft-{step:08d}-{os.getpid()}"
    try:
        # Not with the folders above: a run folder that is gone is not to come back without its journal.
        _make_private(folder, exist_ok=True)
        # Drafts are left over from attempts that were killed while they wrote; a run has one writer at a time.
        for left_over in folder.glob(".draft-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        require_room(folder, num_bytes)
        if shared:
            draft.mkdir()
        else:
            _make_private(draft)
        write(draft)
        manifest_sha256 = _write_manifest(draft, step, shared=shared)
        failpoint("storage.drafted")
        # A folder of that name is left over from an attempt whose word never reached the journal.
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
        failpoint("storage.renamed")
        sync(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return manifest_sha256


def damage(path: Path, manifest_sha256: str) -> str | None:
    """Why the folder is not what was written under that manifest, naming the first file that is not; None if it is."""
    manifest = path / MANIFEST
    if not manifest.is_file():
        return "it has no manifest"
    if sha256(manifest) != manifest_sha256:
        return "its manifest is not the one that the journal knows"
    for name, expected in json.loads(manifest.read_text())["files"].items():
        file = path / name
        if not file.is_file() or file.stat().st_size != expected["bytes"] or sha256(file) != expected["sha256"]:
            return f"`{name}` is not what was written"
    return None


def require_undamaged(path: Path, manifest_sha256: str, *, what: str, hint: str) -> None:
    """Raises UserError `corrupt_checkpoint` naming the first file that is not what was written.

    `what` is the folder in words, `hint` what to do then.
    """
    if (why := damage(path, manifest_sha256)) is not None:
        raise UserError("corrupt_checkpoint", f"{what} `{path}` cannot be used: {why}", hint)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Onto the disk: a file's content, or the names in a folder."""
    failpoint("storage.sync")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, sort_keys=True, indent=1))


def _make_private(folder: Path, *, exist_ok: bool = False) -> None:
    """A new folder that others may read where they may read the one above, whatever the umask."""
    if exist_ok and folder.is_dir():
        return
    folder.mkdir()
    folder.chmod(_PRIVATE_FOLDER | (folder.parent.stat().st_mode & _GROUP_READS_FOLDER))


def _set_modes(folder: Path, like: Path) -> None:
    """The files of `folder` get the mode of one that has it from the umask: who writes safetensors ignores that."""
    mode = stat.S_IMODE(like.stat().st_mode)
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(mode)


def _write_manifest(folder: Path, step: int, *, shared: bool) -> str:
    files = {}
    for path in sorted(folder.iterdir()):
        sync(path)
        files[path.name] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
    manifest = folder / MANIFEST
    write_json(manifest, {"format": FORMAT, "step": step, "files": files})
    if not shared:
        manifest.chmod(_PRIVATE_FILE | (folder.stat().st_mode & _GROUP_READS_FILE))
    _set_modes(folder, like=manifest)
    sync(manifest)
    sync(folder)
    return sha256(manifest)
