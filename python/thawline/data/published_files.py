"""The names of the files of published data sets: files.json, which the controller reads too.

`idx`: the spellings of each of MNIST's four files, the published one first. `cifar`: the archive, the folder that it
unpacks to, and the files in that with their md5, in the order in which they are read.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TypedDict


class CifarFiles(TypedDict):
    archive: str
    folder: str
    train: dict[str, str]
    test: dict[str, str]


class PublishedFiles(TypedDict):
    idx: dict[str, list[str]]
    cifar: dict[str, CifarFiles]


@cache
def published_files() -> PublishedFiles:
    content: PublishedFiles = json.loads(files(__package__).joinpath("files.json").read_text(encoding="utf-8"))
    return content
