//! The two logs: acts and entries, as they are signed, sealed, chained, stored and served.
