"""`make spike`: the load of `spike.js` by k6 on the running stack, watched, and then the books."""
