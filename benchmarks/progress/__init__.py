"""How fast the progress page is with a million choices stored, beside one pass over those choices."""
