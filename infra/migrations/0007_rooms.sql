-- Waiting rooms: what must outlive Redis. A row stays when its sale is over, so that no epoch comes
-- twice, and anybody can recompute a draw.

CREATE TABLE rooms (
    product_id        text NOT NULL REFERENCES products (id),
    -- Counts the rooms of a product, from 1. Tickets name it.
    epoch             integer NOT NULL CHECK (epoch > 0),
    mode              text NOT NULL CHECK (mode IN ('fifo', 'draw_at_opening')),
    -- When users can join; null: as soon as there is a room.
    from_at           timestamptz,
    opens_at          timestamptz NOT NULL,
    max_inside        integer NOT NULL CHECK (max_inside > 0),
    -- Calls a minute.
    max_rate          integer NOT NULL CHECK (max_rate > 0),
    admission_seconds integer NOT NULL CHECK (admission_seconds > 0),
    call_seconds      integer NOT NULL CHECK (call_seconds > 0),
    -- An admin has stopped the calls.
    paused            boolean NOT NULL DEFAULT false,
    seed              text NOT NULL CHECK (seed ~ '^[0-9a-f]{64}$'),
    -- How many had joined at the opening. It is written once.
    drawn             bigint CHECK (drawn >= 0),
    -- As they were saved last. They never fall.
    serving           bigint NOT NULL DEFAULT 0 CHECK (serving >= 0),
    issued            bigint NOT NULL DEFAULT 0 CHECK (issued >= serving),
    joins_a_minute    integer NOT NULL DEFAULT 0,
    saved_at          timestamptz NOT NULL DEFAULT now(),
    -- Null until Redis has opened the sale with this room.
    opened_at         timestamptz,
    -- When the product was put on sale without a room.
    closed_at         timestamptz,
    PRIMARY KEY (product_id, epoch)
);
