-- What is usual and what is coming, beside the level of a thing; written in the step that writes its state. The arrays
-- have an entry for each horizon, null in `usual_ahead` where nothing is usual then; they are empty without a forecast.
create table outlook (
    sensor text collate "C" primary key,
    time timestamptz,
    coverage real,
    abnormality smallint,
    usual real,
    z real,
    minutes smallint[] not null,
    speed real[] not null,
    low real[] not null,
    high real[] not null,
    usual_ahead real[] not null,
    updated_at timestamptz not null
) with (fillfactor = 50);

-- Usual speeds that were learnt from the means of the port have a spread (MAD) and say when; those that a recording
-- brought have neither. Learnt ones begin on Monday 00:00 by the clock of the site.
alter table usual_speed
    add column spread_kmh real[],
    add column learnt_at timestamptz;
