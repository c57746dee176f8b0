"""What a sale needs: products, buyers, purchases under load, and tables of the results."""
