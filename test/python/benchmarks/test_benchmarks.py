import json

import pytest
from benchmarks.__main__ import main


@pytest.mark.long
@pytest.mark.usefixtures("torch_settings")
def test_every_part_that_needs_no_controller_runs(tmp_path, capsys):
    parts = ["train", "freed-memory", "sharpness-worst", "sharpness-avg", "fisher", "transformers", "head-only"]
    report = tmp_path / "report.json"
    main([*parts, "--quick", "--widths", "4", "--json", str(report)])
    printed = capsys.readouterr().out
    rows = json.loads(report.read_text())["rows"]
    assert {row["part"] for row in rows} == set(parts)
    assert all(row["ratio"]["median"] > 0 and row["target"] is None for row in rows)
    assert printed.count("no target") == len(rows)
    # The two sides are checked against each other, at whatever speed.
    assert printed.count("values agree") == 3


def test_an_unknown_part_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["fischer"])
    assert "there is no part 'fischer'; choose from train, freed-memory," in capsys.readouterr().err
