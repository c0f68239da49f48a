"""What a pickle is read from and built on, within limits that bound the memory by the length of the file.

A pickle says how large things are (a text of 4 GB, a memo of 2^32 places) before they are there. So nothing is made
that the rest of the file does not hold, and not more values than a file of images and labels has.
"""

from __future__ import annotations

import struct
from typing import Any, Final

# The largest published file has 155 MB and 300,000 opcodes; these leave room for data in its form of three times that.
MAX_BYTES: Final = 512 * 1024 * 1024
MAX_OPCODES: Final = 1_000_000
MAX_STACK: Final = 200_000
# Far more than a dict of arrays and lists has; containers are what takes most memory for a byte of the file.
MAX_CONTAINERS: Final = 10_000
MAX_NESTING: Final = 16
# A number is 64 bits at most; its line has a sign, 19 digits and Python 2's L.
MAX_INTEGER: Final = 2**63
_LONGEST_NUMBER: Final = 24
_LONGEST_NAME: Final = 256


class ForbiddenPickle(Exception):
    """The bytes are no pickle, or one that asks for more than plain data."""


def unreadable(why: str) -> ForbiddenPickle:
    return ForbiddenPickle(f"it cannot be read ({why})")


def bounded_integer(value: int) -> int:
    if not -MAX_INTEGER <= value < MAX_INTEGER:
        raise ForbiddenPickle("it holds a number of more than 64 bits")
    return value


class PickleBytes:
    """The content of a pickle, read from its beginning; nothing is read that is not there."""

    def __init__(self, content: bytes) -> None:
        if len(content) > MAX_BYTES:
            raise ForbiddenPickle(f"it has {len(content):,} bytes, more than {MAX_BYTES:,}")
        self._content = content
        self._position = 0

    @property
    def left(self) -> int:
        return len(self._content) - self._position

    def take(self, length: int) -> bytes:
        begin = self._position
        if length > len(self._content) - begin:
            raise unreadable(f"{length:,} bytes are announced where {self.left:,} are left")
        self._position = begin + length
        return self._content[begin : self._position]

    def line(self, longest: int | None = None) -> bytes:
        """Up to the next line feed, without it."""
        begin = self._position
        end = self._content.find(b"\n", begin, None if longest is None else begin + longest + 1)
        if end < 0:
            within_reach = longest is None or longest >= self.left
            raise unreadable("it ends within a line" if within_reach else f"a line has more than {longest} bytes")
        self._position = end + 1
        return self._content[begin:end]

    def byte(self) -> int:
        if self._position == len(self._content):
            raise unreadable("it ends before its last opcode does")
        self._position += 1
        return self._content[self._position - 1]

    def number(self, layout: struct.Struct) -> int:
        value: int = layout.unpack(self.take(layout.size))[0]
        return value

    def counted(self, layout: struct.Struct) -> bytes:
        """Bytes whose length, in that layout, comes before them."""
        length = self.number(layout)
        if length < 0:
            raise unreadable("a length is negative")
        return self.take(length)

    def counted_by_byte(self) -> bytes:
        return self.take(self.byte())

    def number_line(self) -> bytes:
        return self.line(_LONGEST_NUMBER)

    def name(self) -> str:
        try:
            return self.line(_LONGEST_NAME).decode()
        except UnicodeDecodeError:
            raise unreadable("a name is no UTF-8") from None


class PickleStack:
    """Values that are not yet part of another one, marks among them, and the numbered ones (the memo)."""

    def __init__(self) -> None:
        self.num_opcodes = 0
        self._values: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        # By identity; what is kept here lives, so no identity is given twice.
        self._containers: dict[int, tuple[Any, int]] = {}
        self._placed: set[int] = set()

    def count_opcode(self) -> None:
        self.num_opcodes += 1
        if self.num_opcodes > MAX_OPCODES:
            raise ForbiddenPickle(f"it has more than {MAX_OPCODES:,} opcodes")
        if len(self._values) > MAX_STACK:
            raise ForbiddenPickle(f"it has more than {MAX_STACK:,} values waiting on its stack")
        if len(self._marks) > MAX_NESTING:
            raise ForbiddenPickle(f"it is nested deeper than {MAX_NESTING}")

    def push(self, value: Any) -> None:
        self._values.append(value)

    def pop_last(self, number: int) -> list[Any]:
        self._require(number)
        taken = self._values[-number:]
        del self._values[-number:]
        return taken

    def top(self) -> Any:
        self._require(1)
        return self._values[-1]

    def mark(self) -> None:
        self._marks.append(len(self._values))

    def pop_marked(self) -> list[Any]:
        if not self._marks:
            raise unreadable("a mark is missing")
        begin = self._marks.pop()
        taken = self._values[begin:]
        del self._values[begin:]
        return taken

    def memorize(self, number: int | None = None) -> None:
        """Numbers the top: by the next number, or by one that the opcodes so far can have come to."""
        number = len(self._memo) if number is None else number
        if not 0 <= number <= self.num_opcodes:
            raise ForbiddenPickle(f"it gives a value the number {number:,} after {self.num_opcodes:,} opcodes")
        self._memo[number] = self.top()

    def recall(self, number: int) -> None:
        if number not in self._memo:
            raise unreadable("it names a value that it has not numbered")
        self.push(self._memo[number])

    def push_container(self, container: list[Any] | dict[Any, Any] | tuple[Any, ...]) -> None:
        if len(self._containers) >= MAX_CONTAINERS:
            raise ForbiddenPickle(f"it makes more than {MAX_CONTAINERS:,} lists, tuples and dicts")
        self._containers[id(container)] = container, 1
        if isinstance(container, tuple):
            self._place(container, container)
        self.push(container)

    def append(self, container: Any, items: list[Any]) -> None:
        if type(container) is not list:
            raise unreadable("what it appends to is no list")
        self._place(container, items)
        container.extend(items)

    def set_items(self, container: Any, pairs: list[Any]) -> None:
        if type(container) is not dict:
            raise unreadable("what it sets entries of is no dict")
        if len(pairs) % 2:
            raise unreadable("a key has no value")
        # The hashes of numbers are no secret: many keys could be chosen to collide.
        if any(type(key) not in (str, bytes) for key in pairs[::2]):
            raise ForbiddenPickle("it holds a dict with keys that are no texts")
        self._place(container, pairs)
        container.update(zip(pairs[::2], pairs[1::2], strict=True))

    def _place(self, container: Any, items: list[Any] | tuple[Any, ...]) -> None:
        """Into one that is in no other yet: so pickles are written, and so depth is known and nothing is a circle."""
        _, depth = self._containers[id(container)]
        for item in items:
            if type(item) in (list, dict, tuple):
                depth = max(depth, 1 + self._containers[id(item)][1])
                self._placed.add(id(item))
        if type(container) is not tuple and id(container) in self._placed:
            raise ForbiddenPickle("it fills a list or dict that is part of another one, or of itself")
        if depth > MAX_NESTING:
            raise ForbiddenPickle(f"it is nested deeper than {MAX_NESTING}")
        self._containers[id(container)] = container, depth

    def _require(self, number: int) -> None:
        if len(self._values) - (self._marks[-1] if self._marks else 0) < number:
            raise unreadable("a value is missing")
