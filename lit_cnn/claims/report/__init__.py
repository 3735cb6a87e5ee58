"""The page of the claims: verdicts, the lecture's tables, and every claim with its design, results and commands."""
