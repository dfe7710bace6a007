"""The bundled misconception sets and texts: data, no code."""
