//! Paths of the local API, percent-encoded by construction.

/// A path and its query.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    path: String,
    query: bool,
}

impl Route {
    /// `/v1/<noun>`.
    pub(crate) fn new(noun: &str) -> Self {
        Self { path: "/v1".to_owned(), query: false }.seg(noun)
    }

    /// One more segment, as typed by a person.
    pub(crate) fn seg(mut self, text: &str) -> Self {
        self.path.push('/');
        encode(&mut self.path, text);
        self
    }

    /// `name=value` in the query.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.path.push(if self.query { '&' } else { '?' });
        self.query = true;
        encode(&mut self.path, name);
        self.path.push('=');
        encode(&mut self.path, value);
        self
    }

    /// `name=true`, if so.
    pub(crate) fn flag(self, name: &str, on: bool) -> Self {
        if on { self.with(name, "true") } else { self }
    }

    /// `name=value`, if there is one.
    pub(crate) fn maybe(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The whole, as HTTP wants it.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

/// RFC 3986: everything but unreserved characters. A lone `.` or `..` would be taken for a folder, so dots are encoded there.
fn encode(out: &mut String, text: &str) {
    let dots = text.bytes().all(|b| b == b'.');
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') || byte == b'.' && !dots {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_segment() {
        let route =
            Route::new("circles").seg("Night shift/..?x=1#é").seg("..").with("q", "a b&c").flag("new", true).flag("no", false);
        assert_eq!(route.path(), "/v1/circles/Night%20shift%2F..%3Fx%3D1%23%C3%A9/%2E%2E?q=a%20b%26c&new=true");
    }
}
