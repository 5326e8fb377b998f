//! What people read is a whole sentence where it is made: messages and hints begin with a capital, or with something quoted or
//! counted, and end with a period. Nothing completes them later.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};
use syn::{Expr, Lit, Pat, Stmt};

use crate::source::is_test_only;
use crate::{is_test, none, project_files, read};

/// Functions whose arguments are sentences: the last names of a path, how many arguments there are, and which of them are.
const SPEAKERS: [(&str, usize, &[usize]); 14] = [
    ("Error::new", 3, &[1, 2]),
    ("Finding::new", 4, &[2, 3]),
    ("Hint::Text", 1, &[0]),
    ("InputError::usage", 2, &[0, 1]),
    ("InputError::not_found", 2, &[0, 1]),
    ("InputError::not_allowed", 1, &[0]),
    ("InputError::not_yet", 1, &[0]),
    ("needed", 3, &[1, 2]),
    ("usage", 2, &[0, 1]),
    ("failed", 2, &[0, 1]),
    ("refused", 3, &[1, 2]),
    ("error::usage", 2, &[0, 1]),
    ("error::failed", 2, &[0, 1]),
    ("error::refused", 3, &[1, 2]),
];

/// Methods that take sentences.
const METHODS: [(&str, usize, &[usize]); 1] = [("say", 3, &[1, 2])];

/// Functions that return one as `&'static str`.
const RETURN_THEM: [&str; 5] = ["words", "why", "advice", "usual_hint", "io_hint"];

/// Is this a whole sentence, or several? Nothing at all is one, too. What is filled in behind the end of one is a sentence of its own.
fn is_whole(text: &str) -> bool {
    let first = text.chars().next().is_none_or(|c| c.is_uppercase() || c.is_numeric() || "`\"{".contains(c));
    let mut said = text.trim_end();
    while let Some((before, _)) = said.strip_suffix('}').and_then(|open| open.rsplit_once('{')) {
        said = before.trim_end();
    }
    first && (said.is_empty() || said.trim_end_matches('"').ends_with(['.', '?', '!']))
}

/// Methods whose arguments may be what comes of them.
const INSTEAD: [&str; 6] = ["map_or", "map_or_else", "unwrap_or", "unwrap_or_else", "then_some", "then"];

/// What names stand for where they are used, as far as the file says it by itself.
type Scope<'a> = BTreeMap<String, Vec<&'a Expr>>;

/// Puts down what a pattern binds: a name, or the names of a pair, each with its part of the value.
fn bind<'a>(pat: &Pat, value: &'a Expr, scope: &mut Scope<'a>) {
    match pat {
        Pat::Ident(name) => scope.entry(name.ident.to_string()).or_default().push(value),
        Pat::Type(typed) => bind(&typed.pat, value, scope),
        Pat::Tuple(pair) => {
            for end in ends(value) {
                let Expr::Tuple(values) = end else { continue };
                pair.elems.iter().zip(&values.elems).for_each(|(pat, value)| bind(pat, value, scope));
            }
        }
        _ => {}
    }
}

/// The values that an expression may end with.
fn ends(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::If(it) => {
            let then = last_of(&it.then_branch).map(ends).unwrap_or_default();
            let other = it.else_branch.as_ref().map(|(_, other)| ends(other)).unwrap_or_default();
            [then, other].concat()
        }
        Expr::Match(it) => it.arms.iter().flat_map(|arm| ends(&arm.body)).collect(),
        Expr::Block(it) => last_of(&it.block).map(ends).unwrap_or_default(),
        Expr::Paren(it) => ends(&it.expr),
        Expr::Reference(it) => ends(&it.expr),
        Expr::Closure(it) => ends(&it.body),
        _ => vec![expr],
    }
}

fn last_of(block: &syn::Block) -> Option<&Expr> {
    match block.stmts.last()? {
        Stmt::Expr(last, None) => Some(last),
        _ => None,
    }
}

/// The texts that an expression may be.
fn texts(expr: &Expr, scope: &Scope<'_>, depth: usize) -> Vec<String> {
    let of = |expr: &Expr| texts(expr, scope, depth + 1);
    let one = |end: &Expr| match end {
        Expr::Lit(it) => match &it.lit {
            Lit::Str(text) => vec![text.value()],
            _ => Vec::new(),
        },
        Expr::Macro(it) if it.mac.path.is_ident("format") => {
            let first = it.mac.tokens.clone().into_iter().next().map(|token| token.to_string());
            first.and_then(|text| syn::parse_str::<syn::LitStr>(&text).ok()).map(|text| text.value()).into_iter().collect()
        }
        // `x.into()`, and what `map_or` and its like may give instead.
        Expr::MethodCall(it) => {
            let args = it.args.iter().filter(|_| INSTEAD.iter().any(|name| it.method == name));
            std::iter::once(&*it.receiver).chain(args).flat_map(of).collect()
        }
        Expr::Path(it) if depth < 8 => {
            let named = it.path.get_ident().and_then(|name| scope.get(&name.to_string()));
            named.into_iter().flatten().flat_map(|value| of(value)).collect()
        }
        _ => Vec::new(),
    };
    ends(expr).into_iter().flat_map(one).collect()
}

/// Reads a file for sentences.
#[derive(Default)]
struct Sentences<'a> {
    constants: Scope<'a>,
    scope: Scope<'a>,
    found: Vec<String>,
}

