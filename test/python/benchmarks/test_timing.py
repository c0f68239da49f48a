from benchmarks.timing import Spread, ratios


def test_a_spread_is_the_median_and_the_quartiles_of_its_values():
    spread = Spread.of([5.0, 1.0, 2.0, 4.0, 3.0])
    assert spread == Spread(lower=2.0, median=3.0, upper=4.0, n=5)
    assert str(spread) == "3 [2, 4]"


def test_one_value_has_no_quartiles_to_print():
    assert str(Spread.of([0.16320532])) == "0.163 (n = 1)"


def test_equal_values_of_several_rounds_have_quartiles():
    assert str(Spread.of([2.0, 2.0])) == "2 [2, 2]"


def test_ratios_are_taken_within_a_round():
    assert ratios([2.0, 30.0, 4.0], [1.0, 10.0, 4.0]).median == 2.0
