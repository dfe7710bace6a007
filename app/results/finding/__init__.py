"""Finding: every number of the results, from what was observed."""
