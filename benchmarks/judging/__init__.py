"""How fast people can judge: the application beside a bare baseline, in one run on one machine."""
