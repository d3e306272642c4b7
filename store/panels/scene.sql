-- What stands beside the readings of a made-up port: %(start)s to %(end)s.
insert into state (sensor, time, level, since, verdict, value, updated_at)
select id, %(end)s, n %% 5 - 1, %(end)s::timestamptz - interval '20 min', (array['traffic', 'sensor', 'unknown'])[n %% 3 + 1],
    jsonb_build_object('speed_kmh', 50 + n %% 40, 'flow_veh_h', 900, 'occupancy_pct', 8.5, 'median_s', 300, 'p85_s', 380,
        'matches', 20, 'wait_s', 600, 'queue_trucks', 12, 'queue_m', 220, 'lanes_open', 3, 'service_s', 90), %(end)s
from (
    select id, row_number() over (order by id) as n from (select id from sensor union select id from corridor) thing
) numbered
on conflict do nothing;

insert into outlook (sensor, time, coverage, abnormality, usual, z, minutes, speed, low, high, usual_ahead, updated_at)
select id, %(end)s, 1, 0, 80, 0.5, '{15,30,60}', '{70,72,75}', '{60,60,60}', '{80,82,85}', '{80,80,80}', %(end)s
from sensor where kind = 'traffic' on conflict do nothing;

insert into situation (id, kind, state, level, onset, ended, time, sites, data)
select 's' || n, 'road', case when n %% 30 = 0 then 'open' else 'ended' end, n %% 3 + 1, onset,
    case when n %% 30 > 0 then onset + interval '35 min' end, onset + interval '35 min', array['W01', 'W12'],
    jsonb_build_object('headline', jsonb_build_object('fr', 'RN568 bloquée', 'en', 'RN568 jammed'), 'lorry_hours', 3.5,
        'expected_end', onset + interval '1 hour')
from (
    select row_number() over (order by moment) as n, moment as onset
    from generate_series(%(start)s::timestamptz, %(end)s, interval '42 min') moment
) began
on conflict do nothing;

insert into alarm (key, rule, told, condition, what, subject, sites, state, active, level, peak, priority, since_at,
    raised_at, announced_at, escalated, confirmed, closed_at)
select 'scene-' || n, 'road_jam', '{"title": {"fr": "Bouchon", "en": "Jam"}}',
    jsonb_build_object('places', array['P' || n %% 12], 'sensors', array['W01-F1']), 'road', 's' || n, array['W01'],
    case when n %% 30 = 0 then 'unacknowledged' else 'normal' end, n %% 30 = 0, 2, 3,
    (array['low', 'low', 'low', 'medium', 'high'])[n %% 5 + 1], at, at, at, false,
    case when n %% 7 = 0 then n %% 14 = 0 end, case when n %% 30 > 0 then at + interval '40 min' end
from (
    select row_number() over (order by moment) as n, moment as at
    from generate_series(%(start)s::timestamptz, %(end)s, interval '42 min') moment
) raised;

insert into alarm_transition (alarm, number, at, who, action, why, source, target, level, priority, active)
select id, step.number, raised_at + step.after, 'scene', step.action, '', step.source, step.target, level, priority, true
from alarm cross join (values
    (1, interval '0', 'raise', 'normal', 'unacknowledged'),
    (2, interval '20 s', 'raise', 'unacknowledged', 'unacknowledged'),
    (3, interval '40 s', 'raise', 'unacknowledged', 'unacknowledged'),
    (4, interval '90 s', 'acknowledge', 'unacknowledged', 'acknowledged')) step (number, after, action, source, target)
on conflict do nothing;

insert into flood (began_at, ended_at, most)
values (%(end)s::timestamptz - interval '50 min', %(end)s::timestamptz - interval '30 min', 14);

insert into fault (place, fault, scope, site, kind, since, found_at)
values ('W01-F1', 'stuck', 'sensor', 'W01', 'traffic', %(start)s, %(start)s),
    ('W09', 'site_down', 'site', 'W09', null, %(start)s, %(start)s),
    ('east', 'network_down', 'basin', null, null, %(start)s, %(start)s);

-- 1,300 turns a day at each terminal, as Eurofos, the largest, has them.
insert into turn_hour (terminal, hour, turns_s, open, unpaired_in, unpaired_out)
select terminal.code, hour, (select array_agg(900 + 30 * n) from generate_series(1, 54) n), 4, 1, 2
from terminal cross join generate_series(date_trunc('hour', %(start)s::timestamptz), %(end)s, interval '1 hour') hour
on conflict do nothing;

insert into appointment (terminal, hour, booked, changed_at)
select terminal, hour, 80, hour from turn_hour on conflict do nothing;

insert into device_health (sensor, time, battery_v, rssi_dbm, firmware)
select sensor.id, moment, 3.6, -80, '2.1.0'
from sensor cross join generate_series(%(start)s::timestamptz, %(end)s, %(step)s * interval '60 s') moment -- as the simulators do
on conflict do nothing;

insert into sensor_clock (sensor, offset_s, measured_at, whole_hours) select id, 0.4, %(end)s, null from sensor on conflict do nothing;
insert into sequence (thing, boot, begun, highest, given_up, quarantined)
select id, 1, 1, 100000, 0, '{}' from sensor on conflict do nothing;
insert into sequence_gap (thing, boot, first_seq, last_seq) select id, 1, 10, 20 from sensor on conflict do nothing;
insert into account_day (day, thing, duplicates, conflicts, quarantined)
select day, id, 3, 1, 2 from sensor
cross join generate_series(%(start)s::timestamptz::date, %(end)s::timestamptz::date, interval '1 day') day on conflict do nothing;
insert into account (site, committed, duplicates, conflicts, quarantined) select id, 100000, 5, 1, 2 from site on conflict do nothing;

insert into batch (batch, slot, kind, min_time, max_time, rows, committed_at)
select row_number() over (order by moment), 0, 'traffic', moment, moment, 30, moment
from generate_series(%(start)s::timestamptz, %(end)s, %(step)s * interval '1 s') moment on conflict do nothing;
insert into cursor (reader, slot, batch) select reader, 0, max(batch) - 1
from batch cross join (values ('analytics'), ('rollup'), ('turn')) reading (reader) group by 1 on conflict do nothing;

insert into event (id, time, type, subject, data, recorded_at)
select row_number() over (order by moment), moment, 'vigie.situation.changed.v1', 's1', '{}', moment
from generate_series(%(start)s::timestamptz, %(end)s, interval '2 min') moment on conflict do nothing;
insert into quarantine (received_at, last_received_at, topic, payload, reason, detail, site, thing, digest, length)
select moment, moment, 'vigie/1/W01/W01-F1/traffic', '\x00', 'invalid', '', 'W01', 'W01-F1', sha256(moment::text::bytea), 1
from generate_series(%(start)s::timestamptz, %(end)s, interval '2 hours') moment on conflict do nothing;
insert into subscription (kind, name, target, choice, heartbeat, language, state, cursor, salt, created_by)
values ('webhook', 'scene', 'https://scene.example', '{}', false, 'fr', 'active', 5, '\x00', 'scene');
insert into delivery (subscription, message, what, at, delivered, duration_ms, answer)
select subscription.id, moment::text, 'alert', moment, true, 12, ''
from subscription cross join generate_series(%(start)s::timestamptz, %(end)s, interval '10 min') moment;
