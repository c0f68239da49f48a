import pytest
import torch
from torch import nn

from thawline.data.corrupted_sets import CorruptedTestSet
from thawline.data.vision import ImageInputs, Normalization, normalize
from thawline.evaluation.vision import accuracy, corruption_accuracies
from thawline.interruption import Interrupted
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
        "inputs": ImageInputs(NORMALIZATION, torch.device("cpu")),
        "batch_size": 8,
        "should_stop": lambda doing="": False,
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
    with pytest.raises(Interrupted):
        accuracy(model, *dataset, **settings(should_stop=stop_after(2)))
    assert all(module.training for module in model.modules())


def test_memory_format_does_not_matter(dataset):
    torch.manual_seed(0)
    model = build_resnet18(width=2, in_channels=1, num_classes=10)
    contiguous = accuracy(model, *dataset, **settings())
    inputs = ImageInputs(NORMALIZATION, torch.device("cpu"), torch.channels_last)
    channels_last = accuracy(model.to(memory_format=torch.channels_last), *dataset, **settings(inputs=inputs))
    assert contiguous == channels_last


def corrupted_set(images, **changed) -> CorruptedTestSet:
    """Two corruptions at two severities of the first twelve images: noise that covers more, and the negative."""
    noise = torch.randint(256, images.shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(1))

    def load(corruption: str, severity: int) -> torch.Tensor:
        corrupted = 255 - images if corruption == "negative" else images.clone()
        corrupted[:, :, : 9 * severity] = noise[:, :, : 9 * severity]
        return corrupted[:12]

    return CorruptedTestSet(
        ("noise", "negative"),
        (1, 2),
        num_images=12,
        regenerated=True,
        load=load,
        load_clean=lambda: images[:12],
        **changed,
    )


def test_accuracies_come_corruption_by_corruption_for_each_severity(model, dataset):
    images, labels = dataset
    test_set = corrupted_set(images)
    results = dict(corruption_accuracies(model, test_set, labels, **settings()))
    assert list(results) == ["noise", "negative"]
    for corruption, by_severity in results.items():
        assert list(by_severity) == [1, 2]
        for severity, value in by_severity.items():
            assert value == accuracy(model, test_set.load(corruption, severity), labels[:12], **settings())


def test_corrupted_images_are_made_before_the_first_accuracy(model, dataset):
    made = []

    def make_ahead(should_stop):
        for number in range(3):
            made.append(number)
            yield number, 3

    results = corruption_accuracies(model, corrupted_set(dataset[0], make_ahead=make_ahead), dataset[1], **settings())
    assert made == []
    next(results)
    assert made == [0, 1, 2]


def test_how_many_images_are_made_is_told_meanwhile_and_not_after(model, dataset):
    def make_ahead(should_stop):
        should_stop()
        for number in range(3):
            yield number, 2
            should_stop()

    told = []
    note = settings(should_stop=lambda doing="": told.append(doing))
    next(corruption_accuracies(model, corrupted_set(dataset[0], make_ahead=make_ahead), dataset[1], **note))
    making = ["", "0 of 2 test sets made", "1 of 2 test sets made", "2 of 2 test sets made"]
    assert told[:4] == making
    assert set(told[4:]) == {""}


def test_a_stop_while_images_are_made_ends_the_evaluation(model, dataset):
    def make_ahead(should_stop):
        yield 0, 1
        raise Interrupted

    test_set = corrupted_set(dataset[0], make_ahead=make_ahead)
    with pytest.raises(Interrupted):
        next(corruption_accuracies(model, test_set, dataset[1], **settings()))


def test_corruptions_stop_between_batches(model, dataset):
    # Asked once before each severity and once for each of its two batches.
    results = corruption_accuracies(
        model, corrupted_set(dataset[0]), dataset[1], **settings(should_stop=stop_after(2 * 3 + 2))
    )
    assert next(results)[0] == "noise"
    with pytest.raises(Interrupted):
        next(results)
