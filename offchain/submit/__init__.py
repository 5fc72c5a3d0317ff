"""Results into transactions: journalled sends, content, model versions, proofs for disputes."""
