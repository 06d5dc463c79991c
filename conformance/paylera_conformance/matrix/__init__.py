"""The matrix: every refusal that the contract promises for every call, on every operation that the target has."""
