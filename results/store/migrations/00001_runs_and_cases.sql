-- +goose Up
-- Times are nanoseconds since the epoch, UTC; 0 is "not yet".
CREATE TABLE runs (
    id         TEXT   NOT NULL PRIMARY KEY,
    started_ns BIGINT NOT NULL,
    ended_ns   BIGINT NOT NULL,
    document   TEXT   NOT NULL -- results.Run as JSON, without its cases
);
CREATE INDEX runs_started ON runs (started_ns);

CREATE TABLE cases (
    run_id      TEXT   NOT NULL REFERENCES runs (id),
    id          TEXT   NOT NULL,
    scenario    TEXT   NOT NULL,
    base        TEXT   NOT NULL,
    verdict     TEXT   NOT NULL,
    vector      TEXT   NOT NULL,
    started_ns  BIGINT NOT NULL,
    duration_ns BIGINT NOT NULL,
    document    TEXT   NOT NULL, -- results.Case as JSON
    PRIMARY KEY (run_id, id)
);

-- +goose Down
DROP TABLE cases;
DROP TABLE runs;
