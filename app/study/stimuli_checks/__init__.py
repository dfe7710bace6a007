"""What a misconception set gives away and gets wrong, before anybody is shown it: one module a question."""
