"""What a technique tells the core beside its hooks: what it costs, when it acts, what it aims at, what it may know."""
