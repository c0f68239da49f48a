"""The golden messages of test/vectors: what TypeScript accepts and refuses, Python accepts and refuses too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from thawline.wire.codec import Message, decode, encode
from thawline.wire.kinds import BODIES, KINDS_OF_SENDER
from thawline.wire.prescan import ProtocolError
from thawline.wire.protocol import PROTOCOL_TAG

FILES = [json.loads(path.read_text()) for path in sorted((Path(__file__).parents[2] / "vectors").glob("*.json"))]
VALID = [pytest.param(file, case, id=f"{file['kind']}: {case['name']}") for file in FILES for case in file["valid"]]
INVALID = [pytest.param(case, id=f"{file['kind']}: {case['name']}") for file in FILES for case in file["invalid"]]


def builtins(message: Message) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(message)
    return {key: value for key, value in fields.items() if not (key == "reply_to" and value is None)}


@pytest.mark.parametrize(("file", "case"), VALID)
def test_accepts(file: dict[str, Any], case: dict[str, Any]) -> None:
    message = decode([PROTOCOL_TAG, bytes.fromhex(case["map"])])
    assert builtins(message) == case["message"]

    frames = encode(
        message.body,
        run=message.run,
        attempt=message.attempt,
        session=message.session,
        seq=message.seq,
        reply_to=message.reply_to,
    )
    assert decode(frames) == message
    # A controller may write 1.0 as an integer, so bytes are compared only for what Python sends.
    if case["canonical"] and file["declaration"]["sender"] != "controller":
        assert frames[1].hex() == case["map"]


@pytest.mark.parametrize("case", INVALID)
def test_refuses(case: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as refusal:
        decode([PROTOCOL_TAG, bytes.fromhex(case["map"])], sender=case["sender"])
    assert (refusal.value.code, str(refusal.value)[: len(case["path"])]) == (case["code"], case["path"])


def test_both_languages_know_the_same_kinds_and_senders() -> None:
    senders = {file["kind"]: file["declaration"]["sender"] for file in FILES}
    assert set(senders) == set(BODIES)
    for side, kinds in KINDS_OF_SENDER.items():
        assert {kind for kind, sender in senders.items() if sender in (side, "both")} == kinds


@pytest.mark.parametrize("file", [pytest.param(file, id=file["kind"]) for file in FILES])
def test_both_languages_know_the_same_fields(file: dict[str, Any]) -> None:
    (ours,), definitions = msgspec.json.schema_components([BODIES[file["kind"]]], ref_template="{name}")
    assert fields(ours, definitions) == fields(file["declaration"]["body"], {})


def fields(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    """The names of a schema's fields, whether each is required, and the same of what is inside; types left out."""
    schema = definitions[schema["$ref"]] if "$ref" in schema else schema
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            inside = [found for option in schema[choice] if (found := fields(option, definitions)) is not None]
            return inside[0] if len(inside) == 1 else sorted(inside, key=repr) or None
    if "properties" in schema:
        required = schema.get("required", [])
        return {name: (name in required, fields(inner, definitions)) for name, inner in schema["properties"].items()}
    inner = schema.get("items", schema.get("additionalProperties"))
    return fields(inner, definitions) if isinstance(inner, dict) else None
