"""The text part of the benchmark: both sides do the same work, but for the padding."""

import importlib
import json
from collections import Counter
from pathlib import Path

import pytest
import torch

from thawline.data.text.squad import read_squad_file
from thawline.data.text.windows import WindowSettings

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
WINDOW = WindowSettings(128, 64)


@pytest.fixture(scope="module")
def benchmarks():
    """The modules of the benchmark by name; they are no part of the package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT)
        names = ("baseline_text_training", "settings", "text", "text_inputs", "text_signals", "text_training", "timing")
        yield {name: importlib.import_module(f"benchmarks.{name}") for name in names}


@pytest.fixture(scope="module")
def settings(benchmarks):
    clock = benchmarks["timing"].Clock(torch.device("cpu"))
    return benchmarks["settings"].BenchmarkSettings(clock, threads=1, quick=True)


@pytest.fixture(scope="module")
def inputs(benchmarks, settings):
    with benchmarks["text_inputs"].text_inputs(settings) as made:
        yield made


def test_made_up_questions_are_squad_json_of_the_stated_lengths(benchmarks, tmp_path):
    file = tmp_path / "questions.json"
    file.write_text(json.dumps(benchmarks["text_inputs"].made_up_articles(articles=200)))
    # Reading checks every answer against its context.
    questions = read_squad_file(file)
    assert len(questions) == 200
    words = torch.tensor([len(question.context.split()) for question in questions]).log()
    mean, deviation = benchmarks["text_inputs"].LOG_WORDS
    assert float(words.mean()) == pytest.approx(mean, abs=0.1)
    assert float(words.std()) == pytest.approx(deviation, abs=0.1)


def tokens_seen_in(model, epoch):
    """Real tokens and all tokens that the model is given in an epoch, and how often it trains."""
    seen = Counter()

    def count(_, args, kwargs):
        seen["real"] += int(kwargs["attention_mask"].sum())
        seen["computed"] += kwargs["attention_mask"].numel()
        seen["updates"] += 1

    with model.register_forward_pre_hook(count, with_kwargs=True):
        epoch()
    return seen


def test_both_sides_train_on_the_same_tokens_and_one_of_them_without_much_padding(benchmarks, inputs, tmp_path):
    windows, cpu = inputs.windows(12, WINDOW), torch.device("cpu")
    ours = benchmarks["text_training"].TextTraining(inputs, windows, device=cpu)
    theirs = inputs.build(cpu).model
    padded = benchmarks["baseline_text_training"].PaddedWindows(windows, inputs.tokenizer.pad_id, WINDOW.max_length)
    trainer = benchmarks["baseline_text_training"].TrainerTraining(
        theirs, padded, batch_size=8, device=cpu, folder=tmp_path
    )
    before = {name: parameter.clone() for name, parameter in theirs.named_parameters() if parameter.requires_grad}
    seen, seen_by_trainer = tokens_seen_in(ours.model, ours.epoch), tokens_seen_in(theirs, trainer.epoch)
    assert seen["real"] == seen_by_trainer["real"] == int(windows.tokens.lengths.sum())
    assert seen["updates"] == seen_by_trainer["updates"] == -(-len(windows) // 8)
    assert seen["computed"] < seen_by_trainer["computed"] == len(windows) * WINDOW.max_length
    # LoRA's B starts at zero and is the first to move; the head moves at once.
    for model in (ours.model, theirs):
        after = dict(model.named_parameters())
        assert not any(after[name].equal(values) for name, values in before.items() if "lora_A" not in name)


def test_every_row_comes_with_its_ratio(benchmarks, settings, inputs):
    rows = [
        *benchmarks["text_training"].rows(settings, inputs),
        *benchmarks["text_signals"].rows(settings, inputs),
    ]
    assert [row.part for row in rows] == ["text"] * 8
    assert [row.target is not None for row in rows] == [True, *[False] * 7]
    assert all(row.ratio.median > 0 for row in rows)
    assert all("parameters" in row.notes[1] for row in rows[:2])
