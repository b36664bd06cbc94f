"""What a reading says: the fields of receipts and invoices, the facts of screens. Rules over text, no models."""
