//! Every type that is encoded has frozen examples, which show all that it can say.
//!
//! The types are found in the source, by their derives. The examples (`protocol/testdata`, see `protocol/src/frozen.rs`) are then
//! walked through along the types, from the one that each file names. What no walk meets (a type, a variant, an optional field
//! that is present, or one that is absent) has no example.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use minicbor::Decoder;
use minicbor::data::Type as Cbor;
use syn::punctuated::Punctuated;
use syn::{Attribute, Fields, Item, Token, Type};

use crate::source::{is_test_only, last};
use crate::{none, project_files, read};

/// How a type's value lies in the bytes.
enum Shape {
    /// One value of its own kind: written by hand, or by a macro.
    Leaf,
    /// What its only field is.
    Transparent(Box<Part>),
    /// An array of its fields.
    Record(Vec<(usize, Part)>),
    /// `index`, or `[index, [fields]]`, or (flat) `[index, fields]`.
    Choice { variants: BTreeMap<u64, (String, Vec<(usize, Part)>)>, layout: Layout },
}

#[derive(Clone, Copy, PartialEq)]
enum Layout {
    Index,
    Array,
    Flat,
}

/// A field.
struct Part {
    name: String,
    of: Type,
    /// A byte string, whatever its type.
    bytes: bool,
}

struct Encodable {
    path: String,
    /// The names of its type parameters.
    generics: Vec<String>,
    shape: Shape,
}

/// What is encoded, by name, and the names that stand for other types.
#[derive(Default)]
struct Sources {
    types: BTreeMap<String, Encodable>,
    aliases: BTreeMap<String, Type>,
    /// Macros that define encodable types.
    makers: BTreeSet<String>,
    twice: Vec<String>,
}

impl Sources {
    fn of(files: &[(String, String)]) -> Self {
        let mut found = Self::default();
        for (path, text) in files {
            let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
            found.items(path, &file.items);
        }
        found
    }

    fn items(&mut self, path: &str, items: &[Item]) {
        for item in items {
            match item {
                Item::Mod(module) if !is_test_only(&module.attrs) => {
                    self.items(path, module.content.as_ref().map_or(&[][..], |(_, items)| items));
                }
                Item::Struct(it) if derives(&it.attrs) => {
                    let shape = record(&it.attrs, &it.fields);
                    self.add(path, &it.ident.to_string(), &it.generics, shape);
                }
                Item::Enum(it) if derives(&it.attrs) => {
                    let shape = choice(it);
                    self.add(path, &it.ident.to_string(), &it.generics, shape);
                }
                Item::Impl(it) if it.trait_.as_ref().is_some_and(|(_, of, _)| last(of).0 == "Encode") => {
                    if let Type::Path(of) = &*it.self_ty {
                        self.add(path, &last(&of.path).0, &syn::Generics::default(), Shape::Leaf);
                    }
                }
                Item::Type(it) => drop(self.aliases.insert(it.ident.to_string(), (*it.ty).clone())),
                Item::Macro(it) => self.expanded(path, it),
                _ => {}
            }
        }
    }

    /// An enum inside a macro; a macro that derives, or the use of one: it names the type first.
    fn expanded(&mut self, path: &str, it: &syn::ItemMacro) {
        if let Ok(inside) = it.mac.parse_body::<syn::ItemEnum>() {
            self.items(path, &[Item::Enum(inside)]);
        } else if let Some(name) = it.ident.as_ref().filter(|_| it.mac.tokens.to_string().contains("Encode")) {
            self.makers.insert(name.to_string());
        } else if self.makers.contains(&last(&it.mac.path).0) {
            let name = |input: syn::parse::ParseStream| {
                Attribute::parse_outer(input)?;
                let name: syn::Ident = input.parse()?;
                while !input.is_empty() {
                    input.parse::<Token![,]>()?;
                    input.parse::<syn::Lit>()?;
                }
                Ok(name)
            };
            let name = it.mac.parse_body_with(name).expect("a name, and literals");
            self.add(path, &name.to_string(), &syn::Generics::default(), Shape::Leaf);
        }
    }

    fn add(&mut self, path: &str, name: &str, generics: &syn::Generics, shape: Shape) {
        let generics = generics.type_params().map(|param| param.ident.to_string()).collect();
        let encodable = Encodable { path: path.to_owned(), generics, shape };
        if let Some(other) = self.types.insert(name.to_owned(), encodable) {
            self.twice.push(format!("{name}, in {path} and in {}", other.path));
        }
    }
}

