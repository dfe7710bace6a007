"""The domain: sets, assignment, slots, choices, accounts, and the reads that pages and exports need."""
