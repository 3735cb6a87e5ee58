"""Networks in the form in which they are used outside of training."""