fn derives(attrs: &[Attribute]) -> bool {
    let encode = |it: &Attribute| {
        let traits = it.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated);
        traits.is_ok_and(|traits| traits.iter().any(|path| last(path).0 == "Encode"))
    };
    attrs.iter().any(|it| it.path().is_ident("derive") && encode(it))
}

/// What the codec's attributes say: an index, whether it is a byte string, and single words.
#[derive(Default)]
struct Notes {
    index: Option<usize>,
    bytes: bool,
    words: Vec<String>,
}

fn notes(attrs: &[Attribute]) -> Notes {
    let mut notes = Notes::default();
    let number = |it: syn::LitInt| it.base10_parse::<usize>();
    for it in attrs {
        if it.path().is_ident("n") || it.path().is_ident("b") {
            notes.index = it.parse_args().and_then(number).ok();
        } else if it.path().is_ident("cbor") {
            let read = it.parse_nested_meta(|meta| {
                let word = meta.path.require_ident()?.to_string();
                if word == "n" || word == "b" {
                    let inside;
                    syn::parenthesized!(inside in meta.input);
                    notes.index = Some(number(inside.parse()?)?);
                } else if word == "with" {
                    notes.bytes = meta.value()?.parse::<syn::LitStr>()?.value() == "minicbor::bytes";
                } else {
                    notes.words.push(word);
                }
                Ok(())
            });
            read.unwrap_or_else(|error| panic!("an attribute of the codec that this test does not know: {error}"));
        }
    }
    notes
}

fn parts(fields: &Fields) -> Vec<(usize, Part)> {
    let part = |(place, field): (usize, &syn::Field)| {
        let Notes { index, bytes, .. } = notes(&field.attrs);
        let name = field.ident.as_ref().map_or_else(|| place.to_string(), ToString::to_string);
        (index.unwrap_or(place), Part { name, of: field.ty.clone(), bytes })
    };
    let kept = |(_, field): &(usize, &syn::Field)| !notes(&field.attrs).words.contains(&"skip".to_owned());
    fields.iter().enumerate().filter(kept).map(part).collect()
}

fn record(attrs: &[Attribute], fields: &Fields) -> Shape {
    let mut parts = parts(fields);
    if notes(attrs).words.contains(&"transparent".to_owned()) {
        return Shape::Transparent(Box::new(parts.remove(0).1));
    }
    Shape::Record(parts)
}

fn choice(it: &syn::ItemEnum) -> Shape {
    let words = notes(&it.attrs).words;
    let layout = match words.first().map(String::as_str) {
        Some("index_only") => Layout::Index,
        Some("flat") => Layout::Flat,
        _ => Layout::Array,
    };
    let variant = |(place, variant): (usize, &syn::Variant)| {
        let index = notes(&variant.attrs).index.unwrap_or(place) as u64;
        (index, (variant.ident.to_string(), parts(&variant.fields)))
    };
    Shape::Choice { variants: it.variants.iter().enumerate().map(variant).collect(), layout }
}

/// A walk through examples.
struct Walk<'a> {
    sources: &'a Sources,
    seen: BTreeSet<String>,
}

type Step = Result<(), String>;

fn fault(error: minicbor::decode::Error) -> String {
    error.to_string()
}

