"""A sequence classifier and Hugging Face's Trainer, with the one callback that puts it under a controller.

npx thawline attach -- python examples/hf_trainer.py --output runs/hf     finds k, and unfreezes layer by layer
python examples/hf_trainer.py --output runs/hf                            trains alone: the callback does nothing

Both go on from the last checkpoint in the folder `--output`, if there is one. It needs transformers and accelerate, and
where it trains alone, thawline on the path (PYTHONPATH=python). The encoder is tiny and has random weights, the
sequences are made up.
"""

import argparse
from contextlib import suppress

import torch
from transformers import Trainer, TrainingArguments, XLMRobertaConfig, XLMRobertaForSequenceClassification
from transformers.trainer_utils import get_last_checkpoint

import thawline
from thawline.integrations.huggingface import ControllerCallback
from thawline.probes.text_objective import SequenceClassificationObjective
from thawline.storage.weights import weights_sha256

NUM_CLASSES = 3
NUM_LAYERS = 3
VOCABULARY = 64
NUM_TOKENS = 10


def build_model() -> XLMRobertaForSequenceClassification:
    return XLMRobertaForSequenceClassification(
        XLMRobertaConfig(
            vocab_size=VOCABULARY,
            hidden_size=32,
            num_hidden_layers=NUM_LAYERS,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=NUM_TOKENS + 2,
            type_vocab_size=1,
            num_labels=NUM_CLASSES,
        )
    )


def draw_examples(num_examples: int) -> list[dict[str, torch.Tensor]]:
    """Noise with a token that tells the class, somewhere."""
    labels = torch.randint(NUM_CLASSES, (num_examples,))
    input_ids = torch.randint(10, VOCABULARY, (num_examples, NUM_TOKENS))
    input_ids[:, 0] = 0
    places = torch.randint(1, NUM_TOKENS, (num_examples,))
    input_ids[torch.arange(num_examples), places] = 4 + labels
    mask = torch.ones(NUM_TOKENS, dtype=torch.int64)
    return [
        {"input_ids": ids, "attention_mask": mask, "labels": label}
        for ids, label in zip(input_ids, labels, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", required=True, help="folder of the checkpoints")
    parser.add_argument("--updates", type=int, default=60)
    arguments = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = build_model()
    examples = draw_examples(256)
    probe_batches = [torch.utils.data.default_collate(examples[start : start + 32]) for start in (0, 32)]
    controller = ControllerCallback(
        # From the top, nearest the head, down.
        blocks=[
            *((f"layer{index}", rf"\.layer\.{index}\.") for index in reversed(range(NUM_LAYERS))),
            ("embeddings", r"\.embeddings\."),
        ],
        head=r"^classifier\.",
        probe=thawline.Probe(probe_batches, SequenceClassificationObjective()),
    )
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=arguments.output,
            max_steps=arguments.updates,
            per_device_train_batch_size=16,
            learning_rate=1e-3,
            save_steps=10,
            save_total_limit=2,
            logging_steps=10,
            use_cpu=True,
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=examples,
        callbacks=[controller],
    )
    # Where no update is left to make, as when all of this is started once more.
    with suppress(thawline.TrainingStopped):
        trainer.train(resume_from_checkpoint=get_last_checkpoint(arguments.output))
    print(f"weights_sha256 {weights_sha256(model)}")


if __name__ == "__main__":
    main()
