"""What a table is like before anything is trained on it: findings, as sentences, numbers and rows."""
