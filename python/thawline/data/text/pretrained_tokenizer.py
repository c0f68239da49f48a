"""The tokenizer that belongs to a pretrained encoder."""

from __future__ import annotations

from pathlib import Path

from thawline.data.text.tokenization import PairTokenizer
from thawline.errors import UserError


def load_tokenizer(pretrained: str, revision: str | None) -> PairTokenizer:
    """From the folder of the encoder, or from the Hub at the commit `revision`; no code of it is run.

    Raises UserError `invalid_tokenizer`: not there, not reachable, or not a fast one.
    """
    from transformers import AutoTokenizer

    folder = Path(pretrained)
    is_folder = folder.is_dir()
    # Without it, a tokenizer with an empty vocabulary would be made from config.json alone.
    if is_folder and not (folder / "tokenizer.json").is_file():
        raise _invalid(f"{folder} has no tokenizer.json")
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            pretrained,
            revision=None if is_folder else revision,
            local_files_only=is_folder,
            trust_remote_code=False,
        )
    # What it raises for what is not there or damaged, and for what only a slow tokenizer could read.
    except (OSError, ValueError, LookupError, TypeError, ImportError, AttributeError) as error:
        reason = str(error).strip().split("\n")[0]
        raise _invalid(f"the tokenizer of {pretrained} cannot be loaded ({type(error).__name__}: {reason})") from error
    return PairTokenizer.from_fast(tokenizer)


def _invalid(message: str) -> UserError:
    hint = (
        "put tokenizer.json and tokenizer_config.json beside the model, as `save_pretrained` of a fast tokenizer does"
    )
    return UserError("invalid_tokenizer", message, hint)
