-- The core makes the words (folded, parted), so that nothing is left for SQLite to take apart: every character that is not ASCII is
-- part of its word. The words of earlier stores come again: the core sees that they have another form.
DROP TABLE search;
-- SQLite leaves this one of its tables behind.
DROP TABLE IF EXISTS search_content;
CREATE VIRTUAL TABLE search USING fts5 (
    text,
    key UNINDEXED,
    content = '',
    contentless_delete = 1,
    contentless_unindexed = 1,
    detail = none,
    tokenize = "ascii"
);
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
