"""One request from end to end: settings, snapshot, live, stages and the assembly that introduces them."""
