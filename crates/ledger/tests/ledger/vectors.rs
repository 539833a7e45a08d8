//! The public proof vectors of transparency-dev/merkle, where they are present.

use std::path::{Path, PathBuf};

use docket_ledger::proof::{verify_consistency, verify_inclusion};
use docket_ledger::{TreeHash, TreeHead};
use serde_json::Value;

fn vectors() -> Option<PathBuf> {
    let cases = match std::env::var_os("DOCKET_CASES") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases"),
    };
    let testdata = cases.join("vectors/transparency-dev-merkle/testdata");
    if testdata.is_dir() {
        return Some(testdata);
    }
    println!(
        "SKIPPED: no vectors at {} (set DOCKET_CASES)",
        testdata.display()
    );
    None
}

fn json_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            json_files(&path, out);
        } else if path.extension().is_some_and(|end| end == "json") {
            out.push(path);
        }
    }
}

/// A hash of the wrong length is a refusal by type, as good as any.
fn hash(value: &Value) -> Option<TreeHash> {
    value.as_str()?.parse().ok()
}

/// Some vectors have words for roots ("don't care 1"): equal words must stay equal, and be no root.
fn root(value: &Value) -> Option<TreeHash> {
    hash(value).or_else(|| Some(TreeHash::of_leaf(value.as_str()?.as_bytes())))
}

fn hashes(value: &Value) -> Option<Vec<TreeHash>> {
    match value {
        Value::Null => Some(Vec::new()),
        other => other.as_array()?.iter().map(hash).collect(),
    }
}

fn inclusion(case: &Value) -> Option<()> {
    let head = TreeHead {
        size: case["treeSize"].as_u64()?,
        root: root(&case["root"])?,
    };
    let (index, proof) = (case["leafIdx"].as_u64()?, hashes(&case["proof"])?);
    verify_inclusion(index, &hash(&case["leafHash"])?, &proof, &head).ok()
}

fn consistency(case: &Value) -> Option<()> {
    let head = |n: u8| {
        Some(TreeHead {
            size: case[format!("size{n}")].as_u64()?,
            root: root(&case[format!("root{n}")])?,
        })
    };
    verify_consistency(&head(1)?, &head(2)?, &hashes(&case["proof"])?).ok()
}

#[test]
fn public_vectors_are_judged_alike() {
    let Some(testdata) = vectors() else { return };
    for (folder, judge) in [
        ("inclusion", inclusion as fn(&Value) -> Option<()>),
        ("consistency", consistency),
    ] {
        let mut files = Vec::new();
        json_files(&testdata.join(folder), &mut files);
        let mut good = 0;
        for file in &files {
            let case: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            let refused = judge(&case).is_none();
            assert_eq!(
                refused,
                case["wantErr"].as_bool().unwrap(),
                "{}",
                file.display()
            );
            good += usize::from(!refused);
        }
        println!(
            "{folder}: {} vectors, {good} of them proofs that hold",
            files.len()
        );
        assert!(files.len() > 50 && good >= 5, "{folder}: too few vectors");
    }
}
