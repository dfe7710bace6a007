"""How fast misconception sets come in, and with how much memory: the command's import beside reading the file alone."""
