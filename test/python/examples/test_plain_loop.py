"""The example as a process of its own: under a real connection, alone, and as it was before the three lines."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import zmq

from example_config import attached_config
from granting_channel import GrantingChannel
from thawline.bootstrap import BOOTSTRAP_VARIABLE, Bootstrap
from thawline.codec import decode, encode
from thawline.protocol import Applied, Boundary, Failed, Finished, Hello, Ready, Stopped

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "plain_loop.py"


def serve(router: zmq.Socket[bytes], channel: GrantingChannel, run: str) -> None:
    """Lets `channel` be the controller of the one worker that talks to `router`, until that one has closed."""
    for seq in itertools.count(1):
        while True:
            worker, *frames = router.recv_multipart()
            channel.sent.append(decode(frames, sender="worker").body)
            match channel.sent[-1]:
                case Hello() | Ready() | Boundary():
                    break
                case Finished() | Stopped() | Failed():
                    return
        router.send_multipart([worker, *encode(channel.receive(), run=run, attempt=1, session="controller", seq=seq)])


def test_the_example_under_a_controller(tmp_path: Path) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    router = context.socket(zmq.ROUTER)
    server_key, router.curve_secretkey = zmq.curve_keypair()
    router.curve_server = True
    router.rcvtimeo = 60_000
    keys = zmq.curve_keypair()
    endpoint = f"tcp://127.0.0.1:{router.bind_to_random_port('tcp://127.0.0.1')}"
    bootstrap = Bootstrap(endpoint, server_key.decode(), keys[0].decode(), keys[1].decode(), "run-1", 1, os.getpid())
    file = tmp_path / "bootstrap.json"
    file.write_bytes(msgspec.json.encode(bootstrap))
    channel = GrantingChannel(
        {1: ["head"], 20: ["head", "conv2"]}, metrics=["fisher_trace"], probe_every=10, config=attached_config()
    )

    environment = {"PYTHONPATH": str(ROOT / "python"), "PATH": "/usr/bin:/bin", BOOTSTRAP_VARIABLE: str(file)}
    with subprocess.Popen(
        [sys.executable, str(EXAMPLE)], env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        serve(router, channel, "run-1")
        output, _ = process.communicate()
    context.destroy(linger=0)

    assert process.returncode == 0
    assert [len(body.metrics) > 0 for body in channel.sent_of(Boundary)] == [True] * 7 + [False]
    assert [body.update for body in channel.sent_of(Applied)] == [1, 20]
    finished = channel.sent[-1]
    assert isinstance(finished, Finished)
    assert f"weights_sha256 {finished.weights_sha256}" in output


def run_example(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(ROOT / "python"), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, str(EXAMPLE), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


def test_the_example_ends_with_the_same_weights_with_and_without_the_three_lines() -> None:
    alone, without = run_example(), run_example("--without-thawline")
    assert "weights_sha256 " in alone.stdout
    assert alone.stdout == without.stdout
    assert alone.stderr.count("\n") == 1
    assert BOOTSTRAP_VARIABLE in alone.stderr
    assert without.stderr == ""
