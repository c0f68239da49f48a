"""What the text parts run on: questions, an encoder, and windows of tokens; made up unless folders are named."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from transformers import AutoTokenizer

from benchmarks.settings import BenchmarkSettings
from thawline.data.text.records import Question
from thawline.data.text.squad import read_squad_file
from thawline.data.text.tokenization import PairTokenizer
from thawline.data.text.windows import QuestionWindows, WindowSettings, build_windows
from thawline.host.determinism import permutation
from thawline.models.text import Encoder, build_encoder

TINY_ENCODER = Path(__file__).parents[1] / "scripts" / "tiny-encoder.py"
# Mean and standard deviation of the logarithm of the words in a context: those of XQuAD's English paragraphs, which
# are SQuAD's. Lengths decide what padding costs.
LOG_WORDS = (4.74, 0.40)
QUESTION_WORDS = 10
# With so many words for so many tokens a word is about one and a half tokens, as English is to XLM-R.
LEXICON, TOKENS = 4000, 2000
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


@dataclass(frozen=True)
class TextInputs:
    """`encoder` is a folder; `described` says for the rows what was used."""

    encoder: Path
    tokenizer: PairTokenizer
    questions: list[Question]
    described: dict[str, int | str]

    def windows(self, count: int, window: WindowSettings) -> QuestionWindows:
        """The windows of `count` questions (fewer where there are fewer), drawn once for all settings."""
        drawn = permutation(0, "benchmark_questions", len(self.questions))[:count].tolist()
        return build_windows([self.questions[index] for index in drawn], self.tokenizer, window)

    def build(self, device: torch.device) -> Encoder:
        """The same encoder each time, with the paper's LoRA; head and adapters are trainable."""
        torch.manual_seed(0)
        encoder = build_encoder("question_answering", str(self.encoder))
        encoder.model.to(device)
        return encoder


@contextmanager
def text_inputs(settings: BenchmarkSettings) -> Iterator[TextInputs]:
    """Raises UserError for a folder that holds no questions."""
    with TemporaryDirectory() as temporary:
        if settings.questions is None:
            file = Path(temporary) / "questions.json"
            file.write_text(json.dumps(made_up_articles(articles=8 if settings.quick else 128)))
        else:
            file = settings.questions / "xquad.en.json"
        questions = read_squad_file(file)
        encoder = settings.encoder or make_encoder(Path(temporary) / "encoder", file, quick=settings.quick)
        tokenizer = PairTokenizer.from_fast(AutoTokenizer.from_pretrained(encoder, local_files_only=True))
        described: dict[str, int | str] = {
            "questions": "made up" if settings.questions is None else "XQuAD, English",
            "encoder": "random" if settings.encoder is None else encoder.name,
        }
        yield TextInputs(encoder, tokenizer, questions, described)


def make_encoder(folder: Path, texts: Path, *, quick: bool) -> Path:
    """A random XLM-R of six layers, wide enough that a CPU multiplies matrices most of the time."""
    layers, hidden = (2, 32) if quick else (6, 256)
    sizes = ["--layers", layers, "--hidden", hidden, "--vocabulary", 200 if quick else TOKENS]
    command = [sys.executable, TINY_ENCODER, folder, texts, *sizes]
    quiet = os.environ | {"HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, env=quiet)
    return folder


def made_up_articles(articles: int) -> dict[str, list[dict[str, object]]]:
    """SQuAD JSON with one paragraph and one question an article; the answer is three words of the context."""
    chance = random.Random(0)
    lexicon = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 3))) for _ in range(LEXICON)]
    # Zipf's law, as for real words.
    weights = [1 / (rank + 10) for rank in range(LEXICON)]
    data: list[dict[str, object]] = []
    for article in range(articles):
        words = chance.choices(lexicon, weights, k=max(12, round(math.exp(chance.gauss(*LOG_WORDS)))))
        first = chance.randrange(len(words) - 3)
        answer = {"text": " ".join(words[first : first + 3]), "answer_start": len(" ".join([*words[:first], ""]))}
        question = " ".join(chance.choices(lexicon, weights, k=QUESTION_WORDS)) + "?"
        asked = {"id": f"question{article}", "question": question, "answers": [answer]}
        data.append({"title": f"Article {article}", "paragraphs": [{"context": " ".join(words), "qas": [asked]}]})
    return {"data": data}
