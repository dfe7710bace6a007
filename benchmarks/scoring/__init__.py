"""How fast and how flat scoring is: beside a naive loop over the same model, in one run on one machine."""
