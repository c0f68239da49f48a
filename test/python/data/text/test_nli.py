from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thawline.data.text.nli import read_mnli, read_xnli
from thawline.data.text.records import PAIR_LABELS, Pair
from thawline.errors import UserError

MNLI_HEADER = (
    "gold_label\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2"
    "\tpromptID\tpairID\tgenre\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\n"
)
XNLI_HEADER = f"language\t{MNLI_HEADER[:-1]}\tsentence1_tokenized\tsentence2_tokenized\tmatch\n"
GLUE_HEADER = (
    "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse"
    "\tsentence1\tsentence2\tlabel1\tgold_label\n"
)


def line(header: str, **values: str) -> str:
    return "\t".join(values.get(column, f"<{column}>") for column in header[:-1].split("\t")) + "\n"


def mnli_line(premise: str, hypothesis: str, label: str, header: str = MNLI_HEADER) -> str:
    return line(header, sentence1=premise, sentence2=hypothesis, gold_label=label)


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(lines).encode())
    return path


def test_quotes_are_text_and_pairs_without_a_label_fall_out(tmp_path: Path) -> None:
    write(
        tmp_path / "multinli_1.0_dev_matched.txt",
        MNLI_HEADER,
        mnli_line('He said "no', 'He "agreed".', "contradiction"),
        mnli_line("a", "b", "-"),
        mnli_line('"Yes" is', "Größe\u2028\x85x", "entailment"),
    )
    assert read_mnli(tmp_path, "dev_matched") == [
        Pair('He said "no', 'He "agreed".', "contradiction"),
        Pair('"Yes" is', "Größe\u2028\x85x", "entailment"),
    ]


def test_training_lines_may_lack_the_labels_of_further_annotators(tmp_path: Path) -> None:
    short = "\t".join(mnli_line("p", "h", "neutral").rstrip("\n").split("\t")[:11])
    path = write(tmp_path / "multinli_1.0_train.txt", MNLI_HEADER, short, "\n")
    assert read_mnli(path, "train") == [Pair("p", "h", "neutral")]


def test_glue_and_the_translations_are_read_by_their_own_columns(tmp_path: Path) -> None:
    glue = write(tmp_path / "train.tsv", GLUE_HEADER, mnli_line("p", "h", "entailment", GLUE_HEADER))
    assert read_mnli(glue, "train") == [Pair("p", "h", "entailment")]
    translated = write(tmp_path / "multinli.train.de.tsv", "premise\thypo\tlabel\r\n", "p\th\tcontradictory\r\n")
    assert read_mnli(translated, "train") == [Pair("p", "h", "contradiction")]


def test_all_languages_of_xnli_are_in_one_file(tmp_path: Path) -> None:
    def xnli_line(language: str, premise: str, label: str) -> str:
        return line(XNLI_HEADER, language=language, sentence1=premise, sentence2="h", gold_label=label)

    lines = [
        xnli_line("ar", "عربي", "neutral"),
        xnli_line("de", 'ein "Wort', "contradiction"),
        xnli_line("ar", "x", "-"),
        xnli_line("de", "zwei", "entailment"),
    ]
    write(tmp_path / "xnli.test.tsv", XNLI_HEADER, *lines)
    assert XNLI_HEADER.count("\t") + 1 == 19
    assert read_xnli(tmp_path, "test", ["de", "ar"]) == {
        "de": [Pair('ein "Wort', "h", "contradiction"), Pair("zwei", "h", "entailment")],
        "ar": [Pair("عربي", "h", "neutral")],
    }
    with pytest.raises(UserError, match='has no pair in the language "sw"'):
        read_xnli(tmp_path / "xnli.test.tsv", "test", ["de", "sw"])


