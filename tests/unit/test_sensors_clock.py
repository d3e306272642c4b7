import pytest

from sensors.clock import describe_offset, whole_hours


@pytest.mark.parametrize(
    ("offset_s", "hours", "words"),
    [
        (3600, 1, "1 h ahead: daylight saving or time zone"),
        (-3600, -1, "1 h behind: daylight saving or time zone"),
        (7199.2, 2, "2 h ahead: daylight saving or time zone"),
        (3500, 1, "1 h ahead: daylight saving or time zone"),
        (3479, None, "3479 s ahead"),
        (-95.4, None, "95 s behind"),
        (119, None, "119 s ahead"),
        (0, None, "0 s behind"),
    ],
)
def test_whole_hours_are_somebodys_setting_and_the_rest_is_drift(
    offset_s: float, hours: int | None, words: str
) -> None:
    assert whole_hours(offset_s) == hours
    assert describe_offset(offset_s) == words
