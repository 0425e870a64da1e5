"""The raw world -> domain: reads products, events and shoppers, and reports what it could not use."""
