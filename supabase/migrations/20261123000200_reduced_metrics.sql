-- Optional. Curves reduced in the database, so that runs of any length travel in one small answer. Can be run
-- again. Fast only with the index (job_id, step).
--
-- The result is, point for point, what lib/core computes of all rows:
--
--   * One value a step: of several rows the last non-null one in (timestamp, id) order, rows without a timestamp
--     first (lib/data/rows.py, metric_frame_from_table). Rows without a step from 0 on have no place in a curve.
--   * A curve of more than 4 x buckets finite points is cut into buckets of equal width between its least and its
--     greatest step in range; of each bucket the first, the last, the lowest and the highest point are kept, of
--     equal extremes the first one (lib/core/curves/series.py, reduce_indices). Shorter curves are kept whole.
--   * NaN and the infinities are counted. They have buckets of their own, of each of which the first and the last
--     one are kept.
--   * Evaluated metrics (eval_loss, perplexity, eval_...) are never reduced: every value is there.
--
-- A metric is any numeric column of the table but places and references (id, job_id, step, epoch, ..._id).
-- Asking for another one is an error, 22023. Runs without rows, or with none that the caller may see, are
-- absent; so are curves without values.
--
--   {"runs":   [{"run_id": "...", "first_timestamp_us": 1767225600000000}, ..],
--    "curves": [{"run_id": "...", "metric": "train_loss",
--                "total": 100000, "nan": 1, "positive": 0, "negative": 0, "median": null,
--                "step": [0, ..], "value": [2.5, ..], "epoch": [0.0, ..], "elapsed_s": [0, ..]}, ..]}
--
-- Runs come in the order asked for, points in that of their steps. "total" counts the finite points in range,
-- the three after it NaN, infinity and -infinity. "median" is that of all finite values of a throughput (a name
-- that ends in per_second), which is a run's speed and could not be told of the reduced curve.
-- "first_timestamp_us" is the run's earliest timestamp, whatever the range, in microseconds since 1970, and what
-- "elapsed_s" counts from, in seconds. What is not recorded is null. JSON has no NaN: it travels as the text "NaN",
-- the infinities as "Infinity" and "-Infinity".

create or replace function public.reduced_metrics(
  run_ids uuid[],
  metrics text[] default null,     -- null: all that the table has
  buckets integer default 1000,
  first_step bigint default null,  -- both ends belong to the range; null: open
  last_step bigint default null
) returns json
language plpgsql stable security invoker
set search_path = ''
set jit = off              -- with PostgreSQL 15, compiling the queries takes ten times longer than running them
set enable_nestloop = off  -- in a table without statistics a curve is taken for a few rows
set work_mem = '32MB'      -- a curve of some 100,000 rows is sorted in memory
as $function$
declare
  run_query constant text := $query$
    select count(*) > 0, (extract(epoch from min(%1$s) filter (where isfinite(%1$s))) * 1000000)::bigint
    from public.local_training_metrics
    where job_id = $1 and step >= 0
  $query$;
  logged_query constant text := $query$
    with logged as materialized (
      select step, %1$s as epoch, %2$s as written, %3$s as id, %4$s
      from public.local_training_metrics
      where job_id = $1 and step between $2 and $3 and (%5$s)
    ),
    repeated as materialized (
      -- Most steps have one row: only where there are several does it matter which was written last.
      select step from logged group by step having count(*) > 1
    )
    select array_agg(curve) filter (where curve is not null)
    from (%6$s offset 0) curves  -- offset 0: or else one curve alone is computed twice, for the filter too
  $query$;
  curve_query constant text := $query$ (
    with curve as materialized (
      select *, value > '-infinity' and value < 'infinity' as is_finite
      from (
        select step, %2$s as value, epoch, written
        from logged where %2$s is not null and step not in (select step from repeated)
        union all (
          select distinct on (step) step, %2$s, epoch, written
          from logged where %2$s is not null and step in (select step from repeated)
          order by step, written desc nulls last, id desc nulls last)
      ) last_written
    ),
    extent as materialized (
      select count(*) as points, min(step) as lo, max(step) - min(step) as width from curve where is_finite
    ),
    others as materialized (
      select step, value from curve where not is_finite
    ),
    others_extent as materialized (
      select min(step) as lo, nullif(max(step) - min(step), 0) as width from others
    ),
    kept as (
      select step from curve where is_finite and (select points <= 4 * $4 from extent)
      union all
      -- An array is compared by its first element, then by its second: the earliest of equal extremes.
      select unnest(array[
        min(step), max(step), (min(array[value, step]))[2], -(max(array[value, -step]))[2]])::bigint
      from curve where is_finite and (select points > 4 * $4 from extent)
      -- The very operations of bucket_of, in its order: rounding decides on which side of a border a step lies.
      group by least($4 - 1, floor(
        (step - (select lo from extent))::float8 / (select width from extent)::float8 * $4::float8))
      union all
      select unnest(array[min(step), max(step)]) from others
      group by least($4 - 1, floor(
        (step - (select lo from others_extent))::float8 / (select width from others_extent)::float8 * $4::float8))
    )
    select json_build_object(
      'run_id', $1, 'metric', %1$L,
      'total', (select points from extent),
      'nan', (select count(*) from others where value = 'nan'),
      'positive', (select count(*) from others where value = 'infinity'),
      'negative', (select count(*) from others where value = '-infinity'),
      'median', case when %1$L like '%%per\_second'
        then (select percentile_cont(0.5) within group (order by value) from curve where is_finite) end,
      'step', json_agg(step order by step),
      'value', json_agg(value order by step),
      'epoch', json_agg(epoch order by step),
      'elapsed_s', json_agg(case when isfinite(written)
        then ((extract(epoch from written) * 1000000)::bigint - $5)::float8 / 1000000 end order by step))
    from curve
    where step in (select step from kept)
    having count(*) > 0
  ) $query$;
  no_two_steps_in_one constant bigint := 1::bigint << 50;
  types jsonb;  -- of the table's columns
  known text[];
  metric text;
  written text;
  run uuid;
  has_rows boolean;
  first_us bigint;
  query text;
  buckets_each bigint;
  part json[];
  runs json[] := '{}';
  curves json[] := '{}';
