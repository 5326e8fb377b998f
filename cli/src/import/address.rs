//! Addresses as files hold them, made such that they can be kept.

/// Without spaces: web addresses get `%20` for those within, phone numbers lose them. Others stay as they are.
pub(crate) fn tidy(address: &str) -> String {
    let address = address.trim();
    if !address.contains(char::is_whitespace) {
        return address.to_owned();
    }
    let begins = |scheme: &str| address.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    if begins("tel:") || begins("sms:") {
        return address.split_whitespace().collect();
    }
    if begins("http://") || begins("https://") {
        return address.split_whitespace().collect::<Vec<_>>().join("%20");
    }
    address.to_owned()
}

/// Does it lead anywhere by itself, outside the page that it stands on?
pub(crate) fn leads_out(address: &str) -> bool {
    let scheme = address.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    named && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_go_where_they_mean_nothing() {
        assert_eq!(tidy(" https://x.example/a b/c "), "https://x.example/a%20b/c");
        assert_eq!(tidy("TEL:+49 30 123"), "TEL:+4930123");
        assert_eq!(tidy("mailto:a b@x.example"), "mailto:a b@x.example");
    }

    #[test]
    fn what_leads_out_names_its_kind() {
        for out in ["https://x.example", "ftp://x", "mailto:a@b", "javascript:alert(1)", "xmpp:a@b"] {
            assert!(leads_out(out), "{out}");
        }
        for within in ["#top", "page.md", "../a/b", "", "/a:b", "?q=a:b"] {
            assert!(!leads_out(within), "{within}");
        }
    }
}
