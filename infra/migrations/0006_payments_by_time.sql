-- The newest payments: for how fast the queue of payments is taken, and for the admin's list.
CREATE INDEX payments_received_idx ON payments (received_at);
