"""Data sets on the Hub, from a small HTTP server that answers like it (HF_ENDPOINT is how mirrors are named)."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from text_examples import CITY, answer_entry

REVISION = "0123456789abcdef0123456789abcdef01234567"
NAME = "example/questions"

CARD = """---
configs:
- config_name: zh
  data_files:
  - split: validation
    path: zh/validation.jsonl
---
"""
START = answer_entry(CITY, "1898")["answer_start"]
ROW = {"id": "q1", "context": CITY, "question": "?", "answers": {"text": ["1898"], "answer_start": [START]}}
FILES = {"README.md": CARD.encode(), "zh/validation.jsonl": json.dumps(ROW).encode() + b"\n"}


class Hub(BaseHTTPRequestHandler):
    """One data set at one commit; everything else is not found."""

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path == f"/api/datasets/{NAME}/revision/{REVISION}":
            siblings = [{"rfilename": name} for name in FILES]
            self.reply(200, json.dumps({"id": NAME, "sha": REVISION, "siblings": siblings}).encode())
        elif path == f"/api/datasets/{NAME}/tree/{REVISION}/zh":
            name = "zh/validation.jsonl"
            self.reply(200, json.dumps([{"type": "file", "oid": "0", "size": len(FILES[name]), "path": name}]).encode())
        else:
            content = FILES.get(path.removeprefix(f"/datasets/{NAME}/resolve/{REVISION}/"))
            self.reply(404 if content is None else 200, content or b"")

    do_HEAD = do_GET

    def reply(self, status: int, content: bytes) -> None:
        self.send_response(status)
        if status == 404:
            self.send_header("X-Error-Code", "EntryNotFound" if NAME in self.path else "RepoNotFound")
        self.send_header("X-Repo-Commit", REVISION)
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


LOAD = """
import sys
from thawline.data.text.hub import HubSource, load_questions
from thawline.errors import UserError
try:
    name, revision, split, config = sys.argv[1:]
    for question in load_questions(HubSource(name, revision, split, config)):
        print(ascii(question.context), question.answers[0].start)
except UserError as error:
    print(error.code, error.message, sep=": ")
"""


def load(home: Path, *source: str, **variables: str) -> str:
    """What a process of its own prints: huggingface_hub reads its variables when it is imported."""
    environment = {**os.environ, "HF_HOME": str(home), "no_proxy": "*", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", LOAD, *source]
    finished = subprocess.run(command, env=environment | variables, capture_output=True, text=True, check=True)
    return finished.stdout.strip()


def test_a_pinned_data_set_is_downloaded_once_and_then_read_offline(tmp_path: Path, endpoint: str) -> None:
    expected = f"{CITY!a} {START}"
    source = (NAME, REVISION, "validation", "zh")
    assert load(tmp_path, *source, HF_ENDPOINT=endpoint) == expected
    assert load(tmp_path, *source, HF_HUB_OFFLINE="1") == expected


@pytest.mark.parametrize(("name", "config"), [("example/other", "zh"), (NAME, "de")])
def test_what_the_hub_does_not_have_is_one_sentence(tmp_path: Path, endpoint: str, name: str, config: str) -> None:
    printed = load(tmp_path, name, REVISION, "validation", config, HF_ENDPOINT=endpoint)
    assert printed.startswith(f"missing_data: {name} ({config}), split validation cannot be loaded (")
    assert "\n" not in printed


def test_a_hub_that_cannot_be_reached_is_one_sentence(tmp_path: Path) -> None:
    printed = load(tmp_path, NAME, REVISION, "validation", "zh", HF_HUB_OFFLINE="1")
    assert printed.startswith(f"missing_data: {NAME} (zh), split validation cannot be loaded (")
    assert "\n" not in printed
