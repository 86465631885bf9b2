-- The two tables of a project that is behind: columns are missing, and there is one that the app does not know.
\ir plain.sql
alter table public.local_training_jobs
  drop column config, drop column perplexity, drop column train_perplexity, drop column updated_at,
  drop column parameter_updates, drop column max_learning_rate, drop column resumed_from_job_id,
  add column cluster_name text default 'lab-a';
alter table public.local_training_metrics
  drop column perplexity, drop column train_perplexity, drop column tokens_per_second, drop column epoch;
