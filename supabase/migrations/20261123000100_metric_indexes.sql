-- Optional. Two indexes for reading the curves of a few runs out of many rows. Can be run again.
--
-- "create index" locks the table against writes while it builds. In a project with many millions of rows make
-- the indexes beforehand, by hand and outside a transaction, with "create index concurrently" and the same
-- names: what exists is left alone here.

create index if not exists local_training_metrics_job_step on public.local_training_metrics (job_id, step);

-- Evaluations are rare, and without an index of their own every row of a run is read to find them.
do $$
declare
  evaluated text;
begin
  select string_agg(format('%I is not null', attname), ' or ' order by attname) into evaluated
  from pg_catalog.pg_attribute
  where attrelid = 'public.local_training_metrics'::regclass
    and attname in ('eval_loss', 'perplexity') and not attisdropped;
  if evaluated is not null then
    execute 'create index if not exists local_training_metrics_evaluated'
      ' on public.local_training_metrics (job_id, step) where ' || evaluated;
  end if;
end
$$;
