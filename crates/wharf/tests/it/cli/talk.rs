//! What is said: sent once, read in order, offline too.
