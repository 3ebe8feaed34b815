"""What every benchmark shares: options, data, measured subprocesses, results that a second run goes on from, tables."""
