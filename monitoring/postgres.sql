-- Runs once, when the container creates its database. The exporter reads the slowest statements.
CREATE EXTENSION pg_stat_statements;
