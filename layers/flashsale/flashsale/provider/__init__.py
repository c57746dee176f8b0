"""What the payment provider sends and takes: signatures, events and amounts, as Stripe has them."""