impl<'a> Sentences<'a> {
    fn hear(
        &mut self,
        speakers: &[(&str, usize, &[usize])],
        name: &str,
        args: &syn::punctuated::Punctuated<Expr, syn::Token![,]>,
    ) {
        let known = |(full, many, _): &&(&str, usize, &[usize])| *full == name && *many == args.len();
        let Some((.., which)) = speakers.iter().find(known) else { return };
        for at in *which {
            self.found.extend(args.get(*at).map(|arg| texts(arg, &self.scope, 0)).unwrap_or_default());
        }
    }

    fn function(&mut self, signature: &syn::Signature, block: &'a syn::Block) {
        let outer = std::mem::replace(&mut self.scope, self.constants.clone());
        let is_text = matches!(&signature.output, syn::ReturnType::Type(_, of) if matches!(&**of, syn::Type::Reference(_)));
        if is_text && RETURN_THEM.iter().any(|name| signature.ident == name) {
            let returned = last_of(block).map(|last| texts(last, &self.scope, 0)).unwrap_or_default();
            self.found.extend(returned);
        }
        visit::visit_block(self, block);
        self.scope = outer;
    }
}

impl<'a> Visit<'a> for Sentences<'a> {
    fn visit_item_mod(&mut self, it: &'a syn::ItemMod) {
        if !is_test_only(&it.attrs) {
            visit::visit_item_mod(self, it);
        }
    }

    fn visit_item_const(&mut self, it: &'a syn::ItemConst) {
        self.constants.entry(it.ident.to_string()).or_default().push(&it.expr);
    }

    fn visit_item_fn(&mut self, it: &'a syn::ItemFn) {
        if !is_test_only(&it.attrs) {
            self.function(&it.sig, &it.block);
        }
    }

    fn visit_impl_item_fn(&mut self, it: &'a syn::ImplItemFn) {
        if !is_test_only(&it.attrs) {
            self.function(&it.sig, &it.block);
        }
    }

    fn visit_local(&mut self, it: &'a syn::Local) {
        if let Some(init) = &it.init {
            bind(&it.pat, &init.expr, &mut self.scope);
        }
        visit::visit_local(self, it);
    }

    fn visit_expr_call(&mut self, it: &'a syn::ExprCall) {
        if let Expr::Path(function) = &*it.func {
            let names: Vec<String> = function.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            let name = names.get(names.len().saturating_sub(2)..).unwrap_or_default().join("::");
            self.hear(&SPEAKERS, &name, &it.args);
        }
        visit::visit_expr_call(self, it);
    }

    fn visit_expr_method_call(&mut self, it: &'a syn::ExprMethodCall) {
        self.hear(&METHODS, &it.method.to_string(), &it.args);
        visit::visit_expr_method_call(self, it);
    }

    fn visit_expr_struct(&mut self, it: &'a syn::ExprStruct) {
        let told = it.fields.iter().filter(|field| matches!(&field.member, syn::Member::Named(name) if name == "message"));
        let told: Vec<String> = told.flat_map(|field| texts(&field.expr, &self.scope, 0)).collect();
        self.found.extend(told);
        visit::visit_expr_struct(self, it);
    }
}

/// The sentences of a source text.
fn sentences(source: &str) -> Vec<String> {
    let file = syn::parse_file(source).expect("Rust");
    let mut found = Sentences::default();
    // Constants may stand behind what uses them.
    for item in &file.items {
        if let syn::Item::Const(it) = item {
            found.visit_item_const(it);
        }
    }
    found.visit_file(&file);
    found.found
}

#[test]
fn messages_and_hints_are_whole_sentences() {
    let (mut count, mut wrong) = (0, Vec::new());
    let sources = ["protocol/src/", "daemon/src/", "cli/src/"];
    let ours = |path: &String| sources.iter().any(|folder| path.starts_with(folder)) && path.ends_with(".rs") && !is_test(path);
    for path in project_files().into_iter().filter(ours) {
        let found = sentences(&read(&path));
        count += found.len();
        wrong.extend(found.into_iter().filter(|text| !is_whole(text)).map(|text| format!("{path}: {text:?}")));
    }
    assert!(count > 300, "only {count} sentences were found");
    none("messages and hints that are no whole sentences", &wrong);
}

#[test]
fn a_fragment_is_noticed() {
    for whole in [
        "",
        "It is over.",
        "`n-x` is gone.",
        "3 are left.",
        "{DRAFTS} are kept.",
        "Add --confirm \"x\".",
        "Is it?",
        "It is over. {why}",
        "You left.{why}{more}",
    ] {
        assert!(is_whole(whole), "{whole}");
    }
    for fragment in ["it is over.", "It is over", "Use an id: {}", "shorten it", "There are: {names}", "Try `{}`"] {
        assert!(!is_whole(fragment), "{fragment}");
    }
}

#[test]
fn sentences_are_found_however_they_are_made() {
    let source = r#"
        fn one() { Err(Error::new(Code::Usage, "a", format!("b {x}"))) }
        fn two() {
            let (message, hint) = if mine { ("c", "d".into()) } else { (format!("e"), Hint::Text("f".to_owned())) };
            InputError::not_found(message, hint);
            let told = match it { 1 => "g", _ => name.map_or_else(|| "h".to_owned(), |x| format!("i")) };
            Notice { message: told, hints }
        }
        fn words() -> &'static str { match self { A => "j", B => "k" } }
        fn three() { found.say(Level::Note, LATER, "m"); other("not one") }
        const LATER: &str = "l";
        #[cfg(test)]
        mod tests { fn four() { failed("not", "one") } }
    "#;
    let mut found = sentences(source);
    found.sort();
    found.dedup();
    let letters: Vec<&str> = found.iter().map(|text| text.get(..1).unwrap_or_default()).collect();
    assert_eq!(letters.join(""), "abcdefghijklm");
}
