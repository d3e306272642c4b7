-- What creeps takes days to show: what health learnt of clocks and calibrations, kept over a restart.
create table creep (
    thing text collate "C" primary key,
    until timestamptz not null, -- end of the newest bin that is in it
    late_s double precision not null,
    late_before_s double precision not null,
    late_bins integer not null,
    misfit double precision not null,
    misfit_before double precision not null,
    misfit_bins integer not null
);
