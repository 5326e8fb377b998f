use super::*;

fn resources(haul: &Haul) -> Vec<&NewResourceInBatch> {
    let one = |found: &'_ Found| matches!(found.item, BatchItem::Resource(_));
    assert!(haul.found.iter().all(one), "resources");
    haul.found
        .iter()
        .filter_map(|found| if let BatchItem::Resource(resource) = &found.item { Some(resource) } else { None })
        .collect()
}

fn told(haul: &Haul) -> Vec<(Option<usize>, String)> {
    haul.left_out.iter().map(|left| (left.origin.line, format!("{} {}", left.what, left.why))).collect()
}

#[test]
fn the_header_says_what_it_is() {
    let resources = haul("Title,URL,Tags\nHotline,https://x.example,\"eap, phone\"\n,,\n").unwrap();
    assert_eq!(resources.found.len(), 1);
    assert!(matches!(&resources.found[0].item, BatchItem::Resource(r) if r.tags == ["eap", "phone"]));
    assert_eq!(resources.left_out.len(), 1);
    let notes = haul("title,body\nHi,'=1+1\n").unwrap();
    assert!(matches!(&notes.found[0].item, BatchItem::Note(n) if n.body == "=1+1"));
    let events = haul("title,starts,ends,tz\nCircle,2026-12-01T18:00,2026-12-01T19:00,Europe/Madrid\nBad,soon,,\n").unwrap();
    assert!(matches!(&events.found[0].item, BatchItem::Event(e) if e.starts == "2026-12-01T17:00:00Z"));
    assert!(events.left_out[0].why.contains("time"));
    assert!(haul("a,b\n1,2\n").unwrap_err().contains("semicolons"));
}

#[test]
fn a_bookmark_services_table_comes_in_and_its_other_columns_are_named() {
    let text = "id,title,note,excerpt,url,folder,tags,created,cover\n7,Rest,mine,theirs,https://r.example/,Health,\"a, b\",2024-01-01T00:00:00Z,\n";
    let haul = haul(text).unwrap();
    let [only] = resources(&haul)[..] else { panic!("one resource") };
    assert_eq!((only.title.as_str(), only.note.as_str(), only.tags.join("|")), ("Rest", "mine", "a|b".to_owned()));
    let said = told(&haul);
    for column in ["excerpt", "folder", "created"] {
        assert!(said.iter().any(|(line, said)| *line == Some(1) && said.contains(column)), "{column}: {said:?}");
    }
    assert!(!said.iter().any(|(_, said)| said.contains("cover")), "an empty column holds nothing: {said:?}");
}

#[test]
fn what_is_bad_about_a_row_is_named_and_the_rest_of_it_kept() {
    let text = "title;url;review_by\nA;https://a.example/x y;28.02.2027\nB;;31/02/2027\nC;;01/02/2027\nD;;;over\n";
    let haul = haul(text).unwrap();
    let found = resources(&haul);
    assert_eq!(found[0].url, "https://a.example/x%20y");
    let days: Vec<Option<&str>> = found.iter().map(|found| found.review_by.as_deref()).collect();
    assert_eq!(days, [Some("2027-02-28"), None, Some("2027-02-01"), None]);
    let lines: Vec<Option<usize>> = told(&haul).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [Some(2), Some(2), Some(3), Some(4), Some(5)], "{:?}", told(&haul));
}

#[test]
fn a_calendars_table_in_local_habit_comes_in() {
    let text = "Subject,Start Date,Start Time,End Date,End Time,All Day Event,Description\n\
        Circle,12/24/2026,6:00 PM,12/24/2026,7:30 PM,False,bring tea\nRetreat,12/05/2026,,12/06/2026,,True,\n";
    let haul = haul(text).unwrap();
    let events: Vec<(&str, &str)> = haul
        .found
        .iter()
        .filter_map(|found| if let BatchItem::Event(event) = &found.item { Some(event) } else { None })
        .map(|event| (event.starts_local.as_str(), event.ends_local.as_str()))
        .collect();
    assert_eq!(events, [("2026-12-24T18:00:00", "2026-12-24T19:30:00"), ("2026-12-05", "2026-12-07")]);
    assert!(told(&haul).iter().any(|(line, said)| *line == Some(3) && said.contains("2026-12-05")));
}

#[test]
fn a_note_that_stayed_behind_its_warning_is_named() {
    let haul = haul("title,body,content_warning\nA,,burnout\nB,  words,burnout\n").unwrap();
    assert!(matches!(&haul.found[0].item, BatchItem::Note(note) if note.body == "  words"));
    assert_eq!(told(&haul).len(), 1, "{:?}", told(&haul));
    assert!(told(&haul)[0].1.contains("--reveal"));
}
