//! Resources: a link or a pointer worth keeping.

use rand_core::CryptoRng;

use crate::circle::body::{KeyClass, Role};
use crate::control::{Code, EditResource, Error, NewResource, Resource, Subject, Time};
use crate::io::Filter;
use crate::item::compose::{Changing, ComposeContext, First, needed};
use crate::item::edit::Value;
use crate::item::kind::{Appears, Editors, Field, Form, Kind, Spec, Targets, fields};
use crate::item::list::list as listed;
use crate::item::reader::{ItemReader, Shown};
use crate::item::show::How;
use crate::item::valid;
use crate::limits::{BODY_BYTES, DAY_CHARS, KIND_CHARS, LANG_CHARS, TITLE_CHARS, URL_CHARS};
use crate::log::entry::NewEntry;
use crate::store::StoreError;

/// Address.
const URL: u8 = 6;
/// What it is: a link, a phone number, a person.
const KIND: u8 = 7;
/// When to look at it again.
const REVIEW_BY: u8 = 8;

/// Its row.
pub const SPEC: Spec = Spec {
    kind: Kind::Resource,
    noun: Subject::Resource,
    path: "resources",
    letter: 'r',
    class: Some(KeyClass::Library),
    opened_by: Role::Member,
    edited_by: Editors::Anyone,
    targets: Targets::Nothing,
    fields: &[
        Field::new(fields::TITLE, "title", Form::Line(TITLE_CHARS)).found(),
        Field::new(fields::BODY, "note", Form::Text(BODY_BYTES)).found(),
        Field::new(fields::LANG, "lang", Form::Line(LANG_CHARS)),
        Field::new(fields::TAGS, "tags", Form::Tags).found(),
        Field::new(URL, "url", Form::Line(URL_CHARS)).found(),
        Field::new(KIND, "kind", Form::Line(KIND_CHARS)),
        Field::new(REVIEW_BY, "review_by", Form::Line(DAY_CHARS)),
    ],
    appears: Appears::EVERYWHERE,
};

/// A new resource as it is kept.
pub(in crate::item) fn tidy(new: &NewResource) -> Result<NewResource, Error> {
    let title = valid::line(&new.title, TITLE_CHARS, "The title")?;
    let url = valid::url(&new.url)?;
    needed(&format!("{title}{url}"), "The resource is empty.", "Give it a title or an address.")?;
    let review_by = valid::day(new.review_by.as_deref().unwrap_or_default())?;
    Ok(NewResource {
        title,
        url,
        kind: valid::line(&new.kind, 60, "The kind")?,
        tags: valid::tags(&new.tags)?.into_iter().collect(),
        lang: valid::lang(&new.lang)?,
        note: valid::text(&new.note, "note")?,
        review_by: (!review_by.is_empty()).then_some(review_by),
    })
}

/// A new resource.
pub(in crate::item) fn compose(place: &ComposeContext, rng: &mut dyn CryptoRng, new: &NewResource) -> Result<NewEntry, Error> {
    let new = tidy(new)?;
    let mut first = First::default();
    first.set(fields::TITLE, &new.title);
    first.set(URL, &new.url);
    first.set(KIND, &new.kind);
    first.set(fields::LANG, &new.lang);
    first.set(REVIEW_BY, new.review_by.as_deref().unwrap_or_default());
    first.tags(&new.tags)?;
    first.text(fields::BODY, new.note);
    place.open(rng, Kind::Resource, None, first.done())
}

/// What a resource shall say.
pub(in crate::item) fn change(change: &mut Changing, wanted: &EditResource) -> Result<(), Error> {
    let emptied = |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().is_empty());
    let url = wanted.url.clone().map_or_else(|| change.seen(URL), |url| Value::text(url.trim()));
    if emptied(&wanted.title) && url == Value::text("") {
        return Err(Error::new(
            Code::Usage,
            "The resource would have neither a title nor an address.",
            "Give it one, so that people know what it is.",
        ));
    }
    change.line(fields::TITLE, wanted.title.as_ref(), TITLE_CHARS, "The title")?;
    change.set(URL, wanted.url.as_ref().map(|url| valid::url(url)))?;
    change.line(KIND, wanted.kind.as_ref(), 60, "The kind")?;
    change.set(fields::LANG, wanted.lang.as_ref().map(|lang| valid::lang(lang)))?;
    change.set(REVIEW_BY, wanted.review_by.as_ref().map(|day| valid::day(day)))?;
    change.tags(wanted.tags.as_ref())?;
    change.text(wanted.note.as_ref(), "note")
}

/// Resources, oldest first.
pub(in crate::item) fn list(reader: &ItemReader<'_>, filter: &Filter) -> Result<Vec<Resource>, StoreError> {
    listed(reader, Kind::Resource, filter, |shown, how| {
        let resource = show(reader, shown, how)?;
        Ok((!filter.new || resource.new).then_some(resource))
    })
}

/// A resource.
pub(in crate::item) fn show(reader: &ItemReader<'_>, shown: &Shown, how: How<'_>) -> Result<Resource, StoreError> {
    let kind = shown.words(KIND);
    let (url, refused_url) = address(shown.words(URL));
    Ok(Resource {
        id: shown.key.text(SPEC.letter),
        base: how.base(reader, shown)?,
        crossed: Vec::new(),
        circle: reader.circle.text(),
        circle_name: reader.name.to_owned(),
        title: shown.words(fields::TITLE),
        url,
        refused_url,
        kind: if kind.is_empty() { "link".to_owned() } else { kind },
        tags: shown.tags(),
        lang: shown.words(fields::LANG),
        note: shown.words(fields::BODY),
        cut: shown.is_cut(),
        author: reader.author(shown.author),
        changed_by: shown.whole.as_ref().and_then(|whole| whole.edited_by).map(|by| reader.author(Some(by))),
        review_by: shown.some_words(REVIEW_BY),
        file: None,
        created_at: Time(shown.row.created),
        edited_at: shown.edited().map(Time),
        state: shown.state,
        delivery: reader.delivery(shown).0,
        new: shown.is_new(how.mark),
        changed: shown.is_changed(how.mark),
    })
}

/// What peers gave as an address: as one where it may be, else as words.
fn address(text: String) -> (String, Option<String>) {
    if valid::is_address(&text) { (text, None) } else { (String::new(), Some(text)) }
}
