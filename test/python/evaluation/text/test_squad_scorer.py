import pytest
from hypothesis import given
from hypothesis import strategies as st
from text_examples import XQUAD_FILE_LANGUAGES, XQUAD_FOLDER, make_question, needs_xquad

from thawline.data.text.squad import read_xquad
from thawline.evaluation.text.squad_scorer import normalize_squad_answer, score_squad


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("The  Quick,\tbrown fox.", "quick brown fox"),
        ("an apple a day", "apple day"),
        ("theatre, a.m.", "theatre am"),
        ("the-end", "theend"),  # punctuation goes first, and leaves one word
        ("$3.50 <b>", "350 b"),
        ("the", ""),
        ("\u00bfQu\u00e9? \u2014 S\u00ed", "\u00bfqu\u00e9 \u2014 s\u00ed"),  # only ASCII punctuation is known
        ("der Hund", "der hund"),  # only English articles are known
        ("\u5317\u4eac \u5927\u5b66", "\u5317\u4eac \u5927\u5b66"),
        ("na\u00efve\u00a0the\u3000x", "na\u00efve x"),
    ],
)
def test_normalization(text: str, normalized: str) -> None:
    assert normalize_squad_answer(text) == normalized


def score(prediction: str, gold: str) -> tuple[float, float]:
    return score_squad([make_question(gold, gold)], {"q": prediction})


@pytest.mark.parametrize(
    ("prediction", "gold", "exact_match", "f1"),
    [
        ("The Ada Byron!", "ada byron", 100, 100),
        ("the", "a", 100, 0),  # both empty: they match, and share no token
        ("Ada", "Ada Byron", 0, 200 / 3),
        ("\u5317\u4eac \u5927\u5b66", "\u5317\u4eac\u5927\u5b66", 0, 0),
        ("\u5317\u4eac", "\u5317\u4eac\u5927\u5b66", 0, 0),  # Chinese has no spaces, so all or nothing
        ("\u00bfAda?", "Ada", 0, 0),
    ],
)
def test_scores(prediction: str, gold: str, exact_match: float, f1: float) -> None:
    assert score(prediction, gold) == (exact_match, pytest.approx(f1))


@given(st.text())
def test_normalization_leaves_no_ascii_punctuation_and_no_spare_space(text: str) -> None:
    normalized = normalize_squad_answer(text)
    assert normalized == " ".join(normalized.split())
    assert not {*normalized} & {*"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}
    assert not {*normalized.split()} & {"a", "an", "the"} or not text.isascii()


@given(prediction=st.text(max_size=20), gold=st.text(min_size=1, max_size=20))
def test_two_texts_score_alike_either_way(prediction: str, gold: str) -> None:
    if prediction != "":
        assert score(prediction, gold) == score(gold, prediction)


@needs_xquad
@pytest.mark.parametrize("language", XQUAD_FILE_LANGUAGES)
def test_real_answers_score_100_and_perturbed_ones_less(language: str) -> None:
    questions = read_xquad(XQUAD_FOLDER, [language])[language]
    gold = {question.id: question.answers[0].text for question in questions}
    assert score_squad(questions, gold) == (100, 100)
    half = {question.id: gold[question.id] for question in questions[::2]}
    assert score_squad(questions, half) == (50, 50)
    longer = score_squad(questions, {key: f"{text} zzz" for key, text in gold.items()})
    assert longer.exact_match == 0
    assert 0 < longer.f1 < 100
    assert score_squad(questions, {key: f" ({text}) " for key, text in gold.items()}) == (100, 100)


def count_words(text: str) -> int:
    """As the rules of SQuAD say it, word by word: those that are left without ASCII punctuation and are no article."""
    words = ["".join(c for c in word if c not in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") for word in text.split()]
    return sum(word != "" and word.lower() not in ("a", "an", "the") for word in words)


@needs_xquad
@pytest.mark.parametrize("language", XQUAD_FILE_LANGUAGES)
def test_one_wrong_word_too_many_costs_what_it_should(language: str) -> None:
    """Of n + 1 words n are right, and all n are there: F1 = 2n / (2n + 1) of each question, in every language."""
    questions = read_xquad(XQUAD_FOLDER, [language])[language]
    gold = {question.id: question.answers[0].text for question in questions}
    expected = [2 * count / (2 * count + 1) for count in map(count_words, gold.values())]
    longer = score_squad(questions, {key: f"{text} zzz" for key, text in gold.items()})
    assert longer == (0, pytest.approx(100 * sum(expected) / len(expected)))
    assert score_squad(questions, {key: f"The {text}, a" for key, text in gold.items()}) == (100, 100)
    assert score_squad(questions, {key: f"der {text}" for key, text in gold.items()}).exact_match == 0
    reversed_words = score_squad(questions, {key: " ".join(text.split()[::-1]) for key, text in gold.items()})
    assert reversed_words.f1 == pytest.approx(100)
    assert reversed_words.exact_match < 100 or language in ("zh", "th")
