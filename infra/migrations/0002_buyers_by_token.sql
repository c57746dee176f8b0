-- A buyer whom a token vouches for is known by his id alone.

ALTER TABLE users ALTER COLUMN email DROP NOT NULL;
