"""Rules about queries, transactions and connections."""
