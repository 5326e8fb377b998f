-- What items of several entries say, and their entries' edits: derived, and destroyed with the items.
CREATE TABLE built (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
