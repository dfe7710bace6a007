"""The crossed random-effects model: its data, its fit, and the fits that are stored."""
