"""What a small run on text needs: an encoder with its tokenizer, questions, pairs, and a configuration."""

from pathlib import Path
from typing import Any

import torch
from example_config import run_config
from granting_channel import GrantingChannel
from text_examples import build_tokenizer, squad_example, write_json
from tiny_encoder import save_xlm_roberta
from torch import Tensor, nn

from thawline.config.run import parse_config
from thawline.trainers.text import train_text
from thawline.wire.protocol import PROTOCOL_VERSION, Finished, Welcome

SCHEDULE = {1: ["head", "layer1"], 4: ["head", "layer1", "layer0"]}
LABELS = ("entailment", "neutral", "contradiction")
LANGUAGES = ("en", "de", "zh")


def save_encoder(folder: Path, **changes: object) -> str:
    """Two layers, random, with the tokenizer of the examples."""
    tokenizer = build_tokenizer()
    tokenizer.save_pretrained(folder)
    return save_xlm_roberta(folder, vocab_size=len(tokenizer), **changes)


def write_questions(folder: Path) -> dict[str, Any]:
    """A `data` section: the same five questions to train, to choose and to test on, in each language."""
    train = write_json(folder / "train-v1.1.json", squad_example())
    write_json(folder / "dev-v1.1.json", squad_example())
    for language in LANGUAGES:
        write_json(folder / "xquad" / f"xquad.{language}.json", squad_example())
    return {
        "kind": "question_answering",
        "train": str(train),
        "development": str(folder),
        "tests": [
            {"name": "xquad", "source": str(folder / "xquad"), "languages": list(LANGUAGES), "scorer": "squad"},
            {
                "name": "mlqa",
                "source": f"{folder}/xquad/xquad.{{language}}.json",
                "languages": ["zh"],
                "scorer": "mlqa",
            },
        ],
        "max_length": 64,
        "stride": 16,
        "max_train_examples": None,
        "max_test_examples": None,
    }


def write_pairs(folder: Path) -> dict[str, Any]:
    """A `data` section: nine pairs of MultiNLI, and as many in each language of XNLI."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [(f"the river is {word}", f"it is {word}", LABELS[i % 3]) for i, word in enumerate("abcdefghi")]
    train = "sentence1\tsentence2\tgold_label\n" + "".join("\t".join(row) + "\n" for row in rows)
    (folder / "multinli_1.0_train.txt").write_text(train, encoding="utf-8")
    header = "language\tgold_label\tsentence1\tsentence2\n"
    lines = [f"{code}\t{label}\t{one}\t{two}\n" for code in LANGUAGES for one, two, label in rows]
    for split in ("dev", "test"):
        (folder / f"xnli.{split}.tsv").write_text(header + "".join(lines), encoding="utf-8")
    return {
        "kind": "sentence_pairs",
        "train": str(folder),
        "development": str(folder / "xnli.dev.tsv"),
        "tests": [{"name": "xnli", "source": str(folder), "languages": list(LANGUAGES)}],
        "max_length": 32,
        "max_train_examples": None,
        "max_test_examples": None,
    }


def text_run_config(pretrained: str, data: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """Six updates of AdamW, with `sections` laid over."""
    config = run_config(
        train={
            "optimizer": "adamw",
            "learning_rate": 0.01,
            "momentum": None,
            "batch_size": 4,
            "updates": 6,
            "schedule": {"kind": "linear"},
            "max_gradient_norm": 1.0,
        },
        probe={"points": 6, "batch_size": 4},
    )
    del config["frozen_batch_norm"]
    config["evaluate"] = {"batch_size": 4}
    config["card"] = {"name": "example", "intervention": "gradual_unfreezing", "start": 1, "freezes": True}
    config["data"] = data
    config["model"] = {
        "kind": "encoder",
        "pretrained": pretrained,
        "revision": None,
        "adapter": {"method": "lora", "r": 2, "alpha": 4, "dropout": 0.2, "targets": ["query", "value"]},
        "blocks": None,
    }
    for name, section in sections.items():
        config[name] = config[name] | section if isinstance(section, dict) else section
    return config


def train(folder: Path, config: dict[str, Any], **channel_arguments: Any) -> GrantingChannel:
    """A whole run with its folder, under SCHEDULE unless `trainable` is given."""
    trainable = channel_arguments.pop("trainable", SCHEDULE)
    channel = GrantingChannel(trainable, run_folder=str(folder), **channel_arguments)
    welcome = Welcome(PROTOCOL_VERSION, str(folder), {}, channel.resume_point)
    train_text(channel, parse_config(config), welcome)
    return channel


def weights_of(channel: GrantingChannel) -> str:
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    return finished.weights_sha256


def logits_of(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """In eval mode: of a pair's classes, or of the starts and the ends of answers."""
    with torch.no_grad():
        labels = ("labels", "start_positions", "end_positions")
        output = model.eval()(**{name: tensor for name, tensor in batch.items() if name not in labels})
    return output.logits if "logits" in output else torch.stack([output.start_logits, output.end_logits])
