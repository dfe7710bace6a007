"""How fast and how flat scoring is: beside a naive loop over the same model, in one run on one machine."""

from importlib.util import find_spec

if find_spec("torch") is None:
    raise SystemExit("this benchmark needs the extra pm; install it with `make test-pm` or `pip install -e '.[pm]'`")
