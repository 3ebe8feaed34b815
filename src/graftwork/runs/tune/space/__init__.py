"""Where a tune searches: the bases, techniques and settings that suit one job, and recipes of proposed values."""
