"""What a policy sees with: bases and small networks on the parts of an observation."""
