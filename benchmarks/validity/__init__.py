"""Whether intervals cover what was planted and the primary test rejects as often as it says, over simulated studies."""