@pytest.mark.parametrize(
    "header", ["premise,hypothesis,label", "label,sentence1,other,sentence2", "hypo,premise,gold_label"]
)
@pytest.mark.parametrize(("suffix", "separator"), [(".tsv", "\t"), (".txt", "\t"), (".csv", ",")])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_tables_of_ones_own_have_either_heading(
    tmp_path: Path, header: str, suffix: str, separator: str, mark: str
) -> None:
    values = {"premise": "p", "sentence1": "p", "label": "neutral", "gold_label": "neutral", "other": "o"}
    row = separator.join(values.get(name, "h") for name in header.split(","))
    path = write(tmp_path / f"pairs{suffix}", mark, header.replace(",", separator), "\r\n", row, "\r\n")
    assert read_mnli(path, "train") == [Pair("p", "h", "neutral")]


def test_a_csv_has_quotes_commas_and_line_ends_in_its_values(tmp_path: Path) -> None:
    rows = ['"a, ""b""","two\nlines",entailment\n', "\n", "\u2028x,y,contradiction"]
    path = write(tmp_path / "pairs.csv", "premise,hypothesis,label\n", *rows)
    assert read_mnli(path, "train") == [
        Pair('a, "b"', "two\nlines", "entailment"),
        Pair("\u2028x", "y", "contradiction"),
    ]
    write(path, "premise,hypothesis,label\n", 'a,"b,neutral\n')
    with pytest.raises(UserError, match=r"pairs\.csv, line 2 is not comma-separated with quoting"):
        read_mnli(path, "train")


def test_what_nobody_sees_is_shown_in_a_message(tmp_path: Path) -> None:
    path = write(tmp_path / "pairs.tsv", "premise\u200b\thypothesis\tlabel\n")
    with pytest.raises(UserError) as caught:
        read_mnli(path, "train")
    assert str(caught.value).endswith(r'no column "sentence1" among premise\u200b, hypothesis, label')
    write(path, "premise\thypothesis\tlabel\n", "p\th\tneutral\u00a0x\n")
    with pytest.raises(UserError, match=r'the label "neutral\\xa0x"'):
        read_mnli(path, "train")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ((MNLI_HEADER, mnli_line("p", "h", "neutral"), mnli_line("p", "h", "hidden")), 'line 3: the label "hidden"'),
        ((MNLI_HEADER, "neutral\tp\th\n"), "line 2 has 3 columns, the header 15"),
        ((MNLI_HEADER, mnli_line("a\tb", "h", "neutral")), "line 2 has 16 columns, the header 15"),
        (("gold_label\tsentence1\n",), 'line 1: there is no column "sentence2" among gold_label, sentence1'),
        (("",), 'there is no column "sentence1"'),
        ((MNLI_HEADER, mnli_line("p", "h", "-")), "has no pair with a label"),
        ((MNLI_HEADER,), "has no pair with a label"),
    ],
)
def test_an_error_names_the_line(tmp_path: Path, lines: tuple[str, ...], says: str) -> None:
    path = write(tmp_path / "train.txt", *lines)
    with pytest.raises(UserError) as caught:
        read_mnli(path, "train")
    assert caught.value.code == "wrong_data"
    assert str(path) in str(caught.value)
    assert says in str(caught.value)


def test_a_file_that_is_not_text_or_not_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_bytes(MNLI_HEADER.encode() + b"\xff\xfe\n")
    with pytest.raises(UserError, match="is not UTF-8 text"):
        read_mnli(tmp_path / "train.txt", "train")
    with pytest.raises(UserError, match=r"multinli_1\.0_train\.txt cannot be read") as caught:
        read_mnli(tmp_path, "train")
    assert caught.value.code == "missing_data"


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\t\n\r"))


@given(st.lists(st.tuples(TEXT, TEXT, st.sampled_from(PAIR_LABELS)), min_size=1))
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]) -> None:
    path = write(tmp_path_factory.mktemp("mnli") / "train.txt", MNLI_HEADER, *(mnli_line(*row) for row in rows))
    assert [(pair.premise, pair.hypothesis, pair.label) for pair in read_mnli(path, "train")] == rows
