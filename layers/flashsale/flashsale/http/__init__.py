"""What HTTP needs beside the routes in `functions/buy/app.py`: bodies, errors, limits, logs."""
