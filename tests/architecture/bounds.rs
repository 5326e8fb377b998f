//! No bound stands inline: what cuts, refuses, waits or counts by a number takes it by name from a limits file.
//!
//! Looked at is the code of the core and the daemon that is no test: numbers of three digits or more, spans of time, what is cut to a
//! number (`take(40)`, `len() > 8`), what a form of an item may hold, and a bound that is changed in passing (`2 * LIMIT`).

use syn::visit::{self, Visit};
use syn::{
    BinOp, Expr, ExprBinary, ExprCall, ExprLit, ExprMethodCall, ExprParen, ImplItemConst, ItemConst, ItemFn, ItemMod, Lit,
};

use crate::source::is_test_only;
use crate::{is_test, none, read, with_extension};

/// Numbers of two digits or fewer are grammar more often than bounds, and so are these where something is cut or compared.
const SMALL: u64 = 100;
const FEW: u64 = 3;

/// Numbers that bound nothing: file, how they stand there, reason.
const EXCUSED: &[(&str, &[&str], &str)] = &[
    ("protocol/src/circle/ticket.rs", &["compared with 4"], "a link ends with four bytes that check it"),
    ("protocol/src/item/recur.rs", &["366"], "the days of a year"),
];

/// What stands inline in a file.
#[derive(Default)]
struct Inline(Vec<String>);

/// A whole number as it is written, and what it is.
fn number(expr: &Expr) -> Option<(String, u64)> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => {
            // Written in another base it is a pattern of bits, or a mode of a file.
            let text = int.token().to_string();
            let other_base = ["0x", "0o", "0b"].iter().any(|begins| text.starts_with(begins));
            int.base10_parse().ok().filter(|_| !other_base).map(|value| (text, value))
        }
        Expr::Paren(ExprParen { expr, .. }) => number(expr),
        _ => None,
    }
}

/// The last names of a called path: `Duration::from_secs`.
fn called(expr: &Expr) -> String {
    let Expr::Path(path) = expr else { return String::new() };
    let names: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    names[names.len().saturating_sub(2)..].join("::")
}

/// Is this the name of a constant?
fn is_constant(expr: &Expr) -> bool {
    let Expr::Path(path) = expr else { return false };
    let name = path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
    name.len() > 3 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Does this count something?
fn counts(expr: &Expr) -> bool {
    match expr {
        Expr::MethodCall(call) => ["len", "count"].contains(&call.method.to_string().as_str()),
        _ => false,
    }
}

impl Inline {
    fn note(&mut self, what: impl Into<String>) {
        self.0.push(what.into());
    }
}

impl<'a> Visit<'a> for Inline {
    fn visit_item_mod(&mut self, module: &'a ItemMod) {
        if !is_test_only(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'a ItemFn) {
        if !is_test_only(&function.attrs) {
            visit::visit_item_fn(self, function);
        }
    }

    // `limits.rs` beside this file has a rule for these; what a type calls by a name has one.
    fn visit_item_const(&mut self, _: &'a ItemConst) {}

    fn visit_impl_item_const(&mut self, _: &'a ImplItemConst) {}

    // Numbers of fields and forms, statuses of HTTP.
    fn visit_attribute(&mut self, _: &'a syn::Attribute) {}

    fn visit_expr_lit(&mut self, lit: &'a ExprLit) {
        if let Some((text, value)) = number(&Expr::Lit(lit.clone()))
            && value >= SMALL
        {
            self.note(text);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'a ExprMethodCall) {
        let method = call.method.to_string();
        let cuts = ["take", "truncate", "saturating_mul"].contains(&method.as_str());
        if let Some((text, value)) = call.args.first().and_then(number)
            && cuts
            && (FEW..SMALL).contains(&value)
        {
            self.note(format!("{method}({text})"));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'a ExprCall) {
        let called = called(&call.func);
        if called.ends_with("::with_capacity") {
            // How much room is made at first: more is made where it is too little.
            return;
        }
        let first = call.args.first().and_then(number);
        if let Some((text, value)) = first
            && (called.starts_with("Form::") || called.starts_with("Duration::from_"))
            && value < SMALL
        {
            self.note(format!("{called}({text})"));
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_binary(&mut self, binary: &'a ExprBinary) {
        let (left, right) = (number(&binary.left), number(&binary.right));
        match binary.op {
            BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_) => {
                let compared = if counts(&binary.left) {
                    right
                } else if counts(&binary.right) {
                    left
                } else {
                    None
                };
                if let Some((text, _)) = compared.filter(|(_, value)| (FEW..SMALL).contains(value)) {
                    self.note(format!("compared with {text}"));
                }
            }
            BinOp::Shl(_) => {
                if let (Some((one, _)), Some((by, value))) = (left, right)
                    // `1 << 10` is a unit.
                    && value >= FEW
                    && (one.as_str(), value) != ("1", 10)
                {
                    self.note(format!("{one} << {by}"));
                }
            }
            BinOp::Mul(_) | BinOp::Div(_) => {
                let by = if is_constant(&binary.left) {
                    right
                } else if is_constant(&binary.right) {
                    left
                } else {
                    None
                };
                if let Some((text, _)) = by {
                    self.note(format!("a constant times or by {text}"));
                }
            }
            _ => {}
        }
        visit::visit_expr_binary(self, binary);
    }
}

fn inline(path: &str, text: &str) -> Vec<String> {
    let mut found = Inline::default();
    found.visit_file(&syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}")));
    found.0
}

#[test]
fn bounds_are_named() {
    let ours = |path: &String| ["protocol/src/", "daemon/src/"].iter().any(|folder| path.starts_with(folder));
    let files = with_extension("rs").into_iter().filter(|path| ours(path) && !is_test(path) && !path.ends_with("/limits.rs"));
    let (mut found, mut excuses) = (Vec::new(), Vec::new());
    for (file, numbers, _) in EXCUSED {
        excuses.extend(numbers.iter().map(|number| (*file, *number)));
    }
    let all = excuses.clone();
    for path in files {
        for number in inline(&path, &read(&path)) {
            let excused = |(file, its): &(&str, &str)| (*file, *its) == (path.as_str(), number.as_str());
            excuses.retain(|excuse| !excused(excuse));
            if !all.iter().any(excused) {
                found.push(format!("{path}: {number}"));
            }
        }
    }
    none("bounds that have no name; give them one in a limits file, with unit and reason", &found);
    let stale: Vec<String> = excuses.iter().map(|(file, number)| format!("{file}: {number}")).collect();
    none("excused, and not there", &stale);
}

#[test]
fn a_bound_without_a_name_is_noticed() {
    let source = "fn f() { x.take(40); x.take(2); x.truncate(MOST); if list.len() > 8 || list.len() > 2 || 9 <= text.chars().count() {}
        let wait = Duration::from_secs(5); let (mask, room) = (0x1ff, 4 << 20); Form::Line(35); if bytes > 70_000 {} let y = 2 * LIMIT;
        Vec::with_capacity(500); let z = n * 2; }
        const MANY: usize = 500; #[doc = 500] fn g() {} #[cfg(test)] mod tests { fn h() { x.take(40) } }";
    let found = [
        "take(40)",
        "compared with 8",
        "compared with 9",
        "Duration::from_secs(5)",
        "4 << 20",
        "Form::Line(35)",
        "70_000",
        "a constant times or by 2",
    ];
    assert_eq!(inline("a.rs", source), found);
}
