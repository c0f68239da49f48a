"""k by a validation loss: the loop of plain_loop.py, evaluated every 5 updates. Nothing else is measured.

npx thawline attach intervention.signal=recorded:validation_loss -- python examples/validation_loss.py
python examples/validation_loss.py                       trains alone: what is recorded goes nowhere
"""

import torch
from plain_loop import build_model, draw_points
from torch.nn import functional

import thawline

NUM_UPDATES = 120
EVALUATE_EVERY = 5


def main() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = build_model()
    images, labels = draw_points(512)
    validation_images, validation_labels = draw_points(256)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    def evaluate() -> tuple[float, float]:
        """Mean loss on the validation set, and its standard error."""
        model.eval()
        with torch.no_grad():
            losses = functional.cross_entropy(model(validation_images), validation_labels, reduction="none")
        model.train()
        return losses.mean().item(), losses.std().item() / len(losses) ** 0.5

    blocks = [("conv2", r"^1\."), ("conv1", r"^0\.")]
    with thawline.attach(model, optimizer, blocks=blocks, head=r"^3\.", num_updates=NUM_UPDATES) as run:
        for _ in range(NUM_UPDATES):
            run.before_update()
            batch = torch.randint(len(labels), (32,))
            loss = functional.cross_entropy(model(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            run.after_update(loss)
            if run.step % EVALUATE_EVERY == 0:
                mean, error = evaluate()
                run.record("validation_loss", mean, standard_error=error)
    print(f"k {run.k}, validation loss {evaluate()[0]:.3f}")


if __name__ == "__main__":
    main()
