-- +goose Up
-- What reports and history ask across runs, as columns. A case's document stays
-- the truth; all else is made from it in the same transaction, and goes with it.

-- Apart from cases, so that reading many cases does not read their documents.
CREATE TABLE documents (
    run_id   TEXT NOT NULL,
    case_id  TEXT NOT NULL,
    document TEXT NOT NULL, -- results.Case as JSON, without the events of its boots
    PRIMARY KEY (run_id, case_id),
    FOREIGN KEY (run_id, case_id) REFERENCES cases (run_id, id) ON DELETE CASCADE
);
INSERT INTO documents (run_id, case_id, document) SELECT run_id, id, document FROM cases;
ALTER TABLE cases DROP COLUMN document;

-- indexed is the version of the index that the case has; 0 is none, as a case has
-- that was stored before there was one. It is made when the store is opened.
ALTER TABLE cases ADD COLUMN indexed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN subject_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN backend TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN expected TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN decided BIGINT NOT NULL DEFAULT -1; -- attempts.n; -1: none

CREATE TABLE attempts (
    run_id    TEXT   NOT NULL,
    case_id   TEXT   NOT NULL,
    n         BIGINT NOT NULL, -- from 0
    verdict   TEXT   NOT NULL,
    reason    TEXT   NOT NULL,
    recording TEXT   NOT NULL,
    end_ns    BIGINT NOT NULL, -- of the boot, since its zero; 0: nothing is known of it
    PRIMARY KEY (run_id, case_id, n),
    FOREIGN KEY (run_id, case_id) REFERENCES cases (run_id, id) ON DELETE CASCADE
);

CREATE TABLE findings (
    run_id     TEXT   NOT NULL,
    case_id    TEXT   NOT NULL,
    attempt    BIGINT NOT NULL,
    check_name TEXT   NOT NULL,
    n          BIGINT NOT NULL,
    at_ns      BIGINT NOT NULL, -- since the boot's zero
    unit       TEXT   NOT NULL,
    summary    TEXT   NOT NULL,
    PRIMARY KEY (run_id, case_id, attempt, check_name, n),
    FOREIGN KEY (run_id, case_id, attempt) REFERENCES attempts (run_id, case_id, n) ON DELETE CASCADE
);

-- The one place where events are: a document has them no second time.
CREATE TABLE events (
    run_id   TEXT    NOT NULL,
    case_id  TEXT    NOT NULL,
    attempt  BIGINT  NOT NULL,
    n        BIGINT  NOT NULL,
    at_ns    BIGINT  NOT NULL, -- since the boot's zero
    until_ns BIGINT  NOT NULL, -- 0: a moment
    lane     TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    bad      BOOLEAN NOT NULL,
    PRIMARY KEY (run_id, case_id, attempt, n),
    FOREIGN KEY (run_id, case_id, attempt) REFERENCES attempts (run_id, case_id, n) ON DELETE CASCADE
);

CREATE TABLE versions (
    run_id  TEXT   NOT NULL,
    case_id TEXT   NOT NULL,
    attempt BIGINT NOT NULL,
    name    TEXT   NOT NULL,
    version TEXT   NOT NULL,
    PRIMARY KEY (run_id, case_id, attempt, name),
    FOREIGN KEY (run_id, case_id, attempt) REFERENCES attempts (run_id, case_id, n) ON DELETE CASCADE
);

CREATE TABLE measures (
    run_id  TEXT             NOT NULL,
    case_id TEXT             NOT NULL,
    attempt BIGINT           NOT NULL,
    name    TEXT             NOT NULL,
    value   DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (run_id, case_id, attempt, name),
    FOREIGN KEY (run_id, case_id, attempt) REFERENCES attempts (run_id, case_id, n) ON DELETE CASCADE
);

CREATE TABLE artifacts (
    run_id  TEXT   NOT NULL,
    case_id TEXT   NOT NULL,
    attempt BIGINT NOT NULL,
    name    TEXT   NOT NULL, -- within the recording
    sha256  TEXT   NOT NULL, -- of the content, hex
    size    BIGINT NOT NULL, -- bytes
    PRIMARY KEY (run_id, case_id, attempt, name),
    FOREIGN KEY (run_id, case_id, attempt) REFERENCES attempts (run_id, case_id, n) ON DELETE CASCADE
);
CREATE INDEX artifacts_content ON artifacts (sha256);

-- +goose Down
DROP TABLE artifacts;
DROP TABLE measures;
DROP TABLE versions;
DROP TABLE events;
DROP TABLE findings;
DROP TABLE attempts;
ALTER TABLE cases DROP COLUMN decided;
ALTER TABLE cases DROP COLUMN attempts;
ALTER TABLE cases DROP COLUMN expected;
ALTER TABLE cases DROP COLUMN backend;
ALTER TABLE cases DROP COLUMN subject_hash;
ALTER TABLE cases DROP COLUMN subject;
ALTER TABLE cases DROP COLUMN indexed;
ALTER TABLE cases ADD COLUMN document TEXT NOT NULL DEFAULT '';
UPDATE cases SET document = (SELECT document FROM documents WHERE documents.run_id = cases.run_id AND documents.case_id = cases.id);
DROP TABLE documents;
