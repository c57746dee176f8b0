"""A simulation of a waiting room by the rules of its scripts, for `flashsale model --room`."""
