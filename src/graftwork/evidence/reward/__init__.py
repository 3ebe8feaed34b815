"""What tuning by a reward brought, beside the model that it began from and the cheaper ways to the same end."""
