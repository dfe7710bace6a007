"""Planning a study: what is to be, and what simulated studies of it find."""
