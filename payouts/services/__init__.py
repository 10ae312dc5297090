"""Every write of payouts: `accounts` (where partners are paid), `batches` (what leaves), `settling` (what the bank says)."""
