"""Extractive question answering with LoRA, in a loop of one's own: PyTorch, transformers, peft, and thawline's lines.

npx thawline attach -- python examples/hf_question_answering.py     finds k, and unfreezes adapters layer by layer
python examples/hf_question_answering.py                            trains alone: thawline's lines do nothing

It needs transformers and peft, and where it trains alone, thawline on the path (PYTHONPATH=python). The encoder is tiny
and has random weights, questions and contexts are made up.
"""

import argparse

import peft
import torch
from torch import Tensor, nn
from transformers import XLMRobertaConfig, XLMRobertaForQuestionAnswering

import thawline
from thawline.probes.text_objective import QuestionAnsweringObjective
from thawline.storage.weights import weights_sha256

NUM_LAYERS = 3
VOCABULARY = 64
CONTEXT_TOKENS = 12
BOS, PAD, EOS = 0, 1, 2


def build_model() -> nn.Module:
    config = XLMRobertaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        num_hidden_layers=NUM_LAYERS,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
        type_vocab_size=1,
    )
    # peft freezes the encoder and trains a copy of the head, `qa_outputs`.
    lora = peft.LoraConfig(
        task_type="QUESTION_ANS", r=8, lora_alpha=8, lora_dropout=0.2, target_modules=["query", "value"]
    )
    return peft.get_peft_model(XLMRobertaForQuestionAnswering(config), lora)


def draw_questions(num_questions: int) -> dict[str, Tensor]:
    """`<s> question </s></s> context </s>`: the question is a token of the context, the answer the two after it."""
    contexts = torch.stack([torch.randperm(VOCABULARY - 10)[:CONTEXT_TOKENS] + 10 for _ in range(num_questions)])
    asked = torch.randint(CONTEXT_TOKENS - 2, (num_questions,))
    question = contexts.gather(1, asked[:, None])
    edge = torch.full((num_questions, 1), EOS)
    input_ids = torch.cat([torch.full_like(edge, BOS), question, edge, edge, contexts, edge], dim=1)
    starts = 4 + asked + 1
    return {
        "input_ids": input_ids,
        "attention_mask": (input_ids != PAD).long(),
        "start_positions": starts,
        "end_positions": starts + 1,
    }


def choose(questions: dict[str, Tensor], chosen: Tensor) -> dict[str, Tensor]:
    return {name: values[chosen] for name, values in questions.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--updates", type=int, default=60)
    arguments = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = build_model().train()
    questions = draw_questions(256)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=5e-3)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=arguments.updates)

    # The adapters of the top layer train from the start, with the head; those below are unfrozen from the top down.
    top = NUM_LAYERS - 1
    blocks = [(f"layer{index}", rf"\.layer\.{index}\..*\.lora_") for index in reversed(range(top))]
    head = rf"\.qa_outputs\.modules_to_save\.|\.layer\.{top}\..*\.lora_"
    probe_batches = [choose(questions, indices) for indices in torch.arange(64).split(32)]
    probe = thawline.Probe(probe_batches, QuestionAnsweringObjective())
    with thawline.attach(model, optimizer, blocks=blocks, head=head, probe=probe, num_updates=arguments.updates) as run:
        for _ in range(arguments.updates):
            run.before_update()
            loss = model(**choose(questions, torch.randint(256, (16,)))).loss
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            scheduler.step()
            run.after_update(loss, num_samples=16)
    print(f"weights_sha256 {weights_sha256(model)}")


if __name__ == "__main__":
    main()
