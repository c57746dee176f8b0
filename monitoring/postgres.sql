-- Run once, when the container makes its data: the slowest statements, for the exporter.
CREATE EXTENSION pg_stat_statements;
