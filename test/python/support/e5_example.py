"""A small encoder file of the layout that `scripts/e5_file.py` reads, and the tables that it was made from."""

import importlib
import struct
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"

HIDDEN, LAYERS, HEADS, INTERMEDIATE, TOKENS, POSITIONS, SEGMENTS = 32, 2, 2, 64, 9, 24, 2
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁the", "▁", "t", "猫", "<mask>"]
MATRICES = {
    "q": (HIDDEN, HIDDEN),
    "k": (HIDDEN, HIDDEN),
    "v": (HIDDEN, HIDDEN),
    "ao": (HIDDEN, HIDDEN),
    "fi": (INTERMEDIATE, HIDDEN),
    "fo": (HIDDEN, INTERMEDIATE),
}

Tensor = npt.NDArray[np.float32]
Tensors = dict[str, Tensor]


def import_e5_file() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPTS)
        return importlib.import_module("e5_file")


def random_tensors() -> tuple[Tensors, dict[str, bytes]]:
    """By the file's names: what is to be read, and the bytes of it; a matrix is made of its 4-bit numbers."""
    random = np.random.default_rng(0)
    shapes = {"emb.word": (TOKENS, HIDDEN)}
    for layer in range(LAYERS):
        shapes |= {f"l{layer}.{name}.w": shape for name, shape in MATRICES.items()}
    vectors = {"emb.ln.w": (HIDDEN,), "emb.ln.b": (HIDDEN,), "emb.pos": (POSITIONS, HIDDEN), "emb.type": (2, HIDDEN)}
    for layer in range(LAYERS):
        vectors |= {f"l{layer}.{name}.b": shape[:1] for name, shape in MATRICES.items()}
        vectors |= {f"l{layer}.{name}.{part}": (HIDDEN,) for name in ("aln", "oln") for part in "wb"}
    tensors = {name: random.normal(size=shape).astype(np.float32) for name, shape in vectors.items()}
    content = {name: values.tobytes() for name, values in tensors.items()}
    for name, shape in shapes.items():
        tensors[name], content[name] = quantized(random, shape)
    return tensors, content


def quantized(random: np.random.Generator, shape: tuple[int, int]) -> tuple[Tensor, bytes]:
    """The numbers one by one, as the format is described, and not as the reader does it."""
    values, content = [], bytearray()
    for _ in range(shape[0] * shape[1] // 32):
        scale = np.float16(random.normal())
        weights = random.integers(0, 16, 32).tolist()
        content += struct.pack("<e", scale)
        content += bytes(weights[j] | weights[j + 16] << 4 for j in range(16))
        values += [(weight - 8) * float(scale) for weight in weights]
    return np.array(values, np.float32).reshape(shape), bytes(content)


def encoder_file(content: dict[str, bytes], quantized_names: set[str]) -> bytes:
    sizes = (HIDDEN, LAYERS, HEADS, INTERMEDIATE, TOKENS, POSITIONS, SEGMENTS)
    texts = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, texts)])
    front = struct.pack("<4sI7ifi", b"E5S1", 1, *sizes, 1e-12, 32)
    front += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, ends[-1])
    front += ends.astype("<u4").tobytes() + np.arange(0, -len(PIECES), -1, "<f4").tobytes() + b"".join(texts)
    normalizer = struct.pack("<IBI", 9, 1, 32)
    front += struct.pack("<iI", 1, len(normalizer)) + normalizer + struct.pack("<i", len(content))
    place = len(front) + sum(2 + len(name) + 21 for name in content)
    directory, data = b"", b""
    for name, raw in content.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", name in quantized_names, 0, place + len(data), len(raw))
        data += raw
    return front + directory + data


def example(without: str | None = None) -> tuple[bytes, Tensors]:
    """The same file each time, `without` one of its tensors if it is named."""
    tensors, content = random_tensors()
    names = {"emb.word", *(f"l{layer}.{name}.w" for layer in range(LAYERS) for name in MATRICES)}
    return encoder_file({name: raw for name, raw in content.items() if name != without}, names), tensors
