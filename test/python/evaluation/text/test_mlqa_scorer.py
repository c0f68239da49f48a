import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from text_examples import XQUAD_FILE_LANGUAGES, XQUAD_FOLDER, make_question, needs_xquad

from thawline.data.text.squad import read_xquad
from thawline.errors import UserError
from thawline.evaluation.text.mlqa_scorer import normalize_mlqa_answer, score_mlqa

MLQA_LANGUAGES = ("en", "ar", "de", "es", "hi", "vi", "zh")


@pytest.mark.parametrize(
    ("language", "text", "normalized"),
    [
        ("en", "The Quick, an apple; a day", "quick apple day"),
        ("en", "el perro", "el perro"),
        ("es", "¿El perro y unas gatas?", "perro y gatas"),
        ("es", "una, la. LOS", ""),
        ("es", "elefante laúd", "elefante laúd"),
        ("de", "Der Hund des Mannes und eine Katze", "hund mannes und katze"),
        ("de", "„Einen“ derart", "derart"),
        ("vi", "Những cái bàn của tôi là", "bàn tôi"),
        ("hi", "यह। the घर", "यह the घर"),
        ("zh", "北京大学 is 好", "北 京 大 学 is 好"),
        ("zh", "在abc 12北,京。the", "在 abc 12 北 京 the"),
        ("en", "$3 + 4 = <7> ^`|~", "3 4 7"),
        ("en", "a—b «c» … d", "ab c d"),
    ],
)
def test_normalization(language: str, text: str, normalized: str) -> None:
    assert normalize_mlqa_answer(text, language) == normalized


def test_the_arabic_article_is_taken_out_of_the_middle_of_words_too() -> None:
    assert normalize_mlqa_answer("القلم", "ar") == "قلم"
    assert normalize_mlqa_answer("وبالقلم", "ar") == "وب قلم"
    assert normalize_mlqa_answer("وبالقلم، كتب؟", "ar") == "وب قلم كتب"


def score(prediction: str, gold: str, language: str) -> tuple[float, float]:
    return score_mlqa([make_question(gold, gold)], {"q": prediction}, language)


@pytest.mark.parametrize(
    ("language", "prediction", "gold", "exact_match", "f1"),
    [
        ("zh", "北京 大学", "北京大学", 100, 100),
        ("zh", "北京", "北京大学", 0, 200 / 3),
        ("zh", "京北", "北京", 0, 100),  # a bag of characters
        ("es", "¿Ada?", "Ada", 100, 100),
        ("es", "el", "la", 100, 0),  # both empty: they match, and share no token
        ("de", "die Brücke", "Brücke", 100, 100),
        ("en", "die Brücke", "Brücke", 0, 200 / 3),
        ("ar", "القلم", "قلم", 100, 100),
        ("hi", "घर", "घर।", 100, 100),
        ("vi", "của tôi", "tôi", 100, 100),
    ],
)
def test_scores(language: str, prediction: str, gold: str, exact_match: float, f1: float) -> None:
    assert score(prediction, gold, language) == (exact_match, pytest.approx(f1))


def test_a_language_that_mlqa_does_not_have_is_refused() -> None:
    with pytest.raises(UserError, match='does not know the language "ru", only ar, de, en, es, hi, vi, zh') as caught:
        score("x", "x", "ru")
    assert caught.value.code == "invalid_config"


@given(text=st.text(), language=st.sampled_from(MLQA_LANGUAGES))
def test_normalization_is_stable_but_for_the_articles_that_it_uncovers(text: str, language: str) -> None:
    normalized = normalize_mlqa_answer(text, language)
    assert normalized == " ".join(normalized.split())
    if language in ("hi", "zh"):
        assert normalize_mlqa_answer(normalized, language) == normalized


@given(prediction=st.text(min_size=1, max_size=20), gold=st.text(min_size=1, max_size=20), spaces=st.booleans())
def test_spaces_between_chinese_characters_make_no_difference(prediction: str, gold: str, spaces: bool) -> None:
    assert score(prediction, gold, "zh") == score(gold, prediction, "zh")
    han = "".join(chr(0x4E00 + ord(character) % 0x51A6) for character in prediction)
    assert score(" ".join(han) if spaces else han, han, "zh") == (100, 100)


@needs_xquad
@pytest.mark.parametrize("language", MLQA_LANGUAGES)
def test_real_answers_score_100_and_perturbed_ones_less(language: str) -> None:
    questions = read_xquad(XQUAD_FOLDER, [language])[language]
    gold = {question.id: question.answers[0].text for question in questions}
    assert score_mlqa(questions, gold, language) == (100, 100)
    longer = score_mlqa(questions, {key: f"{text} zzz" for key, text in gold.items()}, language)
    assert longer.exact_match == 0
    assert 0 < longer.f1 < 100
    quoted = {key: f"«{text}» …" for key, text in gold.items()}
    assert score_mlqa(questions, quoted, language) == (100, 100)


ARTICLES = {
    "en": {"a", "an", "the"},
    "es": {"un", "una", "unos", "unas", "el", "la", "los", "las"},
    "de": {"ein", "eine", "einen", "einem", "eines", "einer", "der", "die", "das", "den", "dem", "des"},
    "vi": {"của", "là", "cái", "chiếc", "những"},
}


def count_tokens(text: str, language: str) -> int:
    """As the rules of MLQA say it, character by character and word by word."""
    bare = [c for c in text.lower() if c not in string.punctuation and not unicodedata.category(c).startswith("P")]
    if language == "zh":
        bare = [f" {c} " if "一" <= c <= "龥" else c for c in bare]
    words = "".join(bare).replace("ال", " " if language == "ar" else "ال").split()
    return sum(word not in ARTICLES.get(language, set()) for word in words)


@needs_xquad
@pytest.mark.parametrize("language", MLQA_LANGUAGES)
def test_one_wrong_word_too_many_costs_what_it_should(language: str) -> None:
    """Of n + 1 tokens n are right, and all n are there: F1 = 2n / (2n + 1) of each question."""
    questions = read_xquad(XQUAD_FOLDER, [language])[language]
    gold = {question.id: question.answers[0].text for question in questions}
    expected = [2 * count / (2 * count + 1) for count in (count_tokens(text, language) for text in gold.values())]
    longer = score_mlqa(questions, {key: f"{text} zzz" for key, text in gold.items()}, language)
    assert longer == (0, pytest.approx(100 * sum(expected) / len(expected)))


@needs_xquad
@pytest.mark.parametrize("language", ["en", "es", "de", "vi", "ar"])
def test_real_answers_with_another_article_are_as_good_in_their_language_alone(language: str) -> None:
    questions = read_xquad(XQUAD_FOLDER, [language])[language]
    article = "ال" if language == "ar" else max(ARTICLES[language])
    with_article = {question.id: f"{article} {question.answers[0].text}" for question in questions}
    assert score_mlqa(questions, with_article, language) == (100, 100)
    assert score_mlqa(questions, with_article, "hi").exact_match == 0


@pytest.mark.parametrize("language", sorted({*XQUAD_FILE_LANGUAGES} - {*MLQA_LANGUAGES}))
def test_the_other_languages_of_xquad_are_not_scored_by_its_rules(language: str) -> None:
    with pytest.raises(UserError, match=f'does not know the language "{language}"'):
        score("x", "x", language)
