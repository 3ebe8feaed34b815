"""Acting in an environment: policies that learn by reward, with the project's bases as what they see with."""
