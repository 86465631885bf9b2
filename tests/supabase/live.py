"""A job that trains while one watches: the demo's running job, with a new row now and then."""

from __future__ import annotations

from tests.supabase.project import Project
from tests.supabase.seed import JOBS, METRICS

STEPS_PER_ROW = 5
STEPS_PER_EVALUATION = 50

# Its clock goes on from now, as if it had been written until a moment ago.
_CATCH_UP = """
with late as (select now() - max("timestamp") as by from {metrics} where job_id = '{job}'),
  rows as (update {metrics} set "timestamp" = "timestamp" + late.by from late where job_id = '{job}')
update {jobs} set created_at = created_at + late.by, started_at = started_at + late.by, updated_at = now()
from late where id = '{job}';
"""

_TRAIN = """
with last as (
  select m.*, least(m.step + {rows}, j.total_steps) as next, j.total_steps,
    (select avg(train_loss) from {metrics} where job_id = m.job_id and step > m.step - 100) as level
  from {metrics} m join {jobs} j on j.id = m.job_id
  where m.job_id = '{job}' and m.train_loss is not null order by m.step desc, m.id desc limit 1
), row as (
  insert into {metrics} (job_id, step, epoch, train_loss, train_perplexity, learning_rate, grad_norm,
    tokens_per_second, samples_per_second, gpu_memory_allocated_gb, gpu_memory_reserved_gb, gpu_utilization_percent)
  select job_id, next, epoch * next / step, loss, exp(loss),
    learning_rate * (total_steps - next) / (total_steps - step), grad_norm * noise,
    tokens_per_second, samples_per_second, gpu_memory_allocated_gb, gpu_memory_reserved_gb, gpu_utilization_percent
  from last, lateral (select 0.97 + 0.06 * random() as noise) n, lateral (select level * 0.9995 * noise as loss) l
  where next > step
  returning *
)
update {jobs} j set current_step = row.step, progress = round(100.0 * row.step / j.total_steps), loss = row.train_loss,
  grad_norm = row.grad_norm, updated_at = now(), elapsed_seconds = extract(epoch from now() - started_at)
from row where j.id = row.job_id;
"""

_EVALUATE = """
with row as (
  insert into {metrics} (job_id, step, epoch, eval_loss, perplexity)
  select job_id, current_step, epoch, eval_loss * 0.998, exp(eval_loss * 0.998)
  from (select j.id as job_id, j.current_step, j.eval_loss,
      (select max(epoch) from {metrics} where job_id = j.id) as epoch
    from {jobs} j
    where j.id = '{job}' and j.status = 'running' and j.current_step % {evaluation} < {rows}) e
  returning *
)
update {jobs} j set eval_loss = row.eval_loss, perplexity = row.perplexity, best_eval_loss = row.eval_loss,
  best_step = row.step
from row where j.id = row.job_id;
"""

_COMPLETE = """
update {jobs} set status = 'completed', completed_at = now(), updated_at = now()
where id = '{job}' and current_step >= total_steps;
"""

_WHERE = "select current_step from {jobs} where id = '{job}';"


class LiveJob:
    """The running job of a project with the demo's rows and all columns of the two tables."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.job = project.execute(f"select id from public.{JOBS} where status = 'running'")[0]["id"]
        self._execute(_CATCH_UP)

    def grow(self) -> int:
        """Add one logged step, and an evaluation where one is due; the last step completes the job.

        Returns:
            The job's current step.
        """
        return int(self._execute(_TRAIN + _EVALUATE + _COMPLETE + _WHERE)[0]["current_step"])

    def _execute(self, sql: str) -> list[dict[str, str]]:
        names = {"jobs": f"public.{JOBS}", "metrics": f"public.{METRICS}", "job": self.job}
        return self.project.execute(sql.format(**names, rows=STEPS_PER_ROW, evaluation=STEPS_PER_EVALUATION))
