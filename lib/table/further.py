"""Columns of metrics that have none of their own: any that the runs logged can be chosen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from lib.core.facts.metrics import METRICS, Better, metric_of
from lib.core.ranking.metric_names import REWARD, follows_from_loss
from lib.core.text import formatting
from lib.core.verdict.metric_words import metric_name
from lib.table.columns import COLUMN_OF, COLUMNS, Column, Group

_TAKEN = frozenset(column.key for column in COLUMNS)
OTHER = "metric:"
"""Stands in a link before a metric that is called as another column is."""


def further_columns(metrics: Iterable[str], directions: Mapping[str, Better | None]) -> tuple[Column, ...]:
    """The columns of the metrics that have none of their own, in the order of their names.

    Args:
        metrics: What the runs logged.
        directions: Which direction is better of those by which runs could be ranked.
    """
    return tuple(_column(metric, directions.get(metric)) for metric in sorted(set(metrics) - COLUMN_OF.keys()))


def _column(metric: str, better: Better | None) -> Column:
    known, words = metric_of(metric), metric_name(metric)
    if metric == REWARD and better is not None:
        meaning = "The mean at the end of training, by which the runs are ranked."
    elif known.evaluated:
        meaning = "At the step of the checkpoint that would be shipped."
    else:
        meaning = "The median of all logged values."
    return Column(
        # The grid evaluates expressions that hold the key: nothing that somebody else wrote may stand in it.
        f"metric_{hashlib.blake2b(metric.encode('utf-8', 'replace'), digest_size=8).hexdigest()}",
        known.title,
        meaning,
        Group.FURTHER,
        formatting.shower(known.spec),
        name=known.title if metric in METRICS else f"{words[:1].upper()}{words[1:]}",
        unit=known.unit,
        better=better if known.evaluated or metric == REWARD else None,
        of_loss=known.of_loss or follows_from_loss(metric),
        metric=metric,
        link_name=OTHER + metric if metric in _TAKEN else metric,
    )
