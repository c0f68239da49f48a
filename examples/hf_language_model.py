"""A causal language model in a loop of one's own: PyTorch, transformers, and thawline's lines.

npx thawline attach -- python examples/hf_language_model.py     finds k, and unfreezes layer by layer
python examples/hf_language_model.py                            trains alone: thawline's lines do nothing

It needs transformers, and where it trains alone, thawline on the path (PYTHONPATH=python). The model is a tiny Llama
with random weights. It learns to repeat a prompt, of which, as in instruction tuning, only the answer is predicted.
"""

import argparse

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

import thawline
from thawline.probes import CausalLanguageModelObjective
from thawline.storage.weights import weights_sha256

NUM_LAYERS = 3
VOCABULARY = 32
LONGEST_PROMPT = 6
PAD, ANSWER, END = 0, 1, 2
IGNORED = -100


def build_model() -> nn.Module:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=NUM_LAYERS,
            num_attention_heads=2,
            pad_token_id=PAD,
            # With the weights of the input as those of the output the head could not train alone.
            tie_word_embeddings=False,
        )
    )


def draw_sequences(num_sequences: int) -> dict[str, Tensor]:
    """`prompt <answer> prompt <end>`, padded on the right; prompt and padding have no labels."""
    width = 2 * LONGEST_PROMPT + 2
    input_ids = torch.full((num_sequences, width), PAD)
    labels = torch.full((num_sequences, width), IGNORED)
    for row, length in enumerate(torch.randint(2, LONGEST_PROMPT + 1, (num_sequences,)).tolist()):
        prompt = torch.randint(3, VOCABULARY, (length,))
        answer = torch.cat([prompt, torch.tensor([END])])
        input_ids[row, : 2 * length + 2] = torch.cat([prompt, torch.tensor([ANSWER]), answer])
        labels[row, length + 1 : 2 * length + 2] = answer
    return {"input_ids": input_ids, "attention_mask": (input_ids != PAD).long(), "labels": labels}


def choose(sequences: dict[str, Tensor], chosen: Tensor) -> dict[str, Tensor]:
    return {name: values[chosen] for name, values in sequences.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--updates", type=int, default=60)
    arguments = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = build_model().train()
    sequences = draw_sequences(256)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=arguments.updates)

    # From the top, nearest the head, down; the embeddings come with the lowest layer.
    blocks = [(f"layer{index}", rf"\.layers\.{index}\.") for index in reversed(range(1, NUM_LAYERS))]
    blocks.append(("bottom", r"\.layers\.0\.|\.embed_tokens\."))
    probe_batches = [choose(sequences, indices) for indices in torch.arange(32).split(16)]
    probe = thawline.Probe(probe_batches, CausalLanguageModelObjective())
    with thawline.attach(
        model, optimizer, blocks=blocks, head=r"^lm_head\.|\.norm\.", probe=probe, num_updates=arguments.updates
    ) as run:
        for _ in range(arguments.updates):
            run.before_update()
            loss = model(**choose(sequences, torch.randint(256, (16,)))).loss
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            run.after_update(loss, num_samples=16)
    print(f"weights_sha256 {weights_sha256(model)}")


if __name__ == "__main__":
    main()
