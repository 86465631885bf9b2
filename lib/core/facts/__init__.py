"""What a run, a metric, a finding, a query and an error are."""
