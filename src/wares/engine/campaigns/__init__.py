"""Campaigns: who pays for places, for which products, how much; and what it has cost them so far."""
