"""What single backends promise beyond the contract, and what the fake Cloud Storage does."""
