"""What gives the scores: a model on this machine; later, one behind a server."""
