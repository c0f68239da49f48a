"""What the launcher leaves for a worker to read at start: where its controller is, and the keys to talk to it."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from thawline.errors import UserError
from thawline.wire.values import Name, Positive

BOOTSTRAP_VARIABLE: Final = "THAWLINE_BOOTSTRAP"
_FILE_BYTES: Final = 64 * 1024

# A CURVE key in Z85: 40 printable characters for 32 bytes.
Key = Annotated[str, Meta(min_length=40, max_length=40)]


class Bootstrap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The attempt's own key pair, its controller's public key and address."""

    endpoint: Annotated[str, Meta(pattern=r"^ipc:///.{1,107}$")]
    server_key: Key
    public_key: Key
    secret_key: Key
    run: Name
    attempt: Positive
    controller_pid: Positive

    def __repr__(self) -> str:
        return f"Bootstrap(run={self.run!r}, attempt={self.attempt}, endpoint={self.endpoint!r})"


def read_bootstrap(environ: Mapping[str, str]) -> Bootstrap | None:
    """The bootstrap that the environment names, or None outside a run. Of several processes the first one gets it.

    Raises UserError where the file is missing (it is taken when it is read, and removed by the controller afterwards)
    or is not a bootstrap file.
    """
    name = environ.get(BOOTSTRAP_VARIABLE)
    if not name:
        return None
    try:
        with _take(Path(name)).open("rb") as file:
            content = file.read(_FILE_BYTES)
    except FileNotFoundError:
        raise UserError(
            "bootstrap_taken",
            f"{BOOTSTRAP_VARIABLE} names {name}, which cannot be read: another process of this run, or an earlier "
            "training of this script, has taken it",
            f"attach once, in one process (of several ranks in rank 0); unset {BOOTSTRAP_VARIABLE} to train alone",
        ) from None
    except OSError as error:
        raise UserError(
            "bootstrap_unreadable",
            f"{BOOTSTRAP_VARIABLE} names {name}, which cannot be read ({error.strerror})",
            f"a controller sets {BOOTSTRAP_VARIABLE} for the one training of a script; unset it to train alone",
        ) from None
    try:
        return msgspec.json.decode(content, type=Bootstrap)
    except msgspec.DecodeError as error:
        raise UserError(
            "bootstrap_invalid",
            f"{name} is not a bootstrap file of this version: {error}",
            "use the same thawline version for the controller and for Python",
        ) from None


def _take(path: Path) -> Path:
    """Where the file is, once no other process can take it: with the same keys two would wait for each other."""
    taken = path.with_name(f"{path.name}.taken")
    try:
        path.rename(taken)
    except PermissionError:
        return path
    except OSError as error:
        if error.errno == errno.EROFS:
            return path
        raise
    return taken
