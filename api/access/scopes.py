"""Which operation asks for which scope, and which a terminal's key may use. A test proves that none is left out.

The names are those of the handlers, which are the ids of the OpenAPI document; one that is not here asks for ADMIN.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable


class Scope(enum.StrEnum):
    """What somebody may do; each but the first includes READ, and ADMIN includes all."""

    READ = "read"
    OPERATE = "operate"
    INTEGRATE = "integrate"
    ADMIN = "admin"


_READING = """openapi list_states stream_states show_forecast list_situations show_situation list_faults list_alarms
show_alarm show_kpi show_shift show_handover list_maintenance list_terminals show_terminal show_turn_time
list_appointments show_outlook list_alerts stream_alerts list_schemas show_schema list_readings show_lorry_ban
list_sites list_sensors show_sensor list_corridors list_kinds show_coast show_sections show_settings show_metrics
show_backtest show_raw list_quarantine show_quarantine show_file"""
_OPERATING = """acknowledge_alarm shelve_alarm unshelve_alarm comment_alarm respond_alarm confirm_alarm take_over
plan_maintenance end_maintenance start_backtest"""
_INTEGRATING = """put_appointments list_subscriptions make_subscription show_subscription change_subscription
delete_subscription rotate_secret pause_subscription resume_subscription replay_subscription verify_subscription
test_subscription list_deliveries redeliver_event"""

OPEN = frozenset({"show_health", "show_readiness", "sign_in"})
"""Who watches whether the service lives, and who signs in, has no key."""

NEEDS = {
    **dict.fromkeys(_READING.split(), Scope.READ),
    **dict.fromkeys(_OPERATING.split(), Scope.OPERATE),
    **dict.fromkeys(_INTEGRATING.split(), Scope.INTEGRATE),
}

_ON_ALARMS = "acknowledge_alarm shelve_alarm unshelve_alarm comment_alarm respond_alarm confirm_alarm"
_NARROWED = """openapi list_states stream_states show_forecast list_situations show_situation list_alarms show_alarm
list_terminals show_terminal show_turn_time list_appointments put_appointments show_outlook list_alerts stream_alerts
list_schemas show_schema list_readings list_sites list_sensors show_sensor list_corridors list_kinds show_coast
show_sections show_settings"""
FOR_TERMINALS = frozenset([*_NARROWED.split(), *_ON_ALARMS.split(), *_INTEGRATING.split()])
"""What can be narrowed to the rows of one terminal; everything else refuses a terminal's key."""


def granted(scopes: Iterable[str]) -> frozenset[Scope]:
    """The scopes with those that they include."""
    given = {Scope(scope) for scope in scopes}
    return frozenset(Scope) if Scope.ADMIN in given else frozenset(given | ({Scope.READ} if given else set()))
