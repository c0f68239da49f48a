import numpy as np
import pytest
import torch
from torch import nn

from thawline.data.corruptions.mnist_c import MNIST_C_CORRUPTIONS, corrupt
from thawline.data.vision import Normalization, normalize
from thawline.evaluation.vision import EvaluationStopped, accuracy, evaluate_mnist_c
from thawline.models.resnet import build_resnet18

NORMALIZATION = Normalization((0.1307,), (0.3081,))


@pytest.fixture
def dataset() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (30, 1, 28, 28), dtype=torch.uint8, generator=generator)
    return images, torch.randint(10, (30,), generator=generator)


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.BatchNorm1d(784), nn.Dropout(0.9), nn.Linear(784, 10))


def settings(**changed):
    return {
        "normalization": NORMALIZATION,
        "batch_size": 8,
        "device": torch.device("cpu"),
        "should_stop": lambda: False,
        **changed,
    }


def stop_after(num_batches: int):
    answers = iter([False] * num_batches + [True])
    return lambda: next(answers)


@pytest.mark.parametrize("batch_size", [1, 7, 30, 100])
def test_accuracy_is_the_share_of_largest_logits_whatever_the_batches(model, dataset, batch_size):
    images, labels = dataset
    logits = model.eval()(normalize(images, *NORMALIZATION))
    labels[:20] = logits[:20].argmax(dim=1)  # so that it is neither all wrong nor all right
    labels[20:] = (logits[20:].argmax(dim=1) + 1) % 10
    assert accuracy(model, images, labels, **settings(batch_size=batch_size)) == pytest.approx(20 / 30)


def test_every_module_keeps_its_own_mode_and_its_buffers(dataset):
    images, labels = dataset
    model = build_resnet18(width=2, in_channels=1, num_classes=10)
    model.layer4.eval()  # as a held BatchNorm is, amid a model in training
    before = {name: value.clone() for name, value in model.state_dict().items()}
    accuracy(model, images, labels, **settings())
    assert model.training
    assert model.layer3[0].bn1.training
    assert not model.layer4[0].bn1.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_stop_between_batches_ends_it_and_restores_the_mode(model, dataset):
    model.train()
    with pytest.raises(EvaluationStopped):
        accuracy(model, *dataset, **settings(should_stop=stop_after(2)))
    assert all(module.training for module in model.modules())


def test_memory_format_does_not_matter(dataset):
    torch.manual_seed(0)
    model = build_resnet18(width=2, in_channels=1, num_classes=10)
    contiguous = accuracy(model, *dataset, **settings())
    channels_last = accuracy(
        model.to(memory_format=torch.channels_last), *dataset, **settings(memory_format=torch.channels_last)
    )
    assert contiguous == channels_last


def corrupted_settings(cache_folder, **changed):
    return settings(images_per_corruption=12, seed=3, cache_folder=cache_folder, **changed)


def test_mnist_c_gives_the_accuracy_on_each_corruption_of_the_first_images(tmp_path, model, dataset):
    images, labels = dataset
    clean = images[:12, 0].numpy()
    results = list(evaluate_mnist_c(model, images, labels, **corrupted_settings(tmp_path)))
    assert tuple(name for name, _ in results) == MNIST_C_CORRUPTIONS
    for name, value in results:
        corrupted = torch.from_numpy(corrupt(clean, name, seed=3)).unsqueeze(1)
        assert value == accuracy(model, corrupted, labels[:12], **settings())
    np.testing.assert_array_equal(images[:12, 0].numpy(), clean)


def test_mnist_c_makes_one_corruption_at_a_time(tmp_path, model, dataset):
    results = evaluate_mnist_c(model, *dataset, **corrupted_settings(tmp_path))
    for expected in (1, 2):
        next(results)
        assert len(list(tmp_path.rglob("*.npy"))) == expected


def test_mnist_c_stops_between_batches(tmp_path, model, dataset):
    results = evaluate_mnist_c(model, *dataset, **corrupted_settings(tmp_path, should_stop=stop_after(5)))
    assert next(results)[0] == "shot_noise"  # asked once before the images and once for each of two batches
    with pytest.raises(EvaluationStopped):
        next(results)
