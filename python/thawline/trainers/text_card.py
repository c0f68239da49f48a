"""The model card beside a trained adapter: what it was made from, when what began to train, and its scores."""

from __future__ import annotations

from collections.abc import Sequence

from thawline.config.run import LoraConfig, TextRunConfig
from thawline.config.text_data import HubSourceConfig, SentencePairsConfig, SourceConfig, XquadArticlesConfig
from thawline.lockstep.abilities import SplitScore
from thawline.steering.blocks import BlockMap
from thawline.storage.journal import JournaledDecisions

_SCORERS = {"squad": "SQuAD's scorer", "mlqa": "MLQA's scorer"}


def model_card(
    config: TextRunConfig,
    block_map: BlockMap,
    decisions: JournaledDecisions,
    step: int,
    scores: Sequence[SplitScore],
    label_names: Sequence[str],
) -> str:
    """Markdown with the header that the Hub reads; scores are shares of 1, `label_names` those of sentence pairs."""
    model, adapter, train = config.model, config.model.adapter, config.train
    method = "lora" if isinstance(adapter, LoraConfig) else adapter.peft_method
    revision = "" if model.revision is None else f" at {model.revision}"
    lines = [
        "---",
        f"base_model: {model.pretrained}",
        "library_name: peft",
        "tags:",
        f"- {method}",
        "- thawline",
        "---",
        "",
        f"# {config.card.name}, seed {config.seed}, after {step} updates",
        "",
        f"Adapter (`{method}`) for `{model.pretrained}`{revision}, trained by thawline:",
        f"{train.optimizer}, learning rate {train.learning_rate:g}, batches of {train.batch_size}.",
        "",
        *_task(config, label_names),
        "",
        "## What trained when",
        "",
        *_schedule(config, block_map, decisions, step),
    ]
    if scores:
        lines += ["", "## Scores", "", *_score_table(scores)]
    return "\n".join(lines) + "\n"


def _task(config: TextRunConfig, label_names: Sequence[str]) -> list[str]:
    data = config.data
    if isinstance(data, XquadArticlesConfig):
        return [
            f"Question answering, trained and chosen on articles of XQuAD's English, `{data.path}`.",
            "Answers are compared as SQuAD's scorer does.",
        ]
    sources = f"Training data: `{_source(data.train)}`. Development data: `{_source(data.development)}`."
    if isinstance(data, SentencePairsConfig):
        return [f"Sentence pairs. {sources}", "", f"Outputs, in their order: {', '.join(label_names)}."]
    scorers = [f"`{test.name}` as {_SCORERS[test.scorer]} does" for test in data.tests]
    return [f"Question answering. {sources}", *([f"Answers are compared in {', '.join(scorers)}."] if scorers else [])]


def _source(source: SourceConfig) -> str:
    if isinstance(source, HubSourceConfig):
        return " ".join(filter(None, [source.hub, source.config, source.split, f"at {source.revision}"]))
    return source


def _schedule(config: TextRunConfig, block_map: BlockMap, decisions: JournaledDecisions, step: int) -> list[str]:
    """Only what these weights went through: they may be those of an earlier update than the run's last one."""
    card, interval = config.card, decisions.interval
    if card.intervention == "none":
        return ["Everything from the first update: no intervention."]
    lines = [f"Intervention: `{card.intervention}`."]
    if interval is not None:
        by = f", signal `{interval.signal}`" if interval.signal else ""
        when = f", decided at update {interval.decided_at}" if interval.decided_at else ""
        lines.append(f"k = {interval.k} (source: {interval.source}{by}{when}).")
    if card.freezes:
        frozen_later = card.start > 1
        started = "everything" if frozen_later else ", ".join([block_map.head.name, *block_map.trainable_from_start])
        lines += ["", f"- from the start: {started}"]
        for change in decisions.changes:
            if change.update <= step:
                frozen = "" if change.trainable else " no longer"
                lines.append(f"- from update {change.update}{frozen}: {', '.join(change.blocks)}")
    return lines


def _score_table(scores: Sequence[SplitScore]) -> list[str]:
    names = list(dict.fromkeys(name for score in scores for name in score.values))
    table = [["split", *names, "examples"], ["---"] * (len(names) + 2)]
    for score in scores:
        values = [f"{score.values[name]:.4f}" if name in score.values else "" for name in names]
        table.append([score.split, *values, str(score.num_examples)])
    return [f"| {' | '.join(row)} |" for row in table]
