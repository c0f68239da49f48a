import pytest

from thawline.evaluation.text.languages import (
    MLQA_LANGUAGES,
    XNLI_LANGUAGES,
    XQUAD_LANGUAGES,
    XQUAD_LANGUAGES_WITH_ROMANIAN,
    average_languages,
)


def test_english_stands_apart_and_the_others_count_alike() -> None:
    assert average_languages({"de": 60.0, "en": 80.0, "zh": 30.0}) == (80.0, 45.0)


@pytest.mark.parametrize(
    ("languages", "others"),
    [(XQUAD_LANGUAGES, 10), (XQUAD_LANGUAGES_WITH_ROMANIAN, 11), (MLQA_LANGUAGES, 6), (XNLI_LANGUAGES, 14)],
)
def test_cross_lingual_is_a_mean_over_all_but_english(languages: tuple[str, ...], others: int) -> None:
    assert len({*languages}) == len(languages) == others + 1
    assert languages[0] == "en"
    assert average_languages({language: float(language == "zh") for language in languages}).cross_lingual == 1 / others