begin
  if buckets < 1 or buckets is null then
    raise exception 'Expected at least one bucket, got %.', coalesce(buckets::text, 'null') using errcode = '22023';
  end if;

  select jsonb_object_agg(attname, format_type(atttypid, null)) into types
  from pg_catalog.pg_attribute
  where attrelid = 'public.local_training_metrics'::regclass and attnum > 0 and not attisdropped;
  known := array(
    select key from jsonb_each_text(types)
    where value in ('smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision')
      and key not in ('id', 'job_id', 'step', 'epoch') and key not like '%\_id'
    order by key);
  foreach metric in array coalesce(metrics, '{}') loop
    if metric is null or metric <> all (known) then
      raise exception 'Unknown metric: %.', coalesce(metric, 'null')
        using errcode = '22023', hint = 'The table has: ' || array_to_string(known, ', ') || '.';
    end if;
  end loop;
  written := case when types ->> 'timestamp' like 'timestamp%' then '"timestamp"' else 'null::timestamptz' end;

  for run in select id from unnest(run_ids) with ordinality r(id, place) group by id order by min(place) loop
    execute format(run_query, written) into has_rows, first_us using run;
    continue when not has_rows;
    runs := array_append(runs, json_build_object('run_id', run, 'first_timestamp_us', first_us));

    -- One query for the measured metrics and one for the evaluated: their rows are few and have their own index.
    for query, buckets_each in
      select
        format(
          logged_query,
          case when types ? 'epoch' then 'epoch::float8' else 'null::float8' end,
          written,
          case when types ? 'id' then 'id' else 'null::int' end,
          -- By way of its text a real becomes the number that it is shown as.
          string_agg(format(
            case types ->> name when 'real' then '%I::text::float8 as %s' else '%I::float8 as %s' end,
            name, alias), ', '),
          string_agg(format('%I is not null', name), ' or '),
          string_agg('select ' || format(curve_query, name, alias) || ' as curve', ' union all ' order by name)),
        case when is_evaluated then no_two_steps_in_one else buckets end
      from (
        select name, 'value_' || row_number() over (order by name) as alias,
          name in ('eval_loss', 'perplexity') or name like 'eval\_%' as is_evaluated
        from (select distinct unnest(coalesce(metrics, known)) as name) asked
      ) named
      group by is_evaluated
      order by is_evaluated
    loop
      execute query into part
        using run, greatest(first_step, 0), coalesce(last_step, 9223372036854775807), buckets_each, first_us;
      curves := curves || part;
    end loop;
  end loop;
  return json_build_object('runs', array_to_json(runs), 'curves', array_to_json(curves));
end
$function$;

revoke execute on function public.reduced_metrics from public;
grant execute on function public.reduced_metrics to anon, authenticated, service_role;  -- policies decide on rows

notify pgrst, 'reload schema';
