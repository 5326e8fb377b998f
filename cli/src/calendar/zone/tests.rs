//! Zones as files name and describe them.

use super::super::{lines::lines, parts::parts};
use super::*;

fn found(zone: &str, tzid: &str, at: &str) -> Option<FoundZone> {
    let file = format!("BEGIN:VCALENDAR\n{zone}END:VCALENDAR\n");
    let (calendars, _) = parts(lines(file.as_bytes()).0).unwrap();
    Zones::new(calendars.iter()).find(tzid, at.parse().unwrap())
}

/// A zone called "Office": of each observance its kind, first onset, offsets, and rule or other line.
fn office(observances: &[(&str, &str, &str, &str, &str)]) -> String {
    let one = |(kind, start, from, to, more): &(&str, &str, &str, &str, &str)| {
        format!("BEGIN:{kind}\nDTSTART:{start}\nTZOFFSETFROM:{from}\nTZOFFSETTO:{to}\n{more}END:{kind}\n")
    };
    let all: String = observances.iter().map(one).collect();
    format!("BEGIN:VTIMEZONE\nTZID:Office\n{all}END:VTIMEZONE\n")
}

fn name(zone: &str, tzid: &str, at: &str) -> String {
    found(zone, tzid, at).and_then(|found| found.name).unwrap_or_default()
}

