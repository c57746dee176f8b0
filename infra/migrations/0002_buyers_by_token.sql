-- A buyer who is identified by a token has no e-mail address here, only an id.

ALTER TABLE users ALTER COLUMN email DROP NOT NULL;
