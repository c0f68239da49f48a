"""A training loop of one's own with the three lines that put it under a controller, where there is one.

npx thawline attach -- python examples/plain_loop.py     finds k, and unfreezes layer by layer
python examples/plain_loop.py                            trains alone: the three lines do nothing
python examples/plain_loop.py --without-thawline         the same loop as it was before; ends with the same weights

Where it trains alone, it needs thawline on the path (PYTHONPATH=python).
"""

import argparse

import torch
from torch import Tensor, nn
from torch.nn import functional

import thawline
from thawline.storage.weights import weights_sha256

NUM_UPDATES = 60
NUM_CLASSES = 4


def build_model() -> nn.Sequential:
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()),
        nn.Sequential(nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU()),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.1)),
        nn.Linear(16, NUM_CLASSES),
    )


def draw_points(num_points: int) -> tuple[Tensor, Tensor]:
    """Noise with a bright quarter; which quarter it is, is the class."""
    labels = torch.randint(NUM_CLASSES, (num_points,))
    images = torch.randn(num_points, 1, 8, 8)
    for quarter in range(NUM_CLASSES):
        top, left = 4 * (quarter // 2), 4 * (quarter % 2)
        images[labels == quarter, :, top : top + 4, left : left + 4] += 1
    return images, labels


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--without-thawline", action="store_true")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = build_model()
    images, labels = draw_points(512)
    # All parameters from the start: what is frozen has no gradient, and the optimizer passes over it.
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, NUM_UPDATES)

    def make_update() -> Tensor:
        batch = torch.randint(len(labels), (32,))
        loss = functional.cross_entropy(model(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        return loss

    if arguments.without_thawline:
        for _ in range(NUM_UPDATES):
            make_update()
    else:
        probe = thawline.Probe(list(zip(images.split(64), labels.split(64), strict=True)))
        blocks = [("conv2", r"^1\."), ("conv1", r"^0\.")]  # From the top, nearest the head, down.
        with thawline.attach(
            model, optimizer, blocks=blocks, head=r"^3\.", probe=probe, num_updates=NUM_UPDATES
        ) as run:
            for _ in range(NUM_UPDATES):
                run.before_update()
                loss = make_update()
                run.after_update(loss)

    model.eval()
    with torch.no_grad():
        accuracy = (model(images).argmax(dim=1) == labels).float().mean().item()
    print(f"accuracy on the training points {accuracy:.3f}")
    print(f"weights_sha256 {weights_sha256(model)}")


if __name__ == "__main__":
    main()
