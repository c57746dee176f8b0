-- Users, products and orders. PostgreSQL decides whether an order exists, Redis who may claim.

CREATE TABLE users (
    id    text PRIMARY KEY,
    name  text NOT NULL,
    email text NOT NULL UNIQUE
);

CREATE TABLE products (
    id            text PRIMARY KEY,
    name          text NOT NULL UNIQUE,
    price         numeric(12, 2) NOT NULL CHECK (price >= 0),
    initial_stock integer NOT NULL CHECK (initial_stock >= 0),
    -- The last guard against overselling: a confirmed order takes its units from here.
    stock         integer NOT NULL CHECK (stock >= 0),
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE orders (
    id         text PRIMARY KEY,
    user_id    text REFERENCES users,
    product_id text NOT NULL REFERENCES products,
    quantity   integer NOT NULL CHECK (quantity > 0),
    status     text NOT NULL CHECK (status IN ('CONFIRMED', 'CANCELLED')),
    generation smallint NOT NULL,
    reason     text,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The order of an unknown user can be CANCELLED (its user_id stays null), but never CONFIRMED.
    CONSTRAINT confirmed_orders_have_a_user CHECK (status = 'CANCELLED' OR user_id IS NOT NULL)
);

CREATE INDEX orders_product_status_idx ON orders (product_id, status);
