"""The analysis fed with studies: what a planned one can be expected to show."""
