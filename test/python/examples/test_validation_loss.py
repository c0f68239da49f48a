"""The example that records a validation loss, under a real connection and alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from example_config import attached_config
from example_process import ENVIRONMENT, ROOT
from granting_channel import GrantingChannel
from served_channel import open_router, serve

from thawline.wire.bootstrap import BOOTSTRAP_VARIABLE
from thawline.wire.protocol import Boundary

EXAMPLE = ROOT / "examples" / "validation_loss.py"


def test_each_evaluation_is_a_point_at_the_boundary_after_it(tmp_path: Path) -> None:
    channel = GrantingChannel({1: ["head"], 20: ["head", "conv2", "conv1"]}, config=attached_config())
    with open_router(tmp_path) as (router, file):
        environment = {**ENVIRONMENT, BOOTSTRAP_VARIABLE: str(file)}
        with subprocess.Popen(
            [sys.executable, str(EXAMPLE)], env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            serve(router, channel)
            output, _ = process.communicate()
    assert process.returncode == 0, output
    recorded = {body.update: body.recorded for body in channel.sent_of(Boundary) if body.recorded}
    assert list(recorded) == list(range(6, 122, 5))
    for (value,) in recorded.values():
        assert value.name == "validation_loss"
        assert isinstance(value.standard_error, float)


def test_alone_it_trains() -> None:
    alone = subprocess.run([sys.executable, str(EXAMPLE)], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert alone.stdout.startswith("k None, validation loss ")
