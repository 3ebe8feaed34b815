"""What a plan looks at beside facts: domains, heads that are solved."""
