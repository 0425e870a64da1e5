"""What the words that a shopper has begun to type may become: what is completed, and how."""
