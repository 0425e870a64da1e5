"""What have we learnt? Each model is fitted on a snapshot and answers scores."""
