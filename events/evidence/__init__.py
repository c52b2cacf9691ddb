"""One engagement's record in one signed file, which anybody can check without a database."""
