import pytest

from sensors.container import check_digit, is_container


@pytest.mark.parametrize("number", ["CSQU3054383", "MSKU1234565", "TOLU4734787"])
def test_known_container_numbers_carry_their_check_digit(number: str) -> None:
    assert check_digit(number) == int(number[-1])
    assert is_container(number)


@pytest.mark.parametrize(
    "number", ["CSQU3054384", "CSQU3054338", "CSQA3054383", "CSQU305438", "csqu3054383", "CSQU3054383 ", ""]
)
def test_a_wrong_digit_a_swap_or_another_form_is_no_container(number: str) -> None:
    assert not is_container(number)
