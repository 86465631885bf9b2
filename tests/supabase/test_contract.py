"""The laws of every source, held by the Supabase source on real tables: as they are, migrated, and behind."""

from __future__ import annotations

import pytest

from lib.data.supabase.source import SupabaseSource
from tests.data import test_source_contract as contract
from tests.supabase.readers import project_for, reader_for
from tests.supabase.seed import JOBS

WEAKER = {
    # The database counts and orders by what it stores; tests/supabase/test_source.py says how far that goes.
    "test_a_page_is_the_beginning_of_the_whole_list",
    "test_status_filters_share_out_the_whole_list",
    "test_search_finds_what_matches_and_nothing_else",
    "test_sorted_lists_ascend_and_end_with_what_is_missing",
    # About folders.
    "test_hostile_folder_names_survive_as_text",
}
LAWS = {name: law for name, law in vars(contract).items() if name.startswith("test_") and name not in WEAKER}
assert vars(contract).keys() >= WEAKER
globals().update(LAWS)

source, runs, curves = contract.source, contract.runs, contract.curves


@pytest.fixture(scope="module", params=["plain", "migrated", "old"])
def make_source(request):
    stand_in = request.getfixturevalue(request.param)
    with project_for(stand_in) as project:
        reader = reader_for(project, stand_in, "ann")
        yield lambda: SupabaseSource(project, reader)


CHANGES = {
    "the status": "status = 'cancelled'",
    "progress": "current_step = 1",
    "a loss that is none": "loss = 'NaN'",
    "a value inside the configuration": """config = jsonb_set(config::jsonb, '{training,seed}', '77')""",
    "the order of targets": """config = jsonb_set(config::jsonb, '{training,targets}', '["v", "q"]')""",
    "a column that no page shows": "loss_trend = 'wavering'",
    "the last sign of life": "updated_at = updated_at + interval '1 microsecond'",
}


@pytest.fixture
def changing(fresh):
    stand_in = fresh()
    with project_for(stand_in) as project:
        # Signed in once, as each sign-in is a request; every source is a reader of its own all the same.
        reader = reader_for(project, stand_in, "ann")
        ids = stand_in.jobs["ann"]
        yield contract.Changing(
            lambda: SupabaseSource(project, reader),
            {
                what: (
                    ids[number % 3],
                    lambda number=number, change=change: stand_in.execute(
                        f"update public.{JOBS} set {change} where id = '{ids[number % 3]}'"
                    ),
                )
                for number, (what, change) in enumerate(CHANGES.items())
            },
        )
