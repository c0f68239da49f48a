"""A small archive cannot make much of little: members, headers and the whole have limits."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest
from memory_peak import memory_peak

from thawline.data.bounded_archive import UnreadableArchive, read_members

MEGABYTE = 1 << 20


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE, **pax: str) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type, member.pax_headers = size, kind, pax
    return member.tobuf(tarfile.PAX_FORMAT if pax else tarfile.GNU_FORMAT)


ZEROS = bytes(64 * MEGABYTE)
BOMBS = {
    "a wanted member of 64 MB": (header("a", len(ZEROS)) + ZEROS, "a has 67,108,864 bytes, more than 1,048,576"),
    "a wanted member of 8 GB": (header("a", 8 << 30), "a has 8,589,934,592 bytes"),
    "another member of 8 GB": (header("b", 8 << 30) + header("a", 0), "it is longer than"),
    "a name of 64 MB": (header("x", len(ZEROS), tarfile.GNUTYPE_LONGNAME) + ZEROS, "its headers have more than"),
    "a pax header of 64 MB": (header("x", len(ZEROS), tarfile.XHDTYPE) + ZEROS, "its headers have more than"),
    "100,000 members": (header("b", 0) * 100_000, "its headers have more than"),
    "a sparse member of 8 GB": (
        header("a", 0, **{"GNU.sparse.size": str(8 << 30), "GNU.sparse.map": "0,0"}),
        "a has 8,589,934,592 bytes",
    ),
}


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", BOMBS)
def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path, name: str, compressed: bool) -> None:
    content, reason = BOMBS[name]
    path = tmp_path / "data.tar"
    path.write_bytes(gzip.compress(content, 1) if compressed else content)
    with memory_peak() as peak, pytest.raises(UnreadableArchive, match=reason):
        read_members(path, ["a"], max_member_bytes=MEGABYTE)
    assert peak.bytes < 16 * MEGABYTE


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_members_are_read_from_whatever_folder_and_form(tmp_path: Path, mode: str, form: int) -> None:
    members = {"a": b"x" * 512, "folder/b": b"y" * 1000, "folder/other": b"z" * 70_000, "deep/er/c": b""}
    path = tmp_path / "data.tar"
    with tarfile.open(path, mode, format=form) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), 1.5
            archive.addfile(member, io.BytesIO(content))
    read = read_members(path, ["a", "b", "c", "d"], max_member_bytes=MEGABYTE)
    assert read == {"a": members["a"], "b": members["folder/b"], "c": b""}


@pytest.mark.parametrize("content", [b"", b"x", b"no archive", b"\x1f\x8bcut", b"BZh9cut", b"\xfd7zXZ\x00cut"])
def test_what_is_no_archive_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data.tar").write_bytes(content)
    with pytest.raises(UnreadableArchive, match=r"."):
        read_members(tmp_path / "data.tar", ["a"], max_member_bytes=MEGABYTE)
