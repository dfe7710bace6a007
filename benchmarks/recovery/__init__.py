"""Whether a study gives back what was planted in it, from the form over HTTP to the report: no speed."""
