//! What travels for each kind that has a list: what comes in, and the types by which OpenAPI describes it.

use std::borrow::Cow;

use kith_protocol::control::{
    EditEvent, EditItem, EditNote, EditResource, Event, Kind, NewEvent, NewItem, NewNote, NewResource, Note, Resource,
};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};

use crate::api::answer::{Refused, no_such_path};
use crate::api::extract::Raw;

/// A new item from a request's body.
pub(super) fn new_item(kind: Kind, body: &Raw) -> Result<NewItem, Refused> {
    Ok(match kind {
        Kind::Note => NewItem::Note(body.read()?),
        Kind::Event => NewItem::Event(body.read()?),
        Kind::Resource => NewItem::Resource(body.read()?),
        Kind::Reply | Kind::Reaction | Kind::Rsvp | Kind::Tombstone | Kind::Hide | Kind::Pin => return Err(no_such_path()),
    })
}

/// Changes of an item from a request's body.
pub(super) fn edit_item(kind: Kind, body: &Raw) -> Result<EditItem, Refused> {
    Ok(match kind {
        Kind::Note => EditItem::Note(body.read()?),
        Kind::Event => EditItem::Event(body.read()?),
        Kind::Resource => EditItem::Resource(body.read()?),
        Kind::Reply | Kind::Reaction | Kind::Rsvp | Kind::Tombstone | Kind::Hide | Kind::Pin => return Err(no_such_path()),
    })
}

/// Types by their names in OpenAPI, and what they are made of.
type Schemas = Vec<(String, RefOr<Schema>)>;

/// What travels for a kind.
pub(super) struct Shape {
    pub(super) kind: Kind,
    /// The name of an item's type.
    pub(super) item: Cow<'static, str>,
    /// The name of a new item's type.
    pub(super) new: Cow<'static, str>,
    /// The name of its changes' type.
    pub(super) edit: Cow<'static, str>,
    parts: Schemas,
}

impl Shape {
    pub(super) fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Note => Some(Self::from::<Note, NewNote, EditNote>(kind)),
            Kind::Event => Some(Self::from::<Event, NewEvent, EditEvent>(kind)),
            Kind::Resource => Some(Self::from::<Resource, NewResource, EditResource>(kind)),
            Kind::Reply | Kind::Reaction | Kind::Rsvp | Kind::Tombstone | Kind::Hide | Kind::Pin => None,
        }
    }

    fn from<Item: ToSchema, New: ToSchema, Edit: ToSchema>(kind: Kind) -> Self {
        let mut parts = vec![
            (Item::name().into_owned(), Item::schema()),
            (New::name().into_owned(), New::schema()),
            (Edit::name().into_owned(), Edit::schema()),
        ];
        Item::schemas(&mut parts);
        New::schemas(&mut parts);
        Edit::schemas(&mut parts);
        Self { kind, item: Item::name(), new: New::name(), edit: Edit::name(), parts }
    }

    /// The name of the type of a list.
    pub(super) fn list(&self) -> String {
        format!("{}List", self.item)
    }

    /// All types, the list's included.
    pub(super) fn schemas(&self) -> Schemas {
        let (path, words) = (self.kind.path(), format!("{}.", title(self.kind.path())));
        let items = ArrayBuilder::new().items(Ref::from_schema_name(self.item.as_ref())).description(Some(words.clone()));
        let list = ObjectBuilder::new().description(Some(words)).property(path, items).required(path);
        self.parts.iter().cloned().chain([(self.list(), RefOr::T(Schema::Object(list.build())))]).collect()
    }
}

/// A word as a sentence begins with it.
pub(super) fn title(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
