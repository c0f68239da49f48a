"""Places with names at which a process may be made to die as by a power cut, for `npm run chaos`.

The names are in `scripts/chaos/failpoints.json`; `src/failpoint.ts` is the controller's.
"""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from typing import Final

VARIABLE: Final = "THAWLINE_FAILPOINT"
_ENTRY: Final = re.compile(r"([a-z-]+\.[a-z-]+):([1-9][0-9]*)(?:@(.+))?")

_passages: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """Dies by SIGKILL at the passage that THAWLINE_FAILPOINT names: `name:passage`, several joined by semicolons.

    With a file, `name:passage@file`, only the process that can create the file dies: once in all that are told of it.
    Without the variable nothing happens. Raises ValueError for another form.
    """
    setting = os.environ.get(VARIABLE)
    if not setting:
        return
    _passages[name] += 1
    for entry in setting.split(";"):
        parts = _ENTRY.fullmatch(entry)
        if parts is None:
            raise ValueError(f"{VARIABLE}: `{entry}` is not of the form `name:passage@file`")
        named, passage, file = parts.groups()
        if named == name and int(passage) == _passages[name] and _is_first(file):
            os.kill(os.getpid(), signal.SIGKILL)


def _is_first(file: str | None) -> bool:
    if file is None:
        return True
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    return True
