"""How fast tables leave: each export beside a bare COPY of the same join, in one run on one machine."""
