"""What the operator's console asks: how the shop does, why an answer is as it is, and the shopkeeper's changes."""
