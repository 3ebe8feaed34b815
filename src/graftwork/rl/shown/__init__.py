"""From runs to a report: beside random actions, with clips and what to do next."""
