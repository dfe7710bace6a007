"""What admins see: sets, studies and accounts."""
