"""Reading misconception sets from the files that people have: one module a shape of file, all of them as streams."""