impl Walk<'_> {
    /// One value of a type. `place`: the field or variant that holds it.
    fn value(&mut self, of: &Type, place: &str, bytes: &mut Decoder<'_>) -> Step {
        match of {
            Type::Path(path) => self.named(last(&path.path), place, bytes),
            Type::Tuple(them) => {
                let count = bytes.array().map_err(fault)?;
                if count != Some(them.elems.len() as u64) {
                    return Err(format!("{place}: another number of values"));
                }
                them.elems.iter().try_for_each(|of| self.value(of, place, bytes))
            }
            Type::Array(them) => self.many(&[&them.elem], place, bytes),
            Type::Reference(them) => self.value(&them.elem, place, bytes),
            _ => Err(format!("{place}: a type that this test does not know")),
        }
    }

    fn named(&mut self, (name, arguments): (String, Vec<Type>), place: &str, bytes: &mut Decoder<'_>) -> Step {
        match (name.as_str(), arguments.as_slice()) {
            ("Option", [of]) if bytes.datatype().map_err(fault)? == Cbor::Null => {
                self.seen.insert(format!("{place} absent"));
                let _ = of;
                bytes.null().map_err(fault)
            }
            ("Option", [of]) => {
                self.seen.insert(format!("{place} present"));
                self.value(of, place, bytes)
            }
            ("Vec" | "BTreeSet", [of]) => self.many(&[of], place, bytes),
            ("BTreeMap", [key, of]) => self.map([key, of], place, bytes),
            ("u8" | "u16" | "u32" | "u64" | "usize" | "i64" | "bool" | "String" | "str", []) => bytes.skip().map_err(fault),
            (name, arguments) => {
                let Some(encodable) = self.sources.types.get(name) else {
                    let alias = self.sources.aliases.get(name).ok_or(format!("{place}: `{name}` is no encodable type"))?;
                    return self.value(alias, place, bytes);
                };
                self.seen.insert(name.to_owned());
                let generics: BTreeMap<&String, &Type> = encodable.generics.iter().zip(arguments).collect();
                self.shape(name, &encodable.shape, &generics, bytes)
            }
        }
    }

    fn many(&mut self, of: &[&Type], place: &str, bytes: &mut Decoder<'_>) -> Step {
        let count = bytes.array().map_err(fault)?.ok_or("an array without a length")?;
        (0..count).try_for_each(|_| of.iter().try_for_each(|of| self.value(of, place, bytes)))
    }

    fn map(&mut self, of: [&Type; 2], place: &str, bytes: &mut Decoder<'_>) -> Step {
        let count = bytes.map().map_err(fault)?.ok_or("a map without a length")?;
        (0..count).try_for_each(|_| of.iter().try_for_each(|of| self.value(of, place, bytes)))
    }

    fn shape(&mut self, name: &str, shape: &Shape, generics: &BTreeMap<&String, &Type>, bytes: &mut Decoder<'_>) -> Step {
        match shape {
            Shape::Leaf => bytes.skip().map_err(fault),
            Shape::Transparent(part) => self.part(part, name, generics, bytes),
            Shape::Record(parts) => self.fields(parts, name, generics, bytes),
            Shape::Choice { variants, layout } => {
                let count = if *layout == Layout::Index { 1 } else { bytes.array().map_err(fault)?.unwrap_or_default() };
                let index = bytes.u64().map_err(fault)?;
                let (variant, parts) = variants.get(&index).ok_or(format!("{name} has no variant {index}"))?;
                let name = format!("{name}::{variant}");
                self.seen.insert(name.clone());
                match layout {
                    Layout::Index => Ok(()),
                    Layout::Array => self.fields(parts, &name, generics, bytes),
                    Layout::Flat => self.some(count.saturating_sub(1), parts, &name, generics, bytes),
                }
            }
        }
    }

    fn fields(
        &mut self,
        parts: &[(usize, Part)],
        name: &str,
        generics: &BTreeMap<&String, &Type>,
        bytes: &mut Decoder<'_>,
    ) -> Step {
        let count = bytes.array().map_err(fault)?.ok_or("an array without a length")?;
        self.some(count, parts, name, generics, bytes)
    }

    /// So many fields; those behind them are absent.
    fn some(
        &mut self,
        count: u64,
        parts: &[(usize, Part)],
        name: &str,
        generics: &BTreeMap<&String, &Type>,
        bytes: &mut Decoder<'_>,
    ) -> Step {
        for at in 0..count {
            let part = parts.iter().find(|(index, _)| *index as u64 == at);
            self.part(&part.ok_or(format!("{name} has no field {at}"))?.1, name, generics, bytes)?;
        }
        let behind = parts.iter().filter(|(index, _)| *index as u64 >= count);
        self.seen.extend(behind.map(|(_, part)| format!("{name}.{} absent", part.name)));
        Ok(())
    }

    fn part(&mut self, part: &Part, name: &str, generics: &BTreeMap<&String, &Type>, bytes: &mut Decoder<'_>) -> Step {
        let place = format!("{name}.{}", part.name);
        if part.bytes {
            return bytes.skip().map_err(fault);
        }
        let given = match &part.of {
            Type::Path(path) => path.path.get_ident().and_then(|name| generics.get(&name.to_string()).copied()),
            _ => None,
        };
        self.value(given.unwrap_or(&part.of), &place, bytes)
    }

    /// A file of examples.
    fn file(&mut self, text: &str) -> Step {
        let (of, examples) = text.strip_prefix("# ").and_then(|text| text.split_once('\n')).ok_or("no type")?;
        let of: Type = syn::parse_str(of).map_err(|error| error.to_string())?;
        for hex in examples.split("\n\n") {
            let hex: String = hex.split_whitespace().collect();
            let bytes = HEXLOWER.decode(hex.as_bytes()).map_err(|error| error.to_string())?;
            let mut decoder = Decoder::new(&bytes);
            self.value(&of, "all", &mut decoder)?;
            if decoder.position() != bytes.len() {
                return Err("more bytes than the type has".to_owned());
            }
        }
        Ok(())
    }
}

