"""`make spike`: k6 sends the load of `spike.js`, then the books are checked."""
