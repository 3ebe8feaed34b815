"""What pyproject.toml beside this folder registers with graftwork."""
