//! `model DIR [--seed N] [--json]`: the membership vectors of a folder against the resolver, signed with real keys and fed in a
//! random order. Prints the names of those that differ in a field that must agree; exit 1 where one does, 2 where the folder cannot
//! be read or holds none. The seed is printed; given again, ids and order are the same.

use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use kith_tests::model::{Making, Vector, load, run};
use serde_json::json;

struct Wanted {
    folder: String,
    seed: u64,
    json: bool,
}

fn wanted() -> Option<Wanted> {
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| u64::from(now.subsec_nanos()));
    let (mut folder, mut seed, mut json) = (None, None, false);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--json" => json = true,
            "--seed" => seed = Some(args.next()?.parse().ok()?),
            option if option.starts_with('-') => return None,
            _ if folder.is_some() => return None,
            _ => folder = Some(arg),
        }
    }
    Some(Wanted { folder: folder?, seed: seed.unwrap_or_else(clock), json })
}

fn vectors(folder: &str) -> Result<Vec<Vector>, String> {
    let vectors = load(Path::new(folder))?;
    if vectors.is_empty() { Err(format!("{folder} holds no vectors (files that end in .json)")) } else { Ok(vectors) }
}

fn main() -> ExitCode {
    let Some(Wanted { folder, seed, json }) = wanted() else {
        eprintln!("usage: model DIR [--seed N] [--json]");
        return ExitCode::from(2);
    };
    let vectors = match vectors(&folder) {
        Ok(vectors) => vectors,
        Err(e) => {
            eprintln!("{e}");
            return ExitCode::from(2);
        }
    };
    let (mut differing, mut unsigned, mut acts, mut signed) = (Vec::new(), Vec::new(), 0, 0);
    for vector in &vectors {
        let found = match run(vector, Making::Signed, &[], seed) {
            Ok(run) => {
                (acts, signed) = (acts + run.acts, signed + run.signed);
                unsigned.extend(run.formless.iter().map(|(id, why)| format!("{}: {id}: {why:?}", vector.name)));
                run.differs
            }
            Err(e) => vec![e],
        };
        if !found.is_empty() {
            differing.push(json!({"name": vector.name, "fields": found}));
        }
    }
    if json {
        let all = json!({"schema": "kith.model/1", "vectors": vectors.len(), "seed": seed, "acts": acts, "signed": signed,
            "unsigned": unsigned, "differ": differing});
        println!("{all}");
    } else {
        for one in &differing {
            println!("{}", one["name"].as_str().unwrap_or_default());
            one["fields"].as_array().into_iter().flatten().for_each(|field| eprintln!("  {field}"));
        }
        unsigned.iter().for_each(|one| eprintln!("not signed, the log has no form for it: {one}"));
        eprintln!(
            "{} of {} vectors agree (seed {seed}, {signed} of {acts} acts signed)",
            vectors.len() - differing.len(),
            vectors.len()
        );
    }
    ExitCode::from(u8::from(!differing.is_empty()))
}
