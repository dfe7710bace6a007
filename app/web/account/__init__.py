"""What everyone who signs in has: their own account, its password and its API tokens."""