#[test]
fn names_are_understood() {
    for (tzid, zone) in [
        ("Europe/Berlin", "Europe/Berlin"),
        ("\"europe/berlin\"", "Europe/Berlin"),
        ("Eastern Standard Time", "America/New_York"),
        ("Nepal Standard Time", "Asia/Katmandu"),
        ("custom_America/New_York", "America/New_York"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
        ("Europe/Lisbon (WET)", "Europe/Lisbon"),
        ("(UTC+01:00) W. Europe Standard Time", "Europe/Berlin"),
        ("Tokyo Standard Time 2", "Asia/Tokyo"),
        ("tzone://Microsoft/Utc", "UTC"),
        ("EET", "EET"),
        ("GMT-0500", "Etc/GMT+5"),
        ("UTC+3", "Etc/GMT-3"),
        ("+02:00", "Etc/GMT-2"),
    ] {
        assert_eq!(name("", tzid, "2024-08-29T08:00"), zone, "{tzid}");
    }
    let half = found("", "UTC+05:30", "2024-08-29T08:00").unwrap();
    assert_eq!((half.name, half.tz.to_offset(Timestamp::UNIX_EPOCH).seconds()), (None, 19_800));
    assert!(found("", "Nowhere", "2024-08-29T08:00").is_none());
    assert!(found("", "Customized Time Zone", "2024-08-29T08:00").is_none());
}

#[test]
fn names_that_windows_shows_are_zones() {
    for (tzid, zone) in [
        ("(UTC+01:00) Belgrade, Bratislava, Budapest, Ljubljana, Prague", "Europe/Belgrade"),
        ("(UTC+02:00) Athens, Bucharest", "Europe/Athens"),
        ("(UTC+02:00) Helsinki, Kyiv, Riga, Sofia, Tallinn, Vilnius", "Europe/Helsinki"),
        ("(UTC+02:00) Jerusalem", "Asia/Jerusalem"),
        ("(UTC+10:00) Hobart", "Australia/Hobart"),
        ("(UTC+10:00) Canberra, Melbourne, Sydney", "Australia/Sydney"),
        ("(UTC+09:30) Adelaide", "Australia/Adelaide"),
        ("(UTC-06:00) Guadalajara, Mexico City, Monterrey", "America/Mexico_City"),
        ("(UTC-05:00) Havana", "America/Havana"),
        ("(UTC-07:00) La Paz, Mazatlan", "America/Mazatlan"),
        ("(UTC-04:00) Georgetown, La Paz, Manaus, San Juan", "America/La_Paz"),
        ("(UTC-06:00) Saskatchewan", "America/Regina"),
        ("(UTC-05:00) Indiana (East)", "America/Indiana/Indianapolis"),
        ("(UTC-08:00) Pacific Time (US & Canada)", "America/Los_Angeles"),
        ("(GMT-08:00) Pacific Time (US and Canada); Tijuana", "America/Los_Angeles"),
        ("(UTC) Dublin, Edinburgh, Lisbon, London", "Europe/London"),
        ("(GMT) Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London", "Europe/London"),
        ("(UTC+12:45) Chatham Islands", "Pacific/Chatham"),
        ("(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi", "Asia/Kolkata"),
        ("(UTC+06:30) Yangon (Rangoon)", "Asia/Yangon"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rom, Stockholm, Wien", "Europe/Berlin"),
        ("Eastern Daylight Time", "America/New_York"),
        ("W. Europe Daylight Time", "Europe/Berlin"),
        ("Mountain Standard Time (Mexico)", "America/Mazatlan"),
        ("South Sudan Standard Time", "Africa/Juba"),
    ] {
        assert_eq!(name("", tzid, "2024-08-29T08:00"), zone, "{tzid}");
    }
    let far = found("", "(UTC+04:30) Nowhere in particular", "2024-08-29T08:00").unwrap();
    assert!(far.name.is_none() && far.note.unwrap().ends_with("is taken as UTC+04:30"));
}

/// Central European time, as Exchange writes it down.
const EXCHANGE: [(&str, &str, &str, &str, &str); 2] = [
    ("STANDARD", "16010101T030000", "+0200", "+0100", "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\n"),
    ("DAYLIGHT", "16010101T020000", "+0100", "+0200", "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\n"),
];

#[test]
fn rules_of_every_year_are_told_in_many_ways() {
    let zone = office(&EXCHANGE);
    for (from, to) in [
        ("INTERVAL=1", "INTERVAL=01;WKST=MO"),
        ("INTERVAL=1;", ""),
        ("FREQ=YEARLY;INTERVAL=1;", "freq=yearly; interval=1;x-odd=1;"),
        ("INTERVAL=1", "INTERVAL=1;UNTIL=20991231T000000Z"),
        ("BYDAY=-1SU", "BYDAY=SU;BYSETPOS=-1"),
        ("+0200", "+02:00"),
        ("+0100", "+010000"),
        ("16010101", "19961027"),
    ] {
        assert_eq!(name(&zone.replace(from, to), "Office", "2027-07-14T10:00"), "Europe/Berlin", "{to}");
        assert_eq!(name(&zone.replace(from, to), "Office", "2027-01-14T10:00"), "Europe/Berlin", "{to}");
    }
}

#[test]
fn what_the_file_says_of_a_zone_wins_over_a_guess() {
    let zone = |tzid: &str| office(&EXCHANGE).replace("Office", tzid);
    for (tzid, found) in [
        ("(UTC+01:00) Sarajevo, Skopje, Warsaw, Zagreb", "Europe/Sarajevo"),
        ("(UTC+01:00) Our Own", "Europe/Berlin"),
        ("UTC+01:00", "Europe/Berlin"),
        ("(UTC-06:00) Mexico City", "Europe/Berlin"),
        ("America/New_York", "America/New_York"),
        ("Tokyo Standard Time", "Asia/Tokyo"),
    ] {
        assert_eq!(name(&zone(tzid), tzid, "2027-07-14T10:00"), found, "{tzid}");
    }
}

#[test]
fn a_day_that_ends_at_24_is_understood_and_what_is_not_is_named() {
    let zone = [
        (
            "STANDARD",
            "19700101T240000",
            "+0300",
            "+0200",
            "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=SA;BYMONTHDAY=24,25,26,27,28,29,30\n",
        ),
        ("DAYLIGHT", "19700101T000000", "+0200", "+0300", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\n"),
    ];
    assert_eq!(name(&office(&zone), "Office", "2027-07-14T10:00"), "Asia/Beirut");
    let broken = found(&office(&zone).replace("19700101T240000", "19700101T250000"), "Office", "2027-07-14T10:00").unwrap();
    assert!(broken.note.unwrap().contains("line 4"));
}

#[test]
fn a_zone_like_no_other_is_asked_for_each_time() {
    let both = office(&[
        ("STANDARD", "19701025T030000", "+0400", "-0800", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\n"),
        ("DAYLIGHT", "19700329T020000", "-0800", "+0400", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\n"),
    ]);
    let file = format!("BEGIN:VCALENDAR\n{both}END:VCALENDAR\n");
    let (calendars, _) = parts(lines(file.as_bytes()).0).unwrap();
    let mut zones = Zones::new(calendars.iter());
    let names = ["2026-01-14T10:00", "2026-07-14T10:00"].map(|at| zones.find("Office", at.parse().unwrap()).unwrap().name);
    assert_eq!(names.map(Option::unwrap), ["Etc/GMT+8", "Etc/GMT-4"]);
}

#[test]
fn rules_tell_a_zone() {
    let rule = |text: &str| format!("RRULE:FREQ=YEARLY;{text}\n");
    let (autumn, spring) = (rule("BYDAY=1SU;BYMONTH=11"), rule("BYDAY=2SU;BYMONTH=3"));
    let york = [
        ("STANDARD", "16010101T020000", "-0400", "-0500", autumn.as_str()),
        ("DAYLIGHT", "16010101T020000", "-0500", "-0400", spring.as_str()),
    ];
    let zone = found(&office(&york), "Office", "2024-10-28T17:00").unwrap();
    assert_eq!(zone.name.as_deref(), Some("America/New_York"));
    assert!(zone.note.unwrap().contains("does what"));
    // "EST" alone would be a zone without summers.
    assert_eq!(name(&office(&york).replace("Office", "EST"), "EST", "2024-07-28T17:00"), "America/New_York");
    let (autumn, spring) = (rule("BYDAY=1SU;BYMONTH=4"), rule("BYDAY=1SU;BYMONTH=10"));
    let island = [
        ("STANDARD", "19700405T020000", "+1100", "+1030", autumn.as_str()),
        ("DAYLIGHT", "19701004T020000", "+1030", "+1100", spring.as_str()),
    ];
    assert_eq!(name(&office(&island), "Office", "2027-01-28T17:00"), "Australia/Lord_Howe");
}

#[test]
fn onsets_and_dates_tell_a_zone() {
    let single = office(&[
        ("STANDARD", "20251102T020000", "-0500", "-0600", ""),
        ("DAYLIGHT", "20260308T020000", "-0600", "-0500", ""),
        ("STANDARD", "20261101T020000", "-0500", "-0600", ""),
    ]);
    for at in ["2026-01-15T10:00", "2026-07-15T10:00", "2027-07-15T10:00", "2030-07-15T10:00"] {
        assert_eq!(name(&single, "Office", at), "America/Chicago", "{at}");
    }
    let dates = office(&[
        ("STANDARD", "20241027T040000", "+0300", "+0200", "RDATE:20241027T040000,20251026T040000,20261025T040000\n"),
        ("DAYLIGHT", "20240331T030000", "+0200", "+0300", "RDATE:20250330T030000\nRDATE:20260329T030000\n"),
    ]);
    assert_eq!(name(&dates, "Office", "2026-07-15T10:00"), "Europe/Athens");
    let pair =
        office(&[("STANDARD", "19701025T030000", "+0200", "+0100", ""), ("DAYLIGHT", "19700329T020000", "+0100", "+0200", "")]);
    assert_eq!(name(&pair, "Office", "2026-07-15T10:00"), "Europe/Berlin");
    let always = office(&[("STANDARD", "19700101T000000", "+0545", "+0545", "")]);
    assert_eq!(name(&always, "Office", "2026-07-15T10:00"), "Asia/Kathmandu");
}

#[test]
fn a_zone_like_no_other_keeps_its_offset() {
    let odd = office(&[("STANDARD", "19700101T000000", "-0810", "-0810", "")]);
    let zone = found(&odd, "Office", "2024-12-28T17:00").unwrap();
    assert_eq!((zone.name, zone.tz.to_offset(Timestamp::UNIX_EPOCH).seconds()), (None, -29_400));
    let both = office(&[
        ("STANDARD", "19701025T030000", "+0400", "-0800", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\n"),
        ("DAYLIGHT", "19700329T020000", "-0800", "+0400", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\n"),
    ]);
    assert_eq!(name(&both, "Office", "2024-12-28T17:00"), "Etc/GMT+8");
    assert_eq!(name(&both, "Office", "2024-07-28T17:00"), "Etc/GMT-4");
}

#[test]
fn a_file_that_disagrees_with_its_zone_is_named() {
    let old = office(&[
        ("STANDARD", "16010101T000000", "+0430", "+0330", "RRULE:FREQ=YEARLY;BYDAY=3TU;BYMONTH=9\n"),
        ("DAYLIGHT", "16010101T000000", "+0330", "+0430", "RRULE:FREQ=YEARLY;BYDAY=4SU;BYMONTH=3\n"),
    ]);
    let old = old.replace("Office", "Iran Standard Time");
    let winter = found(&old, "Iran Standard Time", "2026-12-15T18:00").unwrap();
    assert_eq!((winter.name.as_deref(), winter.note), (Some("Asia/Tehran"), None));
    let summer = found(&old, "Iran Standard Time", "2026-07-15T18:00").unwrap();
    assert!(summer.name.as_deref() == Some("Asia/Tehran") && summer.note.unwrap().contains("+04:30"));
}
