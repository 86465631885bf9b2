-- Optional. An index for the first page of a long list of runs, newest first. Can be run again.
--
-- "create index" locks the table against writes while it builds. Where there are very many runs make it beforehand, by
-- hand and outside a transaction, with "create index concurrently" and the same name: what exists is left alone here.

create index if not exists local_training_jobs_newest
  on public.local_training_jobs (created_at desc nulls last, started_at desc nulls last, id);