/// What examples have to show of a type.
fn wanted(name: &str, encodable: &Encodable) -> Vec<String> {
    let optional = |name: &str, parts: &[(usize, Part)]| -> Vec<String> {
        let is = |part: &Part| matches!(&part.of, Type::Path(path) if last(&path.path).0 == "Option");
        let both = |part: &Part| ["present", "absent"].map(|how| format!("{name}.{} {how}", part.name));
        parts.iter().filter(|(_, part)| is(part)).flat_map(|(_, part)| both(part)).collect()
    };
    let mut all = vec![name.to_owned()];
    match &encodable.shape {
        Shape::Leaf | Shape::Transparent(_) => {}
        Shape::Record(parts) => all.extend(optional(name, parts)),
        Shape::Choice { variants, .. } => {
            for (variant, parts) in variants.values() {
                let name = format!("{name}::{variant}");
                all.extend(optional(&name, parts));
                all.push(name);
            }
        }
    }
    all
}

/// What is wrong with the examples of some sources.
fn faults(sources: &[(String, String)], examples: &[(String, String)]) -> Vec<String> {
    let sources = Sources::of(sources);
    let mut walk = Walk { sources: &sources, seen: BTreeSet::new() };
    let mut found: Vec<String> = sources.twice.iter().map(|twice| format!("two encodable types of one name: {twice}")).collect();
    for (path, text) in examples {
        found.extend(walk.file(text).err().map(|why| format!("{path}: {why}")));
    }
    for (name, encodable) in &sources.types {
        let missing = wanted(name, encodable).into_iter().filter(|wanted| !walk.seen.contains(wanted));
        found.extend(missing.map(|missing| format!("{}: {missing}", encodable.path)));
    }
    found
}

#[test]
fn every_encodable_type_has_frozen_examples_of_all_that_it_says() {
    let with = |end: &str, within: &dyn Fn(&str) -> bool| -> Vec<(String, String)> {
        let files = project_files().into_iter().filter(|path| path.ends_with(end) && within(path));
        files.map(|path| (path.clone(), read(&path))).collect()
    };
    let mut sources =
        with(".rs", &|path| ["protocol/src", "daemon/src", "cli/src"].iter().any(|folder| path.starts_with(folder)));
    // What defines types by a macro comes first.
    sources.sort_by_key(|(_, text)| !text.contains("macro_rules!"));
    let examples = with(".hex", &|path| path.starts_with("protocol/testdata"));
    assert!(sources.len() > 100 && examples.len() > 30, "they are found");
    none("no frozen example (see protocol/src/frozen.rs)", &faults(&sources, &examples));
}

#[test]
fn what_has_no_example_is_noticed() {
    let source = "
        /// Words.
        #[derive(Clone, Encode, Decode)]
        #[cbor(array)]
        struct Row { #[n(0)] one: Option<u8>, #[n(1)] many: Vec<Choice>, #[cbor(n(2), with = \"minicbor::bytes\")] tail: Vec<u8> }
        #[derive(Encode)]
        enum Choice { #[n(0)] No, #[n(1)] Yes(#[n(0)] u64) }";
    let of =
        |source: &str, example: &str| faults(&[("a.rs".to_owned(), source.to_owned())], &[("a".to_owned(), example.to_owned())]);
    // [7, [[0, []], [1, [9]]], h''] and [null, [], h''].
    assert_eq!(of(source, "# Row\n830782820080820181\n0940\n\n83f68040\n"), Vec::<String>::new());
    assert_eq!(of(source, "# Row\n830782820080820181\n0940\n"), ["a.rs: Row.one absent"]);
    assert_eq!(of(source, "# Row\n83f681820080\n40\n"), ["a.rs: Choice::Yes", "a.rs: Row.one present"]);
    assert_eq!(of(source, "# Choice\n820080\n\n82018109\n").len(), 3, "nothing shows the row");
    assert_eq!(of(source, "# Row\n83f68040\n\n830782820080820181\n094000\n").len(), 1, "a byte too many");
    let more = source.to_owned() + " #[derive(Encode)] struct Beside(#[n(0)] u8);";
    assert_eq!(of(&more, "# Row\n830782820080820181\n0940\n\n83f68040\n"), ["a.rs: Beside"]);
    let twice =
        source.to_owned() + " #[cfg(test)] mod tests { #[derive(Encode)] struct Row(u8); } #[derive(Encode)] enum Choice {}";
    assert!(of(&twice, "# Row\n83f68040\n").iter().any(|fault| fault.starts_with("two encodable types")));
}
