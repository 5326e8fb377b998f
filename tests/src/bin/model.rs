//! `model DIR [--json]`: the membership vectors of a folder against the resolver, signed with real keys and fed in a random order.
//! Prints the names of those that differ in a field that must agree; exit 1 where one does, 2 where the folder cannot be read.

use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use kith_tests::model::{Making, load, run};
use serde_json::json;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let json = args.iter().any(|arg| arg == "--json");
    let mut rest = args.iter().filter(|arg| *arg != "--json");
    let (Some(folder), None) = (rest.next(), rest.next()) else {
        eprintln!("usage: model DIR [--json]");
        return ExitCode::from(2);
    };
    let vectors = match load(Path::new(folder)) {
        Ok(vectors) => vectors,
        Err(e) => {
            eprintln!("{e}");
            return ExitCode::from(2);
        }
    };
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| u64::from(now.subsec_nanos()));
    let mut differing = Vec::new();
    for vector in &vectors {
        let found = run(vector, Making::Signed, &[], seed).unwrap_or_else(|e| vec![e]);
        if !found.is_empty() {
            differing.push(json!({"name": vector.name, "fields": found}));
        }
    }
    if json {
        println!("{}", json!({"schema": "kith.model/1", "vectors": vectors.len(), "seed": seed, "differ": differing}));
    } else {
        for one in &differing {
            println!("{}", one["name"].as_str().unwrap_or_default());
            one["fields"].as_array().into_iter().flatten().for_each(|field| eprintln!("  {field}"));
        }
        eprintln!("{} of {} vectors agree (seed {seed})", vectors.len() - differing.len(), vectors.len());
    }
    ExitCode::from(u8::from(!differing.is_empty()))
}
