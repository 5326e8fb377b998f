//! Which country somebody is in, as far as this computer tells: by its time zone, else by its language.

/// Countries of the European Union, where 112 is answered everywhere.
const UNION: &str = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";

/// Zones, or how their names begin, and the country that they lie in.
const ZONES: &[(&str, &str)] = &[
    ("Africa/Ceuta", "ES"),
    ("America/Adak", "US"),
    ("America/Anchorage", "US"),
    ("America/Boise", "US"),
    ("America/Calgary", "CA"),
    ("America/Chicago", "US"),
    ("America/Dawson", "CA"),
    ("America/Denver", "US"),
    ("America/Detroit", "US"),
    ("America/Edmonton", "CA"),
    ("America/Glace_Bay", "CA"),
    ("America/Halifax", "CA"),
    ("America/Indiana/", "US"),
    ("America/Inuvik", "CA"),
    ("America/Iqaluit", "CA"),
    ("America/Juneau", "US"),
    ("America/Kentucky/", "US"),
    ("America/Los_Angeles", "US"),
    ("America/Menominee", "US"),
    ("America/Moncton", "CA"),
    ("America/Montreal", "CA"),
    ("America/New_York", "US"),
    ("America/Nome", "US"),
    ("America/North_Dakota/", "US"),
    ("America/Phoenix", "US"),
    ("America/Regina", "CA"),
    ("America/Sitka", "US"),
    ("America/St_Johns", "CA"),
    ("America/Thunder_Bay", "CA"),
    ("America/Toronto", "CA"),
    ("America/Vancouver", "CA"),
    ("America/Whitehorse", "CA"),
    ("America/Winnipeg", "CA"),
    ("America/Yellowknife", "CA"),
    ("Asia/Nicosia", "CY"),
    ("Atlantic/Azores", "PT"),
    ("Atlantic/Canary", "ES"),
    ("Atlantic/Madeira", "PT"),
    ("Australia/", "AU"),
    ("Canada/", "CA"),
    ("Eire", "IE"),
    ("Europe/Amsterdam", "NL"),
    ("Europe/Athens", "GR"),
    ("Europe/Belfast", "GB"),
    ("Europe/Berlin", "DE"),
    ("Europe/Bratislava", "SK"),
    ("Europe/Brussels", "BE"),
    ("Europe/Bucharest", "RO"),
    ("Europe/Budapest", "HU"),
    ("Europe/Busingen", "DE"),
    ("Europe/Copenhagen", "DK"),
    ("Europe/Dublin", "IE"),
    ("Europe/Helsinki", "FI"),
    ("Europe/Lisbon", "PT"),
    ("Europe/Ljubljana", "SI"),
    ("Europe/London", "GB"),
    ("Europe/Luxembourg", "LU"),
    ("Europe/Madrid", "ES"),
    ("Europe/Malta", "MT"),
    ("Europe/Mariehamn", "FI"),
    ("Europe/Paris", "FR"),
    ("Europe/Prague", "CZ"),
    ("Europe/Riga", "LV"),
    ("Europe/Rome", "IT"),
    ("Europe/Sofia", "BG"),
    ("Europe/Stockholm", "SE"),
    ("Europe/Tallinn", "EE"),
    ("Europe/Vienna", "AT"),
    ("Europe/Vilnius", "LT"),
    ("Europe/Warsaw", "PL"),
    ("Europe/Zagreb", "HR"),
    ("GB", "GB"),
    ("NZ", "NZ"),
    ("Pacific/Auckland", "NZ"),
    ("Pacific/Chatham", "NZ"),
    ("Pacific/Honolulu", "US"),
    ("Poland", "PL"),
    ("Portugal", "PT"),
    ("US/", "US"),
];

/// The country that this computer seems to be in.
pub(super) fn own() -> Option<String> {
    let zone = jiff::tz::TimeZone::system();
    let language = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    of_zone(zone.iana_name().unwrap_or_default()).or_else(|| of_language(&language.unwrap_or_default()))
}

fn of_zone(zone: &str) -> Option<String> {
    let lies_in = |(name, _): &&(&str, &str)| if name.ends_with('/') { zone.starts_with(name) } else { zone == *name };
    ZONES.iter().find(lies_in).map(|(_, country)| (*country).to_owned())
}

/// `de_AT.UTF-8` speaks of Austria; `C` and `en` speak of nowhere.
fn of_language(language: &str) -> Option<String> {
    let (_, rest) = language.split_once('_')?;
    let code: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
    (code.len() == 2).then(|| code.to_ascii_uppercase())
}

/// Is it in the European Union?
pub(super) fn in_union(code: &str) -> bool {
    code == "EU" || UNION.split(' ').any(|member| member == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_or_a_language_names_a_country() {
        assert_eq!(of_zone("Australia/Hobart").as_deref(), Some("AU"));
        assert_eq!(of_zone("Europe/Madrid").as_deref(), Some("ES"));
        assert_eq!(of_zone("Europe/Warsaw").as_deref(), Some("PL"));
        assert_eq!((of_zone("GB-Eire"), of_zone("UTC"), of_zone("Asia/Tokyo")), (None, None, None));
        assert_eq!(of_language("fr_CA.UTF-8").as_deref(), Some("CA"));
        assert_eq!((of_language("C.UTF-8"), of_language("en"), of_language("en_x")), (None, None, None));
        assert!(in_union("PL") && in_union("EU") && !in_union("GB") && !in_union("A"));
    }
}
