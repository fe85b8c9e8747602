"""What is answered: JSON, problems, receipts, and how they are described."""
